/* quota.h: how many flows somebody, or something, has at once, counted by all
 * workers together.
 *
 * A flow holds the entry that it counts in, and gives it back without looking
 * for it. What has no limit is not counted, and costs nothing. */
#ifndef EPI__QUOTA_H
#define EPI__QUOTA_H

#include "base/siphash.h"
#include "epi/addr.h"
#include "epi/error.h"

#include <stdatomic.h>

enum { /* what is counted: of each, those who have the same key */
       EPI__QUOTA_CONNECTIONS, /* of an address that connects */
       EPI__QUOTA_CLIENT,      /* flows of an address */
       EPI__QUOTA_USER,
       EPI__QUOTA_APPLICATION,
       EPI__QUOTAS,

       EPI__QUOTA_SLOTS = 512,
       EPI__QUOTA_KEY = 512, /* bytes of a key, at most */
       EPI__QUOTA_NO_LIMIT = -1,
};

typedef struct epi__quota_entry epi__quota_entry;

/* All zero but for the key: nobody has anything. */
typedef struct epi__quotas {
  epi__hash_key key;
  struct epi__quota_slot {
    atomic_flag busy;
    epi__quota_entry *first;
  } slots[EPI__QUOTA_SLOTS];
} epi__quotas;

void epi__quotas_init(epi__quotas *quotas);
void epi__quotas_clear(epi__quotas *quotas);

/* Count one more for a key unless it has `most`, or without asking for
 * EPI__QUOTA_NO_LIMIT. *out is what to give back. Returns 0, EPI_ENOMEM,
 * EPI_EINVAL (the key is too long), or EPI_ELIMIT; *first is then 1 if it is
 * the first time since the key reached its limit. first may be NULL. Threads:
 * any. */
int epi__quota_take(epi__quotas *quotas, int what, const void *key, size_t len,
                    int64_t most, epi__quota_entry **out, int *first);

/* The same for an IP address, whatever its port; IPv6 by its first 64 bits,
 * for whoever has one address there has them all. */
int epi__quota_take_addr(epi__quotas *quotas, int what, const epi_addr *addr,
                         int64_t most, epi__quota_entry **out, int *first);

/* Count one less; NULL is fine, and *entry is NULL then. Threads: any. */
void epi__quota_give(epi__quotas *quotas, epi__quota_entry **entry);

/* 1 if an entry counts for this key. */
int epi__quota_is_of(const epi__quota_entry *entry, const void *key,
                     size_t len);

#endif
