/* rule_text.h: the criteria of a rule one by one, and in words. */
#ifndef EPI__RULE_TEXT_H
#define EPI__RULE_TEXT_H

#include "area/policy_match.h"
#include "base/bytes.h"

/* Criteria in the order of the document. */
enum {
  EPI__ON_FROM,
  EPI__ON_TO,
  EPI__ON_VALUES, /* + EPI__BY_* */
  EPI__ON_AUTHENTICATED = EPI__ON_VALUES + EPI__BY_COUNT,
  EPI__ON_PORTS,
  EPI__ON_TIME,
  EPI__ON_COUNT,
};

/* As in the document: "from" ... "time". */
const char *epi__criterion_name(int criterion);

/* "allow", "deny" or "require". */
const char *epi__effect_name(int effect);

/* 1 if a flow meets this criterion of a rule. A rule matches if it meets all
 * of them. */
int epi__criterion_met(const epi_model *model, const epi__rule *rule,
                       int criterion, const epi__facts *facts);

/* Append what a rule wants of a flow: `"a" or "b"`; and what the flow is. */
void epi__criterion_put(epi__text *out, const epi_model *model,
                        const epi__rule *rule, int criterion);
void epi__fact_put(epi__text *out, const epi_model *model, int criterion,
                   const epi__facts *facts);

/* A value of the criteria `from` and `to`, as in the document. */
void epi__party_put(epi__text *out, const epi_model *model,
                    const epi__party *party);

/* An IP address without the port that plays no part. */
void epi__ip_put(epi__text *out, const epi_addr *ip);

/* Append the names of a set of attributes, with commas between; `none` if it
 * is empty. */
void epi__attributes_tell(epi__text *out, const epi_model *model,
                          const uint64_t *set, const char *none);

#endif
