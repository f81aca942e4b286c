/* host_list.h: hosts that a filter lets through.
 *
 * An entry is an IP address, a range such as 10.0.0.0/8, a name, or `*.` and a
 * name, which stands for every name below it and not for itself. */
#ifndef EPI__HOST_LIST_H
#define EPI__HOST_LIST_H

#include "base/net.h"

enum {
  EPI__HOST_LIST_MAX = 1024, /* entries */
};

typedef struct epi__host_list {
  struct epi__host_entry *entries;
  size_t count, capacity;
} epi__host_list;

/* Add an entry; names is 0 to take addresses and ranges alone. Returns 0,
 * EPI_EINVAL, EPI_ELIMIT or EPI_ENOMEM. */
int epi__host_list_add(epi__host_list *list, const char *text, int names);

/* 1 if an entry is or has the host of an address. A name is in no range. */
int epi__host_list_has(const epi__host_list *list, const epi_addr *addr);

void epi__host_list_clear(epi__host_list *list);

#endif
