/* tls_signed.c: the parts of what certificate authorities sign (RFC 5280), with
 * keys on curves. */
#include "support/tls_signed.h"

#include <wolfssl/wolfcrypt/sha.h>
#include <wolfssl/wolfcrypt/sha256.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t oid_cn[] = {0x55, 4, 3};
static const uint8_t oid_key[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1};
static const uint8_t oid_p224[] = {0x2b, 0x81, 4, 0, 33};
static const uint8_t oid_p256[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};
static const uint8_t oid_sha256[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2};
static const uint8_t oid_sha1[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1};
static const uint8_t oid_authority_key[] = {0x55, 0x1d, 35};

void tls_must(int failed, const char *what) {
  if (failed) {
    fprintf(stderr, "tls_authority: cannot %s\n", what);
    abort();
  }
}

WC_RNG *tls_random_source(void) {
  static WC_RNG rng;
  static int made;

  if (!made) {
    tls_must(wc_InitRng(&rng), "get random bytes");
    made = 1;
  }
  return &rng;
}

void tls_to_pem(char *out, size_t size, const uint8_t *bytes, size_t len,
                int type) {
  int made =
      wc_DerToPem(bytes, (word32)len, (byte *)out, (word32)size - 1, type);

  tls_must(made <= 0, "write PEM");
  out[made] = '\0';
}

void tls_put_method(der *out, int sha1) {
  size_t mark = der_mark(out);

  if (sha1) {
    der_value(out, OID, oid_sha1, sizeof oid_sha1);
  } else {
    der_value(out, OID, oid_sha256, sizeof oid_sha256);
  }
  der_wrap(out, SEQUENCE, mark);
}

void tls_put_name(der *out, const char *cn) {
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

  tls_must(wc_ecc_export_x963(key, point, &len), "export a key");
  return len;
}

void tls_put_public_key(der *out, ecc_key *key) {
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

void tls_hash_key(ecc_key *key, uint8_t *hash) {
  uint8_t point[65];
  size_t len = public_point(key, point);

  tls_must(wc_ShaHash(point, (word32)len, hash), "hash a key");
}

void tls_wrap_extension(der *out, const uint8_t *oid, size_t len, size_t mark) {
  der_wrap(out, OCTETS, mark);
  der_value(out, OID, oid, len);
  der_wrap(out, SEQUENCE, mark);
}

void tls_put_authority_key(der *out, const tls_authority *by) {
  size_t mark = der_mark(out);

  der_value(out, 0x80, by->key_hash, sizeof by->key_hash);
  der_wrap(out, SEQUENCE, mark);
  tls_wrap_extension(out, oid_authority_key, sizeof oid_authority_key, mark);
}

void tls_sign(der *out, ecc_key *key, int sha1) {
  static der whole;
  uint8_t digest[32], bits[128] = {0};
  word32 signed_len = sizeof bits - 1;
  size_t len;
  const uint8_t *bytes = der_bytes(out, &len);

  tls_must(sha1 ? wc_ShaHash(bytes, (word32)len, digest)
                : wc_Sha256Hash(bytes, (word32)len, digest),
           "hash");
  tls_must(wc_ecc_sign_hash(digest, sha1 ? 20 : 32, bits + 1, &signed_len,
                            tls_random_source(), key),
           "sign");
  der_init(&whole);
  der_value(&whole, BITS, bits, signed_len + 1);
  tls_put_method(&whole, sha1);
  der_put(&whole, bytes, len);
  der_wrap(&whole, SEQUENCE, 0);
  *out = whole;
}
