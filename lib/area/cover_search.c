/* cover_search.c: the cheapest cover, by branch and bound. */
#include "area/chain.h"

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
typedef struct state {
  uint64_t key; /* 0: none */
  double cost;
  size_t depth;
} state;

/* The attributes that are missing are bits, those that the fewest functions
 * cover first. */
typedef struct search {
  const epi_model *model;
  const epi__site *site;
  size_t count; /* candidates, the cheapest for what they cover first */
  uint32_t function[EPI__EXACT_FUNCTIONS];
  uint32_t covers[EPI__EXACT_FUNCTIONS];
  double cost[EPI__EXACT_FUNCTIONS];
  size_t bits;
  double price[EPI__EXACT_MISSING]; /* what covering a bit costs at least */
  unsigned widest;                  /* bits that one function covers at most */
  int simple; /* what fits, fits with fewer functions too */
  long steps;
  size_t depth;
  uint32_t chosen[EPI__EXACT_MISSING];
  size_t ordered_count;
  size_t ordered[EPI__EXACT_MISSING]; /* candidates that were chosen */
  state *states;                      /* NULL: none yet, or no memory */
  int found;
  size_t best_count;
  epi__chain best;
  epi__misfit misfit; /* of the first cover that did not fit */
} search;

static unsigned bits_of(uint32_t word) {
  uint64_t set = word;

  return (unsigned)epi__set_count(&set, 1);
}

double epi__pair_cost(const epi_model *model, const epi__site *site,
                      uint32_t number) {
  uint32_t pair = model->functions[number].pair;

  return epi__function_cost(model, site->choice, number) +
         (pair == EPI__NONE ? 0
                            : epi__function_cost(model, site->choice, pair));
}

int epi__may_run(const epi_model *model, const epi__site *site,
                 uint32_t number) {
  uint32_t pair = model->functions[number].pair;

  return !epi__function_full(model, site->choice, number) &&
         (pair == EPI__NONE ||
          ((site->one_hop || site->destination != EPI__NONE) &&
           !epi__function_full(model, site->choice, pair)));
}

/* ---- candidates ---- */

/* 1 if whatever is done with b can be done with a for no more. */
static int dominates(const search *s, size_t a, size_t b) {
  return !s->model->functions[s->function[a]].ordered &&
         !(s->covers[b] & ~s->covers[a]) && s->cost[a] <= s->cost[b];
}

static void drop(search *s, size_t at) {
  size_t behind = --s->count - at;

  memmove(s->function + at, s->function + at + 1, behind * sizeof *s->function);
  memmove(s->covers + at, s->covers + at + 1, behind * sizeof *s->covers);
  memmove(s->cost + at, s->cost + at + 1, behind * sizeof *s->cost);
}

/* Returns 0 if there are too many. */
static int add_candidate(search *s, uint32_t number, uint32_t covers) {
  size_t last = s->count;

  if (last == EPI__EXACT_FUNCTIONS) {
    return 0;
  }
  s->function[last] = number;
  s->covers[last] = covers;
  s->cost[last] = epi__pair_cost(s->model, s->site, number);
  s->count++;
  for (size_t i = 0; i < last && s->simple; i++) {
    if (dominates(s, i, last)) {
      s->count--;
      return 1;
    }
  }
  for (size_t i = last; i-- && s->simple;) {
    if (dominates(s, last, i)) {
      drop(s, i);
      last--;
    }
  }
  return 1;
}

/* The bits of what is missing that a function provides. */
static uint32_t bits_covered(const epi_model *model, uint32_t number,
                             const uint64_t *missing) {
  const uint64_t *provides = model->functions[number].provides;
  uint32_t bits = 0, bit = 1;
  uint64_t any = 0;

  for (size_t i = 0; i < model->words; i++) {
    any |= provides[i] & missing[i];
  }
  for (ptrdiff_t at = 0;
       any && (at = epi__set_next(missing, model->words, (size_t)at)) >= 0;
       at++) {
    if (epi__set_has(provides, (size_t)at)) {
      bits |= bit;
    }
    bit <<= 1;
  }
  return bits;
}

/* An ordered function at an endpoint may fit only because of another function,
 * which moves a filter to the destination; without such a one, whatever fits
 * does so with fewer functions too. */
static int is_simple(const epi_model *model, const epi__site *site) {
  for (size_t i = 0; i < model->function_names.count && !site->one_hop; i++) {
    if (model->functions[i].ordered && !model->functions[i].filter) {
      return 0;
    }
  }
  return 1;
}

static int find_candidates(search *s, const uint64_t *missing) {
  for (uint32_t i = 0; i < s->model->function_names.count; i++) {
    uint32_t covers = bits_covered(s->model, i, missing);

    if (covers && epi__may_run(s->model, s->site, i) &&
        !add_candidate(s, i, covers)) {
      return 0;
    }
  }
  return 1;
}

static double share_of(const search *s, size_t i) {
  return s->cost[i] / bits_of(s->covers[i]);
}

/* The cheapest for what they cover first; otherwise in document order. */
static void sort_candidates(search *s) {
  for (size_t i = 1; i < s->count; i++) {
    uint32_t function = s->function[i], covers = s->covers[i];
    double cost = s->cost[i], share = share_of(s, i);
    size_t at = i;

    for (; at && share < share_of(s, at - 1); at--) {
      s->function[at] = s->function[at - 1];
      s->covers[at] = s->covers[at - 1];
      s->cost[at] = s->cost[at - 1];
    }
    s->function[at] = function;
    s->covers[at] = covers;
    s->cost[at] = cost;
  }
}

static size_t covering(const search *s, unsigned bit) {
  size_t count = 0;

  for (size_t i = 0; i < s->count; i++) {
    count += s->covers[i] >> bit & 1;
  }
  return count;
}

/* Number the bits anew: those that the fewest functions cover come first. */
static void sort_bits(search *s) {
  size_t counts[EPI__EXACT_MISSING];
  unsigned order[EPI__EXACT_MISSING];

  for (unsigned bit = 0; bit < s->bits; bit++) {
    unsigned at = bit;

    counts[bit] = covering(s, bit);
    for (; at && counts[bit] < counts[order[at - 1]]; at--) {
      order[at] = order[at - 1];
    }
    order[at] = bit;
  }
  for (size_t i = 0; i < s->count; i++) {
    uint32_t covers = 0;

    for (unsigned bit = 0; bit < s->bits; bit++) {
      covers |= (s->covers[i] >> order[bit] & 1) << bit;
    }
    s->covers[i] = covers;
  }
}

/* ---- bounds ---- */

/* Prices of which no function has more than its cost: no cover costs less than
 * the sum of the prices of its bits. A function's cost is shared by its bits;
 * then each bit takes what is left with every function that covers it. */
static void set_prices(search *s) {
  double spare[EPI__EXACT_FUNCTIONS];

  memcpy(spare, s->cost, s->count * sizeof *spare);
  for (unsigned turn = 0; turn < 2; turn++) {
    for (unsigned bit = 0; bit < s->bits; bit++) {
      double least = -1, price = 0;

      for (size_t i = 0; i < s->count; i++) {
        if (s->covers[i] >> bit & 1) {
          price = turn ? spare[i] : share_of(s, i);
          least = least < 0 || price < least ? price : least;
        }
      }
      price = least > 0 ? least : 0;
      s->price[bit] += price;
      for (size_t i = 0; i < s->count; i++) {
        spare[i] -= s->covers[i] >> bit & 1 ? price : 0;
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

/* ---- states ---- */

/* What is left and the ordered functions that were chosen, which alone can
 * keep others from fitting; 0 if these are too many. */
static uint64_t key_of(const search *s, uint32_t left) {
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
static int been_here(search *s, double cost, uint32_t left) {
  uint64_t key;
  state *at;

  if (s->steps == HARD) { /* without memory it only takes longer */
    s->states = epi__alloc_array(STATES, sizeof *s->states);
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
static int place(search *s, epi__chain *chain, int *lasts) {
  epi__misfit misfit = {.why = EPI__FITS};
  int fits =
      epi__chain_place(s->model, s->site, s->chosen, s->depth, chain, &misfit);

  if (!fits && s->misfit.why == EPI__FITS) {
    s->misfit = misfit;
  }
  *lasts = !fits && (s->simple || misfit.lasts);
  return fits;
}

static void take_cover(search *s) {
  epi__chain chain = {0};
  int lasts;

  if (place(s, &chain, &lasts)) {
    s->best = chain;
    s->best_count = s->depth;
    s->found = 1;
  }
}

static void descend(search *s, double cost, uint32_t left);

static void choose(search *s, size_t i, double cost, uint32_t left) {
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
static void descend(search *s, double cost, uint32_t left) {
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
  search s;

  out->count = 0;
  memset(&s, 0, sizeof s);
  s.model = model;
  s.site = site;
  s.simple = is_simple(model, site);
  s.bits = epi__set_count(missing, model->words);
  s.widest = 1;
  if (s.bits > EPI__EXACT_MISSING || !find_candidates(&s, missing)) {
    return EPI_ELIMIT;
  }
  for (size_t i = 0; i < s.count; i++) {
    unsigned bits = bits_of(s.covers[i]);

    s.widest = bits > s.widest ? bits : s.widest;
  }
  sort_candidates(&s);
  sort_bits(&s);
  set_prices(&s);
  descend(&s, 0, (uint32_t)(((uint64_t)1 << s.bits) - 1));
  epi__free(s.states);
  if (s.found) {
    *out = s.best;
  } else {
    *misfit = s.misfit;
  }
  return s.steps > EPI__EXACT_STEPS ? EPI_ELIMIT : s.found;
}
