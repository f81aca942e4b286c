/* chain_cover.c: the chain that covers what is missing: exact where that is
 * possible, else by taking what is cheapest for what it covers. */
#include "area/chain_cache.h"

#include <string.h>

enum {
  WORDS_MAX = EPI__ATTRIBUTES_MAX / 64,
};

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

/* The function that covers most for its cost, but for those that are passed
 * over; or EPI__NONE. */
static uint32_t best_share(const epi_model *model, const epi__site *site,
                           const uint64_t *left, const uint64_t *passed) {
  uint32_t best = EPI__NONE;
  double lowest = 0;
  size_t most = 0;

  for (uint32_t i = 0; i < model->function_names.count; i++) {
    size_t gain = gain_of(model, i, left);
    double share = gain ? epi__pair_cost(model, site, i) / (double)gain : 0;

    if (gain && !epi__set_has(passed, i) && epi__may_run(model, site, i) &&
        (best == EPI__NONE || share < lowest ||
         (!(share > lowest) && gain > most))) {
      best = i;
      lowest = share;
      most = gain;
    }
  }
  return best;
}

/* Again and again the function that covers most for its cost; one that does not
 * fit with those taken before is passed over. If all fit, at most ln(n) + 1
 * times as dear as the best for n attributes (Chvatal's bound). */
static int cover_greedily(const epi_model *model, const epi__site *site,
                          const uint64_t *missing, epi__chain *out,
                          epi__misfit *misfit) {
  uint64_t passed[EPI__FUNCTIONS_MAX / 64] = {0};
  uint32_t chosen[EPI__CHAIN_MAX + 1];
  uint64_t left[WORDS_MAX];
  epi__misfit first = {.why = EPI__FITS};
  size_t count = 0;

  memcpy(left, missing, model->words * sizeof *left);
  while (epi__set_next(left, model->words, 0) >= 0) {
    uint32_t best = best_share(model, site, left, passed);

    if (best == EPI__NONE) {
      misfit->why = EPI__NO_COVER;
      if (first.why != EPI__FITS) {
        *misfit = first;
      }
      return 0;
    }
    chosen[count] = best;
    if (!epi__chain_place(model, site, chosen, count + 1, out, misfit)) {
      if (misfit->why == EPI__TOO_LONG) {
        return 0;
      }
      if (first.why == EPI__FITS) {
        first = *misfit;
      }
      epi__set_add(passed, best);
      continue;
    }
    count++;
    epi__set_drop(left, model->functions[best].provides, model->words);
  }
  return 1;
}

/* Why a function may not run. */
static void say_idle(const epi_model *model, const epi__site *site,
                     uint32_t number, epi__misfit *misfit) {
  uint32_t pair = model->functions[number].pair;

  misfit->why = EPI__NO_ROOM;
  misfit->a = number;
  misfit->b = number;
  if (epi__function_full(model, site->choice, number)) {
    return;
  }
  misfit->b = pair;
  if (!site->one_hop && site->destination == EPI__NONE) {
    misfit->why = EPI__NO_DESTINATION;
  } else {
    misfit->a = pair;
  }
}

/* What is missing is provided, but not by what may run here. */
static int lacks_functions(const epi_model *model, const epi__site *site,
                           const uint64_t *missing, epi__misfit *misfit) {
  uint64_t left[WORDS_MAX];

  memcpy(left, missing, model->words * sizeof *left);
  for (uint32_t i = 0; i < model->function_names.count; i++) {
    if (epi__may_run(model, site, i)) {
      epi__set_drop(left, model->functions[i].provides, model->words);
    }
  }
  if (epi__set_next(left, model->words, 0) < 0) {
    return 0;
  }
  misfit->why = EPI__NO_COVER;
  for (uint32_t i = 0; i < model->function_names.count; i++) {
    if (gain_of(model, i, left)) {
      say_idle(model, site, i, misfit);
      break;
    }
  }
  return 1;
}

static int find(const epi_model *model, const epi__site *site,
                const uint64_t *missing, epi__chain *out, epi__misfit *misfit) {
  epi__chain greedy = {0};
  int result;

  out->starved = 0;
  if (lacks_functions(model, site, missing, misfit)) {
    return 0;
  }
  result = epi__cover_search(model, site, missing, out, misfit);
  if (result >= 0) {
    out->optimal = 1;
    return result;
  }
  greedy.starved = out->starved;
  if (cover_greedily(model, site, missing, &greedy, misfit) &&
      (!out->count || greedy.cost_ms < out->cost_ms)) {
    *out = greedy;
  }
  out->optimal = 0;
  return out->count > 0;
}

int epi__chain_find(const epi_model *model, const epi__site *site,
                    const uint64_t *missing, epi__chain *out,
                    epi__misfit *misfit) {
  const epi__choice *choice = site->choice;
  int result;

  if (!site->unchecked && site->source == EPI__NONE) {
    misfit->why = EPI__NO_SOURCE;
    return 0;
  }
  if (epi__site_is_cut(site)) {
    misfit->why = EPI__NO_WAY;
    return 0;
  }
  if (choice && (choice->weighted || choice->used.count)) {
    return find(model, site, missing, out, misfit);
  }
  result = epi__chain_recall(model, site, missing, out, misfit);
  if (result < 0) {
    result = find(model, site, missing, out, misfit);
    epi__chain_keep(model, site, missing, result, out, misfit);
  }
  return result;
}
