/* decision.h: the inside of a decision, which is filled again and again. */
#ifndef EPI__DECISION_H
#define EPI__DECISION_H

#include "area/chain.h"
#include "area/policy_match.h"

enum {
  EPI__SETS = EPI_MISSING + 1,
};

struct epi_decision {
  epi_model *model; /* NULL: nothing was decided yet */
  uint32_t from, to, application;
  int port; /* 0 is none */
  int verdict;
  uint32_t rule; /* EPI__NONE: the default */
  epi__list requires;
  uint64_t *sets; /* EPI__SETS of them, by EPI_NEED ...; 0 is not used */
  size_t words, word_capacity;
  const char *reason; /* of the model, constant, or in text */
  epi__text text;
  epi_plan plan;
};

/* One of the three sets of a decision that has a model. */
uint64_t *epi__decision_set(const epi_decision *decision, int which);

/* Make it a denial without a model. */
void epi__decision_deny(epi_decision *decision, const char *reason);

/* The limits of the application that the flow is part of; none if it is of
 * none. */
const epi__limits *epi__decision_limits(const epi_decision *decision);

/* Write the decision at the end of a text. */
void epi__decision_put(epi__text *out, const epi_decision *decision);

/* Judge a flow of one application, or of none: policy, gap, chain. The
 * decision's model is set. Returns 0 or EPI_ENOMEM. */
int epi__judge(epi_decision *out, const epi__facts *facts);

/* epi_model_decide(), which also tells what was known of the flow: as part of
 * the application that the decision names. */
int epi__decide(epi_model *model, const epi_query *query, epi_decision *out,
                epi__facts *facts);

#endif
