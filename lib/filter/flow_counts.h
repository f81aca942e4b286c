/* flow_counts.h: how many flows run, in all and for each source, and how fast
 * new ones come. All threads count together. */
#ifndef EPI__FLOW_COUNTS_H
#define EPI__FLOW_COUNTS_H

#include "epi/addr.h"
#include "epi/error.h"

typedef struct epi__flow_counts epi__flow_counts;

/* The limits; 0 is none. */
typedef struct epi__flow_limits {
  int64_t flows;      /* at once */
  int64_t per_source; /* at once, from one IP address */
  int64_t per_second; /* new ones; as many as come in a second may come at
                         once */
} epi__flow_limits;

enum {
  EPI__FLOWS_MAX = 1000000000, /* the highest limit */
};

/* Returns 0 or EPI_ENOMEM. */
int epi__flow_counts_new(epi__flow_counts **out,
                         const epi__flow_limits *limits);

/* NULL is fine. */
void epi__flow_counts_free(epi__flow_counts *counts);

/* Count a flow that begins. Returns 0, EPI_ENOMEM, or EPI_ELIMIT with the limit
 * in the detail, and then it is not counted. Threads: any. */
int epi__flow_counts_begin(epi__flow_counts *counts, const epi_addr *source,
                           int64_t now_ms);

/* A flow that was counted ends. Threads: any. */
void epi__flow_counts_end(epi__flow_counts *counts, const epi_addr *source);

#endif
