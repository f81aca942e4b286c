/* tls_revocation.c: what certificate authorities say about what they issued:
 * lists (RFC 5280) and OCSP responses (RFC 6960), by hand. */
#include "support/tls_authority.h"
#include "support/tls_signed.h"

#include <wolfssl/wolfcrypt/sha.h>

#include <string.h>
#include <time.h>

static const uint8_t oid_hash[] = {0x2b, 0x0e, 3, 2, 0x1a};
static const uint8_t oid_ocsp[] = {0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1};

void tls_authority_revoke(tls_authority *authority, char *buf, size_t size,
                          const unsigned *serials, size_t count, int64_t next) {
  int64_t now = (int64_t)time(NULL);
  const uint8_t *bytes;
  size_t mark, len;
  der out;

  der_init(&out);
  tls_put_authority_key(&out, authority);
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
  tls_put_name(&out, authority->cn);
  tls_put_method(&out, 0);
  der_number(&out, 0x02, 1);
  der_wrap(&out, SEQUENCE, 0);
  tls_sign(&out, &authority->key, 0);
  bytes = der_bytes(&out, &len);
  tls_to_pem(buf, size, bytes, len, CRL_TYPE);
}

static void put_certificate_id(der *out, const tls_authority *authority,
                               unsigned serial) {
  size_t mark = der_mark(out), len;
  const uint8_t *bytes;
  uint8_t hash[20];
  der name;

  der_init(&name);
  tls_put_name(&name, authority->cn);
  bytes = der_bytes(&name, &len);
  tls_must(wc_ShaHash(bytes, (word32)len, hash), "hash a name");
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
  tls_sign(&out, &authority->key, 0);
  der_wrap(&out, OCTETS, 0);
  der_value(&out, OID, oid_ocsp, sizeof oid_ocsp);
  der_wrap(&out, SEQUENCE, 0);
  der_wrap(&out, 0xa0, 0);
  der_value(&out, 0x0a, "", 1);
  der_wrap(&out, SEQUENCE, 0);
  bytes = der_bytes(&out, &len);
  tls_must(len > size, "fit a staple");
  memcpy(buf, bytes, len);
  return len;
}
