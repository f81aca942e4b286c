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
  size_t count;
  struct {
    const uint32_t *at, *end;
  } lists[EPI__WALK_LISTS];
  uint32_t next, rule_count; /* where all are tried: the lists are too many */
} epi__rule_walk;

void epi__rule_walk_start(epi__rule_walk *walk, const epi_model *model,
                          const epi__facts *facts);

/* The next rule, or EPI__NONE. */
uint32_t epi__rule_walk_next(epi__rule_walk *walk);

#endif
