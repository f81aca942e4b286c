/* tls_authority.c: certificates by hand (RFC 5280), with keys on the curve
 * P-256. */
#include "support/tls_authority.h"

#include "support/tls_signed.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const uint8_t oid_alt_names[] = {0x55, 0x1d, 17};
static const uint8_t oid_key_use[] = {0x55, 0x1d, 15};
static const uint8_t oid_basic[] = {0x55, 0x1d, 19};
static const uint8_t oid_subject_key[] = {0x55, 0x1d, 14};
static const uint8_t oid_use[] = {0x55, 0x1d, 37};
static const uint8_t oid_server[] = {0x2b, 6, 1, 5, 5, 7, 3, 1};
static const uint8_t oid_client[] = {0x2b, 6, 1, 5, 5, 7, 3, 2};

static unsigned last_serial = 1000;

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
    tls_wrap_extension(out, oid_alt_names, sizeof oid_alt_names, mark);
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
  tls_wrap_extension(out, oid_use, sizeof oid_use, mark);
}

static void put_ca(der *out) {
  static const uint8_t yes = 0xff, may_sign[] = {1, 6}; /* keyCertSign... */
  size_t mark = der_mark(out);

  der_value(out, BITS, may_sign, sizeof may_sign);
  tls_wrap_extension(out, oid_key_use, sizeof oid_key_use, mark);
  mark = der_mark(out);
  der_value(out, 0x01, &yes, 1);
  der_wrap(out, SEQUENCE, mark);
  tls_wrap_extension(out, oid_basic, sizeof oid_basic, mark);
}

static void make_certificate(der *out, tls_authority *by, ecc_key *key,
                             const tls_wish *wish, unsigned serial, int is_ca) {
  int64_t now = (int64_t)time(NULL);
  int64_t begins = wish->begins ? wish->begins : -TLS_DAY;
  int64_t ends = wish->ends ? wish->ends : 30 * (int64_t)TLS_DAY;
  uint8_t hash[20];
  size_t mark;

  tls_hash_key(key, hash);
  der_init(out);
  mark = der_mark(out);
  der_value(out, OCTETS, hash, sizeof hash);
  tls_wrap_extension(out, oid_subject_key, sizeof oid_subject_key, mark);
  tls_put_authority_key(out, by);
  put_alt_names(out, wish);
  if (wish->use) {
    put_use(out, wish->use);
  }
  if (is_ca) {
    put_ca(out);
  }
  der_wrap(out, SEQUENCE, mark);
  der_wrap(out, 0xa3, mark);
  tls_put_public_key(out, key);
  tls_put_name(out, wish->cn);
  mark = der_mark(out);
  der_time(out, now + ends, 0);
  der_time(out, now + (begins < ends ? begins : ends - TLS_DAY), 0);
  der_wrap(out, SEQUENCE, mark);
  tls_put_name(out, by->cn);
  tls_put_method(out, wish->sha1);
  der_number(out, 0x02, serial);
  mark = der_mark(out);
  der_number(out, 0x02, 2);
  der_wrap(out, 0xa0, mark);
  der_wrap(out, SEQUENCE, 0);
  tls_sign(out, &by->key, wish->sha1);
}

static void make_key(ecc_key *key, int bytes) {
  tls_must(wc_ecc_init(key) || wc_ecc_make_key(tls_random_source(), bytes, key),
           "make a key");
}

static tls_authority *make_authority(const char *cn, tls_authority *parent,
                                     int64_t ends, int is_ca) {
  tls_authority *authority = calloc(1, sizeof *authority);
  tls_wish wish = {.cn = cn, .ends = ends};
  const uint8_t *bytes;
  size_t len;
  der out;

  tls_must(!authority, "get memory");
  snprintf(authority->cn, sizeof authority->cn, "%s", cn);
  authority->parent = parent;
  authority->serial = ++last_serial;
  make_key(&authority->key, 32);
  tls_hash_key(&authority->key, authority->key_hash);
  make_certificate(&out, parent ? parent : authority, &authority->key, &wish,
                   authority->serial, is_ca);
  bytes = der_bytes(&out, &len);
  tls_to_pem(authority->pem, sizeof authority->pem, bytes, len, CERT_TYPE);
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
  tls_to_pem(out->chain, sizeof out->chain, bytes, len, CERT_TYPE);
  for (at = authority; at->parent; at = at->parent) {
    strcat(out->chain, at->pem);
  }
  key_len = wc_EccKeyToDer(&key, key_der, sizeof key_der);
  tls_must(key_len <= 0, "write a key");
  tls_to_pem(out->key, sizeof out->key, key_der, (size_t)key_len,
             ECC_PRIVATEKEY_TYPE);
  wc_ecc_free(&key);
}
