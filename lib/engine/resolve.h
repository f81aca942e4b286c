/* resolve.h: names to addresses, off the loop. c-ares is behind it, in
 * resolve.c only. */
#ifndef EPI__RESOLVE_H
#define EPI__RESOLVE_H

#include "engine/loop.h"
#include "engine/meter.h"
#include "epi/addr.h"

typedef struct epi__resolver epi__resolver;
typedef struct epi__node_lookup epi__node_lookup;

enum {
  EPI__LOOKUP_MAX = 16, /* addresses that callback gets at most */
};

/* Make the resolver of a loop; its sockets bear the mark, 0 for none. It
 * remembers the addresses of so many names, for as long as their records say,
 * and is not asked for them again. Returns 0, EPI_ESYS or EPI_ENOMEM. */
int epi__resolver_new(epi__resolver **out, epi__loop *loop, uint32_t mark,
                      size_t names);

/* Remember so many from now on, and none of those before. Without memory for
 * that it is as it was. */
void epi__resolver_remember(epi__resolver *resolver, size_t names);

/* Count what it does; NULL, the default, counts nothing. */
void epi__resolver_count(epi__resolver *resolver, epi__meter *meter);

/* End it; lookups under way end without calling back. */
void epi__resolver_free(epi__resolver *resolver);

/* Look up both families of a name. callback gets the addresses, with the
 * name's port, or count 0 and why in words; it may run before this returns.
 * *out is set first, and is no more valid once callback runs.
 *
 * Returns 0, or EPI_ENOMEM and callback does not run. */
int epi__node_lookup_start(epi__resolver *resolver, const epi_addr *name,
                           void (*callback)(void *user, const epi_addr *addrs,
                                            size_t count, const char *why),
                           void *user, epi__node_lookup **out);

/* The same as fast as RFC 8305 section 3 allows: callback may run twice. why is
 * NULL the first time: the addresses are those of one family, IPv6 ones as soon
 * as they are there, IPv4 ones if the others do not come within 50 ms. The last
 * time count may be 0 after addresses that came before; why is then "". */
int epi__node_lookup_race(epi__resolver *resolver, const epi_addr *name,
                          void (*callback)(void *user, const epi_addr *addrs,
                                           size_t count, const char *why),
                          void *user, epi__node_lookup **out);

/* The callback shall not run any more. */
void epi__node_lookup_cancel(epi__node_lookup *lookup);

#endif
