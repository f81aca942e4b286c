/* quota.c: how many flows somebody, or something, has at once.
 *
 * A hash table with a lock for every slot, which is held for a walk over a few
 * entries: whoever meets another spins instead of sleeping, and no memory is
 * made or freed meanwhile. An entry exists while it counts something. */
#include "engine/quota.h"

#include "base/fail.h"
#include "base/memory.h"
#include "base/table_key.h"

#include <inttypes.h>
#include <string.h>

struct epi__quota_entry {
  epi__quota_entry *next;
  int64_t count; /* at least 1 */
  uint32_t slot;
  uint16_t len;
  uint8_t what;
  uint8_t told; /* somebody was refused since it reached its limit */
  uint8_t key[];
};

void epi__quotas_init(epi__quotas *quotas) {
  for (size_t i = 0; i < EPI__QUOTA_SLOTS; i++) {
    atomic_flag_clear(&quotas->slots[i].busy);
  }
  quotas->key = epi__table_key(quotas);
}

void epi__quotas_clear(epi__quotas *quotas) {
  for (size_t i = 0; i < EPI__QUOTA_SLOTS; i++) {
    while (quotas->slots[i].first) {
      epi__quota_entry *gone = quotas->slots[i].first;

      quotas->slots[i].first = gone->next;
      epi__free(gone);
    }
  }
}

static void lock(epi__quotas *quotas, uint32_t slot) {
  while (atomic_flag_test_and_set_explicit(&quotas->slots[slot].busy,
                                           memory_order_acquire)) {
  }
}

static void unlock(epi__quotas *quotas, uint32_t slot) {
  atomic_flag_clear_explicit(&quotas->slots[slot].busy, memory_order_release);
}

int epi__quota_is_of(const epi__quota_entry *entry, const void *key,
                     size_t len) {
  return entry->len == len && !memcmp(entry->key, key, len);
}

/* Where the pointer to an entry is, or would be. */
static epi__quota_entry **find(epi__quotas *quotas, uint32_t slot, int what,
                               const void *key, size_t len) {
  epi__quota_entry **at = &quotas->slots[slot].first;

  while (*at && ((*at)->what != what || !epi__quota_is_of(*at, key, len))) {
    at = &(*at)->next;
  }
  return at;
}

static epi__quota_entry *make(uint32_t slot, int what, const void *key,
                              size_t len) {
  epi__quota_entry *made = epi__alloc(sizeof *made + len);

  if (made) {
    made->slot = slot;
    made->what = (uint8_t)what;
    made->len = (uint16_t)len;
    memcpy(made->key, key, len);
  }
  return made;
}

/* Count one more in an entry. Returns 0 or EPI_ELIMIT. */
static int count(epi__quota_entry *entry, int64_t most, int *first) {
  if (most != EPI__QUOTA_NO_LIMIT && entry->count >= most) {
    *first = !entry->told;
    entry->told = 1;
    return EPI_ELIMIT;
  }
  entry->count++;
  return 0;
}

int epi__quota_take(epi__quotas *quotas, int what, const void *key, size_t len,
                    int64_t most, epi__quota_entry **out, int *first) {
  epi__quota_entry **at, *made, *entry;
  uint32_t slot;
  int ignored, result;

  if (len > EPI__QUOTA_KEY) {
    return epi__fail(EPI_EINVAL, "a name of %zu bytes cannot be counted", len);
  }
  slot = (uint32_t)((epi__siphash(&quotas->key, key, len) + (uint64_t)what) %
                    EPI__QUOTA_SLOTS);
  made = make(slot, what, key, len); /* not while others spin */
  if (!made) {
    return EPI_ENOMEM;
  }
  lock(quotas, slot);
  at = find(quotas, slot, what, key, len);
  if (!*at) {
    *at = made;
    made = NULL;
  }
  entry = *at;
  result = count(entry, most, first ? first : &ignored);
  if (result && !made) { /* nothing may be had at all */
    *at = entry->next;
    made = entry;
  }
  unlock(quotas, slot);
  epi__free(made);
  if (!result) {
    *out = entry;
  }
  return result;
}

int epi__quota_take_addr(epi__quotas *quotas, int what, const epi_addr *addr,
                         int64_t most, epi__quota_entry **out, int *first) {
  uint8_t key[9] = {(uint8_t)addr->kind};

  memcpy(key + 1, addr->ip, sizeof key - 1);
  return epi__quota_take(quotas, what, key, sizeof key, most, out, first);
}

void epi__quota_give(epi__quotas *quotas, epi__quota_entry **entry) {
  epi__quota_entry *held = *entry, *gone = NULL;
  uint32_t slot;

  if (!held) {
    return;
  }
  *entry = NULL;
  slot = held->slot;
  lock(quotas, slot);
  held->told = 0;
  if (--held->count == 0) {
    epi__quota_entry **at =
        find(quotas, slot, held->what, held->key, held->len);

    *at = held->next;
    gone = held;
  }
  unlock(quotas, slot);
  epi__free(gone);
}
