/* link.c: ask a model about one flow: link MODEL FROM TO [PORT]
 *
 *     cc -o link link.c $(pkg-config --cflags --libs epi)
 *     ./link hospitals.json umc antonius 443 */
#include <epi/epi.h>

#include <stdio.h>
#include <stdlib.h>

static char document[1024 * 1024];

static int fail(int error) {
  fprintf(stderr, "link: %s: %s\n", epi_strerror(error), epi_error_detail());
  return 2;
}

int main(int argc, char **argv) {
  epi_model *model = NULL;
  epi_query *query = NULL;
  epi_decision *decision = NULL;
  FILE *file = argc >= 4 ? fopen(argv[1], "rb") : NULL;
  int port = argc >= 5 ? atoi(argv[4]) : -1;
  size_t len;
  int result;

  if (!file) {
    fprintf(stderr, "usage: link MODEL FROM TO [PORT]\n");
    return 2;
  }
  len = fread(document, 1, sizeof document, file);
  fclose(file);
  if ((result = epi_model_read(&model, NULL, document, len)) ||
      (result = epi_query_new(&query)) ||
      (result = epi_query_set_from_node(query, argv[2])) ||
      (result = epi_query_set_to_node(query, argv[3], port)) ||
      (result = epi_decision_new(&decision)) ||
      (result = epi_model_decide(model, query, decision))) {
    result = fail(result);
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
