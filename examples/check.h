/* check.h: the parts of epi-check. */
#ifndef CHECK_H
#define CHECK_H

#include <epi/epi.h>

enum {
  FINE,
  ANSWER_IS_NO,
  BAD_INPUT,
};

typedef struct check_options {
  const char *model, *flow, *at, *html;
  const char *facts[EPI_QUERY_CONSENT + 1];
  int facts_given, json;
} check_options;

/* Print a line to standard error: what, unless it is "", and about what.
 * Returns BAD_INPUT. */
int complain(const char *what, const char *about);

/* Fill a query from --flow and the facts. Returns FINE or BAD_INPUT. */
int check_query(epi_query *query, const epi_model *model,
                const check_options *opts);

/* The port of --flow, or -1. */
int check_port(const char *flow);

/* Print a decision for people; port -1 is any. */
void print_decision(const epi_decision *decision, int port);

/* Print all that the model says. Returns FINE or BAD_INPUT. */
int print_model(epi_model *model, epi_query *query, epi_decision *decision);

/* Write the page of --html. Returns FINE or BAD_INPUT. */
int write_html(const epi_model *model, const check_options *opts);

#endif
