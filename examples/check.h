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
  const char *model, *flow, *at, *html, *diff, *base_port, *expect, *verdict,
      *as_verdict, *estimate, *rtt_client, *rtt_server, *audit_key;
  const char *facts[EPI_QUERY_AUTHENTICATED + 1];
  int facts_given, explain, lint, json, provision, ports, dot, as_rule, audit;
} check_options;

/* Read the command line. Returns -1 to go on, or the exit status. */
int check_options_read(check_options *opts, int argc, char **argv);

/* Flush standard output: an answer that did not get out is none. Returns
 * result, or BAD_INPUT after a message. */
int end_output(int result);

/* Print a line to standard error: what, unless it is "", and about what.
 * Returns BAD_INPUT. */
int complain(const char *what, const char *about);

/* Fill a query from --flow and the facts. Returns FINE or BAD_INPUT. */
int check_query(epi_query *query, const epi_model *model,
                const check_options *opts);

/* Give a query the facts of the command line. Returns FINE or BAD_INPUT. */
int check_facts(epi_query *query, const check_options *opts);

/* Print every line of a report about a file. */
void print_problems(const epi_report *problems, const char *path);

/* Read a model, and print every error of a bad one. Returns FINE or BAD_INPUT.
 */
int read_model(epi_model **out, const char *path);

/* Print and free a text that was written, if result is 0. Returns FINE or
 * BAD_INPUT. */
int print_json(int result, char *text);

/* A port from 1 to 65535, or -1. */
int read_port(const char *text);

/* Print a text of libepi and free it; ends is what ends its last line. */
void print_text(char *text, const char *ends);

/* All of a file, "-" for standard input, to free(); or NULL, which is said. */
char *read_input(const char *path, size_t *len);

/* Make the verdict of --verdict count in a model, which is replaced. Returns
 * FINE or BAD_INPUT. */
int apply_verdict(epi_model **model, const check_options *opts,
                  const epi_query *query);

/* Print the rule that the verdict of --verdict makes. Returns FINE or
 * BAD_INPUT. */
int print_rule(const check_options *opts, const epi_query *query);

/* Print a decision as the verdict that --as-verdict asks for. Returns FINE or
 * BAD_INPUT. */
int print_verdict(const epi_decision *decision, const check_options *opts);

/* Print what changes against the model of --diff. Returns FINE (nothing),
 * ANSWER_IS_NO or BAD_INPUT. */
int print_diff(epi_model *model, const check_options *opts);

/* Print what does not hold of what the document of --assert expects. Returns as
 * print_diff(). */
int print_failures(epi_model *model, const check_options *opts);

/* Print what looks like a mistake in the model. Returns as print_diff(). */
int print_findings(const epi_model *model, const check_options *opts);

/* The port of --flow, or -1. */
int check_port(const char *flow);

/* Print a name in double quotes, for JSON and for graphviz. */
void print_quoted(const char *text);

/* Print a decision for people; port -1 is any. flow is --flow, whose addresses
 * tell what is unknown, or NULL. */
void print_decision(const epi_decision *decision, int port, const char *flow);

/* Print an end of a decision, FROM or TO of the flow that was asked about. */
enum { END_FROM, END_TO };
void print_end(const char *name, const char *flow, int end);

/* Decide about a flow of an application, with what the query says besides;
 * *port is the flow's, -1 for any. Returns 0, or an error that has a detail. */
int decide_application_flow(epi_model *model, size_t application, size_t index,
                            epi_query *query, epi_decision *decision,
                            int *port);

/* Print all that the model says. Returns FINE or BAD_INPUT. */
int print_model(epi_model *model, epi_query *query, epi_decision *decision);

/* Write the page of --html. Returns FINE or BAD_INPUT. */
int write_html(const epi_model *model, const check_options *opts);

/* Print what must run, and with --diff what that changes. Returns FINE or
 * BAD_INPUT. */
int print_provision(epi_model *model, const check_options *opts,
                    epi_query *facts);

/* Print what a reverse proxy listens on, and for whom. Returns FINE or
 * BAD_INPUT. */
int print_ports(epi_model *model, const check_options *opts, epi_query *query,
                epi_decision *decision);

/* Print how long flows take to be set up, by each method, and which one is best
 * for --estimate. Returns FINE, ANSWER_IS_NO (the flow is refused) or
 * BAD_INPUT.
 */
int print_estimates(epi_model *model, const check_options *opts,
                    epi_query *query, epi_decision *decision);

/* Check audit logs that follow each other, and say how far they go. Returns
 * FINE, ANSWER_IS_NO (the chain is broken) or BAD_INPUT. */
int check_audit(const check_options *opts, char **paths, int count);

/* Print a graph for graphviz. Returns FINE or BAD_INPUT. */
int print_dot(epi_model *model, epi_query *query, epi_decision *decision);

#endif
