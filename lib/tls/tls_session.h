/* tls_session.h: sessions of TLS 1.2 and 1.3, without I/O: bytes are fed in,
 * peeked at to be sent, and acked once sent. wolfSSL is behind it.
 *
 * A context says what one side shows and asks for; it never changes, so a
 * reload makes another one and leaves sessions that run with theirs. A session
 * is one connection's and belongs to one thread at a time. */
#ifndef EPI__TLS_SESSION_H
#define EPI__TLS_SESSION_H

#include "epi/error.h"

typedef struct epi__tls_context epi__tls_context;
typedef struct epi__tls epi__tls;

enum {
  EPI__TLS_PAIRS = 64,            /* most certificates of a context */
  EPI__TLS_ALPN = 8,              /* most protocols of a context */
  EPI__TLS_NAME = 255,            /* longest name or identity, in bytes */
  EPI__TLS_INPUT = 64 * 1024,     /* most ciphertext that a session keeps */
  EPI__TLS_OUTPUT = 128 * 1024,   /* so much waits: no more is written */
  EPI__TLS_RECORD = 16384,        /* most plaintext in a record */
  EPI__TLS_OVERHEAD = 5 + 16 + 8, /* what a record adds to it, at most */
  EPI__TLS_PEM = 16 << 20,        /* longest text of certificates or lists */
};

/* The other side's certificate. A client always requires it. */
#define EPI__TLS_PEER_NONE    0
#define EPI__TLS_PEER_ASK     1 /* without one it is anonymous */
#define EPI__TLS_PEER_REQUIRE 2

/* Bytes of the caller: PEM text, or DER. All zero: none. */
typedef struct epi__tls_text {
  const char *data;
  size_t len;
} epi__tls_text;

/* A certificate with those above it, its key, and what its authority says
 * about it (an OCSP response, DER) to hand out along with it. The last is not
 * possible for now: wolfSSL 5.5.4 loses memory with each handshake that has
 * one in TLS 1.3, and in TLS 1.2 uses one session's memory in another one. */
typedef struct epi__tls_pair {
  epi__tls_text chain;
  epi__tls_text key;
  epi__tls_text staple; /* EPI_ENOTSUP */
} epi__tls_pair;

/* What a context is made of; zero is a good default for everything. Nothing of
 * it is kept. */
typedef struct epi__tls_setup {
  int server;                 /* 1: sessions are servers; 0: clients */
  const epi__tls_pair *pairs; /* a server needs one, a client has 0 or 1 */
  size_t pair_count;          /* by SNI name; the first one is the default */
  epi__tls_text ca;           /* authorities for the peer's certificate */
  int ca_lenient;    /* 1: leave out authorities that cannot be used, as a
                        system's store may have; 0: they are an error */
  epi__tls_text crl; /* what they revoked; given: every peer's certificate
                        needs a current list of its issuer */
  int peer;          /* EPI__TLS_PEER_*, of a server */
  int staple;        /* 1: a client refuses a server without a good staple */
  const char *const *alpn; /* protocols, best first; a peer that offers only
                              others is refused, one without ALPN is not */
  size_t alpn_count;
  int lowest;  /* 12 (also 0) or 13: TLS 1.2 or 1.3 */
  int highest; /* 13 (also 0) or 12, for a peer that gets 1.3 wrong */
} epi__tls_setup;

/* Make a context.
 *
 * Returns 0; EPI_EINVAL (something of it is not what it should be: the detail
 * names it, and the number of the pair from 1), EPI_ELIMIT (too many or too
 * long), EPI_EAUTH (a certificate and its key do not belong together),
 * EPI_ENOTSUP (a staple), EPI_ECRYPTO or EPI_ENOMEM. Threads: one context may
 * serve many. */
int epi__tls_context_new(epi__tls_context **out, const epi__tls_setup *setup);

/* Hold it once more; each hold and the making are ended by a free. NULL is
 * fine. A session holds its own. Threads: any. */
epi__tls_context *epi__tls_context_hold(epi__tls_context *context);
void epi__tls_context_free(epi__tls_context *context);

/* When the certificate of a pair (from 0), or one above it, expires first, in
 * seconds since 1970; and its name, valid as long as the context; name_out may
 * be NULL. Returns the time, or EPI_ENOENT past the last pair. */
int64_t epi__tls_context_expiry(const epi__tls_context *context, size_t pair,
                                const char **name_out);

/* Make a session. It is small until its first bytes come or epi__tls_begin().
 *
 * peer is the name or the address (text) that a client asks for by SNI and
 * that the server's certificate must have; a server passes NULL. port only
 * tells which kept session may be resumed. Returns 0, EPI_EINVAL (a client
 * without a name, or one that is none) or EPI_ENOMEM. */
int epi__tls_new(epi__tls **out, epi__tls_context *context, const char *peer,
                 unsigned port);

/* End it without a word to the peer (epi__tls_end() says it). NULL is fine. */
void epi__tls_free(epi__tls *session);

/* A client begins: its first bytes are there to be sent. More than once is
 * fine; nothing happens for a server. Errors as epi__tls_feed(). */
int epi__tls_begin(epi__tls *session);

/* Take bytes from the peer, all of them; the handshake goes on. They are yours
 * again when the call returns. Look at epi__tls_peek() afterwards, also after
 * an error: there may be an alert to send.
 *
 * Returns 0, or an error, after which the session is of no more use and every
 * call returns it again (epi__tls_reason() then has the detail):
 * EPI_EAUTH     a certificate is missing, or not good: ours or the peer's
 * EPI_EVERSION  no version of TLS in common
 * EPI_EPROTO    no TLS, broken TLS, nothing else in common, or an alert
 * EPI_ECRYPTO   data is forged or damaged
 * EPI_ECLOSED   the peer went in the middle of it
 * EPI_ELIMIT    more than EPI__TLS_INPUT bytes wait to be read: read first
 *               (this one leaves the session as it was, and nothing is taken)
 * EPI_ENOMEM */
int epi__tls_feed(epi__tls *session, const void *data, size_t len);

/* No more bytes will come: the connection ended. What is there can be read; if
 * the peer did not say that it is done, then EPI_ECLOSED: perhaps somebody cut
 * it short. Returns 0 or EPI_ECLOSED (in a handshake). */
int epi__tls_feed_end(epi__tls *session);

/* Read plaintext. Returns a count; 0: the peer said that it is done;
 * EPI_ENOENT: nothing there now; or an error as epi__tls_feed(). */
ptrdiff_t epi__tls_read(epi__tls *session, void *buf, size_t size);

/* Both at once, which spares a copy: take all bytes from the peer and read.
 * buf and data are apart. Where size is at least len, hardly anything is ever
 * kept. Returns as epi__tls_read(), and as epi__tls_feed() for EPI_ELIMIT. */
ptrdiff_t epi__tls_feed_read(epi__tls *session, const void *data, size_t len,
                             void *buf, size_t size);

/* 1 if epi__tls_read() may have something to give, be it an end or an error,
 * with no more bytes from the peer: the socket will not tell. */
int epi__tls_pending(const epi__tls *session);

/* Encrypt. Returns the count that was taken; 0: not now (the handshake is not
 * done, or EPI__TLS_OUTPUT bytes wait to be sent); EPI_ECLOSED: after
 * epi__tls_end(); or an error as epi__tls_feed(). Several calls go into the
 * same outgoing buffer, so send after the last one. */
ptrdiff_t epi__tls_write(epi__tls *session, const void *data, size_t len);

/* What is to be sent to the peer: a count, and where it is until the next call
 * for this session. 0: nothing. */
size_t epi__tls_peek(const epi__tls *session, const void **data_out);

/* So much of it was sent. */
void epi__tls_ack(epi__tls *session, size_t len);

/* The memory that what is to be sent takes, in bytes. */
size_t epi__tls_held(const epi__tls *session);

/* Say that no more will be written; reading goes on. More than once is fine.
 * Before the handshake is done, it is said as soon as it is. Returns 0, or an
 * error as epi__tls_feed(). */
int epi__tls_end(epi__tls *session);

/* 1 once the handshake is done and what is written goes to a peer that was
 * checked. 1 once the peer said that it is done (close_notify). */
int epi__tls_is_open(const epi__tls *session);
int epi__tls_is_ended(const epi__tls *session);

/* Why it failed, in words; "" if it did not. Valid as long as the session. */
const char *epi__tls_reason(const epi__tls *session);

/* Who the peer is, by its certificate: its first URI, else its first DNS name,
 * else its first e-mail address, else its common name. Printable, at most
 * EPI__TLS_NAME bytes; "" if it showed none or before the handshake is done.
 * And which of these it is: "uri", "dns", "email", "cn" or "". */
const char *epi__tls_peer(const epi__tls *session);
const char *epi__tls_peer_kind(const epi__tls *session);

/* The name that the client asked for, printable, "" if none; the protocol that
 * both chose, "" if none; version and cipher as people write them, "" before
 * they are chosen. Valid as long as the session. */
const char *epi__tls_server_name(const epi__tls *session);
const char *epi__tls_alpn(const epi__tls *session);
const char *epi__tls_version(const epi__tls *session);
const char *epi__tls_cipher(const epi__tls *session);

/* 1 if it goes on from an earlier session, without certificates again. */
int epi__tls_is_resumed(const epi__tls *session);

/* Data before the handshake is done (TLS 1.3 early data), which somebody may
 * replay: only for a request that cannot do harm twice. A client's goes along
 * with epi__tls_begin(). Returns the count, 0 (this peer does not take it:
 * write it later), or EPI_ENOTSUP: always, for now; Debian's wolfSSL has none,
 * and servers refuse it. */
ptrdiff_t epi__tls_write_early(epi__tls *session, const void *data, size_t len);

/* A thread that had sessions ends: give back what wolfSSL keeps for it. */
void epi__tls_thread_end(void);

#endif
