/* names.h: texts and their numbers: each different text is kept once. Who makes
 * up the texts cannot make finding them slow: the hash has a key. */
#ifndef EPI__NAMES_H
#define EPI__NAMES_H

#include "base/siphash.h"

typedef struct epi__names {
  char **texts; /* in order of adding */
  size_t count, capacity;
  uint32_t *slots; /* open addressing; 0 is empty, else number + 1 */
  size_t slot_count;
  epi__hash_key key;
} epi__names;

/* The number of a text, which is added if it is new; or EPI_ENOMEM. */
ptrdiff_t epi__names_add(epi__names *names, const char *text);

/* The number of a text, or EPI_ENOENT without setting the error detail. */
ptrdiff_t epi__names_find(const epi__names *names, const char *text);

void epi__names_clear(epi__names *names);

/* The name most like text, for "did you mean", or NULL if none is near. */
const char *epi__names_near(const epi__names *names, const char *text);

#endif
