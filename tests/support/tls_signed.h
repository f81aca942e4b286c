/* tls_signed.h: the parts of what certificate authorities sign. */
#ifndef TEST_TLS_SIGNED_H
#define TEST_TLS_SIGNED_H

#include "support/der_writer.h"
#include "support/tls_authority.h"

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/settings.h>

#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/ecc.h>

enum { SEQUENCE = 0x30, SET = 0x31, OID = 0x06, OCTETS = 0x04, BITS = 0x03 };

struct tls_authority {
  char cn[64];
  tls_authority *parent;
  ecc_key key;
  unsigned serial;
  uint8_t key_hash[20]; /* of the public key */
  char pem[4096];
};

/* End the test program if something that always works did not. */
void tls_must(int failed, const char *what);

WC_RNG *tls_random_source(void);
void tls_to_pem(char *out, size_t size, const uint8_t *bytes, size_t len,
                int type);

void tls_put_method(der *out, int sha1);
void tls_put_name(der *out, const char *cn);
void tls_put_public_key(der *out, ecc_key *key);
void tls_put_authority_key(der *out, const tls_authority *by);
void tls_hash_key(ecc_key *key, uint8_t *hash);

/* Wrap what was put since mark into an extension. */
void tls_wrap_extension(der *out, const uint8_t *oid, size_t len, size_t mark);

/* Put the method and the signature behind what is there, and wrap it all. */
void tls_sign(der *out, ecc_key *key, int sha1);

#endif
