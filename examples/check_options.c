/* check_options.c: the command line of epi-check. */
#include "check.h"

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
    "      --authenticated HOW    by password, certificate, key, address: "
    "some\n"
    "                             of them with commas between; or none\n"
    "      --at TIME              when, in UTC, as 2026-01-31T09:30, or "
    "seconds\n"
    "                             since 1970\n"
    "      --explain              tell why, rule by rule\n"
    "      --verdict FILE         count the policy reasoner's verdict about "
    "the "
    "flow\n"
    "      --as-rule              print the rule that it makes instead\n"
    "      --as-verdict FORM      print the decision as the reasoner would: "
    "FORM is\n"
    "                             deliberation or violations\n"
    "      --diff OLD             which flows open, close or change against "
    "the\n"
    "                             model OLD, and why\n"
    "      --assert FILE          check the expectations in FILE, a line for "
    "each\n"
    "                             that does not hold\n"
    "      --lint                 rules, attributes, functions and nodes that "
    "have\n"
    "                             no effect\n"
    "      --audit                FILEs instead of a MODEL: has anybody "
    "changed these\n"
    "                             audit logs? One after the other, oldest "
    "first\n"
    "      --audit-key KEYFILE    the key of epi-proxy --audit-key\n"
    "      --json                 print JSON\n"
    "      --ports                the listeners of a reverse proxy for the "
    "flows of\n"
    "                             an application\n"
    "      --base-port PORT       number them from here on; 20000 if not "
    "given\n"
    "      --estimate NEED        how long flows take until the first "
    "response; NEED\n"
    "                             is latency, rate or both: which method "
    "serves it\n"
    "      --rtt-client MS        round trip to the first proxy; 0 if not "
    "given\n"
    "      --rtt-server MS        round trip from the last one; 0 if not "
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

enum {
  FLOW = 256,
  AT,
  JSON,
  HTML,
  DOT,
  PORTS,
  BASE_PORT,
  PROVISION,
  ESTIMATE,
  RTT_CLIENT,
  RTT_SERVER,
  DIFF,
  EXPLAIN,
  ASSERT,
  LINT,
  AUDIT,
  AUDIT_KEY,
  VERDICT,
  AS_RULE,
  AS_VERDICT,
  FACT, /* + EPI_QUERY_* */
};

static const struct option long_options[] = {
    {"flow", required_argument, NULL, FLOW},
    {"at", required_argument, NULL, AT},
    {"json", no_argument, NULL, JSON},
    {"provision", no_argument, NULL, PROVISION},
    {"estimate", required_argument, NULL, ESTIMATE},
    {"rtt-client", required_argument, NULL, RTT_CLIENT},
    {"rtt-server", required_argument, NULL, RTT_SERVER},
    {"diff", required_argument, NULL, DIFF},
    {"ports", no_argument, NULL, PORTS},
    {"base-port", required_argument, NULL, BASE_PORT},
    {"dot", no_argument, NULL, DOT},
    {"html", required_argument, NULL, HTML},
    {"explain", no_argument, NULL, EXPLAIN},
    {"lint", no_argument, NULL, LINT},
    {"audit", no_argument, NULL, AUDIT},
    {"audit-key", required_argument, NULL, AUDIT_KEY},
    {"assert", required_argument, NULL, ASSERT},
    {"verdict", required_argument, NULL, VERDICT},
    {"as-rule", no_argument, NULL, AS_RULE},
    {"as-verdict", required_argument, NULL, AS_VERDICT},
    {"application", required_argument, NULL, FACT + EPI_QUERY_APPLICATION},
    {"purpose", required_argument, NULL, FACT + EPI_QUERY_PURPOSE},
    {"dataset", required_argument, NULL, FACT + EPI_QUERY_DATASET},
    {"user", required_argument, NULL, FACT + EPI_QUERY_USER},
    {"consent", required_argument, NULL, FACT + EPI_QUERY_CONSENT},
    {"authenticated", required_argument, NULL, FACT + EPI_QUERY_AUTHENTICATED},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

/* --diff is one of its own, but for --provision. */
static int count_questions(const check_options *opts) {
  return (opts->flow && !opts->estimate) + (opts->estimate != NULL) +
         opts->ports + opts->provision + opts->dot + (opts->html != NULL) +
         (opts->expect != NULL) + opts->lint + (opts->diff && !opts->provision);
}

/* Options that make no sense together. Returns -1 if there are none. */
static int check_fit(const check_options *opts) {
  if (opts->explain && !opts->flow) {
    return complain("--explain needs --flow", "try --help");
  }
  if ((opts->verdict || opts->as_verdict) && !opts->flow) {
    return complain(opts->verdict ? "--verdict needs --flow"
                                  : "--as-verdict needs --flow",
                    "try --help");
  }
  if (opts->as_rule && !opts->verdict) {
    return complain("--as-rule needs --verdict", "try --help");
  }
  if (opts->as_verdict && strcmp(opts->as_verdict, "deliberation") &&
      strcmp(opts->as_verdict, "violations")) {
    return complain("--as-verdict", "must be deliberation or violations");
  }
  if (opts->explain + opts->as_rule + (opts->as_verdict != NULL) > 1) {
    return complain("--explain, --as-rule and --as-verdict exclude each other",
                    "try --help");
  }
  if (opts->facts_given && !opts->flow && !opts->provision && !opts->ports) {
    return complain("facts about a flow need --flow", "try --help");
  }
  if (opts->estimate && (opts->explain || opts->verdict || opts->as_verdict)) {
    return complain("--estimate tells times, and nothing else", "try --help");
  }
  if ((opts->rtt_client || opts->rtt_server) && !opts->estimate) {
    return complain("--rtt-client and --rtt-server need --estimate",
                    "try --help");
  }
  if (opts->audit_key) {
    return complain("--audit-key needs --audit", "try --help");
  }
  if (opts->base_port && !opts->ports) {
    return complain("--base-port needs --ports", "try --help");
  }
  if (count_questions(opts) > 1) {
    return complain("only one question is answered at a time", "try --help");
  }
  return -1;
}

int check_options_read(check_options *opts, int argc, char **argv) {
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
    case ESTIMATE:
      opts->estimate = optarg;
      break;
    case RTT_CLIENT:
      opts->rtt_client = optarg;
      break;
    case RTT_SERVER:
      opts->rtt_server = optarg;
      break;
    case EXPLAIN:
      opts->explain = 1;
      break;
    case ASSERT:
      opts->expect = optarg;
      break;
    case VERDICT:
      opts->verdict = optarg;
      break;
    case AS_RULE:
      opts->as_rule = 1;
      break;
    case AS_VERDICT:
      opts->as_verdict = optarg;
      break;
    case LINT:
      opts->lint = 1;
      break;
    case AUDIT:
      opts->audit = 1;
      break;
    case AUDIT_KEY:
      opts->audit_key = optarg;
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
  if (opts->audit) {
    return check_audit(opts, argv + optind, argc - optind);
  }
  if (argc - optind != 1) {
    return complain("one MODEL is needed", "try --help");
  }
  opts->model = argv[optind];
  return check_fit(opts);
}
