/* table_key.c: keys of hash tables. The core asks nobody for random bytes: who
 * has them gives a secret, once. */
#include "base/table_key.h"

#include <stdatomic.h>

static epi__hash_key secret;
static atomic_size_t given;

void epi__table_seed(const epi__hash_key *to) {
  secret = *to;
}

epi__hash_key epi__table_key(const void *place) {
  uint64_t facts[3] = {
      (uint64_t)(uintptr_t)place,
      atomic_fetch_add_explicit(&given, 1, memory_order_relaxed),
  };
  epi__hash_key key;

  key.low = epi__siphash(&secret, facts, sizeof facts);
  facts[2] = 1;
  key.high = epi__siphash(&secret, facts, sizeof facts);
  return key;
}
