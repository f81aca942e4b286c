/* expect_case.h: what a flow may be where an expectation leaves it open. */
#ifndef EPI__EXPECT_CASE_H
#define EPI__EXPECT_CASE_H

#include "area/expect.h"

typedef struct epi__ends { /* what an end may be */
  epi__end *items;
  size_t count, capacity;
} epi__ends;

typedef struct epi__hunt {
  epi_decision *decision;
  const epi_query *query;
  epi__facts given;
  epi__ends from, to;
  epi_addr *addrs; /* that the ends point to */
  size_t addr_count;
  epi__list applications; /* that rules tell apart; EPI__NONE: in none */
  epi__list minutes; /* of the week, at which some window begins or epi__ends */
  epi__list means;   /* sets of EPI__AUTH_*, that rules tell apart */
  int free_port;     /* that no rule names, or 0 */
  size_t tries;
} epi__hunt;

/* Find all that the rules tell apart: ends, applications, minutes, and a port.
 * decision, query and given are set. Returns 0 or EPI_ENOMEM. */
int epi__hunt_start(epi__hunt *h);
void epi__hunt_clear(epi__hunt *h);

#endif
