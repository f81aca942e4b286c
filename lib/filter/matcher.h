/* matcher.h: find many byte sequences in one pass.
 *
 * The automaton of Aho and Corasick (1975): its state is the longest beginning
 * of a pattern that the data so far ends with. It is built once, is never
 * changed, and serves any number of streams; each has a state of its own, a
 * number, which is 0 at first.
 *
 * Memory: 17 bytes for each state, of which there are at most as many as bytes
 * of patterns, and one more; and up to 4 MiB of rows for the states near the
 * beginning, where one step is one look-up. Elsewhere a step is a binary search
 * or falls back to a shorter beginning, two steps for each byte on average. */
#ifndef EPI__MATCHER_H
#define EPI__MATCHER_H

#include "filter/patterns.h"

typedef struct epi__matcher epi__matcher;

/* Make one; with nocase the letters A to Z are as a to z. The patterns are
 * copied. Returns 0, EPI_EINVAL (none) or EPI_ENOMEM. */
int epi__matcher_new(epi__matcher **out, const epi__patterns *patterns,
                     int nocase);

/* NULL is fine. */
void epi__matcher_free(epi__matcher *matcher);

/* The bytes that it takes, and of its longest pattern. */
size_t epi__matcher_memory(const epi__matcher *matcher);
size_t epi__matcher_longest(const epi__matcher *matcher);

/* Go through data to the next byte that ends a pattern. Returns the bytes used,
 * that one included, and *hit says which: 0 for none up to the end. */
size_t epi__matcher_find(const epi__matcher *matcher, uint32_t *state,
                         const uint8_t *data, size_t len, uint32_t *hit);

/* The number and the length of a hit: the longest pattern that ends there. */
uint32_t epi__matcher_number(const epi__matcher *matcher, uint32_t hit);
size_t epi__matcher_len(const epi__matcher *matcher, uint32_t hit);

/* The next shorter pattern that ends at the same byte, 0 for none. */
uint32_t epi__matcher_shorter(const epi__matcher *matcher, uint32_t hit);

/* How many bytes at the end of the data may yet become a pattern. */
size_t epi__matcher_begun(const epi__matcher *matcher, uint32_t state);

#endif
