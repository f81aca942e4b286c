/* chain_cache.h: what epi__chain_find() found before, for flows that miss the
 * same attributes. A model has one such cache, of a fixed size, which its
 * threads share without waiting for each other. */
#ifndef EPI__CHAIN_CACHE_H
#define EPI__CHAIN_CACHE_H

#include "area/chain.h"

enum {
  EPI__CACHED_FUNCTIONS = 24,     /* longer chains are not kept */
  EPI__CACHED_MAX = 1 << 18,      /* chains, and */
  EPI__CACHE_BYTES_MAX = 1 << 25, /* the bytes that they take */
};

/* Make a model's cache, for two chains for each ordered pair of areas up to
 * these limits; a model without functions needs none. Returns 0 or
 * EPI_ENOMEM. */
int epi__chain_cache_make(epi_model *model);
void epi__chain_cache_free(epi__chain_cache *cache);

/* What was found for a site with a way and for what is missing, if the query
 * has no choice of its own: what epi__chain_find() returned, with *out or
 * *misfit; or EPI_ENOENT, and nothing is written. Threads: any. */
int epi__chain_recall(const epi_model *model, const epi__site *site,
                      const uint64_t *missing, epi__chain *out,
                      epi__misfit *misfit);

/* Remember what was found, in the place of something else perhaps. Threads:
 * any. */
void epi__chain_keep(const epi_model *model, const epi__site *site,
                     const uint64_t *missing, int found,
                     const epi__chain *chain, const epi__misfit *misfit);

#endif
