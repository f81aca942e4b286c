/* name_cache.c: addresses of names that were looked up lately. */
#include "engine/name_cache.h"

#include "base/memory.h"
#include "base/table_key.h"
#include "epi/error.h"

#include <string.h>

typedef struct entry {
  struct entry *chained; /* in its bucket */
  struct entry *newer, *older;
  int64_t until;
  size_t count;
  char *name;
  struct {
    uint8_t kind, ip[16];
  } addrs[];
} entry;

struct epi__name_cache {
  epi__hash_key key; /* names come from clients */
  entry **buckets;   /* as many as there may be names */
  size_t capacity, count;
  entry *newest, *oldest; /* by when they were asked for */
};

int epi__name_cache_new(epi__name_cache **out, size_t capacity) {
  epi__name_cache *cache = epi__alloc(sizeof *cache);

  if (!cache) {
    return EPI_ENOMEM;
  }
  cache->capacity = capacity;
  cache->key = epi__table_key(cache);
  if (capacity) {
    cache->buckets = epi__alloc_array(capacity, sizeof *cache->buckets);
    if (!cache->buckets) {
      epi__free(cache);
      return EPI_ENOMEM;
    }
  }
  *out = cache;
  return 0;
}

static void free_entry(entry *freed) {
  epi__free(freed->name);
  epi__free(freed);
}

void epi__name_cache_free(epi__name_cache *cache) {
  if (!cache) {
    return;
  }
  while (cache->newest) {
    entry *next = cache->newest->older;

    free_entry(cache->newest);
    cache->newest = next;
  }
  epi__free(cache->buckets);
  epi__free(cache);
}

/* Where a name's entry is chained, or would be. */
static entry **place_of(epi__name_cache *cache, const char *name) {
  uint64_t hash = epi__siphash(&cache->key, name, strlen(name));
  entry **place = &cache->buckets[hash % cache->capacity];

  while (*place && strcmp((*place)->name, name)) {
    place = &(*place)->chained;
  }
  return place;
}

static void unlist(epi__name_cache *cache, entry *listed) {
  *(listed->newer ? &listed->newer->older : &cache->newest) = listed->older;
  *(listed->older ? &listed->older->newer : &cache->oldest) = listed->newer;
}

static void list(epi__name_cache *cache, entry *listed) {
  listed->newer = NULL;
  listed->older = cache->newest;
  *(cache->newest ? &cache->newest->newer : &cache->oldest) = listed;
  cache->newest = listed;
}

/* Forget the entry that is chained at a place. */
static void forget(epi__name_cache *cache, entry **place) {
  entry *forgotten = *place;

  *place = forgotten->chained;
  unlist(cache, forgotten);
  free_entry(forgotten);
  cache->count--;
}

size_t epi__name_cache_get(epi__name_cache *cache, const epi_addr *name,
                           int64_t now, epi_addr *out, size_t most) {
  entry **place = cache->capacity ? place_of(cache, name->name) : NULL;
  entry *found = place ? *place : NULL;
  size_t count;

  if (!found) {
    return 0;
  }
  if (now >= found->until) {
    forget(cache, place);
    return 0;
  }
  unlist(cache, found);
  list(cache, found);
  count = found->count < most ? found->count : most;
  for (size_t i = 0; i < count; i++) {
    epi_addr_set_ip(&out[i], found->addrs[i].ip,
                    found->addrs[i].kind == EPI_ADDR_IPV4 ? 4 : 16, name->port);
  }
  return count;
}

static entry *make(const char *name, const epi_addr *addrs, size_t count) {
  entry *made = epi__alloc(sizeof *made + count * sizeof *made->addrs);

  if (!made) {
    return NULL;
  }
  made->name = epi__strdup(name);
  if (!made->name) {
    epi__free(made);
    return NULL;
  }
  made->count = count;
  for (size_t i = 0; i < count; i++) {
    made->addrs[i].kind = addrs[i].kind;
    memcpy(made->addrs[i].ip, addrs[i].ip, sizeof addrs[i].ip);
  }
  return made;
}

void epi__name_cache_put(epi__name_cache *cache, const char *name,
                         const epi_addr *addrs, size_t count, int64_t ttl_s,
                         int64_t now) {
  entry **place;
  entry *made;

  if (!cache->capacity || ttl_s < 1 || !count) {
    return;
  }
  made = make(name, addrs, count);
  if (!made) {
    return;
  }
  place = place_of(cache, name);
  if (*place) {
    forget(cache, place);
  } else if (cache->count == cache->capacity) {
    forget(cache, place_of(cache, cache->oldest->name));
  }
  place = place_of(cache, name);
  made->until =
      now + 1000 * (ttl_s < EPI__NAME_CACHE_S ? ttl_s : EPI__NAME_CACHE_S);
  made->chained = *place;
  *place = made;
  list(cache, made);
  cache->count++;
}
