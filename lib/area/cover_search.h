/* cover_search.h: the inside of the search for the cheapest cover. */
#ifndef EPI__COVER_SEARCH_H
#define EPI__COVER_SEARCH_H

#include "area/chain.h"

/* The attributes that are missing are bits, those that the fewest functions
 * cover first. */
typedef struct epi__cover {
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
  struct epi__cover_state *states;    /* NULL: none yet, or no memory */
  int starved;                        /* there was none */
  int found;
  size_t best_count;
  epi__chain best;
  epi__misfit misfit; /* of the first cover that did not fit */
} epi__cover;

unsigned epi__cover_bits(uint32_t set);

/* ---- cover_candidates.c ---- */

/* Number what is missing, find the functions that could cover some of it, and
 * what covering each of it costs at least. Model and site are set, the rest is
 * 0. Returns 0 if there are too many. */
int epi__cover_prepare(epi__cover *s, const uint64_t *missing);

#endif
