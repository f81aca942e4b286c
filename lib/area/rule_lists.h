/* rule_lists.h: lists of rules, each for one thing that rules speak of. Most of
 * what a list has for a flow fails at something else, so each place in a list
 * also says that: such a rule itself is never looked at. */
#ifndef EPI__RULE_LISTS_H
#define EPI__RULE_LISTS_H

#include "area/model.h"

/* What a list is for; the numbers are those of the model. */
enum {
  EPI__RULES_ALWAYS, /* rules that no list could narrow down */
  EPI__RULES_PORT,
  EPI__RULES_VALUE, /* and EPI__BY_COUNT kinds from here */
  EPI__RULES_FROM = EPI__RULES_VALUE + EPI__BY_COUNT,
  EPI__RULES_TO = EPI__RULES_FROM + 6,
};

enum { /* behind EPI__RULES_FROM and EPI__RULES_TO */
       EPI__RULES_NODE,
       EPI__RULES_DOMAIN,
       EPI__RULES_AREA,
       EPI__RULES_UNKNOWN,
       EPI__RULES_RANGE, /* by the number of a range */
       EPI__RULES_HAS,   /* of tests only: there are no lists for it */
};

enum { /* a test is a kind and a number: what the flow must meet */
       EPI__TEST_SHIFT = 24,
       EPI__TEST_NUMBERS = 1 << EPI__TEST_SHIFT,
};

/* Put a rule into the list of a kind and number; those before it in the
 * document are there already. Returns 0 or EPI_ENOMEM. */
int epi__rule_lists_put(epi__rule_index *index, int kind, uint32_t number,
                        epi__rule_ref rule);

/* The list of a kind and number, or NULL if there is none. */
const epi__rule_list *epi__rule_lists_find(const epi__rule_index *index,
                                           int kind, uint32_t number);

#endif
