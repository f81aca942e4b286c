/* node_lookup.h: which node an address or a host name belongs to. */
#ifndef EPI__NODE_LOOKUP_H
#define EPI__NODE_LOOKUP_H

#include "base/names.h"
#include "base/net.h"

typedef struct epi__entry {
  uint32_t node;
  uint32_t name;    /* number in the lookup's names, for a host name */
  epi__range range; /* kind EPI_ADDR_NONE for a host name */
} epi__entry;

/* Entries in the order of adding. Ranges are found by hash, one try for each
 * prefix length that occurs, longest first; names by hash of each suffix. Both
 * hashes have a key. */
typedef struct epi__node_lookup {
  epi__entry *entries;
  size_t count, capacity;
  uint32_t *slots; /* of ranges; 0 is empty, else the entry + 1 */
  size_t slot_count, range_count;
  epi__hash_key key;
  uint8_t lengths[2][129]; /* IPv4, IPv6: those that occur, longest first */
  size_t length_count[2];
  epi__names names;
  uint32_t *name_entries; /* the entry of each name */
  size_t name_capacity;
} epi__node_lookup;

/* Add "10.0.0.0/8", an address, or a host name.
 *
 * Returns the entry, EPI_EINVAL (it is none of these; the detail says why),
 * EPI_EBUSY (it is there already; *there is its entry) or EPI_ENOMEM. */
ptrdiff_t epi__node_lookup_add(epi__node_lookup *lookup, const char *text,
                               uint32_t node, size_t *there);

/* The node of an address, or EPI_ENOENT. */
ptrdiff_t epi__node_lookup_find(const epi__node_lookup *lookup,
                                const epi_addr *addr);

/* Go through the ranges that an IP address is in, the longest prefix first:
 * *place is 0 at first. Returns the next one's entry, or EPI_ENOENT. */
ptrdiff_t epi__node_lookup_each(const epi__node_lookup *lookup,
                                const epi_addr *ip, size_t *place);

/* An entry as text: as it was added, but in its one canonical form. */
const char *epi__entry_text(const epi__node_lookup *lookup,
                            const epi__entry *entry, epi__addr_buf *buf);

/* A range as text. */
const char *epi__range_text(const epi__range *range, epi__addr_buf *buf);

void epi__node_lookup_clear(epi__node_lookup *lookup);

#endif
