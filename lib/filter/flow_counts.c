/* flow_counts.c: how many flows run, counted by all threads together.
 *
 * The number of flows and the time of the next one are one atomic each. Sources
 * are in a hash table that has a lock for every slot: it is held for a walk
 * over a few entries, so that whoever meets another spins instead of sleeping.
 * An entry exists while its source has a flow. */
#include "filter/flow_counts.h"

#include "base/fail.h"
#include "base/memory.h"
#include "base/net.h"
#include "base/table_key.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>

enum {
  SLOTS = 4096,
  SECOND = 1000000000, /* in nanoseconds */
  MS = 1000000,
};

typedef struct source {
  struct source *next;
  int64_t flows;
  uint8_t kind;
  uint8_t ip[16];
} source;

typedef struct slot {
  atomic_flag busy;
  source *first;
} slot;

struct epi__flow_counts {
  epi__flow_limits limits;
  _Atomic int64_t flows;
  _Atomic int64_t due; /* when the next flow would come at the highest rate */
  epi__hash_key key;
  slot *slots; /* NULL without a limit for sources */
};

int epi__flow_counts_new(epi__flow_counts **out,
                         const epi__flow_limits *limits) {
  epi__flow_counts *counts = epi__alloc(sizeof *counts);

  if (!counts) {
    return EPI_ENOMEM;
  }
  counts->limits = *limits;
  atomic_init(&counts->flows, 0);
  atomic_init(&counts->due, 0);
  if (limits->per_source) {
    counts->slots = epi__alloc_array(SLOTS, sizeof *counts->slots);
    if (!counts->slots) {
      epi__free(counts);
      return EPI_ENOMEM;
    }
    for (size_t i = 0; i < SLOTS; i++) {
      atomic_flag_clear(&counts->slots[i].busy);
    }
    counts->key = epi__table_key(counts->slots);
  }
  *out = counts;
  return 0;
}

void epi__flow_counts_free(epi__flow_counts *counts) {
  if (!counts) {
    return;
  }
  for (size_t i = 0; counts->slots && i < SLOTS; i++) {
    while (counts->slots[i].first) {
      source *gone = counts->slots[i].first;

      counts->slots[i].first = gone->next;
      epi__free(gone);
    }
  }
  epi__free(counts->slots);
  epi__free(counts);
}

static slot *lock_slot(epi__flow_counts *counts, const epi_addr *addr) {
  uint64_t hash = epi__siphash(&counts->key, addr->ip, sizeof addr->ip);
  slot *at = &counts->slots[hash % SLOTS];

  while (atomic_flag_test_and_set_explicit(&at->busy, memory_order_acquire)) {
  }
  return at;
}

static void unlock_slot(slot *at) {
  atomic_flag_clear_explicit(&at->busy, memory_order_release);
}

/* Where the pointer to a source's entry is, or would be. */
static source **entry_of(slot *at, const epi_addr *addr) {
  source **entry = &at->first;

  while (*entry && ((*entry)->kind != addr->kind ||
                    memcmp((*entry)->ip, addr->ip, sizeof addr->ip))) {
    entry = &(*entry)->next;
  }
  return entry;
}

static int begin_source(epi__flow_counts *counts, const epi_addr *addr) {
  source *made = epi__alloc(sizeof *made); /* not while others spin */
  source **entry;
  slot *at;
  int full;

  if (!made) {
    return EPI_ENOMEM;
  }
  at = lock_slot(counts, addr);
  entry = entry_of(at, addr);
  if (!*entry) {
    made->kind = addr->kind;
    memcpy(made->ip, addr->ip, sizeof made->ip);
    *entry = made;
    made = NULL;
  }
  full = (*entry)->flows == counts->limits.per_source;
  (*entry)->flows += !full;
  unlock_slot(at);
  epi__free(made);
  return full ? EPI_ELIMIT : 0;
}

static void end_source(epi__flow_counts *counts, const epi_addr *addr) {
  slot *at = lock_slot(counts, addr);
  source **entry = entry_of(at, addr);
  source *gone = NULL;

  if (*entry && --(*entry)->flows == 0) {
    gone = *entry;
    *entry = gone->next;
  }
  unlock_slot(at);
  epi__free(gone);
}

static int begin_flow(epi__flow_counts *counts) {
  int64_t flows = atomic_load(&counts->flows);

  do {
    if (counts->limits.flows && flows >= counts->limits.flows) {
      return EPI_ELIMIT;
    }
  } while (!atomic_compare_exchange_weak(&counts->flows, &flows, flows + 1));
  return 0;
}

/* At a rate of N a second, a flow moves the time of the next one on by an Nth
 * of a second, and may come while that is less than a second ahead. */
static int begin_new(epi__flow_counts *counts, int64_t now_ms) {
  int64_t due = atomic_load(&counts->due), next;

  do {
    next = due > now_ms * MS ? due : now_ms * MS;
    next += SECOND / counts->limits.per_second;
    if (next - now_ms * MS > SECOND) {
      return EPI_ELIMIT;
    }
  } while (!atomic_compare_exchange_weak(&counts->due, &due, next));
  return 0;
}

int epi__flow_counts_begin(epi__flow_counts *counts, const epi_addr *addr,
                           int64_t now_ms) {
  const epi__flow_limits *limits = &counts->limits;
  epi__addr_buf host;
  int result;

  if (begin_flow(counts)) {
    return epi__fail(EPI_ELIMIT, "%" PRId64 " flows run already",
                     limits->flows);
  }
  result = limits->per_source ? begin_source(counts, addr) : 0;
  if (result) {
    atomic_fetch_sub(&counts->flows, 1);
    if (result == EPI_ELIMIT) {
      epi_addr_format(addr, 0, host.text, sizeof host.text);
      epi__fail(EPI_ELIMIT, "%" PRId64 " flows of %s run already",
                limits->per_source, host.text);
    }
    return result;
  }
  if (limits->per_second && begin_new(counts, now_ms)) {
    epi__flow_counts_end(counts, addr);
    return epi__fail(EPI_ELIMIT, "over %" PRId64 " new flows a second",
                     limits->per_second);
  }
  return 0;
}

void epi__flow_counts_end(epi__flow_counts *counts, const epi_addr *addr) {
  if (counts->limits.per_source) {
    end_source(counts, addr);
  }
  atomic_fetch_sub(&counts->flows, 1);
}
