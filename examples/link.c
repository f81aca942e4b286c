/* link.c: ask a model about one flow: link MODEL FROM TO PORT
 *
 *     cc -o link link.c $(pkg-config --cflags --libs epi) */
#include <epi/epi.h>

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  epi_model *model = NULL;
  epi_query *query = NULL;
  epi_decision *decision = NULL;
  int result = 2;

  if (argc != 5 || epi_model_read_file(&model, NULL, argv[1]) ||
      epi_query_new(&query) || epi_decision_new(&decision) ||
      epi_query_set_from_node(query, argv[2]) ||
      epi_query_set_to_node(query, argv[3], atoi(argv[4])) ||
      epi_model_decide(model, query, decision)) {
    fprintf(stderr, "link MODEL FROM TO PORT: %s\n", epi_error_detail());
  } else {
    result = !epi_decision_allowed(decision);
    printf("%s: %s\n", epi_verdict_name(epi_decision_verdict(decision)),
           epi_decision_reason(decision));
  }
  epi_decision_free(decision);
  epi_query_free(query);
  epi_model_free(model);
  return result;
}
