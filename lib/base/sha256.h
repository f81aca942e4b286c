/* sha256.h: SHA-256 (FIPS 180-4), and HMAC with it (RFC 2104). */
#ifndef EPI__SHA256_H
#define EPI__SHA256_H

#include "epi/base.h"

typedef struct epi__sha256 {
  uint32_t state[8];
  uint64_t len;
  uint8_t block[64];
} epi__sha256;

void epi__sha256_start(epi__sha256 *hash);
void epi__sha256_add(epi__sha256 *hash, const void *data, size_t len);
void epi__sha256_end(epi__sha256 *hash, uint8_t out[32]);

/* An HMAC on its way. One that was only started may be copied, to make many
 * with one key. */
typedef struct epi__hmac {
  epi__sha256 inner, outer;
} epi__hmac;

/* The key has at most 64 bytes. */
void epi__hmac_start(epi__hmac *hmac, const void *key, size_t key_len);
void epi__hmac_add(epi__hmac *hmac, const void *data, size_t len);

/* The end wipes what it was made with. */
void epi__hmac_end(epi__hmac *hmac, uint8_t out[32]);

#endif
