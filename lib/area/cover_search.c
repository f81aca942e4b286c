/* cover_search.c: the cheapest cover, by branch and bound. */
#include "area/cover_search.h"

#include "base/memory.h"
#include "epi/error.h"

#include <string.h>

enum {
  HARD = 2000,       /* steps after which states are remembered */
  STATES = 1 << 16,  /* how many */
  KEYED_ORDERED = 4, /* ordered functions that the key of a state holds */
  ORDERED_BITS = 9,  /* of the key, for each */
};

/* Where the search was before: the same attributes left to cover, by the same
 * ordered functions. Who comes back at a higher price finds nothing better. */
typedef struct epi__cover_state {
  uint64_t key; /* 0: none */
  double cost;
  size_t depth;
} state;

/* 1 if what is left cannot be covered for less than the best: the cost counts,
 * then the number of functions. */
static int hopeless(const epi__cover *s, double cost, uint32_t left) {
  double slack = 1e-9 * (1 + s->best.cost_ms); /* sums are not exact */
  size_t more = (epi__cover_bits(left) + s->widest - 1) / s->widest;

  if (!s->found) {
    return 0;
  }
  for (unsigned bit = 0; left >> bit; bit++) {
    if (left >> bit & 1) {
      cost += s->price[bit];
    }
  }
  return cost > s->best.cost_ms + slack ||
         (cost > s->best.cost_ms - slack && s->depth + more >= s->best_count);
}

/* ---- states ---- */

/* What is left and the ordered functions that were chosen, which alone can
 * keep others from fitting; 0 if these are too many. */
static uint64_t key_of(const epi__cover *s, uint32_t left) {
  size_t sorted[KEYED_ORDERED];
  uint64_t key = left;

  if (s->ordered_count > KEYED_ORDERED) {
    return 0;
  }
  for (size_t i = 0; i < s->ordered_count; i++) {
    size_t at = i;

    for (; at && sorted[at - 1] > s->ordered[i]; at--) {
      sorted[at] = sorted[at - 1];
    }
    sorted[at] = s->ordered[i];
  }
  for (size_t i = 0; i < s->ordered_count; i++) {
    key |= (uint64_t)(sorted[i] + 1) << (EPI__EXACT_MISSING + i * ORDERED_BITS);
  }
  return key;
}

/* 1 if the search was here before, no worse off. */
static int been_here(epi__cover *s, double cost, uint32_t left) {
  uint64_t key;
  state *at;

  if (s->steps == HARD) { /* without memory it only takes longer */
    s->states = epi__alloc_array(STATES, sizeof *s->states);
    s->starved = !s->states;
  }
  if (!s->states) {
    return 0;
  }
  key = key_of(s, left);
  if (!key) {
    return 0;
  }
  at = &s->states[(key * 0x9e3779b97f4a7c15u) >> 48];
  if (at->key == key && at->cost <= cost && at->depth <= s->depth) {
    return 1;
  }
  at->key = key;
  at->cost = cost;
  at->depth = s->depth;
  return 0;
}

/* ---- search ---- */

/* Place what was chosen. Returns 0 if it does not fit. */
static int place(epi__cover *s, epi__chain *chain, int *lasts) {
  epi__misfit misfit = {.why = EPI__FITS};
  int fits =
      epi__chain_place(s->model, s->site, s->chosen, s->depth, chain, &misfit);

  if (!fits && s->misfit.why == EPI__FITS) {
    s->misfit = misfit;
  }
  *lasts = !fits && (s->simple || misfit.lasts);
  return fits;
}

static void take_cover(epi__cover *s) {
  epi__chain chain = {0};
  int lasts;

  if (place(s, &chain, &lasts)) {
    s->best = chain;
    s->best_count = s->depth;
    s->found = 1;
  }
}

static void descend(epi__cover *s, double cost, uint32_t left);

static void choose(epi__cover *s, size_t i, double cost, uint32_t left) {
  int ordered = s->model->functions[s->function[i]].ordered;
  uint32_t rest = left & ~s->covers[i];
  epi__chain chain;
  int lasts = 0;

  s->chosen[s->depth++] = s->function[i];
  if (ordered) {
    s->ordered[s->ordered_count++] = i;
    if (rest && s->ordered_count > 1) {
      place(s, &chain, &lasts);
    }
  }
  if (!lasts) {
    descend(s, cost + s->cost[i], rest);
  }
  s->ordered_count -= (size_t)ordered;
  s->depth--;
}

/* Depth is at most the number of missing attributes: each step covers one. */
static void descend(epi__cover *s, double cost, uint32_t left) {
  uint32_t first = left & -left;

  if (hopeless(s, cost, left) || ++s->steps > EPI__EXACT_STEPS) {
    return;
  }
  if (!left) {
    take_cover(s);
    return;
  }
  if (been_here(s, cost, left)) {
    return;
  }
  for (size_t i = 0; i < s->count; i++) {
    if (s->covers[i] & first) {
      choose(s, i, cost, left);
    }
  }
}

int epi__cover_search(const epi_model *model, const epi__site *site,
                      const uint64_t *missing, epi__chain *out,
                      epi__misfit *misfit) {
  epi__cover s;

  out->count = 0;
  memset(&s, 0, sizeof s);
  s.model = model;
  s.site = site;
  if (!epi__cover_prepare(&s, missing)) {
    return EPI_ELIMIT;
  }
  descend(&s, 0, (uint32_t)(((uint64_t)1 << s.bits) - 1));
  epi__free(s.states);
  if (s.found) {
    *out = s.best;
  } else {
    *misfit = s.misfit;
  }
  out->starved = s.starved;
  return s.steps > EPI__EXACT_STEPS ? EPI_ELIMIT : s.found;
}
