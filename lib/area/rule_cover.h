/* rule_cover.h: rules that match whatever another rule does. */
#ifndef EPI__RULE_COVER_H
#define EPI__RULE_COVER_H

#include "area/rule_text.h"

enum {
  EPI__LACKS_MORE = -1,
  EPI__BEHIND_SHOWN = 3, /* rules that are named */
};

/* 1 if a node is in a party, whatever its address. */
int epi__party_has_node(const epi_model *model, const epi__party *party,
                        uint32_t node);

/* 1 if some range of a rule's parties covers that of another's. */
int epi__range_covered(const epi__parties *wide, int wide_effect,
                       const epi__party *narrow, int narrow_effect);

/* The one criterion of a rule that a wide one does not cover; EPI__ON_COUNT if
 * it covers all, EPI__LACKS_MORE if several are not. */
int epi__rule_lacks(const epi_model *model, const epi__rule *wide,
                    const epi__rule *narrow);

/* ---- rule_union.c ---- */

typedef struct epi__behind { /* what decides before a rule */
  size_t count;              /* 0: the rule may match */
  uint32_t rules[EPI__BEHIND_SHOWN];
} epi__behind;

typedef struct epi__union {
  const epi_model *model;
  epi__list lacking[EPI__ON_COUNT]; /* rules that cover all but one criterion */
  uint64_t *open;                   /* what no rule covers so far */
  size_t words;
  size_t steps; /* left, for looking at several rules together */
} epi__union;

/* Begin with no rule looked at. Returns 0 or EPI_ENOMEM; clear it anyway. */
int epi__union_start(epi__union *u, const epi_model *model);
void epi__union_clear(epi__union *u);

/* Find the allow and deny rules before a rule that match every flow that it
 * does: one, or else several that differ from it in one criterion each, the
 * same. Returns 0 or EPI_ENOMEM. */
int epi__union_find(epi__union *u, uint32_t number, epi__behind *out);

#endif
