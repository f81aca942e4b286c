/* policy_match.h: which rules a flow meets. */
#ifndef EPI__POLICY_MATCH_H
#define EPI__POLICY_MATCH_H

#include "area/model.h"

typedef struct epi__end {
  uint32_t node;      /* EPI__NONE: unknown */
  const epi_addr *ip; /* or NULL: only the node is known */
} epi__end;

/* What is known of a flow. */
typedef struct epi__facts {
  epi__end from, to;
  int port;                       /* 0 is none */
  uint32_t values[EPI__BY_COUNT]; /* EPI__NONE matches nothing */
  unsigned authenticated;         /* a set, EPI__AUTH_* */
  int has_time;
  int64_t time;
  const struct epi__choice *choice; /* or NULL */
} epi__facts;

/* 1 if the flow meets all of a rule's criteria. An allow rule takes an end that
 * is unknown only if it says so, with `unknown` or a CIDR. */
int epi__rule_matches(const epi_model *model, const epi__rule *rule,
                      const epi__facts *facts);

/* 1 if a node of which only the name is known is in a range: it stands for each
 * of its addresses. To allow, all of them must be in it, otherwise one is
 * enough. */
int epi__node_in_range(const epi_model *model, uint32_t number, int effect,
                       const epi__range *range);

#endif
