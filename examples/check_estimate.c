/* check_estimate.c: how long flows take until the first response is there, and
 * which method serves a need. */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  /* What the choice is from. TCP Fast Open takes a server that has it. */
  CHOICE = 1 << EPI_METHOD_REVERSE | 1 << EPI_METHOD_SOCKS5 |
           1 << EPI_METHOD_SOCKS6 | 1 << EPI_METHOD_SOCKS6_EARLY |
           1 << EPI_METHOD_SOCKS6_WARM,
};

typedef struct question {
  const char *name; /* of the need */
  int need;
  double client_ms, server_ms;
  int json;
  size_t printed;
} question;

static int read_ms(double *out, const char *text, const char *option) {
  char *end;

  *out = text ? strtod(text, &end) : 0;
  return text && (end == text || *end || !isfinite(*out) || *out < 0)
             ? complain(option, "needs a number of milliseconds")
             : FINE;
}

static int read_question(question *out, const check_options *opts) {
  static const char *const names[] = {
      [EPI_FOR_LATENCY] = "latency",
      [EPI_FOR_RATE] = "rate",
      [EPI_FOR_BOTH] = "both",
  };
  int result;

  out->json = opts->json;
  for (int i = EPI_FOR_LATENCY; i <= EPI_FOR_BOTH; i++) {
    if (!strcmp(opts->estimate, names[i])) {
      out->name = names[i];
      out->need = i;
    }
  }
  if (!out->need) {
    return complain("--estimate", "must be latency, rate or both");
  }
  result = read_ms(&out->client_ms, opts->rtt_client, "--rtt-client");
  return result ? result
                : read_ms(&out->server_ms, opts->rtt_server, "--rtt-server");
}

/* The direct way is taken to be as long as that through the proxies. */
static double estimate(int method, double cp_ms, double ps_ms) {
  return epi_estimate_ms(method, cp_ms, ps_ms, cp_ms + ps_ms, 0);
}

static void print_way(const epi_plan *plan, int json) {
  size_t count = epi_plan_hop_count(plan);

  for (size_t hop = 0; hop < count; hop++) {
    const char *proxy = epi_plan_hop_proxy(plan, hop);

    printf("%s", hop ? json ? "," : ", " : "");
    if (json) {
      print_quoted(proxy);
    } else {
      printf("%s", *proxy ? proxy : "the proxy");
    }
  }
  if (!count && !json) {
    printf("one proxy");
  }
}

static void print_reasons(int method, int json) {
  int all = epi_method_advantages(method);
  const char *between = "";

  for (int bit = EPI_ADVANTAGE_TIME; bit <= EPI_ADVANTAGE_SECURITY; bit *= 2) {
    if (all & bit) {
      printf("%s", between);
      if (json) {
        print_quoted(epi_advantage_text(bit));
      } else {
        printf("      %s\n", epi_advantage_text(bit));
      }
      between = json ? "," : "";
    }
  }
}

static void print_flow_json(question *ask, const epi_decision *decision,
                            int port, double cp_ms, double ps_ms, int choice) {
  printf("%s{\"from\":", ask->printed++ ? "," : "");
  print_quoted(epi_decision_from(decision));
  printf(",\"to\":");
  print_quoted(epi_decision_to(decision));
  if (port > 0) {
    printf(",\"port\":%d", port);
  } else {
    printf(",\"port\":null");
  }
  printf(",\"application\":");
  print_quoted(epi_decision_application(decision));
  printf(",\"proxies\":[");
  print_way(epi_decision_plan(decision), 1);
  printf("],\"rtt_cp_ms\":%.15g,\"rtt_ps_ms\":%.15g,\"estimates\":{", cp_ms,
         ps_ms);
  for (int i = EPI_METHOD_DIRECT; epi_method_name(i); i++) {
    printf("%s\"%s\":%.15g", i > EPI_METHOD_DIRECT ? "," : "",
           epi_method_name(i), estimate(i, cp_ms, ps_ms));
  }
  printf("},\"choice\":\"%s\",\"advantages\":[", epi_method_name(choice));
  print_reasons(choice, 1);
  printf("]}");
}

static void print_flow_text(question *ask, const epi_decision *decision,
                            int port, double cp_ms, double ps_ms, int choice) {
  printf("%s%s -> %s", ask->printed++ ? "\n" : "", epi_decision_from(decision),
         epi_decision_to(decision));
  if (port > 0) {
    printf(", port %d", port);
  }
  printf(": through ");
  print_way(epi_decision_plan(decision), 0);
  printf(", %g ms to the last one, %g ms from there\n", cp_ms, ps_ms);
  for (int i = EPI_METHOD_DIRECT; epi_method_name(i); i++) {
    printf("  %-16s%g ms%s\n", epi_method_name(i), estimate(i, cp_ms, ps_ms),
           i == EPI_METHOD_DIRECT ? ", if that way is no shorter" : "");
  }
  printf("  for %s: %s, which has\n", ask->name, epi_method_name(choice));
  print_reasons(choice, 0);
}

/* A flow that may not exist takes no time. */
static void print_flow(question *ask, const epi_decision *decision, int port) {
  double cp_ms = ask->client_ms + epi_plan_rtt_ms(epi_decision_plan(decision));
  int choice = epi_estimate_choose(ask->need, CHOICE, cp_ms, ask->server_ms);

  if (!epi_decision_allowed(decision)) {
    return;
  }
  if (ask->json) {
    print_flow_json(ask, decision, port, cp_ms, ask->server_ms, choice);
  } else {
    print_flow_text(ask, decision, port, cp_ms, ask->server_ms, choice);
  }
}

static int print_flows(question *ask, epi_model *model, size_t application,
                       epi_query *query, epi_decision *decision) {
  size_t count = epi_model_application_flow_count(model, application);

  for (size_t i = 0; i < count; i++) {
    int port;

    if (decide_application_flow(model, application, i, query, decision,
                                &port)) {
      return complain("--estimate", epi_error_detail());
    }
    print_flow(ask, decision, port);
  }
  return FINE;
}

int print_estimates(epi_model *model, const check_options *opts,
                    epi_query *query, epi_decision *decision) {
  question ask = {0};
  int result = read_question(&ask, opts);

  if (!result && opts->flow) {
    result = check_query(query, model, opts);
    if (!result && epi_model_decide(model, query, decision)) {
      result = complain("--flow", epi_error_detail());
    }
    if (!result && !epi_decision_allowed(decision)) {
      complain("--estimate: the flow is refused",
               epi_decision_reason(decision));
      return ANSWER_IS_NO;
    }
  }
  if (result) {
    return result;
  }
  if (ask.json) {
    printf("{\"model\":\"%s\",\"need\":\"%s\",\"flows\":[",
           epi_model_hash(model), ask.name);
  }
  if (opts->flow) {
    print_flow(&ask, decision, check_port(opts->flow));
  }
  for (size_t i = 0;
       !opts->flow && !result && i < epi_model_application_count(model); i++) {
    result = print_flows(&ask, model, i, query, decision);
  }
  if (ask.json) {
    printf("]}\n");
  }
  return result;
}
