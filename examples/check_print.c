/* check_print.c: what a model says, for people. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  AREAS_SHOWN = 32, /* more make too long a table of pairs */
};

/* Names of a model have no control characters. */
void print_quoted(const char *text) {
  putchar('"');
  for (; *text; text++) {
    printf(*text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
  }
  putchar('"');
}

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

void print_decision(const epi_decision *decision, int port, const char *flow) {
  const epi_plan *plan = epi_decision_plan(decision);
  const char *application = epi_decision_application(decision);
  int verdict = epi_decision_verdict(decision);

  printf("  ");
  print_end(epi_decision_from(decision), flow, END_FROM);
  printf(" -> ");
  print_end(epi_decision_to(decision), flow, END_TO);
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
  printf("%s%s\n", count > 16 ? ", ..." : "",
         epi_model_gap_bridgeable(model, from, to) > 0
             ? ""
             : ", which nothing may bridge");
}

/* A line for each ordered pair of different areas. */
static void print_pairs(const epi_model *model, const size_t *areas,
                        size_t count) {
  for (size_t i = 0; i < count; i++) {
    for (size_t k = 0; k < count; k++) {
      size_t from = (size_t)epi_model_area_node(model, areas[i], 0);
      size_t to = (size_t)epi_model_area_node(model, areas[k], 0);

      if (i == k) {
        continue;
      }
      printf("  %3zu -> %-3zu  ", areas[i], areas[k]);
      if (epi_model_channel(model, from, to) > 0) {
        printf("channel\n");
      } else {
        print_gap(model, from, to);
      }
    }
  }
}

static void print_channels(const epi_model *model) {
  size_t count = epi_model_area_count(model);
  size_t areas[AREAS_SHOWN];

  if (count < 2) {
    return;
  }
  printf("\nFrom area to area\n");
  if (count > AREAS_SHOWN) {
    printf("  %zu areas are too many to show: --json lists channels and gaps\n",
           count);
    return;
  }
  for (size_t i = 0; i < count; i++) {
    areas[i] = i;
  }
  print_pairs(model, areas, count);
}

/* The same between the areas of an application's nodes. */
static int print_own_channels(const epi_model *model, size_t application) {
  const char *name = epi_model_application_name(model, application);
  size_t areas[AREAS_SHOWN];
  ptrdiff_t count =
      epi_model_application_areas(model, application, areas, AREAS_SHOWN);

  if (count < 0) {
    return complain("", epi_error_detail());
  }
  printf("\nFrom area to area in application %s\n", name);
  if (count < 2) {
    printf("  its nodes are in %s\n", count ? "one area" : "no area");
  } else if (count > AREAS_SHOWN) {
    printf("  %td areas are too many to show: --json lists the gaps\n", count);
  } else {
    print_pairs(model, areas, (size_t)count);
  }
  return FINE;
}

static void print_numbers(const epi_model *model, ptrdiff_t application,
                          const char *label) {
  int64_t yes = epi_model_pairs(model, application, EPI_PAIRS_SUPPORTED);
  int64_t no = epi_model_pairs(model, application, EPI_PAIRS_UNSUPPORTED);
  int64_t never = epi_model_pairs(model, application, EPI_PAIRS_UNBRIDGEABLE);

  printf("  %-20s %9lld %11lld %12lld  %.3g\n", label, (long long)yes,
         (long long)no, (long long)never, epi_model_ratio(model, application));
}

typedef struct counts { /* of flows */
  size_t direct, bridged, refused;
  double cost_ms;
} counts;

static void print_counts(const counts *all, const char *label) {
  printf("  %-20s %9zu %11zu %12zu  %g ms\n", label, all->direct, all->bridged,
         all->refused, all->cost_ms);
}

/* Decide about, print and count the flows of an application. */
static int print_flows(epi_model *model, size_t application, epi_query *query,
                       epi_decision *decision, counts *sum) {
  const char *name = epi_model_application_name(model, application);
  size_t count = epi_model_application_flow_count(model, application);

  printf("\nFlows of application %s\n", name);
  for (size_t i = 0; i < count; i++) {
    int port;

    if (decide_application_flow(model, application, i, query, decision,
                                &port)) {
      return complain("", epi_error_detail());
    }
    print_decision(decision, port, NULL);
    sum->direct += epi_decision_verdict(decision) == EPI_DIRECT;
    sum->bridged += epi_decision_verdict(decision) == EPI_BRIDGED;
    sum->refused += !epi_decision_allowed(decision);
    sum->cost_ms += epi_plan_cost_ms(epi_decision_plan(decision));
  }
  return FINE;
}

/* What the flows of each application come to, and of all. */
static void print_sums(const epi_model *model, const counts *sums) {
  size_t applications = epi_model_application_count(model);
  counts all = {0};

  printf("\nFlows of applications\n"
         "  %-20s %9s %11s %12s  %s\n",
         "", "direct", "bridged", "refused", "cost at 1 MiB each");
  for (size_t i = 0; i < applications; i++) {
    print_counts(&sums[i], epi_model_application_name(model, i));
    all.direct += sums[i].direct;
    all.bridged += sums[i].bridged;
    all.refused += sums[i].refused;
    all.cost_ms += sums[i].cost_ms;
  }
  print_counts(&all, "all applications");
}

int print_model(epi_model *model, epi_query *query, epi_decision *decision) {
  size_t applications = epi_model_application_count(model);
  counts *sums = calloc(applications + 1, sizeof *sums);
  int result = sums ? FINE : complain("", "out of memory");

  if (result) {
    return result;
  }
  printf("The model is valid. Nodes: %zu, areas: %zu, applications: %zu\n",
         epi_model_node_count(model), epi_model_area_count(model),
         applications);
  print_areas(model);
  print_channels(model);
  for (size_t i = 0; i < applications && !result; i++) {
    result = print_own_channels(model, i);
    if (!result) {
      result = print_flows(model, i, query, decision, &sums[i]);
    }
  }
  if (!result) {
    printf("\nPairs of nodes, by what they protect alone\n"
           "  %-20s %9s %11s %12s  %s\n",
           "", "supported", "unsupported", "unbridgeable", "ratio");
    print_numbers(model, -1, "all nodes");
    for (size_t i = 0; i < applications; i++) {
      print_numbers(model, (ptrdiff_t)i, epi_model_application_name(model, i));
    }
    print_sums(model, sums);
  }
  free(sums);
  return result;
}
