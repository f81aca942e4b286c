/* attrs.c: sets of attributes. */
#include "area/attrs.h"

#include <string.h>

enum {
  WORD = 64,
};

size_t epi__set_words(size_t attributes) {
  return attributes ? (attributes + WORD - 1) / WORD : 1;
}

void epi__set_add(uint64_t *set, size_t attribute) {
  set[attribute / WORD] |= (uint64_t)1 << attribute % WORD;
}

int epi__set_has(const uint64_t *set, size_t attribute) {
  return set[attribute / WORD] >> attribute % WORD & 1;
}

static unsigned bits_of(uint64_t word) {
  /* The bits of each pair are counted, then of each four, then of each byte;
   * the product adds the bytes up in its highest. */
  word -= word >> 1 & 0x5555555555555555u;
  word = (word & 0x3333333333333333u) + (word >> 2 & 0x3333333333333333u);
  word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0fu;
  return (unsigned)(word * 0x0101010101010101u >> 56);
}

size_t epi__set_count(const uint64_t *set, size_t words) {
  size_t count = 0;

  for (size_t i = 0; i < words; i++) {
    count += bits_of(set[i]);
  }
  return count;
}

int epi__set_equal(const uint64_t *a, const uint64_t *b, size_t words) {
  return !memcmp(a, b, words * sizeof *a);
}

int epi__set_within(const uint64_t *a, const uint64_t *b, size_t words) {
  for (size_t i = 0; i < words; i++) {
    if (a[i] & ~b[i]) {
      return 0;
    }
  }
  return 1;
}

void epi__set_join(uint64_t *set, const uint64_t *b, size_t words) {
  for (size_t i = 0; i < words; i++) {
    set[i] |= b[i];
  }
}

void epi__set_drop(uint64_t *set, const uint64_t *b, size_t words) {
  for (size_t i = 0; i < words; i++) {
    set[i] &= ~b[i];
  }
}

ptrdiff_t epi__set_next(const uint64_t *set, size_t words, size_t start) {
  for (size_t i = start / WORD; i < words; i++) {
    uint64_t word = set[i];

    if (i == start / WORD) {
      word &= ~(uint64_t)0 << start % WORD;
    }
    if (word) { /* the bits below the lowest one, counted */
      return (ptrdiff_t)(i * WORD + bits_of((word & -word) - 1));
    }
  }
  return -1;
}

uint64_t epi__set_hash(const uint64_t *set, size_t words) {
  uint64_t hash = 0;

  for (size_t i = 0; i < words; i++) {
    hash = (hash ^ set[i]) * 0x9e3779b97f4a7c15u;
    hash ^= hash >> 29;
  }
  return hash;
}
