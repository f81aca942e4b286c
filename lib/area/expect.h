/* expect.h: one expectation about a model. */
#ifndef EPI__EXPECT_H
#define EPI__EXPECT_H

#include "area/decision.h"
#include "area/flow_query.h"
#include "area/model_reader.h"

enum {
  EPI__EXPECT_MAX = 65536,
  EPI__NEVER_TRIES = 100000, /* cases tried for one `never` */
};

typedef struct epi__expect {
  epi_query *query;
  int never;
  int verdict;      /* EPI_DIRECT ... or 0 */
  int allowed;      /* 1, 0, or -1 for either */
  const char *rule; /* or NULL */
  const char *because;
  uint64_t *with;    /* attributes */
  epi__list through; /* functions */
} epi__expect;

/* Read an expectation into one that is empty but for its query and its room for
 * attributes; because and rule live as long as the document. */
void epi__expect_read(epi__model_reader *in, const epi__json *value,
                      epi__expect *out);

/* Look for any case in which a flow is allowed, whatever the expectation leaves
 * open: as which application, for what, by whom, when, at which of a node's
 * addresses and which port. decision has been filled for the query.
 *
 * Returns 1 with the case in decision, and in words behind out; 0 if there is
 * none; EPI_ELIMIT if there are too many to try, or EPI_ENOMEM. */
int epi__expect_never(epi_decision *decision, const epi__expect *expect,
                      epi__text *out);

#endif
