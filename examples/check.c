/* check.c: epi-check reads a model and says which data may move, and how. */
#include <epi/epi.h>

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
  FINE,
  ANSWER_IS_NO,
  BAD_INPUT,
};

enum {
  AREAS_SHOWN = 32, /* more make too long a table of pairs */
};

typedef struct options {
  const char *model, *flow, *at;
  const char *facts[EPI_QUERY_CONSENT + 1];
  int facts_given, json;
} options;

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
    "      --json                 print JSON\n"
    "  -h, --help                 print this\n"
    "  -V, --version              print the version\n"
    "\n"
    "Exit status: 0 fine, 1 the flow is refused, 2 usage or a bad model.\n";

static int complain(const char *what, const char *about) {
  fprintf(stderr, "epi-check: %s%s%s\n", what, *what ? ": " : "", about);
  return BAD_INPUT;
}

/* ---- input ---- */

static char *read_all(FILE *file, const char *name, size_t *len) {
  size_t size = 1 << 16;
  char *block = malloc(size);

  *len = 0;
  while (block) {
    size_t got = fread(block + *len, 1, size - *len, file);
    char *larger;

    *len += got;
    if (!got || *len > EPI_MODEL_MAX) { /* one byte more is enough to tell */
      break;
    }
    if (*len < size) {
      continue;
    }
    size *= 2;
    larger = realloc(block, size);
    if (!larger) {
      free(block);
    }
    block = larger;
  }
  if (!block) {
    complain(name, "out of memory");
  } else if (ferror(file)) {
    complain(name, strerror(errno));
    free(block);
    block = NULL;
  } else if (!*len) {
    complain(name, "is empty");
    free(block);
    block = NULL;
  }
  return block;
}

static char *read_file(const char *path, size_t *len) {
  FILE *file = strcmp(path, "-") ? fopen(path, "rb") : stdin;
  char *block;

  if (!file) {
    complain(path, strerror(errno));
    return NULL;
  }
  block = read_all(file, file == stdin ? "standard input" : path, len);
  if (file != stdin) {
    fclose(file);
  }
  return block;
}

static int read_model(epi_model **out, const char *path) {
  epi_report *problems;
  size_t len;
  char *text = read_file(path, &len);
  int result;

  if (!text || epi_report_new(&problems)) {
    free(text);
    return BAD_INPUT;
  }
  result = epi_model_read(out, problems, text, len);
  for (size_t i = 0; result && i < epi_report_count(problems); i++) {
    complain(path, epi_report_line(problems, i));
  }
  if (result && !epi_report_count(problems)) {
    complain(path, epi_error_detail());
  }
  epi_report_free(problems);
  free(text);
  return result ? BAD_INPUT : FINE;
}

/* Seconds since 1970, or a date and time in UTC. */
static int read_time(const char *text, int64_t *out) {
  static const char *const forms[] = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M",
                                      "%Y-%m-%d %H:%M", "%Y-%m-%d"};
  char *end;

  errno = 0;
  *out = strtoll(text, &end, 10);
  if (*text && !*end && !errno) {
    return 1;
  }
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
    struct tm when = {0};
    const char *rest = strptime(text, forms[i], &when);
    int day = when.tm_mday;

    if (rest && (!*rest || !strcmp(rest, "Z"))) {
      *out = timegm(&when); /* which makes 2 March of 30 February */
      return when.tm_mday == day;
    }
  }
  return 0;
}

/* ---- one flow ---- */

/* Cut "FROM:TO[:PORT]" at its colons, but not within brackets. Returns the
 * number of parts, 4 for too many. */
static int cut_flow(char *text, char *parts[3]) {
  int count = 1, depth = 0;

  parts[0] = text;
  for (; *text; text++) {
    depth += (*text == '[') - (*text == ']');
    if (*text == ':' && !depth) {
      *text = '\0';
      if (count == 3) {
        return 4;
      }
      parts[count++] = text + 1;
    }
  }
  return count;
}

/* An address; or a host name, if a node has it or it has a dot. What looks like
 * the name of a node is none. */
static int read_addr(const epi_model *model, const char *text, int port,
                     epi_addr *out) {
  if (epi_addr_parse(out, text, 0)) {
    return 0;
  }
  out->port = (uint16_t)(port < 0 ? 0 : port);
  return out->kind != EPI_ADDR_NAME || strchr(text, '.') ||
         epi_model_node_at(model, out) >= 0;
}

static int set_end(const epi_model *model, epi_query *query, int is_to,
                   const char *text, int port) {
  epi_addr addr;

  if (epi_model_node_find(model, text) < 0 &&
      read_addr(model, text, port, &addr)) {
    return is_to ? epi_query_set_to(query, &addr)
                 : epi_query_set_from(query, &addr);
  }
  return is_to ? epi_query_set_to_node(query, text, port)
               : epi_query_set_from_node(query, text);
}

static int read_port(const char *text) {
  char *end;
  long port = strtol(text, &end, 10);

  return *text < '0' || *text > '9' || *end || port < 1 || port > 65535
             ? -1
             : (int)port;
}

static int make_query(epi_query *query, const epi_model *model,
                      const options *opts, char *flow) {
  char *parts[3] = {0};
  int count = cut_flow(flow, parts);
  int port = -1;
  int64_t when;

  if (count < 2 || count > 3 || !*parts[0] || !*parts[1]) {
    return complain("--flow", "must be FROM:TO or FROM:TO:PORT");
  }
  if (count == 3 && (port = read_port(parts[2])) < 0) {
    return complain("--flow", "a port is a number from 1 to 65535");
  }
  if (set_end(model, query, 0, parts[0], port) ||
      set_end(model, query, 1, parts[1], port)) {
    return complain("--flow", epi_error_detail());
  }
  for (int key = EPI_QUERY_APPLICATION; key <= EPI_QUERY_CONSENT; key++) {
    if (epi_query_set(query, key, opts->facts[key])) {
      return complain("--flow", epi_error_detail());
    }
  }
  if (opts->at) {
    if (!read_time(opts->at, &when)) {
      return complain("--at", "must be a time as 2026-01-31T09:30, in UTC");
    }
    epi_query_set_time(query, when);
  }
  return FINE;
}

/* ---- output ---- */

static void print_list(const char *label, const epi_decision *decision,
                       int which) {
  size_t count = epi_decision_attribute_count(decision, which);

  printf("    %-9s", label);
  for (size_t i = 0; i < count; i++) {
    printf("%s%s", i ? ", " : "", epi_decision_attribute(decision, which, i));
  }
  printf("%s\n", count ? "" : "nothing");
}

static void print_chain(const epi_plan *plan) {
  const char *label = "through";

  for (size_t hop = 0; hop < epi_plan_hop_count(plan); hop++) {
    const char *proxy = epi_plan_hop_proxy(plan, hop);
    size_t count = epi_plan_function_count(plan, hop);

    printf("    %-9s%s%s", label, *proxy ? proxy : "the proxy",
           count ? ": " : "");
    for (size_t i = 0; i < count; i++) {
      printf("%s%s", i ? ", then " : "", epi_plan_function_name(plan, hop, i));
    }
    printf("\n");
    label = "then";
  }
}

static void print_decision(const epi_decision *decision, int port) {
  const epi_plan *plan = epi_decision_plan(decision);
  const char *application = epi_decision_application(decision);
  int verdict = epi_decision_verdict(decision);

  printf("  %s -> %s", epi_decision_from(decision), epi_decision_to(decision));
  if (port > 0) {
    printf(", port %d", port);
  }
  printf("\n    %-9s%s: %s\n",
         epi_decision_allowed(decision) ? "allowed" : "refused",
         epi_verdict_name(verdict), epi_decision_reason(decision));
  if (*application) {
    printf("    %-9s%s\n", "part of", application);
  }
  printf("    %-9s%s", "rule", epi_decision_rule(decision));
  for (size_t i = 0; i < epi_decision_require_count(decision); i++) {
    printf("%s%s", i ? ", " : "; also required by ",
           epi_decision_require(decision, i));
  }
  printf("\n");
  print_list("needs", decision, EPI_NEED);
  print_list("has", decision, EPI_HAVE);
  print_list("missing", decision, EPI_MISSING);
  print_chain(plan);
  if (verdict == EPI_BRIDGED) {
    printf("    %-9s%g ms for one flow of 1 MiB%s\n", "costs",
           epi_plan_cost_ms(plan),
           epi_plan_optimal(plan) ? "" : " (a cheaper chain may exist)");
  }
}

static void print_areas(const epi_model *model) {
  size_t count = epi_model_area_count(model);

  printf("\nAreas: nodes that protect data alike\n");
  for (size_t i = 0; i < count; i++) {
    size_t nodes = epi_model_area_node_count(model, i);
    size_t attributes = epi_model_area_attribute_count(model, i);

    printf("  %3zu  ", i);
    for (size_t k = 0; k < nodes; k++) {
      printf(
          "%s%s", k ? ", " : "",
          epi_model_node_name(model, (size_t)epi_model_area_node(model, i, k)));
    }
    printf("\n       with ");
    for (size_t k = 0; k < attributes; k++) {
      printf("%s%s", k ? ", " : "", epi_model_area_attribute(model, i, k));
    }
    printf("%s\n", attributes ? "" : "no protection");
  }
}

static void print_gap(const epi_model *model, size_t from, size_t to) {
  const char *names[16];
  ptrdiff_t count = epi_model_gap(model, from, to, names, 16);

  printf(count > 0 ? "missing " : "nothing is in the gap as printed");
  for (ptrdiff_t i = 0; i < count && i < 16; i++) {
    printf("%s%s", i ? ", " : "", names[i]);
  }
  printf("%s\n", count > 16 ? ", ..." : "");
}

static void print_channels(const epi_model *model) {
  size_t count = epi_model_area_count(model);

  if (count < 2) {
    return;
  }
  printf("\nFrom area to area\n");
  if (count > AREAS_SHOWN) {
    printf("  %zu areas are too many to show: --json lists the channels\n",
           count);
    return;
  }
  for (size_t i = 0; i < count; i++) {
    for (size_t k = 0; k < count; k++) {
      size_t from = (size_t)epi_model_area_node(model, i, 0);
      size_t to = (size_t)epi_model_area_node(model, k, 0);

      if (i == k) {
        continue;
      }
      printf("  %3zu -> %-3zu  ", i, k);
      if (epi_model_channel(model, from, to) > 0) {
        printf("channel\n");
      } else {
        print_gap(model, from, to);
      }
    }
  }
}

static void print_numbers(const epi_model *model, ptrdiff_t application,
                          const char *label) {
  int64_t yes = epi_model_pairs(model, application, EPI_PAIRS_SUPPORTED);
  int64_t no = epi_model_pairs(model, application, EPI_PAIRS_UNSUPPORTED);
  int64_t never = epi_model_pairs(model, application, EPI_PAIRS_UNBRIDGEABLE);

  printf("  %-20s %9lld %11lld %12lld  %.3g\n", label, (long long)yes,
         (long long)no, (long long)never, epi_model_ratio(model, application));
}

/* Decide about and print the flows of an application; adds up their cost. */
static int print_flows(epi_model *model, size_t application, epi_query *query,
                       epi_decision *decision, double *cost_ms) {
  const char *name = epi_model_application_name(model, application);
  size_t count = epi_model_flow_count(model, application);

  printf("\nFlows of application %s\n", name);
  for (size_t i = 0; i < count; i++) {
    size_t from, to;
    int port;

    if (epi_model_flow(model, application, i, &from, &to, &port) ||
        epi_query_set(query, EPI_QUERY_APPLICATION, name) ||
        epi_query_set_from_node(query, epi_model_node_name(model, from)) ||
        epi_query_set_to_node(query, epi_model_node_name(model, to), port) ||
        epi_model_decide(model, query, decision)) {
      return complain("", epi_error_detail());
    }
    print_decision(decision, port);
    *cost_ms += epi_plan_cost_ms(epi_decision_plan(decision));
  }
  return FINE;
}

static int print_model(epi_model *model, epi_query *query,
                       epi_decision *decision) {
  size_t applications = epi_model_application_count(model);
  double cost_ms = 0;

  printf("The model is valid. Nodes: %zu, areas: %zu, applications: %zu\n",
         epi_model_node_count(model), epi_model_area_count(model),
         applications);
  print_areas(model);
  print_channels(model);
  for (size_t i = 0; i < applications; i++) {
    if (print_flows(model, i, query, decision, &cost_ms)) {
      return BAD_INPUT;
    }
  }
  printf("\nPairs of nodes, by what they protect alone\n"
         "  %-20s %9s %11s %12s  %s\n",
         "", "supported", "unsupported", "unbridgeable", "ratio");
  print_numbers(model, -1, "all nodes");
  for (size_t i = 0; i < applications; i++) {
    print_numbers(model, (ptrdiff_t)i, epi_model_application_name(model, i));
  }
  printf("\nThe bridged flows cost %g ms together, at 1 MiB each.\n", cost_ms);
  return FINE;
}

static int print_json(int result, char *text) {
  if (result) {
    return complain("", epi_error_detail());
  }
  puts(text);
  epi_free(text);
  return FINE;
}

static int answer_flow(epi_model *model, const options *opts, epi_query *query,
                       epi_decision *decision) {
  char *flow = strdup(opts->flow);
  const char *colon = strrchr(opts->flow, ':');
  char *text = NULL;
  int result = flow ? make_query(query, model, opts, flow) : BAD_INPUT;

  free(flow);
  if (result) {
    return result;
  }
  if (epi_model_decide(model, query, decision)) {
    return complain("--flow", epi_error_detail());
  }
  if (opts->json) {
    int failed = epi_decision_write(decision, &text);

    result = print_json(failed, text);
  } else {
    print_decision(decision, read_port(colon + 1));
  }
  if (!result && !epi_decision_allowed(decision)) {
    result = ANSWER_IS_NO;
  }
  return result;
}

static int answer(epi_model *model, const options *opts) {
  epi_decision *decision = NULL;
  epi_query *query = NULL;
  char *text = NULL;
  int result;

  if (epi_query_new(&query) || epi_decision_new(&decision)) {
    result = complain("", epi_error_detail());
  } else if (opts->flow) {
    result = answer_flow(model, opts, query, decision);
  } else if (opts->json) {
    int failed = epi_model_overview(model, &text);

    result = print_json(failed, text);
  } else {
    result = print_model(model, query, decision);
  }
  epi_query_free(query);
  epi_decision_free(decision);
  if (fflush(stdout) || ferror(stdout)) {
    return complain("standard output", strerror(errno));
  }
  return result;
}

/* ---- arguments ---- */

enum {
  FLOW = 256,
  AT,
  JSON,
  FACT, /* + EPI_QUERY_* */
};

static const struct option long_options[] = {
    {"flow", required_argument, NULL, FLOW},
    {"at", required_argument, NULL, AT},
    {"json", no_argument, NULL, JSON},
    {"application", required_argument, NULL, FACT + EPI_QUERY_APPLICATION},
    {"purpose", required_argument, NULL, FACT + EPI_QUERY_PURPOSE},
    {"dataset", required_argument, NULL, FACT + EPI_QUERY_DATASET},
    {"user", required_argument, NULL, FACT + EPI_QUERY_USER},
    {"consent", required_argument, NULL, FACT + EPI_QUERY_CONSENT},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

/* Returns -1 to go on, or the exit status. */
static int read_options(options *opts, int argc, char **argv) {
  static char name[] = "epi-check"; /* what getopt_long() says first */
  int option;

  if (!argc) {
    return complain("one MODEL is needed", "try --help");
  }
  argv[0] = name;
  while ((option = getopt_long(argc, argv, "hV", long_options, NULL)) != -1) {
    switch (option) {
    case 'h':
      fputs(help, stdout);
      return FINE;
    case 'V':
      printf("epi-check %s\n", epi_version());
      return FINE;
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
    case '?':
      return BAD_INPUT; /* getopt_long() has said it */
    default:
      opts->facts[option - FACT] = optarg;
      opts->facts_given = 1;
    }
  }
  if (argc - optind != 1) {
    return complain("one MODEL is needed", "try --help");
  }
  if (opts->facts_given && !opts->flow) {
    return complain("facts about a flow need --flow", "try --help");
  }
  opts->model = argv[optind];
  return -1;
}

int main(int argc, char **argv) {
  options opts = {0};
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
