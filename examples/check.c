/* check.c: epi-check reads a model and says which data may move, and how. */
#include "check.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
    "Usage: epi-check MODEL [OPTION]...\n"
    "Check a model document and show which data may move, and through what.\n"
    "MODEL is a file, or - for standard input.\n"
    "\n"
    "      --flow FROM:TO[:PORT]  answer for one flow; FROM and TO are nodes "
    "or\n"
    "                             addresses, IPv6 addresses in brackets\n"
    "      --application NAME     the application that the flow is part of\n"
    "      --purpose TEXT         what the data is used for\n"
    "      --dataset TEXT         which data it is\n"
    "      --user TEXT            who asks\n"
    "      --consent TEXT         what was consented to\n"
    "      --at TIME              when, in UTC, as 2026-01-31T09:30, or "
    "seconds\n"
    "                             since 1970\n"
    "      --explain              tell why, rule by rule\n"
    "      --diff OLD             which flows open, close or change against "
    "the\n"
    "                             model OLD, and why\n"
    "      --assert FILE          check the expectations in FILE, a line for "
    "each\n"
    "                             that does not hold\n"
    "      --lint                 rules, attributes, functions and nodes that "
    "have\n"
    "                             no effect\n"
    "      --json                 print JSON\n"
    "      --ports                the listeners of a reverse proxy for the "
    "flows of\n"
    "                             an application\n"
    "      --base-port PORT       number them from here on; 20000 if not "
    "given\n"
    "      --provision            list what must run: proxies, functions, "
    "images\n"
    "                             of MODEL, or with --diff what it changes\n"
    "      --dot                  print a graph for graphviz\n"
    "      --html FILE            write a page that people can read; - for "
    "standard\n"
    "                             output\n"
    "  -h, --help                 print this\n"
    "  -V, --version              print the version\n"
    "\n"
    "Exit codes: 0 fine; 1 the flow is refused, something changes, an\n"
    "expectation does not hold, or something was found; 2 usage or bad "
    "input.\n";

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

/* An answer that did not get out is none. */
static int end_output(int result) {
  if (fflush(stdout) || ferror(stdout)) {
    return complain("standard output", strerror(errno));
  }
  return result;
}

static int answer_flow(epi_model *model, const check_options *opts,
                       epi_query *query, epi_decision *decision) {
  char *text = NULL;
  int result = check_query(query, model, opts);

  if (result) {
    return result;
  }
  if (epi_model_decide(model, query, decision)) {
    return complain("--flow", epi_error_detail());
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

static int answer(epi_model *model, const check_options *opts) {
  epi_decision *decision = NULL;
  epi_query *query = NULL;
  int result;

  if (epi_query_new(&query) || epi_decision_new(&decision)) {
    result = complain("", epi_error_detail());
  } else if (opts->flow) {
    result = answer_flow(model, opts, query, decision);
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

enum {
  FLOW = 256,
  AT,
  JSON,
  HTML,
  DOT,
  PORTS,
  BASE_PORT,
  PROVISION,
  DIFF,
  EXPLAIN,
  ASSERT,
  LINT,
  FACT, /* + EPI_QUERY_* */
};

static const struct option long_options[] = {
    {"flow", required_argument, NULL, FLOW},
    {"at", required_argument, NULL, AT},
    {"json", no_argument, NULL, JSON},
    {"provision", no_argument, NULL, PROVISION},
    {"diff", required_argument, NULL, DIFF},
    {"ports", no_argument, NULL, PORTS},
    {"base-port", required_argument, NULL, BASE_PORT},
    {"dot", no_argument, NULL, DOT},
    {"html", required_argument, NULL, HTML},
    {"explain", no_argument, NULL, EXPLAIN},
    {"lint", no_argument, NULL, LINT},
    {"assert", required_argument, NULL, ASSERT},
    {"application", required_argument, NULL, FACT + EPI_QUERY_APPLICATION},
    {"purpose", required_argument, NULL, FACT + EPI_QUERY_PURPOSE},
    {"dataset", required_argument, NULL, FACT + EPI_QUERY_DATASET},
    {"user", required_argument, NULL, FACT + EPI_QUERY_USER},
    {"consent", required_argument, NULL, FACT + EPI_QUERY_CONSENT},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

/* --diff is one of its own, but for --provision. */
static int count_questions(const check_options *opts) {
  return (opts->flow != NULL) + opts->ports + opts->provision + opts->dot +
         (opts->html != NULL) + (opts->expect != NULL) + opts->lint +
         (opts->diff && !opts->provision);
}

/* Returns -1 to go on, or the exit status. */
static int read_options(check_options *opts, int argc, char **argv) {
  int option;

  if (!argc) {
    return complain("one MODEL is needed", "try --help");
  }
  opterr = 0; /* one line for each mistake, and it is ours */
  while ((option = getopt_long(argc, argv, ":hV", long_options, NULL)) != -1) {
    switch (option) {
    case 'h':
      fputs(help, stdout);
      return end_output(FINE);
    case 'V':
      printf("epi-check %s\n", epi_version());
      return end_output(FINE);
    case FLOW:
      opts->flow = optarg;
      break;
    case AT:
      opts->at = optarg;
      opts->facts_given = 1;
      break;
    case JSON:
      opts->json = 1;
      break;
    case PROVISION:
      opts->provision = 1;
      break;
    case EXPLAIN:
      opts->explain = 1;
      break;
    case ASSERT:
      opts->expect = optarg;
      break;
    case LINT:
      opts->lint = 1;
      break;
    case DIFF:
      opts->diff = optarg;
      break;
    case PORTS:
      opts->ports = 1;
      break;
    case BASE_PORT:
      opts->base_port = optarg;
      break;
    case DOT:
      opts->dot = 1;
      break;
    case HTML:
      opts->html = optarg;
      break;
    case '?':
    case ':':
      return complain(option == ':' ? "an option needs a value (try --help)"
                                    : "no such option (try --help)",
                      argv[optind - 1]);
    default:
      opts->facts[option - FACT] = optarg;
      opts->facts_given = 1;
    }
  }
  if (argc - optind != 1) {
    return complain("one MODEL is needed", "try --help");
  }
  if (opts->explain && !opts->flow) {
    return complain("--explain needs --flow", "try --help");
  }
  if (opts->facts_given && !opts->flow && !opts->provision && !opts->ports) {
    return complain("facts about a flow need --flow", "try --help");
  }
  if (opts->base_port && !opts->ports) {
    return complain("--base-port needs --ports", "try --help");
  }
  if (count_questions(opts) > 1) {
    return complain("only one question is answered at a time", "try --help");
  }
  opts->model = argv[optind];
  return -1;
}

int main(int argc, char **argv) {
  check_options opts = {0};
  epi_model *model;
  int result = read_options(&opts, argc, argv);

  if (result >= 0) {
    return result;
  }
  if (read_model(&model, opts.model)) {
    return BAD_INPUT;
  }
  result = answer(model, &opts);
  epi_model_free(model);
  return result;
}
