/* chain.h: which functions bridge a gap, in what order, and where. */
#ifndef EPI__CHAIN_H
#define EPI__CHAIN_H

#include "area/model.h"
#include "base/bytes.h"
#include "epi/plan.h"

enum {
  EPI__CHAIN_MAX = 64,     /* functions of a chain, those that undo included */
  EPI__EXACT_MISSING = 24, /* up to these sizes the search is exact, */
  EPI__EXACT_FUNCTIONS = 256,
  EPI__EXACT_STEPS = 1000000, /* unless it takes longer than this */
};

/* As many flows as can be carried, whatever the model says. */
#define EPI__FULL UINT64_MAX

/* What a caller says about the choice of functions. */
typedef struct epi__choice {
  int weighted; /* else each cost weighs 1 */
  double weights[EPI__COSTS];
  epi__names used; /* functions that other flows use */
  uint64_t *flows; /* how many, for each; EPI__FULL: no further one fits */
  size_t flow_capacity;
} epi__choice;

/* Where a flow's functions can run. */
typedef struct epi__site {
  int one_hop;   /* everything runs in the same place */
  int unchecked; /* the model has no proxies: any place will do */
  uint32_t source, destination;               /* proxies, or EPI__NONE */
  uint32_t source_domain, destination_domain; /* or EPI__NONE */
  size_t path_count;            /* 0: no way, or no proxy at one of the ends */
  uint32_t path[EPI__PATH_MAX]; /* from source to destination */
  const epi__choice *choice;    /* or NULL */
} epi__site;

/* 1 if both ends have a proxy, and there is no way between these. */
int epi__site_is_cut(const epi__site *site);

/* Why no chain fits; a and b are functions. */
enum {
  EPI__FITS,
  EPI__NO_COVER,       /* an attribute is left: the search found no chain */
  EPI__NO_SOURCE,      /* no proxy at the source to run functions */
  EPI__NO_WAY,         /* the source's proxy cannot reach the destination's */
  EPI__NO_DESTINATION, /* no proxy at the destination to undo a with b */
  EPI__NO_ROOM,        /* a has as many flows as it can carry */
  EPI__CIRCLE,         /* a and b each come before the other */
  EPI__OUT_OF_PROCESS, /* a runs at an endpoint and comes before b, a filter */
  EPI__TOO_LATE,       /* a undoes something and comes before b's sealing */
  EPI__TOO_LONG,
};

typedef struct epi__misfit {
  int why;
  int lasts; /* more functions cannot mend it */
  uint32_t a, b;
} epi__misfit;

/* Functions in the order in which a flow passes them. */
typedef struct epi__chain {
  size_t count;
  uint32_t functions[EPI__CHAIN_MAX];
  uint8_t hop[EPI__CHAIN_MAX]; /* 0 at the source, 1 at the destination */
  double cost_ms;
  int optimal;
  int starved; /* with more memory the search could have found another */
} epi__chain;

/* What a function costs, as a choice weighs it; choice may be NULL. */
double epi__function_cost(const epi_model *model, const epi__choice *choice,
                          uint32_t number);

/* 1 if a function has as many flows as it can carry. */
int epi__function_full(const epi_model *model, const epi__choice *choice,
                       uint32_t number);

/* Order functions, with what undoes them, and give each its place. Returns 1,
 * or 0 with *misfit set. */
int epi__chain_place(const epi_model *model, const epi__site *site,
                     const uint32_t *functions, size_t count, epi__chain *out,
                     epi__misfit *misfit);

/* Find the cheapest chain that applies what is missing and fits its place; the
 * functions that may are those that provide it. What was found before for the
 * same, without a choice, is not searched again. Returns 1, or 0 with *misfit
 * set. */
int epi__chain_find(const epi_model *model, const epi__site *site,
                    const uint64_t *missing, epi__chain *out,
                    epi__misfit *misfit);

/* ---- cover_candidates.c ---- */

/* 1 if a function, and what undoes it, can run: a pair needs a proxy at both
 * ends, and both need room. */
int epi__may_run(const epi_model *model, const epi__site *site,
                 uint32_t number);

/* What a function costs, with what undoes it. */
double epi__pair_cost(const epi_model *model, const epi__site *site,
                      uint32_t number);

/* ---- cover_search.c ---- */

/* The exact search. Returns 1 if *out is the cheapest chain; 0 if there is
 * none, for which *misfit has a reason; EPI_ELIMIT if that is not known, for
 * the sizes or the steps: *out is then the best that was seen, its count 0 if
 * none was. */
int epi__cover_search(const epi_model *model, const epi__site *site,
                      const uint64_t *missing, epi__chain *out,
                      epi__misfit *misfit);

/* Functions run at the first hop and at the last. */
struct epi_plan {
  const epi_model *model; /* NULL: no hops */
  size_t hop_count;
  uint32_t proxies[EPI__PATH_MAX]; /* or EPI__NONE */
  size_t count, first; /* functions; of these, those at the first hop */
  uint32_t functions[EPI__CHAIN_MAX];
  double cost_ms;
  int optimal;
};

/* No hops, no cost. */
void epi__plan_clear(epi_plan *plan);

/* The functions of a hop, and how many there are. */
const uint32_t *epi__plan_functions(const epi_plan *plan, size_t hop,
                                    size_t *count);

/* Write the hops from one on as JSON: a list, the same text in every proxy. */
void epi__plan_put(epi__text *out, const epi_plan *plan, size_t from);

/* Lay a chain over the hops of a site. */
void epi__plan_make(epi_plan *plan, const epi_model *model,
                    const epi__site *site, const epi__chain *chain);

#endif
