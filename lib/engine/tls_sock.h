/* tls_sock.h: a TLS session on a socket: what the session has goes out, and
 * what comes goes in. Who uses it watches the socket: for reading, and for
 * writing while something waits to be sent. */
#ifndef EPI__TLS_SOCK_H
#define EPI__TLS_SOCK_H

#include "tls/tls_session.h"

enum {
  EPI__TLS_READ = 64 * 1024, /* most bytes that epi__tls_sock_read() uses */
};

/* Send what waits. Returns 1: nothing is left; 0; or EPI_ECLOSED. */
int epi__tls_sock_flush(epi__tls *session, int fd);

/* 1 if something waits to be sent. */
int epi__tls_sock_waits(const epi__tls *session);

/* Go on with a handshake as far as it goes now; a client's begins. *heard
 * becomes 1 if the peer said something. Returns 1: it is done; 0: it waits for
 * the peer; or an error of epi__tls_feed(), and the detail says why. */
int epi__tls_sock_shake(epi__tls *session, int fd, int *heard);

/* Read, by way of a buffer for what is encrypted, with room for `room` bytes.
 * Returns as epi__sock_read(); errors of TLS are EPI_ECLOSED, too, the detail
 * says which. An end that the peer did not announce is one of them, unless it
 * never said anything. */
ptrdiff_t epi__tls_sock_read(epi__tls *session, int fd, void *buf, size_t size,
                             uint8_t *cipher, size_t room);

/* Write. Returns as epi__sock_write(); what was taken may wait still. */
ptrdiff_t epi__tls_sock_write(epi__tls *session, int fd, const void *data,
                              size_t len);

/* EPI_ECLOSED, with what is wrong with a session as the detail. */
int epi__tls_sock_failed(const epi__tls *session);

#endif
