/* loopback.h: sockets to ports of this machine. */
#ifndef TEST_LOOPBACK_H
#define TEST_LOOPBACK_H

#include <stddef.h>
#include <stdint.h>

/* Connect a socket of a type (SOCK_STREAM, SOCK_DGRAM) to 127.0.0.1:port; it
 * waits so long at most when it receives. Returns it, or -1: there is nobody.
 */
int loopback_connect(int type, uint16_t port, int64_t patience_ms);

/* The same to a host of 127.0.0.0/8. */
int loopback_connect_to(const char *host, int type, uint16_t port,
                        int64_t patience_ms);

/* Receive so many bytes. Returns 1, or 0: there were fewer. */
int loopback_take(int fd, void *buf, size_t size);

/* A host of 127.0.0.0/8 that no other process listens at: a port that this one
 * closes there is nobody's. */
const char *loopback_own(void);

#endif
