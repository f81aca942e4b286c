/* check_verdict.c: verdicts of the EPI policy reasoner. */
#include "check.h"

#include <stdlib.h>
#include <string.h>

/* The id of a rule whose verdict has no reference. */
static const char unnamed[] = "verdict";

/* The rule of the verdict in a file. *id is NULL if the verdict names itself.
 * Returns FINE, or BAD_INPUT after a message. */
static int read_rule(const check_options *opts, const epi_query *query,
                     char **json, size_t *len, const char **id, char **rule) {
  int result;

  *json = read_input(opts->verdict, len);
  if (!*json) {
    return BAD_INPUT;
  }
  *id = NULL;
  result = epi_reasoner_rule(*json, *len, query, NULL, rule);
  if (result == EPI_EINVAL) {
    *id = unnamed;
    result = epi_reasoner_rule(*json, *len, query, unnamed, rule);
  }
  if (result) {
    free(*json);
    return complain(opts->verdict, epi_error_detail());
  }
  return FINE;
}

int apply_verdict(epi_model **model, const check_options *opts,
                  const epi_query *query) {
  epi_model *made = NULL;
  const char *id;
  char *json, *rule;
  size_t len;
  int result = read_rule(opts, query, &json, &len, &id, &rule);

  if (result) {
    return result;
  }
  epi_free(rule);
  if (epi_reasoner_apply(*model, json, len, query, id, &made)) {
    result = complain(opts->verdict, epi_error_detail());
  } else {
    epi_model_free(*model);
    *model = made;
  }
  free(json);
  return result;
}

int print_rule(const check_options *opts, const epi_query *query) {
  const char *id;
  char *json, *rule;
  size_t len;
  int result = read_rule(opts, query, &json, &len, &id, &rule);

  if (result) {
    return result;
  }
  free(json);
  print_text(rule, "\n");
  return FINE;
}

int print_verdict(const epi_decision *decision, const check_options *opts) {
  int version = !strcmp(opts->as_verdict, "deliberation")
                    ? EPI_REASONER_DELIBERATION
                    : EPI_REASONER_VIOLATIONS;
  char *text;

  if (epi_reasoner_reply(decision, version, NULL, &text)) {
    return complain("", epi_error_detail());
  }
  print_text(text, "\n");
  return FINE;
}
