/* dtls.h: the server's side of DTLS, without I/O: datagrams are fed in, and
 * what is to be sent goes to a callback. wolfSSL is behind it.
 *
 * Nothing is kept of a client before it has answered from its address
 * (RFC 6347 section 4.2.1): one session waits for all of them, answers the
 * first hello of each without remembering it, and becomes the session of the
 * first whose second one has the cookie. */
#ifndef EPI__DTLS_H
#define EPI__DTLS_H

#include "epi/addr.h"
#include "epi/error.h"

typedef struct epi__dtls_server epi__dtls_server;
typedef struct epi__dtls epi__dtls;

/* Make a server from a certificate chain and its key, PEM. Returns 0,
 * EPI_EINVAL (they are no such thing), EPI_ESYS (no random bytes) or
 * EPI_ENOMEM. Threads: once made, it may serve many. */
int epi__dtls_server_new(epi__dtls_server **out, const char *chain,
                         size_t chain_len, const char *key, size_t key_len);
void epi__dtls_server_free(epi__dtls_server *server);

/* Make a session that waits. send is called with each datagram that is to go
 * out. Returns 0 or EPI_ENOMEM. */
int epi__dtls_new(epi__dtls **out, epi__dtls_server *server,
                  void (*send)(void *user, const void *data, size_t len),
                  void *user);

/* Take a datagram from an address that has no session, by one that waits.
 *
 * Returns 1: it is the session of that address from here on; 0: it still waits;
 * EPI_ECRYPTO: the session is of no more use. */
int epi__dtls_hello(epi__dtls *session, const epi_addr *peer,
                    const uint8_t *datagram, size_t len);

/* End it, and tell the peer. NULL is fine. */
void epi__dtls_free(epi__dtls *session);

/* Take a datagram. Returns 0, or EPI_ECRYPTO or EPI_ECLOSED: the session is
 * over. What does not belong to it is dropped. */
int epi__dtls_feed(epi__dtls *session, const uint8_t *datagram, size_t len);

/* The next message that came, decrypted, in a buffer of at least 16 KiB.
 * Returns its length, 0 if there is none, or an error as epi__dtls_feed(). */
ptrdiff_t epi__dtls_read(epi__dtls *session, void *buf, size_t size);

/* Send a message. Returns 0, EPI_ESTATE (the handshake is not done), EPI_ELIMIT
 * (too long for a datagram) or EPI_ECRYPTO. */
int epi__dtls_write(epi__dtls *session, const void *data, size_t len);

/* 1 once the handshake is done. */
int epi__dtls_is_open(const epi__dtls *session);

/* How long to wait for the peer in a handshake, and what then: send again.
 * Returns 0 or EPI_ETIMEOUT. */
int64_t epi__dtls_patience_ms(const epi__dtls *session);
int epi__dtls_again(epi__dtls *session);

/* A thread that had sessions ends: give back what wolfSSL keeps for it. */
void epi__dtls_thread_end(void);

#endif
