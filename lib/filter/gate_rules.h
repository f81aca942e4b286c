/* gate_rules.h: what a gate was told: who may talk to whom, when, how much. */
#ifndef EPI__GATE_RULES_H
#define EPI__GATE_RULES_H

#include "epi/filter.h"
#include "filter/flow_counts.h"
#include "filter/host_list.h"
#include "filter/week.h"

enum {
  EPI__GATE_PORTS = 64, /* single ports or spans of them */
};

typedef struct epi__gate_rules {
  epi__host_list from, to;
  struct {
    int64_t first, last;
  } ports[EPI__GATE_PORTS];
  size_t port_count;
  epi__week week;
  epi__flow_limits limits;
  int64_t rates[2]; /* bytes a second by direction, 0 for no limit */
  int64_t rate;     /* of both directions together */
  int64_t volume;   /* of both directions together, 0 for no limit */
  char hours[80];   /* the week in words */
} epi__gate_rules;

/* Read a gate's arguments: see doc/filters.md. Returns 0, EPI_EINVAL,
 * EPI_ELIMIT or EPI_ENOMEM. */
int epi__gate_rules_read(epi__gate_rules *out, const char *args);

void epi__gate_rules_clear(epi__gate_rules *rules);

/* 1 if a flow may be, as far as its ends tell; else 0, with the reason in
 * why. */
int epi__gate_rules_admit(const epi__gate_rules *rules, const epi_addr *source,
                          const epi_addr *dest, char *why, size_t size);

#endif
