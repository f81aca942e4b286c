/* matcher.c: walk the automaton that matcher_build.c made. */
#include "filter/matcher_states.h"

#include "base/memory.h"

void epi__matcher_free(epi__matcher *matcher) {
  if (!matcher) {
    return;
  }
  epi__free(matcher->rows);
  epi__free(matcher->first);
  epi__free(matcher->fail);
  epi__free(matcher->hit);
  epi__free(matcher->ends);
  epi__free(matcher->label);
  epi__free(matcher);
}

size_t epi__matcher_memory(const epi__matcher *matcher) {
  return sizeof *matcher + matcher->states * EPI__STATE_BYTES +
         ((size_t)matcher->dense << matcher->shift) * sizeof *matcher->rows;
}

size_t epi__matcher_longest(const epi__matcher *matcher) {
  return matcher->longest;
}

/* The state behind a class, with EPI__HIT on it if a pattern ends there. */
static uint32_t step(const epi__matcher *matcher, uint32_t state,
                     unsigned class) {
  while (state >= matcher->dense) {
    uint32_t next = epi__matcher_child(matcher, state, class);

    if (next) {
      return matcher->hit[next] ? next | EPI__HIT : next;
    }
    state = matcher->fail[state];
  }
  return matcher->rows[((size_t)state << matcher->shift) + class];
}

size_t epi__matcher_find(const epi__matcher *matcher, uint32_t *state,
                         const uint8_t *data, size_t len, uint32_t *hit) {
  uint32_t at = *state;
  size_t i = 0;

  *hit = 0;
  while (i < len) {
    if (!at) { /* most data is in no pattern */
      while (i < len && !matcher->starts[data[i]]) {
        i++;
      }
      if (i == len) {
        break;
      }
    }
    at = step(matcher, at, matcher->class_of[data[i++]]);
    if (at & EPI__HIT) {
      at &= ~EPI__HIT;
      *hit = matcher->hit[at];
      break;
    }
  }
  *state = at;
  return i;
}

uint32_t epi__matcher_number(const epi__matcher *matcher, uint32_t hit) {
  return matcher->ends[hit];
}

uint32_t epi__matcher_shorter(const epi__matcher *matcher, uint32_t hit) {
  return matcher->hit[matcher->fail[hit]];
}

/* States are numbered by their depth: it is the last level that begins at this
 * one or before. */
static size_t depth_of(const epi__matcher *matcher, uint32_t state) {
  size_t low = 0, high = matcher->longest;

  while (low < high) {
    size_t middle = (low + high + 1) / 2;

    if (matcher->level[middle] <= state) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

size_t epi__matcher_len(const epi__matcher *matcher, uint32_t hit) {
  return depth_of(matcher, hit);
}

size_t epi__matcher_begun(const epi__matcher *matcher, uint32_t state) {
  /* What is a whole pattern, and nothing longer, has begun no other. */
  while (matcher->first[state] == matcher->first[state + 1]) {
    state = matcher->fail[state];
  }
  return depth_of(matcher, state);
}
