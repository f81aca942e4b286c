/* policy_match.h: which rules a flow meets. */
#ifndef EPI__POLICY_MATCH_H
#define EPI__POLICY_MATCH_H

#include "area/model.h"

typedef struct epi__end {
  uint32_t node;      /* EPI__NONE: unknown */
  const epi_addr *ip; /* or NULL: only the node is known */
  int is_private;     /* a destination that no `unknown` admits */
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

/* private_dest.c: 1 for an IP address that `unknown` does not mean in a model:
 * a private one (epi__addr_is_private()) that is no endpoint of the model's.
 * The caller knows that it is of no node. */
int epi__model_is_private(const epi_model *model, const epi_addr *ip);

/* Find out whether rules have ranges of destinations. */
void epi__model_find_ranges(epi_model *model);

/* May an address of no node be judged otherwise than the name, of a node or of
 * none, that it was resolved from? 1 if so: it is to be asked about. */
int epi__model_asks_apart(const epi_model *model, int name_has_node,
                          const epi_addr *ip);

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
