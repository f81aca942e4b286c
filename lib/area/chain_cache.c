/* chain_cache.c: chains that were found before.
 *
 * An entry is some words. The first counts how often it was written, twice: it
 * is odd while somebody writes. A reader who finds the same even number before
 * and after has read one whole entry; otherwise he searches as if there were
 * none, so nobody ever waits. All words are atomic: a reader's loads acquire
 * what the writer's stores release, so that he who sees a new word behind the
 * count also sees that the count has changed. */
#include "area/chain_cache.h"

#include "base/memory.h"
#include "epi/error.h"

#include <stdatomic.h>
#include <string.h>

typedef _Atomic uint64_t word;

enum {
  GROUP = 4, /* entries in which a chain may be */
  PACKED = 4,
  FUNCTION_WORDS = EPI__CACHED_FUNCTIONS / PACKED,
};

/* The words of an entry, in the order of reading. Behind what is missing, which
 * has as many words as the model's sets, are those that say what was found. */
enum {
  TURN, /* 0: never written */
  FACTS,
  MISSING,
};

enum {
  COST,
  FUNCTIONS, /* or the two of a misfit */
  FOUND_WORDS = FUNCTIONS + FUNCTION_WORDS,
};

/* The bits of FACTS. */
enum {
  ONE_HOP = 1,
  DESTINATION = 2, /* there is a proxy at the destination */
  FOUND = 4,
  OPTIMAL = 8,
  COUNT_SHIFT = 8,
  FIRST_SHIFT = 16, /* how many run at the source */
  WHY_SHIFT = 24,
};

struct epi__chain_cache {
  size_t groups, words; /* groups of entries; words of an entry */
  word *block;
};

int epi__chain_cache_make(epi_model *model) {
  size_t areas = model->area_count < 1024 ? model->area_count : 1024;
  size_t wanted = 2 * areas * areas, count = GROUP;
  size_t words = MISSING + model->words + FOUND_WORDS;
  epi__chain_cache *cache;

  if (!model->function_names.count) {
    return 0;
  }
  while (count < wanted && count < EPI__CACHED_MAX &&
         2 * count * words * sizeof(word) <= EPI__CACHE_BYTES_MAX) {
    count *= 2;
  }
  cache = epi__alloc(sizeof *cache);
  if (!cache) {
    return EPI_ENOMEM;
  }
  cache->groups = count / GROUP;
  cache->words = words;
  cache->block = epi__alloc_array(count, words * sizeof *cache->block);
  if (!cache->block) {
    epi__free(cache);
    return EPI_ENOMEM;
  }
  model->chains = cache;
  return 0;
}

void epi__chain_cache_free(epi__chain_cache *cache) {
  if (cache) {
    epi__free(cache->block);
    epi__free(cache);
  }
}

/* All that a search without a choice knows of a site: which proxies there are
 * plays no part. */
static uint64_t site_bits(const epi__site *site) {
  return (site->one_hop ? ONE_HOP : 0) |
         (site->destination != EPI__NONE ? DESTINATION : 0);
}

/* Where a chain may be: a group of entries, of which one is looked at first.
 * Whoever makes chains collide makes his own flows wait for a search: the hash
 * needs no key. */
typedef struct places {
  word *group;
  size_t first, words;
} places;

static places places_of(const epi_model *model, uint64_t site,
                        const uint64_t *missing) {
  const epi__chain_cache *cache = model->chains;
  uint64_t hash = epi__set_hash(missing, model->words) + site;
  places out = {.words = cache->words};

  hash *= 0x9e3779b97f4a7c15u;
  out.group =
      cache->block + ((hash >> 32) & (cache->groups - 1)) * GROUP * out.words;
  out.first = (size_t)(hash >> 24);
  return out;
}

static word *entry_at(const places *all, size_t i) {
  return all->group + (all->first + i) % GROUP * all->words;
}

static uint64_t load(const word *from) {
  return atomic_load_explicit(from, memory_order_acquire);
}

static void store(word *to, uint64_t value) {
  atomic_store_explicit(to, value, memory_order_release);
}

/* 1 if an entry is about a site and what is missing there. */
static int is_about(const epi_model *model, const word *entry, uint64_t site,
                    const uint64_t *missing) {
  uint64_t other = (load(entry + FACTS) ^ site) & (ONE_HOP | DESTINATION);

  for (size_t i = 0; i < model->words; i++) {
    other |= load(entry + MISSING + i) ^ missing[i];
  }
  return !other;
}

/* ---- reading ---- */

static void read_chain(const word *found, uint64_t facts, epi__chain *out) {
  size_t first = facts >> FIRST_SHIFT & 0xff;
  uint64_t cost = load(found + COST), packed = 0;

  out->count = facts >> COUNT_SHIFT & 0xff;
  out->optimal = (facts & OPTIMAL) != 0;
  out->starved = 0;
  memcpy(&out->cost_ms, &cost, sizeof cost);
  for (size_t i = 0; i < out->count; i++, packed >>= 16) {
    if (i % PACKED == 0) {
      packed = load(found + FUNCTIONS + i / PACKED);
    }
    out->functions[i] = packed & 0xffff;
    out->hop[i] = i >= first;
  }
}

static void read_misfit(const word *found, uint64_t facts, epi__misfit *out) {
  uint64_t both = load(found + FUNCTIONS);

  out->why = (int)(facts >> WHY_SHIFT & 0xff);
  out->lasts = 0;
  out->a = (uint32_t)both;
  out->b = (uint32_t)(both >> 32);
}

int epi__chain_recall(const epi_model *model, const epi__site *site,
                      const uint64_t *missing, epi__chain *out,
                      epi__misfit *misfit) {
  uint64_t bits = site_bits(site);
  places all;

  if (!model->chains) {
    return EPI_ENOENT;
  }
  all = places_of(model, bits, missing);
  for (size_t i = 0; i < GROUP; i++) {
    const word *entry = entry_at(&all, i);
    const word *found = entry + MISSING + model->words;
    uint64_t turn = load(entry + TURN), facts;

    if (!turn || turn & 1 || !is_about(model, entry, bits, missing)) {
      continue;
    }
    facts = load(entry + FACTS);
    if (facts & FOUND) {
      read_chain(found, facts, out);
    } else {
      read_misfit(found, facts, misfit);
    }
    if (load(entry + TURN) == turn) {
      return (facts & FOUND) != 0;
    }
  }
  return EPI_ENOENT;
}

/* ---- writing ---- */

/* The entry to write: one of the same, or a free one, or the next in turn. */
static word *place_for(const epi_model *model, uint64_t site,
                       const uint64_t *missing) {
  places all = places_of(model, site, missing);
  uint64_t turns = 0;

  for (size_t i = 0; i < GROUP; i++) {
    word *entry = entry_at(&all, i);
    uint64_t turn = load(entry + TURN);

    if (!turn || is_about(model, entry, site, missing)) {
      return entry;
    }
    turns += turn / 2;
  }
  return entry_at(&all, (size_t)turns);
}

static uint64_t write_chain(word *to, const epi__chain *chain) {
  uint64_t packed[FUNCTION_WORDS] = {0}, cost, first = chain->count;

  memcpy(&cost, &chain->cost_ms, sizeof cost);
  store(to + COST, cost);
  for (size_t i = 0; i < chain->count; i++) {
    packed[i / PACKED] |= (uint64_t)chain->functions[i] << i % PACKED * 16;
  }
  for (size_t i = 0; i < FUNCTION_WORDS; i++) {
    store(to + FUNCTIONS + i, packed[i]);
  }
  while (first && chain->hop[first - 1]) {
    first--;
  }
  return FOUND | (chain->optimal ? OPTIMAL : 0) |
         (uint64_t)chain->count << COUNT_SHIFT | first << FIRST_SHIFT;
}

void epi__chain_keep(const epi_model *model, const epi__site *site,
                     const uint64_t *missing, int found,
                     const epi__chain *chain, const epi__misfit *misfit) {
  uint64_t facts = site_bits(site), turn;
  word *entry;

  if (!model->chains || chain->starved ||
      (found && chain->count > EPI__CACHED_FUNCTIONS)) {
    return;
  }
  entry = place_for(model, facts, missing);
  turn = load(entry + TURN);
  if (turn & 1 || !atomic_compare_exchange_strong_explicit(
                      entry + TURN, &turn, turn + 1, memory_order_acquire,
                      memory_order_relaxed)) {
    return; /* another thread writes here: the next time will do */
  }
  if (found) {
    facts |= write_chain(entry + MISSING + model->words, chain);
  } else {
    store(entry + MISSING + model->words + FUNCTIONS,
          (uint64_t)misfit->b << 32 | misfit->a);
    facts |= (uint64_t)misfit->why << WHY_SHIFT;
  }
  store(entry + FACTS, facts);
  for (size_t i = 0; i < model->words; i++) {
    store(entry + MISSING + i, missing[i]);
  }
  store(entry + TURN, turn + 2);
}
