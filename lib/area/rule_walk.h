/* rule_walk.h: which rules a flow could meet, without trying all. */
#ifndef EPI__RULE_WALK_H
#define EPI__RULE_WALK_H

#include "area/policy_match.h"

enum {
  EPI__WALK_LISTS = 48, /* lists that one flow's rules are taken from */
};

/* Goes through the rules that a flow could meet, in document order: each rule
 * that epi__rule_matches() takes, and few others. */
typedef struct epi__rule_walk {
  const epi_model *model;
  const epi__facts *facts;
  struct {
    uint32_t node, domain, area; /* EPI__NONE: unknown, or in none */
  } ends[2];                     /* from, to */
  size_t count;
  struct {
    const epi__rule_ref *at, *end;
  } lists[EPI__WALK_LISTS];
  uint32_t next, rule_count; /* where all are tried: the lists are too many */
} epi__rule_walk;

/* model and facts must stay as they are while the walk lasts. */
void epi__rule_walk_start(epi__rule_walk *walk, const epi_model *model,
                          const epi__facts *facts);

/* The next rule, or EPI__NONE. */
uint32_t epi__rule_walk_next(epi__rule_walk *walk);

#endif
