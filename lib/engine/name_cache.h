/* name_cache.h: addresses of names that were looked up lately, for as long as
 * their records say. One for each resolver, so without a lock. */
#ifndef EPI__NAME_CACHE_H
#define EPI__NAME_CACHE_H

#include "epi/addr.h"

#include <stddef.h>

typedef struct epi__name_cache epi__name_cache;

enum {
  EPI__NAME_CACHE_S = 3600, /* no name is remembered longer */
};

/* Make one for so many names; 0: it never remembers any. Returns 0 or
 * EPI_ENOMEM. */
int epi__name_cache_new(epi__name_cache **out, size_t capacity);
void epi__name_cache_free(epi__name_cache *cache);

/* Find up to `most` addresses of a name, with the name's port. now is in
 * milliseconds, on a clock that never steps. Returns how many there are, 0: it
 * is not remembered. */
size_t epi__name_cache_get(epi__name_cache *cache, const epi_addr *name,
                           int64_t now, epi_addr *out, size_t most);

/* Remember a name's addresses for ttl_s seconds; not at all if that is below 1,
 * or there is no memory. When it is full, the name goes that was asked for
 * longest ago. */
void epi__name_cache_put(epi__name_cache *cache, const char *name,
                         const epi_addr *addrs, size_t count, int64_t ttl_s,
                         int64_t now);

#endif
