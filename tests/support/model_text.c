/* model_text.c: models from text, for tests. */
#include "support/model_text.h"

#include "epi/plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An exact-size copy with double quotes, so that reading past it is seen. */
static char *with_quotes(const char *text, size_t len) {
  char *copy = malloc(len ? len : 1);

  if (!copy) {
    abort();
  }
  for (size_t i = 0; i < len; i++) {
    copy[i] = text[i];
    if (text[i] == '\'') {
      copy[i] = '"';
    }
  }
  return copy;
}

epi_model *model_of(const char *text) {
  size_t len = strlen(text);
  char *copy = with_quotes(text, len);
  epi_model *model;

  if (epi_model_read(&model, NULL, copy, len)) {
    fprintf(stderr, "%s\n", epi_error_detail());
    abort();
  }
  free(copy);
  return model;
}

const char *problems_of(const char *text) {
  static char all[16384];
  size_t len = strlen(text), used = 0;
  char *copy = with_quotes(text, len);
  epi_report *problems;
  epi_model *model = NULL;

  all[0] = '\0';
  if (epi_report_new(&problems)) {
    abort();
  }
  if (!epi_model_read(&model, problems, copy, len)) {
    epi_model_free(model);
  }
  for (size_t i = 0; i < epi_report_count(problems); i++) {
    used += (size_t)snprintf(all + used, sizeof all - used, "%s\n",
                             epi_report_line(problems, i));
  }
  epi_report_free(problems);
  free(copy);
  return all;
}

char *file_text(const char *path, size_t *len) {
  const char *root = getenv("EPI_SOURCE");
  char full[4096];
  char *text = calloc(1, 1 << 20);
  FILE *file;

  snprintf(full, sizeof full, "%s/%s", root ? root : ".", path);
  file = fopen(full, "rb");
  if (!file || !text) {
    perror(full);
    abort();
  }
  *len = fread(text, 1, (1 << 20) - 1, file);
  fclose(file);
  return text;
}

static int set_end(epi_query *query, int is_to, char *text, int port) {
  epi_addr addr;

  if (text[0] != '(') {
    return is_to ? epi_query_set_to_node(query, text, port)
                 : epi_query_set_from_node(query, text);
  }
  text[strlen(text) - 1] = '\0';
  if (epi_addr_parse(&addr, text + 1, 0)) {
    abort();
  }
  addr.port = (uint16_t)(port < 0 ? 0 : port);
  return is_to ? epi_query_set_to(query, &addr)
               : epi_query_set_from(query, &addr);
}

int ask(epi_model *model, epi_decision *out, const char *flow, ...) {
  char from[300], to[300];
  int port, key, result;
  epi_query *query;
  va_list args;

  if (sscanf(flow, "%299s %299s %d", from, to, &port) != 3) {
    abort();
  }
  if (epi_query_new(&query)) {
    return EPI_ENOMEM;
  }
  result = set_end(query, 0, from, port);
  if (!result) {
    result = set_end(query, 1, to, port);
  }
  va_start(args, flow);
  while (!result && (key = va_arg(args, int))) {
    result = epi_query_set(query, key, va_arg(args, const char *));
  }
  va_end(args);
  if (!result) {
    result = epi_model_decide(model, query, out);
  }
  epi_query_free(query);
  return result;
}

const char *chain_text(const epi_decision *decision) {
  static char text[4096];
  const epi_plan *plan = epi_decision_plan(decision);
  size_t used = 0;

  text[0] = '\0';
  for (size_t hop = 0; hop < epi_plan_hop_count(plan); hop++) {
    used += (size_t)snprintf(text + used, sizeof text - used,
                             "%s%s:", hop ? " | " : "",
                             epi_plan_hop_proxy(plan, hop));
    for (size_t i = 0; i < epi_plan_function_count(plan, hop); i++) {
      used += (size_t)snprintf(text + used, sizeof text - used, " %s",
                               epi_plan_function_name(plan, hop, i));
    }
  }
  return text;
}

const char *set_text(const epi_decision *decision, int which) {
  static char text[4096];
  size_t used = 0;

  text[0] = '\0';
  for (size_t i = 0; i < epi_decision_attribute_count(decision, which); i++) {
    used +=
        (size_t)snprintf(text + used, sizeof text - used, "%s%s", i ? " " : "",
                         epi_decision_attribute(decision, which, i));
  }
  return text;
}
