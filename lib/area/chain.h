/* chain.h: which functions bridge a gap, in what order, and where. */
#ifndef EPI__CHAIN_H
#define EPI__CHAIN_H

#include "area/model.h"
#include "base/bytes.h"
#include "epi/plan.h"

enum {
  EPI__CHAIN_MAX = 64,     /* functions of a chain, those that undo included */
  EPI__EXACT_MISSING = 24, /* up to these sizes the search is exact, */
  EPI__EXACT_FUNCTIONS = 64,
  EPI__EXACT_STEPS = 200000, /* unless it takes longer than this */
  EPI__PLAN_HOPS = 2,
};

/* Where a flow's functions can run. */
typedef struct epi__site {
  int one_hop;   /* everything runs in the same place */
  int unchecked; /* the model has no proxies: any place will do */
  uint32_t source, destination;               /* proxies, or EPI__NONE */
  uint32_t source_domain, destination_domain; /* or EPI__NONE */
} epi__site;

/* Why no chain fits; a and b are functions. */
enum {
  EPI__FITS,
  EPI__NO_COVER,       /* an attribute is left: the search found no chain */
  EPI__NO_SOURCE,      /* no proxy at the source to run functions */
  EPI__NO_DESTINATION, /* no proxy at the destination to undo a with b */
  EPI__CIRCLE,         /* a and b each come before the other */
  EPI__OUT_OF_PROCESS, /* a runs at an endpoint and comes before b, a filter */
  EPI__TOO_LATE,       /* a undoes something and comes before b's sealing */
  EPI__TOO_LONG,
};

typedef struct epi__misfit {
  int why;
  uint32_t a, b;
} epi__misfit;

/* Functions in the order in which a flow passes them. */
typedef struct epi__chain {
  size_t count;
  uint32_t functions[EPI__CHAIN_MAX];
  uint8_t hop[EPI__CHAIN_MAX]; /* 0 at the source, 1 at the destination */
  double cost_ms;
  int optimal;
} epi__chain;

/* Order functions, with what undoes them, and give each its place. Returns 1,
 * or 0 with *misfit set. */
int epi__chain_place(const epi_model *model, const epi__site *site,
                     const uint32_t *functions, size_t count, epi__chain *out,
                     epi__misfit *misfit);

/* Find the cheapest chain that applies what is missing and fits its place; the
 * functions that may are those that provide it. Returns 1, or 0 with *misfit
 * set. */
int epi__chain_find(const epi_model *model, const epi__site *site,
                    const uint64_t *missing, epi__chain *out,
                    epi__misfit *misfit);

struct epi_plan {
  const epi_model *model; /* NULL: no hops */
  size_t hop_count;
  struct {
    uint32_t proxy; /* or EPI__NONE */
    size_t count;
    uint32_t functions[EPI__CHAIN_MAX];
  } hops[EPI__PLAN_HOPS];
  double cost_ms;
  int optimal;
};

/* No hops, no cost. */
void epi__plan_clear(epi_plan *plan);

/* Write the hops from one on as JSON: a list, the same text in every proxy. */
void epi__plan_put(epi__text *out, const epi_plan *plan, size_t from);

/* Lay a chain over the hops of a site. */
void epi__plan_make(epi_plan *plan, const epi_model *model,
                    const epi__site *site, const epi__chain *chain);

#endif
