/* tally.h: how many of something each client address has at once. */
#ifndef EPI__TALLY_H
#define EPI__TALLY_H

#include "epi/addr.h"
#include "epi/error.h"

enum {
  EPI__TALLY_BUCKETS = 256,
};

typedef struct epi__tally_entry epi__tally_entry;

/* All zero: nobody has any. Its users see to it that one thread at a time calls
 * upon it. */
typedef struct epi__tally {
  epi__tally_entry *buckets[EPI__TALLY_BUCKETS];
} epi__tally;

/* Count one more for an address, whatever its port, unless it has `most` of
 * them. Returns 0, EPI_ELIMIT or EPI_ENOMEM. */
int epi__tally_add(epi__tally *tally, const epi_addr *addr, int64_t most);

/* How many an address has. */
int64_t epi__tally_count(epi__tally *tally, const epi_addr *addr);

/* Count one less. */
void epi__tally_remove(epi__tally *tally, const epi_addr *addr);

void epi__tally_clear(epi__tally *tally);

#endif
