/* tls_authority.c: what certificate authorities do, by hand (RFC 5280, 6960),
 * with keys on the curve P-256. */
#include "support/tls_authority.h"

#include "support/der_writer.h"

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/settings.h>

#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/sha.h>
#include <wolfssl/wolfcrypt/sha256.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SEQUENCE = 0x30, SET = 0x31, OID = 0x06, OCTETS = 0x04, BITS = 0x03 };

struct tls_authority {
  char cn[64];
  tls_authority *parent;
  ecc_key key;
  unsigned serial;
  uint8_t key_hash[20]; /* of the public key */
  char pem[4096];
};

static const uint8_t oid_cn[] = {0x55, 4, 3};
static const uint8_t oid_key[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1};
static const uint8_t oid_p224[] = {0x2b, 0x81, 4, 0, 33};
static const uint8_t oid_p256[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};
static const uint8_t oid_sha256[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2};
static const uint8_t oid_sha1[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1};
static const uint8_t oid_hash[] = {0x2b, 0x0e, 3, 2, 0x1a};
static const uint8_t oid_alt_names[] = {0x55, 0x1d, 17};
static const uint8_t oid_key_use[] = {0x55, 0x1d, 15};
static const uint8_t oid_basic[] = {0x55, 0x1d, 19};
static const uint8_t oid_subject_key[] = {0x55, 0x1d, 14};
static const uint8_t oid_authority_key[] = {0x55, 0x1d, 35};
static const uint8_t oid_use[] = {0x55, 0x1d, 37};
static const uint8_t oid_server[] = {0x2b, 6, 1, 5, 5, 7, 3, 1};
static const uint8_t oid_client[] = {0x2b, 6, 1, 5, 5, 7, 3, 2};
static const uint8_t oid_ocsp[] = {0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1};

static unsigned last_serial = 1000;

static void must(int failed, const char *what) {
  if (failed) {
    fprintf(stderr, "tls_authority: cannot %s\n", what);
    abort();
  }
}

static WC_RNG *random_source(void) {
  static WC_RNG rng;
  static int made;

  if (!made) {
    must(wc_InitRng(&rng), "get random bytes");
    made = 1;
  }
  return &rng;
}

static void to_pem(char *out, size_t size, const uint8_t *bytes, size_t len,
                   int type) {
  int made =
      wc_DerToPem(bytes, (word32)len, (byte *)out, (word32)size - 1, type);

  must(made <= 0, "write PEM");
  out[made] = '\0';
}

/* ---- parts ---- */

static void put_method(der *out, int sha1) {
  size_t mark = der_mark(out);

  if (sha1) {
    der_value(out, OID, oid_sha1, sizeof oid_sha1);
  } else {
    der_value(out, OID, oid_sha256, sizeof oid_sha256);
  }
  der_wrap(out, SEQUENCE, mark);
}

static void put_name(der *out, const char *cn) {
  size_t mark = der_mark(out);

  if (cn) {
    der_text(out, 0x0c, cn);
    der_value(out, OID, oid_cn, sizeof oid_cn);
    der_wrap(out, SEQUENCE, mark);
    der_wrap(out, SET, mark);
  }
  der_wrap(out, SEQUENCE, mark);
}

static size_t public_point(ecc_key *key, uint8_t *point) {
  word32 len = 65;

  must(wc_ecc_export_x963(key, point, &len), "export a key");
  return len;
}

static void put_public_key(der *out, ecc_key *key) {
  uint8_t bits[66] = {0};
  size_t len = public_point(key, bits + 1), mark = der_mark(out), method;

  der_value(out, BITS, bits, len + 1);
  method = der_mark(out);
  if (wc_ecc_size(key) == 28) {
    der_value(out, OID, oid_p224, sizeof oid_p224);
  } else {
    der_value(out, OID, oid_p256, sizeof oid_p256);
  }
  der_value(out, OID, oid_key, sizeof oid_key);
  der_wrap(out, SEQUENCE, method);
  der_wrap(out, SEQUENCE, mark);
}

static void hash_key(ecc_key *key, uint8_t *hash) {
  uint8_t point[65];
  size_t len = public_point(key, point);

  must(wc_ShaHash(point, (word32)len, hash), "hash a key");
}

/* Wrap what was put since mark into an extension. */
static void wrap_extension(der *out, const uint8_t *oid, size_t len,
                           size_t mark) {
  der_wrap(out, OCTETS, mark);
  der_value(out, OID, oid, len);
  der_wrap(out, SEQUENCE, mark);
}

static void put_authority_key(der *out, const tls_authority *by) {
  size_t mark = der_mark(out);

  der_value(out, 0x80, by->key_hash, sizeof by->key_hash);
  der_wrap(out, SEQUENCE, mark);
  wrap_extension(out, oid_authority_key, sizeof oid_authority_key, mark);
}

static void put_alt_names(der *out, const tls_wish *wish) {
  size_t mark = der_mark(out);
  uint8_t ip[16];

  if (wish->ip) {
    int is_v6 = strchr(wish->ip, ':') != NULL;

    inet_pton(is_v6 ? AF_INET6 : AF_INET, wish->ip, ip);
    der_value(out, 0x87, ip, is_v6 ? 16 : 4);
  }
  if (wish->email) {
    der_text(out, 0x81, wish->email);
  }
  if (wish->uri) {
    der_text(out, 0x86, wish->uri);
  }
  if (wish->dns_too) {
    der_text(out, 0x82, wish->dns_too);
  }
  if (wish->dns) {
    der_text(out, 0x82, wish->dns);
  }
  if (der_mark(out) != mark) {
    der_wrap(out, SEQUENCE, mark);
    wrap_extension(out, oid_alt_names, sizeof oid_alt_names, mark);
  }
}

static void put_use(der *out, int use) {
  size_t mark = der_mark(out);

  if (use == TLS_USE_SERVER) {
    der_value(out, OID, oid_server, sizeof oid_server);
  } else {
    der_value(out, OID, oid_client, sizeof oid_client);
  }
  der_wrap(out, SEQUENCE, mark);
  wrap_extension(out, oid_use, sizeof oid_use, mark);
}

static void put_ca(der *out) {
  static const uint8_t yes = 0xff, may_sign[] = {1, 6}; /* keyCertSign... */
  size_t mark = der_mark(out);

  der_value(out, BITS, may_sign, sizeof may_sign);
  wrap_extension(out, oid_key_use, sizeof oid_key_use, mark);
  mark = der_mark(out);
  der_value(out, 0x01, &yes, 1);
  der_wrap(out, SEQUENCE, mark);
  wrap_extension(out, oid_basic, sizeof oid_basic, mark);
}

/* Put the method and the signature behind what is there, and wrap it all; what
 * is behind the signature is in `tail`. */
static void sign(der *out, ecc_key *key, int sha1, const der *tail) {
  static der whole;
  uint8_t digest[32], bits[128] = {0};
  word32 signed_len = sizeof bits - 1;
  size_t len, tail_len = 0;
  const uint8_t *bytes = der_bytes(out, &len), *tail_bytes = NULL;

  must(sha1 ? wc_ShaHash(bytes, (word32)len, digest)
            : wc_Sha256Hash(bytes, (word32)len, digest),
       "hash");
  must(wc_ecc_sign_hash(digest, sha1 ? 20 : 32, bits + 1, &signed_len,
                        random_source(), key),
       "sign");
  der_init(&whole);
  if (tail) {
    tail_bytes = der_bytes(tail, &tail_len);
    der_put(&whole, tail_bytes, tail_len);
  }
  der_value(&whole, BITS, bits, signed_len + 1);
  put_method(&whole, sha1);
  der_put(&whole, bytes, len);
  der_wrap(&whole, SEQUENCE, 0);
  *out = whole;
}

/* ---- certificates ---- */

static void make_certificate(der *out, tls_authority *by, ecc_key *key,
                             const tls_wish *wish, unsigned serial, int is_ca) {
  int64_t now = (int64_t)time(NULL);
  int64_t begins = wish->begins ? wish->begins : -TLS_DAY;
  int64_t ends = wish->ends ? wish->ends : 30 * (int64_t)TLS_DAY;
  uint8_t hash[20];
  size_t mark;

  hash_key(key, hash);
  der_init(out);
  mark = der_mark(out);
  der_value(out, OCTETS, hash, sizeof hash);
  wrap_extension(out, oid_subject_key, sizeof oid_subject_key, mark);
  put_authority_key(out, by);
  put_alt_names(out, wish);
  if (wish->use) {
    put_use(out, wish->use);
  }
  if (is_ca) {
    put_ca(out);
  }
  der_wrap(out, SEQUENCE, mark);
  der_wrap(out, 0xa3, mark);
  put_public_key(out, key);
  put_name(out, wish->cn);
  mark = der_mark(out);
  der_time(out, now + ends, 0);
  der_time(out, now + (begins < ends ? begins : ends - TLS_DAY), 0);
  der_wrap(out, SEQUENCE, mark);
  put_name(out, by->cn);
  put_method(out, wish->sha1);
  der_number(out, 0x02, serial);
  mark = der_mark(out);
  der_number(out, 0x02, 2);
  der_wrap(out, 0xa0, mark);
  der_wrap(out, SEQUENCE, 0);
  sign(out, &by->key, wish->sha1, NULL);
}

static void make_key(ecc_key *key, int bytes) {
  must(wc_ecc_init(key) || wc_ecc_make_key(random_source(), bytes, key),
       "make a key");
}

static tls_authority *make_authority(const char *cn, tls_authority *parent,
                                     int64_t ends, int is_ca) {
  tls_authority *authority = calloc(1, sizeof *authority);
  tls_wish wish = {.cn = cn, .ends = ends};
  const uint8_t *bytes;
  size_t len;
  der out;

  must(!authority, "get memory");
  snprintf(authority->cn, sizeof authority->cn, "%s", cn);
  authority->parent = parent;
  authority->serial = ++last_serial;
  make_key(&authority->key, 32);
  hash_key(&authority->key, authority->key_hash);
  make_certificate(&out, parent ? parent : authority, &authority->key, &wish,
                   authority->serial, is_ca);
  bytes = der_bytes(&out, &len);
  to_pem(authority->pem, sizeof authority->pem, bytes, len, CERT_TYPE);
  return authority;
}

tls_authority *tls_authority_new(const char *cn, tls_authority *parent,
                                 int64_t ends) {
  return make_authority(cn, parent, ends, 1);
}

tls_authority *tls_authority_false(const char *cn, tls_authority *parent) {
  return make_authority(cn, parent, 0, 0);
}

void tls_authority_free(tls_authority *authority) {
  if (authority) {
    wc_ecc_free(&authority->key);
    free(authority);
  }
}

const char *tls_authority_pem(const tls_authority *authority) {
  return authority->pem;
}

unsigned tls_authority_serial(const tls_authority *authority) {
  return authority->serial;
}

void tls_authority_issue(tls_authority *authority, tls_issued *out,
                         const tls_wish *wish) {
  const tls_authority *at;
  uint8_t key_der[512];
  const uint8_t *bytes;
  size_t len;
  ecc_key key;
  int key_len;
  der made;

  make_key(&key, wish->short_key ? 28 : 32);
  out->serial = ++last_serial;
  make_certificate(&made, authority, &key, wish, out->serial, 0);
  bytes = der_bytes(&made, &len);
  to_pem(out->chain, sizeof out->chain, bytes, len, CERT_TYPE);
  for (at = authority; at->parent; at = at->parent) {
    strcat(out->chain, at->pem);
  }
  key_len = wc_EccKeyToDer(&key, key_der, sizeof key_der);
  must(key_len <= 0, "write a key");
  to_pem(out->key, sizeof out->key, key_der, (size_t)key_len,
         ECC_PRIVATEKEY_TYPE);
  wc_ecc_free(&key);
}

/* ---- revocation ---- */

void tls_authority_revoke(tls_authority *authority, char *buf, size_t size,
                          const unsigned *serials, size_t count, int64_t next) {
  int64_t now = (int64_t)time(NULL);
  const uint8_t *bytes;
  size_t mark, len;
  der out;

  der_init(&out);
  put_authority_key(&out, authority);
  der_wrap(&out, SEQUENCE, 0);
  der_wrap(&out, 0xa0, 0);
  if (count) {
    size_t list = der_mark(&out);

    while (count) {
      mark = der_mark(&out);
      der_time(&out, now - 3600, 0);
      der_number(&out, 0x02, serials[--count]);
      der_wrap(&out, SEQUENCE, mark);
    }
    der_wrap(&out, SEQUENCE, list);
  }
  der_time(&out, now + next, 0);
  der_time(&out, now - 2 * TLS_DAY, 0);
  put_name(&out, authority->cn);
  put_method(&out, 0);
  der_number(&out, 0x02, 1);
  der_wrap(&out, SEQUENCE, 0);
  sign(&out, &authority->key, 0, NULL);
  bytes = der_bytes(&out, &len);
  to_pem(buf, size, bytes, len, CRL_TYPE);
}

static void put_certificate_id(der *out, const tls_authority *authority,
                               unsigned serial) {
  size_t mark = der_mark(out), len;
  const uint8_t *bytes;
  uint8_t hash[20];
  der name;

  der_init(&name);
  put_name(&name, authority->cn);
  bytes = der_bytes(&name, &len);
  must(wc_ShaHash(bytes, (word32)len, hash), "hash a name");
  der_number(out, 0x02, serial);
  der_value(out, OCTETS, authority->key_hash, sizeof authority->key_hash);
  der_value(out, OCTETS, hash, sizeof hash);
  len = der_mark(out);
  der_value(out, 0x05, "", 0);
  der_value(out, OID, oid_hash, sizeof oid_hash);
  der_wrap(out, SEQUENCE, len);
  der_wrap(out, SEQUENCE, mark);
}

static void put_status(der *out, int revoked, int64_t now, int64_t next) {
  size_t mark = der_mark(out);

  der_time(out, now + next, 1);
  der_wrap(out, 0xa0, mark);
  der_time(out, now - 2 * TLS_DAY, 1);
  mark = der_mark(out);
  if (revoked) {
    der_time(out, now - 3600, 1);
    der_wrap(out, 0xa1, mark);
  } else {
    der_value(out, 0x80, "", 0);
  }
}

size_t tls_authority_staple(tls_authority *authority, uint8_t *buf, size_t size,
                            unsigned serial, int revoked, int64_t next) {
  int64_t now = (int64_t)time(NULL);
  const uint8_t *bytes;
  size_t len, mark;
  der out;

  der_init(&out);
  put_status(&out, revoked, now, next);
  put_certificate_id(&out, authority, serial);
  der_wrap(&out, SEQUENCE, 0);
  der_wrap(&out, SEQUENCE, 0);
  der_time(&out, now - 3600, 1);
  mark = der_mark(&out);
  der_value(&out, OCTETS, authority->key_hash, sizeof authority->key_hash);
  der_wrap(&out, 0xa2, mark);
  der_wrap(&out, SEQUENCE, 0);
  sign(&out, &authority->key, 0, NULL);
  der_wrap(&out, OCTETS, 0);
  der_value(&out, OID, oid_ocsp, sizeof oid_ocsp);
  der_wrap(&out, SEQUENCE, 0);
  der_wrap(&out, 0xa0, 0);
  der_value(&out, 0x0a, "", 1);
  der_wrap(&out, SEQUENCE, 0);
  bytes = der_bytes(&out, &len);
  must(len > size, "fit a staple");
  memcpy(buf, bytes, len);
  return len;
}
