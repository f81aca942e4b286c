/* client_hello.h: which server a TLS client asks for (RFC 6066 section 3). */
#ifndef EPI__CLIENT_HELLO_H
#define EPI__CLIENT_HELLO_H

#include "base/bytes.h"

enum {
  EPI__HELLO_MAX = 16384, /* bytes of a ClientHello */
  EPI__TLS_HANDSHAKE = 22,
};

/* A ClientHello that arrives, in any number of records; all zero at first. */
typedef struct epi__hello {
  epi__queue message;
  uint8_t header[5]; /* of a record */
  size_t header_len;
  size_t left; /* of a record's content */
} epi__hello;

/* Take bytes from the beginning of a client's stream.
 *
 * Returns 1 when the ClientHello is all there, and what comes behind it is not
 * looked at; *name is then the server's, of kind EPI_ADDR_NONE if it names
 * none. Returns 0 for more, EPI_EPROTO, EPI_ELIMIT or EPI_ENOMEM. */
int epi__hello_feed(epi__hello *hello, const uint8_t *data, size_t len,
                    epi_addr *name);

/* Drop what was kept. */
void epi__hello_clear(epi__hello *hello);

#endif
