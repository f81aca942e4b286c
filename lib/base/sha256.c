/* sha256.c: SHA-256 (FIPS 180-4), and HMAC with it (RFC 2104). */
#include "base/sha256.h"

#include <assert.h>
#include <string.h>

static const uint32_t k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
    0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
    0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate(uint32_t x, int n) {
  return x >> n | x << (32 - n);
}

/* Turn number n of eight: nothing moves, but each turn begins one word further
 * back. */
static inline void turn(uint32_t s[8], int n, uint32_t word) {
  uint32_t a = s[-n & 7], b = s[(1 - n) & 7], c = s[(2 - n) & 7];
  uint32_t e = s[(4 - n) & 7], f = s[(5 - n) & 7], g = s[(6 - n) & 7];
  uint32_t h = s[(7 - n) & 7] + word + ((e & f) ^ (~e & g)) +
               (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25));

  s[(3 - n) & 7] += h;
  s[(7 - n) & 7] = h + ((a & b) ^ (a & c) ^ (b & c)) +
                   (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22));
}

static void mix(epi__sha256 *hash, const uint8_t *block) {
  uint32_t w[64], s[8];

  for (int i = 0; i < 16; i++) {
    const uint8_t *b = block + 4 * i;

    w[i] = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 |
           b[3];
  }
  for (int i = 16; i < 64; i++) {
    uint32_t a = w[i - 15], b = w[i - 2];

    w[i] = w[i - 16] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) + w[i - 7] +
           (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
  }
  memcpy(s, hash->state, sizeof s);
  for (int i = 0; i < 64; i += 8) { /* after eight, all are in their places */
    turn(s, 0, k[i] + w[i]);
    turn(s, 1, k[i + 1] + w[i + 1]);
    turn(s, 2, k[i + 2] + w[i + 2]);
    turn(s, 3, k[i + 3] + w[i + 3]);
    turn(s, 4, k[i + 4] + w[i + 4]);
    turn(s, 5, k[i + 5] + w[i + 5]);
    turn(s, 6, k[i + 6] + w[i + 6]);
    turn(s, 7, k[i + 7] + w[i + 7]);
  }
  for (int i = 0; i < 8; i++) {
    hash->state[i] += s[i];
  }
}

void epi__sha256_start(epi__sha256 *hash) {
  static const uint32_t initial[8] = {
      0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
  };

  memset(hash, 0, sizeof *hash);
  memcpy(hash->state, initial, sizeof initial);
}

void epi__sha256_add(epi__sha256 *hash, const void *data, size_t len) {
  const uint8_t *bytes = data;

  while (len) {
    size_t held = (size_t)(hash->len % 64);
    size_t step = len < 64 - held ? len : 64 - held;

    if (step == 64) { /* a whole block, in place */
      mix(hash, bytes);
    } else {
      memcpy(hash->block + held, bytes, step);
      if (held + step == 64) {
        mix(hash, hash->block);
      }
    }
    hash->len += step;
    bytes += step;
    len -= step;
  }
}

void epi__sha256_end(epi__sha256 *hash, uint8_t out[32]) {
  uint64_t bits = hash->len * 8;
  uint8_t length[8];

  epi__sha256_add(hash, "\x80", 1);
  while (hash->len % 64 != 56) {
    epi__sha256_add(hash, "", 1);
  }
  for (int i = 0; i < 8; i++) {
    length[i] = (uint8_t)(bits >> (56 - 8 * i));
  }
  epi__sha256_add(hash, length, sizeof length);
  for (int i = 0; i < 32; i++) {
    out[i] = (uint8_t)(hash->state[i / 4] >> (24 - 8 * (i % 4)));
  }
}

/* ---- HMAC ---- */

void epi__hmac_start(epi__hmac *hmac, const void *key, size_t key_len) {
  uint8_t block[64] = {0};

  assert(key_len <= sizeof block);
  memcpy(block, key, key_len);
  for (size_t i = 0; i < sizeof block; i++) {
    block[i] ^= 0x36;
  }
  epi__sha256_start(&hmac->inner);
  epi__sha256_add(&hmac->inner, block, sizeof block);
  for (size_t i = 0; i < sizeof block; i++) {
    block[i] ^= 0x36 ^ 0x5c;
  }
  epi__sha256_start(&hmac->outer);
  epi__sha256_add(&hmac->outer, block, sizeof block);
  epi_wipe(block, sizeof block);
}

void epi__hmac_add(epi__hmac *hmac, const void *data, size_t len) {
  epi__sha256_add(&hmac->inner, data, len);
}

void epi__hmac_end(epi__hmac *hmac, uint8_t out[32]) {
  uint8_t digest[32];

  epi__sha256_end(&hmac->inner, digest);
  epi__sha256_add(&hmac->outer, digest, sizeof digest);
  epi__sha256_end(&hmac->outer, out);
  epi_wipe(hmac, sizeof *hmac);
}
