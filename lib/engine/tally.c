/* tally.c: how many of something each client address has at once. */
#include "engine/tally.h"

#include "base/fail.h"
#include "base/memory.h"
#include "base/net.h"

struct epi__tally_entry {
  epi__tally_entry *next;
  epi_addr addr;
  int64_t count; /* at least 1 */
};

/* The place of an address, or where it is to be put. */
static epi__tally_entry **find(epi__tally *tally, const epi_addr *addr) {
  uint32_t hash = 2166136261u; /* FNV-1a */
  epi__tally_entry **place;

  for (size_t i = 0; i < sizeof addr->ip; i++) {
    hash = (hash ^ addr->ip[i]) * 16777619u;
  }
  place = &tally->buckets[hash % EPI__TALLY_BUCKETS];
  while (*place && !epi__addr_same_host(&(*place)->addr, addr)) {
    place = &(*place)->next;
  }
  return place;
}

int64_t epi__tally_count(epi__tally *tally, const epi_addr *addr) {
  const epi__tally_entry *entry = *find(tally, addr);

  return entry ? entry->count : 0;
}

int epi__tally_add(epi__tally *tally, const epi_addr *addr, int64_t most) {
  epi__tally_entry **place = find(tally, addr);
  int64_t count = *place ? (*place)->count : 0;

  if (count >= most) {
    return epi__fail(EPI_ELIMIT, "the client has %lld already",
                     (long long)count);
  }
  if (!*place) {
    *place = epi__alloc(sizeof **place);
    if (!*place) {
      return EPI_ENOMEM;
    }
    (*place)->addr = *addr;
  }
  (*place)->count++;
  return 0;
}

void epi__tally_remove(epi__tally *tally, const epi_addr *addr) {
  epi__tally_entry **place = find(tally, addr);
  epi__tally_entry *entry = *place;

  if (entry && !--entry->count) {
    *place = entry->next;
    epi__free(entry);
  }
}

void epi__tally_clear(epi__tally *tally) {
  for (int i = 0; i < EPI__TALLY_BUCKETS; i++) {
    while (tally->buckets[i]) {
      epi__tally_entry *entry = tally->buckets[i];

      tally->buckets[i] = entry->next;
      epi__free(entry);
    }
  }
}
