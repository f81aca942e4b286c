/* explain.h: what telling a decision for people and as JSON share. */
#ifndef EPI__EXPLAIN_H
#define EPI__EXPLAIN_H

#include "area/decision.h"
#include "area/rule_text.h"

typedef struct epi__story {
  const epi_model *model;
  const epi_query *query;
  const epi_decision *decision;
  epi__facts facts;
  uint32_t tried; /* rules up to the one that decided */
  uint64_t *set;  /* room for one set of attributes */
  uint64_t *need; /* what is needed by the rules so far */
  epi__text text;
} epi__story;

/* What the destination lacks. */
const uint64_t *epi__story_missing(const epi__story *s);

/* 1 if a rule is among the requires of the decision. */
int epi__story_requires(const epi__story *s, uint32_t rule);

/* What a require adds to what the source has and the requires before it: ask
 * once for each, in order. The set is valid until the next call. */
const uint64_t *epi__story_adds(epi__story *s, uint32_t rule);

/* The number of a function of the plan. */
uint32_t epi__story_function(const epi__story *s, size_t hop, size_t index);

/* What a function applies of what is missing, valid until the next call. */
const uint64_t *epi__story_applies(epi__story *s, uint32_t function);

/* The function of the plan that this one undoes, or EPI__NONE. */
uint32_t epi__story_undone(const epi__story *s, uint32_t function);

/* 1 if a function that is not part of the plan applies some of what the one
 * that epi__story_applies() was asked about does. */
int epi__story_alternative(const epi__story *s, uint32_t other);

/* ---- explain_text.c ---- */

/* Tell all of it for people. */
void epi__story_tell(epi__story *s);

/* ---- explain_json.c ---- */

/* Tell all of it as JSON. */
void epi__story_put_json(epi__story *s);

#endif
