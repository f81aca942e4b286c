/* check.c: epi-check reads a model and says which data may move, and how. */
#include "check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int complain(const char *what, const char *about) {
  fprintf(stderr, "epi-check: %s%s%s\n", what, *what ? ": " : "", about);
  return BAD_INPUT;
}

void print_problems(const epi_report *problems, const char *path) {
  for (size_t i = 0; problems && i < epi_report_count(problems); i++) {
    complain(path, epi_report_line(problems, i));
  }
}

int read_model(epi_model **out, const char *path) {
  epi_report *problems = NULL;
  int result = epi_report_new(&problems);

  if (!result) {
    result = epi_model_read_file(out, problems, path);
  }
  if (result && (!problems || !epi_report_count(problems))) {
    complain("", epi_error_detail());
  }
  print_problems(problems, path);
  epi_report_free(problems);
  return result ? BAD_INPUT : FINE;
}

int print_json(int result, char *text) {
  if (result) {
    return complain("", epi_error_detail());
  }
  puts(text);
  epi_free(text);
  return FINE;
}

void print_text(char *text, const char *ends) {
  printf("%s%s", text, ends);
  epi_free(text);
}

int end_output(int result) {
  if (fflush(stdout) || ferror(stdout)) {
    return complain("standard output", strerror(errno));
  }
  return result;
}

static int print_answer(epi_model *model, const check_options *opts,
                        const epi_query *query, const epi_decision *decision) {
  char *text = NULL;
  int result = 0;

  if (opts->as_verdict) {
    return print_verdict(decision, opts);
  }
  if (opts->explain) {
    result = epi_model_explain(
        model, query, opts->json ? EPI_FORM_JSON : EPI_FORM_TEXT, &text);
  } else if (opts->json) {
    result = epi_decision_write(decision, &text);
  } else {
    print_decision(decision, check_port(opts->flow), opts->flow);
  }
  if (result) {
    return complain("", epi_error_detail());
  }
  if (text) {
    print_text(text, opts->json ? "\n" : "");
  }
  return FINE;
}

static int answer_flow(epi_model **model, const check_options *opts,
                       epi_query *query, epi_decision *decision) {
  int result = check_query(query, *model, opts);

  if (!result && opts->as_rule) {
    return print_rule(opts, query);
  }
  if (!result && opts->verdict) {
    result = apply_verdict(model, opts, query);
  }
  if (result) {
    return result;
  }
  if (epi_model_decide(*model, query, decision)) {
    return complain("--flow", epi_error_detail());
  }
  result = print_answer(*model, opts, query, decision);
  if (result) {
    return result;
  }
  return epi_decision_allowed(decision) ? FINE : ANSWER_IS_NO;
}

static int answer_overview(const epi_model *model) {
  char *text;

  if (epi_model_overview(model, &text)) {
    return complain("", epi_error_detail());
  }
  print_text(text, "\n");
  return FINE;
}

/* The model is another one if a verdict counts in it. */
static int answer(epi_model **held, const check_options *opts) {
  epi_model *model = *held;
  epi_decision *decision = NULL;
  epi_query *query = NULL;
  int result;

  if (epi_query_new(&query) || epi_decision_new(&decision)) {
    result = complain("", epi_error_detail());
  } else if (opts->estimate) {
    result = print_estimates(model, opts, query, decision);
  } else if (opts->flow) {
    result = answer_flow(held, opts, query, decision);
  } else if (opts->ports) {
    result = print_ports(model, opts, query, decision);
  } else if (opts->provision) {
    result = print_provision(model, opts, query);
  } else if (opts->dot) {
    result = print_dot(model, query, decision);
  } else if (opts->html) {
    result = write_html(model, opts);
  } else if (opts->diff) {
    result = print_diff(model, opts);
  } else if (opts->lint) {
    result = print_findings(model, opts);
  } else if (opts->expect) {
    result = print_failures(model, opts);
  } else if (opts->json) {
    result = answer_overview(model);
  } else {
    result = print_model(model, query, decision);
  }
  epi_query_free(query);
  epi_decision_free(decision);
  return end_output(result);
}

/* A document may be a stranger's: what reads it runs no programs and opens no
 * packet sockets. It says nothing of that, and goes on without it. */
static void enter_sandbox(void) {
  epi_sandbox *sandbox = NULL;

  if (!epi_sandbox_new(&sandbox) &&
      !epi_sandbox_set_parts(
          sandbox,
          EPI_SANDBOX_NO_GAIN | EPI_SANDBOX_NO_DUMP | EPI_SANDBOX_CALLS, 0)) {
    epi_sandbox_enter(sandbox);
  }
  epi_sandbox_free(sandbox);
}

int main(int argc, char **argv) {
  check_options opts = {0};
  epi_model *model;
  int result = check_options_read(&opts, argc, argv);

  if (result >= 0) {
    return result;
  }
  enter_sandbox();
  if (read_model(&model, opts.model)) {
    return BAD_INPUT;
  }
  result = answer(&model, &opts);
  epi_model_free(model);
  return result;
}
