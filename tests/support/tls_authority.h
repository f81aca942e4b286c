/* tls_authority.h: certificate authorities for tests: they issue certificates,
 * revocation lists and OCSP responses, good and bad ones, at once. */
#ifndef TEST_TLS_AUTHORITY_H
#define TEST_TLS_AUTHORITY_H

#include <stddef.h>
#include <stdint.h>

enum { TLS_DAY = 24 * 60 * 60, TLS_USE_SERVER = 1, TLS_USE_CLIENT = 2 };

typedef struct tls_authority tls_authority;

/* What a certificate says; zero is a good default. */
typedef struct tls_wish {
  const char *cn;
  const char *dns, *dns_too; /* names of hosts */
  const char *uri;
  const char *email;
  const char *ip; /* as text */
  int64_t begins; /* seconds from now; 0: since yesterday */
  int64_t ends;   /* seconds from now; 0: for 30 days */
  int use;        /* TLS_USE_*; 0: both */
  int sha1;       /* 1: signed with SHA-1 */
  int short_key;  /* 1: a key on the curve P-224 */
} tls_wish;

/* A certificate with its key, in PEM: the chain up to below the root. */
typedef struct tls_issued {
  char chain[16384];
  char key[1024];
  unsigned serial;
} tls_issued;

/* An authority that was issued by another one, or by itself (NULL). ends as
 * above. Freed by tls_authority_free(). */
tls_authority *tls_authority_new(const char *cn, tls_authority *parent,
                                 int64_t ends);

/* One whose certificate does not say that it may issue any. */
tls_authority *tls_authority_false(const char *cn, tls_authority *parent);

void tls_authority_free(tls_authority *authority);

/* Its own certificate, PEM, valid as long as it; and its serial number. */
const char *tls_authority_pem(const tls_authority *authority);
unsigned tls_authority_serial(const tls_authority *authority);

void tls_authority_issue(tls_authority *authority, tls_issued *out,
                         const tls_wish *wish);

/* A list of the serial numbers that are revoked, PEM, into buf; next is when
 * the next list comes, in seconds from now. */
void tls_authority_revoke(tls_authority *authority, char *buf, size_t size,
                          const unsigned *serials, size_t count, int64_t next);

/* What it says about a serial number: an OCSP response, DER, into buf: good, or
 * revoked. Returns its length. */
size_t tls_authority_staple(tls_authority *authority, uint8_t *buf, size_t size,
                            unsigned serial, int revoked, int64_t next);

#endif
