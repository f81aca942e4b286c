/* provision_list.h: the inside of a list of what must run. */
#ifndef EPI__PROVISION_LIST_H
#define EPI__PROVISION_LIST_H

#include "area/model.h"
#include "epi/provision.h"

enum {
  EPI__NOW,
  EPI__BEFORE,
  EPI__SNAPSHOTS,
};

/* What one model needs of a proxy, or of a function at a proxy. */
typedef struct epi__needed {
  size_t flows;      /* 0: the model does not need it */
  uint32_t proxy;    /* numbers of that model, or EPI__NONE: no name, */
  uint32_t function; /* or the proxy itself */
} epi__needed;

typedef struct epi__provision_entry {
  epi__needed of[EPI__SNAPSHOTS];
} epi__provision_entry;

struct epi_provision {
  epi_model *models[EPI__SNAPSHOTS]; /* the one before may be NULL */
  epi__names keys;                   /* of entries, in the order of finding */
  epi__provision_entry *entries;
  size_t count, capacity;
};

/* The model that an entry is described by: the one before only if the entry is
 * needed no longer. */
static inline int epi__provision_snapshot(const epi__provision_entry *entry) {
  return entry->of[EPI__NOW].flows ? EPI__NOW : EPI__BEFORE;
}

/* The function of an entry in one of the models, or NULL. */
const epi__function *epi__provision_function(const epi_provision *list,
                                             const epi__provision_entry *entry,
                                             int snapshot);

/* The instances that one of the models needs: one carries any number of
 * flows. */
size_t epi__provision_instances(const epi_provision *list,
                                const epi__provision_entry *entry,
                                int snapshot);

/* Sort the entries, when all are there. */
void epi__provision_sort(epi_provision *list);

#endif
