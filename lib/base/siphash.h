/* siphash.h: a hash with a key: who does not know it cannot make up things
 * whose hashes are alike. */
#ifndef EPI__SIPHASH_H
#define EPI__SIPHASH_H

#include "epi/base.h"

typedef struct epi__hash_key {
  uint64_t low, high; /* the first and the last 8 bytes, in little endian */
} epi__hash_key;

/* SipHash-2-4 (Aumasson and Bernstein, 2012) of len bytes. */
uint64_t epi__siphash(const epi__hash_key *key, const void *data, size_t len);

#endif
