/* matcher_states.h: the automaton inside a matcher.
 *
 * States are numbered by their distance from the beginning, state 0, and those
 * behind one state in a row, by class: so a state's number tells its depth, and
 * the first of its children and the next state's tell them all. Bytes are in
 * classes: one for each byte that patterns have, and one for all others. */
#ifndef EPI__MATCHER_STATES_H
#define EPI__MATCHER_STATES_H

#include "filter/matcher.h"

#define EPI__HIT (UINT32_C(1) << 31) /* in a row: a pattern ends there */

enum {
  EPI__STATE_BYTES = 4 * sizeof(uint32_t) + 1,
  EPI__ROWS_BYTES = 4 << 20,
};

struct epi__matcher {
  uint32_t states;
  uint32_t dense; /* states that have a row: the first ones */
  unsigned shift; /* 1 << shift entries in a row */
  size_t longest;
  uint32_t *rows;
  uint32_t *first; /* of the children; one more than there are states */
  uint32_t *fail;  /* the longest shorter beginning that ends the same */
  uint32_t *hit;   /* the longest pattern that ends here, as its state; or 0 */
  uint32_t *ends;  /* the number of the pattern that this is, or 0 */
  uint8_t *label;  /* the class that leads here */
  uint8_t class_of[256];
  uint8_t starts[256];                  /* 1: a pattern begins so */
  uint32_t level[EPI__PATTERN_MAX + 1]; /* the first state of each depth */
};

/* The state behind a class in the tree of patterns, or 0. */
static inline uint32_t epi__matcher_child(const epi__matcher *matcher,
                                          uint32_t state, unsigned class) {
  uint32_t low = matcher->first[state], high = matcher->first[state + 1];
  uint32_t end = high;

  while (low < high) {
    uint32_t middle = low + (high - low) / 2;

    if (matcher->label[middle] < class) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low < end && matcher->label[low] == class ? low : 0;
}

#endif
