/* tls_parts.h: what the files that make up TLS sessions share. */
#ifndef EPI__TLS_PARTS_H
#define EPI__TLS_PARTS_H

#include "base/bytes.h"
#include "filter/client_hello.h"
#include "tls/tls_certificate.h"
#include "tls/tls_session.h"

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/settings.h>

#include <wolfssl/ssl.h>

#include <pthread.h>
#include <stdatomic.h>

/* ---- a context ---- */

/* An authority that is trusted: its name, and until when. */
typedef struct epi__tls_root {
  uint8_t name[EPI__CERTIFICATE_HASH];
  int64_t ends;
} epi__tls_root;

/* One certificate of ours, and the wolfSSL context that shows it. */
typedef struct epi__tls_own {
  WOLFSSL_CTX *wolf;
  epi__certificate *certificate; /* NULL: a client without one */
  char *name;
  int64_t expiry; /* of it and those above */
} epi__tls_own;

enum {
  EPI__TLS_KEPT = 64,           /* sessions that a client may resume */
  EPI__TLS_KEPT_SECONDS = 3600, /* what was revoked since is noticed then */
};

/* A session that may be resumed. */
typedef struct epi__tls_kept {
  epi_addr host; /* and port */
  WOLFSSL_SESSION *session;
  int64_t until;
  char *peer;
  const char *kind;
} epi__tls_kept;

struct epi__tls_context {
  atomic_size_t holds;
  int server;
  int peer;     /* EPI__TLS_PEER_* */
  char *alpn;   /* separated by commas; NULL: none */
  size_t count; /* of own; a client has one, with or without certificate */
  epi__tls_own *own;
  epi__tls_root *roots;
  size_t root_count, root_room;
  pthread_mutex_t lock; /* of kept */
  epi__tls_kept kept[EPI__TLS_KEPT];
  size_t oldest; /* of kept: replaced next */
};

/* ---- a session ---- */

enum { EPI__TLS_HEADER = 5 }; /* bytes of a record's header */

struct epi__tls {
  epi__tls_context *context;
  const epi__tls_own *own;
  WOLFSSL *ssl;  /* NULL before the first bytes, and when all is said */
  epi_addr host; /* the server's name, as asked for */
  epi__hello hello;
  epi__queue in;       /* ciphertext that is not decrypted yet */
  const uint8_t *lent; /* more of it, the caller's during a call */
  size_t lent_len;
  uint8_t header[EPI__TLS_HEADER]; /* what wolfSSL took last, if so long */
  epi__queue out;
  int failed;   /* the error, once there is one */
  char *reason; /* may be NULL: no memory for it */
  int why;      /* what the check of the certificate found; 0: nothing */
  int checked;  /* the peer's certificate was seen, and is good */
  int open;
  int over;       /* nothing more will be fed */
  int ended;      /* the peer is done */
  int ending;     /* so are we */
  int has_ticket; /* one came, and is not kept yet */
  int offered;    /* an earlier session was, to go on from */
  int resumed;
  int64_t keep_until; /* the session may be kept until then */
  char *peer;         /* NULL: none */
  const char *kind;
  char *server_name; /* of host, as text; NULL: none */
  char *alpn;
  const char *version;
  const char *cipher;
};

/* Remember an error with its detail (that of this thread) and return it; or
 * return it again. */
int epi__tls_fail(epi__tls *session, int code);
int epi__tls_failed(const epi__tls *session);

/* Fail by a code of wolfSSL, or by what the check of a certificate found. */
int epi__tls_fail_with(epi__tls *session, int code);

/* Bytes, for wolfSSL. */
int epi__tls_on_receive(WOLFSSL *ssl, char *buf, int size, void *user);
int epi__tls_on_send(WOLFSSL *ssl, char *data, int len, void *user);

/* Fill one in; pair may be NULL. What is in it is freed with the context.
 * Errors as epi__tls_context_new(). */
int epi__tls_own_make(epi__tls_own *own, const epi__tls_setup *setup,
                      const epi__tls_pair *pair);

/* ---- handshake ---- */

/* Take a client's first bytes, until its first message is there: then it is
 * known which certificate to show, and that it is TLS at all. Returns 1 then, 0
 * before, or an error. */
int epi__tls_hear(epi__tls *session, const uint8_t *data, size_t len);

/* Go on as far as the bytes that are there go. Returns 0 or an error. */
int epi__tls_shake(epi__tls *session);

/* A host as text, new. Returns 0, EPI_EINVAL or EPI_ENOMEM. */
int epi__tls_host_text(char **out, const epi_addr *host);

/* ---- checks ---- */

/* Look at a certificate of the peer's: for wolfSSL. */
int epi__tls_on_verify(int fine, WOLFSSL_X509_STORE_CTX *store);

/* EPI_EAUTH if all authorities of the name that a certificate's issuer has
 * expired since they were loaded; 0 if not, or there is none. */
int epi__tls_check_ca(const epi__tls_context *context,
                      const epi__certificate *certificate);

/* Say what a code of wolfSSL means for a session, as an error with detail. */
int epi__tls_explain(epi__tls *session, int code);

/* Load authorities and what they revoked; remember when authorities expire.
 * Return 0, EPI_EINVAL or EPI_ENOMEM. */
int epi__tls_load_ca(WOLFSSL_CTX *wolf, const epi__tls_text *ca, int lenient);
int epi__tls_note_ca(epi__tls_context *context, const epi__tls_text *ca);
int epi__tls_load_crl(WOLFSSL_CTX *wolf, const epi__tls_text *crl);

/* ---- resumption ---- */

/* Give a client's session one to go on from, if there is one; drop that one,
 * as it did no good; keep its own for later; forget all. */
void epi__tls_resume(epi__tls *session);
void epi__tls_spoil(epi__tls *session);
void epi__tls_keep(epi__tls *session);
void epi__tls_forget(epi__tls_context *context);

#endif
