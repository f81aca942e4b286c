/* loopback.h: sockets to ports of this machine. */
#ifndef TEST_LOOPBACK_H
#define TEST_LOOPBACK_H

#include <stdint.h>

/* Connect a socket of a type (SOCK_STREAM, SOCK_DGRAM) to 127.0.0.1:port; it
 * waits so long at most when it receives. Returns it, or -1: there is nobody.
 */
int loopback_connect(int type, uint16_t port, int64_t patience_ms);

#endif
