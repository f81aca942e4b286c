/* chain_cover.c: the cheapest functions that cover what is missing. */
#include "area/chain.h"

#include <string.h>

enum {
  WORDS_MAX = EPI__ATTRIBUTES_MAX / 64,
};

/* A branch and bound search: the attributes that are missing are bits. */
typedef struct search {
  const epi_model *model;
  const epi__site *site;
  size_t count; /* candidates, in document order */
  uint32_t function[EPI__EXACT_FUNCTIONS];
  uint32_t covers[EPI__EXACT_FUNCTIONS];
  double cost[EPI__EXACT_FUNCTIONS];
  double price[EPI__EXACT_MISSING]; /* what covering a bit costs at least */
  unsigned widest;                  /* bits that one function covers at most */
  long steps;
  size_t depth;
  uint32_t chosen[EPI__EXACT_MISSING];
  int found;
  size_t best_count;
  epi__chain best;
  epi__misfit misfit; /* of the first cover that did not fit */
} search;

static double cost_of(const epi_model *model, uint32_t number) {
  const epi__function *function = &model->functions[number];

  return function->cost_ms + (function->pair == EPI__NONE
                                  ? 0
                                  : model->functions[function->pair].cost_ms);
}

/* A pair needs a proxy at both ends. */
static int may_run(const epi_model *model, const epi__site *site,
                   uint32_t number) {
  return site->one_hop || site->destination != EPI__NONE ||
         model->functions[number].pair == EPI__NONE;
}

static unsigned bits_of(uint32_t word) {
  uint64_t set = word;

  return (unsigned)epi__set_count(&set, 1);
}

/* A function's price is shared by the bits that it covers, so no cover costs
 * less than the sum of the lowest prices of its bits. */
static void set_prices(search *s, unsigned missing) {
  for (unsigned bit = 0; bit < missing; bit++) {
    int priced = 0;

    s->price[bit] = 0;
    for (size_t i = 0; i < s->count; i++) {
      double share = s->cost[i] / bits_of(s->covers[i]);

      if (s->covers[i] >> bit & 1 && (!priced || share < s->price[bit])) {
        s->price[bit] = share;
        priced = 1;
      }
    }
  }
}

/* 1 if what is left cannot be covered for less than the best: the cost counts,
 * then the number of functions. */
static int hopeless(const search *s, double cost, uint32_t left) {
  double slack = 1e-9 * (1 + s->best.cost_ms); /* sums are not exact */
  size_t more = (bits_of(left) + s->widest - 1) / s->widest;

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

static void take_cover(search *s) {
  epi__chain chain = {0};
  epi__misfit misfit;

  if (!epi__chain_place(s->model, s->site, s->chosen, s->depth, &chain,
                        &misfit)) {
    if (s->misfit.why == EPI__FITS) {
      s->misfit = misfit;
    }
    return;
  }
  s->best = chain;
  s->best_count = s->depth;
  s->found = 1;
}

/* The bit that the fewest functions cover. */
static unsigned hardest(const search *s, uint32_t left) {
  size_t fewest = SIZE_MAX;
  unsigned best = 0;

  for (unsigned bit = 0; left >> bit; bit++) {
    size_t covering = 0;

    if (!(left >> bit & 1)) {
      continue;
    }
    for (size_t i = 0; i < s->count; i++) {
      covering += s->covers[i] >> bit & 1;
    }
    if (covering < fewest) {
      fewest = covering;
      best = bit;
    }
  }
  return best;
}

/* Depth is at most the number of missing attributes: each step covers one. */
static void descend(search *s, double cost, uint32_t left) {
  unsigned bit;

  if (hopeless(s, cost, left) || ++s->steps > EPI__EXACT_STEPS) {
    return;
  }
  if (!left) {
    take_cover(s);
    return;
  }
  bit = hardest(s, left);
  for (size_t i = 0; i < s->count; i++) {
    if (s->covers[i] >> bit & 1) {
      s->chosen[s->depth++] = s->function[i];
      descend(s, cost + s->cost[i], left & ~s->covers[i]);
      s->depth--;
    }
  }
}

/* The bits of what is missing that a function provides. */
static uint32_t bits_covered(const epi_model *model, uint32_t number,
                             const uint64_t *missing) {
  uint32_t bits = 0, bit = 1;

  for (ptrdiff_t at = 0;
       (at = epi__set_next(missing, model->words, (size_t)at)) >= 0; at++) {
    if (epi__set_has(model->functions[number].provides, (size_t)at)) {
      bits |= bit;
    }
    bit <<= 1;
  }
  return bits;
}

/* Returns 1 if the sizes are within what is searched exactly. */
static int set_up(search *s, const uint64_t *missing, size_t wanted) {
  if (wanted > EPI__EXACT_MISSING) {
    return 0;
  }
  for (uint32_t i = 0; i < s->model->function_names.count; i++) {
    uint32_t covers = bits_covered(s->model, i, missing);

    if (!covers || !may_run(s->model, s->site, i)) {
      continue;
    }
    if (s->count == EPI__EXACT_FUNCTIONS) {
      return 0;
    }
    s->function[s->count] = i;
    s->covers[s->count] = covers;
    s->cost[s->count++] = cost_of(s->model, i);
    if (bits_of(covers) > s->widest) {
      s->widest = bits_of(covers);
    }
  }
  set_prices(s, (unsigned)wanted);
  return 1;
}

/* How many of the attributes that are left a function covers. */
static size_t gain_of(const epi_model *model, uint32_t number,
                      const uint64_t *left) {
  size_t gain = 0;

  for (size_t i = 0; i < model->words; i++) {
    uint64_t word = model->functions[number].provides[i] & left[i];

    gain += epi__set_count(&word, 1);
  }
  return gain;
}

/* Again and again the function that covers most for its cost. At most ln(n) + 1
 * times as dear as the best for n attributes (Chvatal's bound), before order
 * and place. */
static int cover_greedily(const epi_model *model, const epi__site *site,
                          const uint64_t *missing, epi__chain *out,
                          epi__misfit *misfit) {
  uint32_t chosen[EPI__CHAIN_MAX];
  uint64_t left[WORDS_MAX];
  size_t count = 0;

  memcpy(left, missing, model->words * sizeof *left);
  while (epi__set_next(left, model->words, 0) >= 0) {
    uint32_t best = EPI__NONE;
    double lowest = 0;
    size_t most = 0;

    for (uint32_t i = 0; i < model->function_names.count; i++) {
      size_t gain = gain_of(model, i, left);
      double share = gain ? cost_of(model, i) / (double)gain : 0;

      if (gain && may_run(model, site, i) &&
          (best == EPI__NONE || share < lowest ||
           (!(share > lowest) && gain > most))) {
        best = i;
        lowest = share;
        most = gain;
      }
    }
    if (best == EPI__NONE || count == EPI__CHAIN_MAX) {
      misfit->why = best == EPI__NONE ? EPI__NO_COVER : EPI__TOO_LONG;
      return 0;
    }
    chosen[count++] = best;
    epi__set_drop(left, model->functions[best].provides, model->words);
  }
  return epi__chain_place(model, site, chosen, count, out, misfit);
}

/* What is missing is provided, but not by what may run here: by a pair whose
 * other half has no proxy. */
static int lacks_destination(const epi_model *model, const epi__site *site,
                             const uint64_t *missing, epi__misfit *misfit) {
  uint64_t left[WORDS_MAX];

  memcpy(left, missing, model->words * sizeof *left);
  for (uint32_t i = 0; i < model->function_names.count; i++) {
    if (may_run(model, site, i)) {
      epi__set_drop(left, model->functions[i].provides, model->words);
    }
  }
  if (epi__set_next(left, model->words, 0) < 0) {
    return 0;
  }
  for (uint32_t i = 0; i < model->function_names.count; i++) {
    if (gain_of(model, i, left)) {
      misfit->why = EPI__NO_DESTINATION;
      misfit->a = i;
      misfit->b = model->functions[i].pair;
      return 1;
    }
  }
  misfit->why = EPI__NO_COVER;
  return 1;
}

int epi__chain_find(const epi_model *model, const epi__site *site,
                    const uint64_t *missing, epi__chain *out,
                    epi__misfit *misfit) {
  size_t wanted = epi__set_count(missing, model->words);
  search s = {.model = model, .site = site};
  int exact;

  if (!site->unchecked && site->source == EPI__NONE) {
    misfit->why = EPI__NO_SOURCE;
    return 0;
  }
  if (lacks_destination(model, site, missing, misfit)) {
    return 0;
  }
  exact = set_up(&s, missing, wanted);
  if (exact) {
    descend(&s, 0, (uint32_t)(((uint64_t)1 << wanted) - 1));
    exact = s.steps <= EPI__EXACT_STEPS;
  }
  if (s.found) {
    *out = s.best;
  } else if (exact) {
    *misfit = s.misfit;
    return 0;
  }
  if (!exact) {
    epi__chain greedy = {0};
    int found = cover_greedily(model, site, missing, &greedy, misfit);

    if (!found && !s.found) {
      return 0;
    }
    if (!s.found || (found && greedy.cost_ms < out->cost_ms)) {
      *out = greedy;
    }
  }
  out->optimal = exact;
  return 1;
}
