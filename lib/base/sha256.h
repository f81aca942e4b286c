/* sha256.h: SHA-256 (FIPS 180-4). */
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

#endif
