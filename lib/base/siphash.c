/* siphash.c: SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input
 * PRF", 2012). */
#include "base/siphash.h"

typedef struct state {
  uint64_t a, b, c, d;
} state;

static uint64_t rotate(uint64_t x, int n) {
  return x << n | x >> (64 - n);
}

static void turn(state *s, int times) {
  while (times--) {
    s->a += s->b;
    s->c += s->d;
    s->b = rotate(s->b, 13) ^ s->a;
    s->d = rotate(s->d, 16) ^ s->c;
    s->a = rotate(s->a, 32) + s->d;
    s->c += s->b;
    s->d = rotate(s->d, 21) ^ s->a;
    s->b = rotate(s->b, 17) ^ s->c;
    s->c = rotate(s->c, 32);
  }
}

static void take(state *s, uint64_t word) {
  s->d ^= word;
  turn(s, 2);
  s->a ^= word;
}

uint64_t epi__siphash(const epi__hash_key *key, const void *data, size_t len) {
  const uint8_t *b = data;
  uint64_t last = (uint64_t)len << 56;
  state s = {
      key->low ^ 0x736f6d6570736575u,
      key->high ^ 0x646f72616e646f6du,
      key->low ^ 0x6c7967656e657261u,
      key->high ^ 0x7465646279746573u,
  };

  for (; len >= 8; len -= 8, b += 8) {
    take(&s, (uint64_t)b[0] | (uint64_t)b[1] << 8 | (uint64_t)b[2] << 16 |
                 (uint64_t)b[3] << 24 | (uint64_t)b[4] << 32 |
                 (uint64_t)b[5] << 40 | (uint64_t)b[6] << 48 |
                 (uint64_t)b[7] << 56);
  }
  while (len--) {
    last |= (uint64_t)b[len] << 8 * len;
  }
  take(&s, last);
  s.c ^= 0xff;
  turn(&s, 4);
  return s.a ^ s.b ^ s.c ^ s.d;
}
