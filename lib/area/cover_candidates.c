/* cover_candidates.c: the functions that could cover what is missing, and what
 * that costs at least. */
#include "area/cover_search.h"

#include <string.h>

unsigned epi__cover_bits(uint32_t set) {
  uint64_t word = set;

  return (unsigned)epi__set_count(&word, 1);
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

/* 1 if whatever is done with b can be done with a for no more. */
static int dominates(const epi__cover *s, size_t a, size_t b) {
  return !s->model->functions[s->function[a]].ordered &&
         !(s->covers[b] & ~s->covers[a]) && s->cost[a] <= s->cost[b];
}

static void drop(epi__cover *s, size_t at) {
  size_t behind = --s->count - at;

  memmove(s->function + at, s->function + at + 1, behind * sizeof *s->function);
  memmove(s->covers + at, s->covers + at + 1, behind * sizeof *s->covers);
  memmove(s->cost + at, s->cost + at + 1, behind * sizeof *s->cost);
}

/* Returns 0 if there are too many. */
static int add_candidate(epi__cover *s, uint32_t number, uint32_t covers) {
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

static int find_candidates(epi__cover *s, const uint64_t *missing) {
  for (uint32_t i = 0; i < s->model->function_names.count; i++) {
    uint32_t covers = bits_covered(s->model, i, missing);

    if (covers && epi__may_run(s->model, s->site, i) &&
        !add_candidate(s, i, covers)) {
      return 0;
    }
  }
  return 1;
}

static double share_of(const epi__cover *s, size_t i) {
  return s->cost[i] / epi__cover_bits(s->covers[i]);
}

/* The cheapest for what they cover first; otherwise in document order. */
static void sort_candidates(epi__cover *s) {
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

static size_t covering(const epi__cover *s, unsigned bit) {
  size_t count = 0;

  for (size_t i = 0; i < s->count; i++) {
    count += s->covers[i] >> bit & 1;
  }
  return count;
}

/* Number the bits anew: those that the fewest functions cover come first. */
static void sort_bits(epi__cover *s) {
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

/* Prices of which no function has more than its cost: no cover costs less than
 * the sum of the prices of its bits. A function's cost is shared by its bits;
 * then each bit takes what is left with every function that covers it. */
static void set_prices(epi__cover *s) {
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

int epi__cover_prepare(epi__cover *s, const uint64_t *missing) {
  s->simple = is_simple(s->model, s->site);
  s->bits = epi__set_count(missing, s->model->words);
  s->widest = 1;
  if (s->bits > EPI__EXACT_MISSING || !find_candidates(s, missing)) {
    return 0;
  }
  for (size_t i = 0; i < s->count; i++) {
    unsigned bits = epi__cover_bits(s->covers[i]);

    s->widest = bits > s->widest ? bits : s->widest;
  }
  sort_candidates(s);
  sort_bits(s);
  set_prices(s);
  return 1;
}
