/* fuzz_verdict.c: replies of the policy reasoner, and the rules they make. */
#include "epi/area.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* A rule stands in a model document as it is, and a model with it alone
 * decides as it says. */
static void check_rule(const char *rule, const epi_query *query) {
  size_t size = strlen(rule) + 128;
  char *text = malloc(size);
  epi_decision *decision;
  epi_model *model;

  if (!text || epi_decision_new(&decision)) {
    abort();
  }
  snprintf(text, size,
           "{\"epi\":1,\"nodes\":{\"a\":{},\"b\":{}},\"policy\":{\"rules\":["
           "%s]}}",
           rule);
  if (epi_model_read(&model, NULL, text, strlen(text)) ||
      epi_model_decide(model, query, decision)) {
    abort();
  }
  if (!strcmp(epi_decision_rule(decision), "default") ||
      epi_decision_allowed(decision) !=
          !!strstr(rule, "\"effect\":\"allow\",\"from\"")) {
    abort();
  }
  for (int version = EPI_REASONER_DELIBERATION;
       version <= EPI_REASONER_VIOLATIONS; version++) {
    char *reply, *again;

    if (epi_reasoner_reply(decision, version, NULL, &reply) ||
        epi_reasoner_rule(reply, strlen(reply), query, "r", &again)) {
      abort();
    }
    epi_free(again);
    epi_free(reply);
  }
  epi_decision_free(decision);
  epi_model_free(model);
  free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  epi_query *query;
  char *rule;

  if (epi_query_new(&query) || epi_query_set_from_node(query, "a") ||
      epi_query_set_to_node(query, "b", 443)) {
    abort();
  }
  if (!epi_reasoner_rule(data, len, query, NULL, &rule)) {
    check_rule(rule, query);
    epi_free(rule);
  }
  if (!epi_reasoner_rule(data, len, query, "r", &rule)) {
    check_rule(rule, query);
    epi_free(rule);
  }
  epi_query_free(query);
  return 0;
}
