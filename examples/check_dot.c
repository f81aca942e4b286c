/* check_dot.c: a model as a graph for graphviz. Areas are clusters of their
 * nodes; grey arrows between them are the steps that all channels are made of;
 * flows go from node to node. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A flow, or several that differ in their port only. */
typedef struct arrow {
  size_t from, to;
  int verdict;
  char *says; /* the label below the ports, or NULL: there is no arrow yet */
  char *ports;
} arrow;

/* Graphviz reads escapes and entities in labels. */
static void put_escaped(FILE *out, const char *text) {
  for (; *text; text++) {
    if (*text == '"' || *text == '\\') {
      fprintf(out, "\\%c", *text);
    } else if (*text == '&') {
      fputs("&amp;", out);
    } else {
      putc(*text, out);
    }
  }
}

static void print_area(const epi_model *model, size_t area) {
  size_t attributes = epi_model_area_attribute_count(model, area);

  printf("  subgraph cluster_%zu {\n    label=\"", area);
  for (size_t i = 0; i < attributes; i++) {
    printf(i ? ", " : "");
    put_escaped(stdout, epi_model_area_attribute(model, area, i));
  }
  printf(attributes ? "\";\n" : "no protection\";\n");
  for (size_t i = 0; i < epi_model_area_node_count(model, area); i++) {
    size_t node = (size_t)epi_model_area_node(model, area, i);

    printf("    n%zu [label=\"", node);
    put_escaped(stdout, epi_model_node_name(model, node));
    printf("\"];\n");
  }
  printf("  }\n");
}

/* Arrows between clusters hang on a node of each. Returns FINE or BAD_INPUT. */
static int print_steps(const epi_model *model, size_t area, size_t *above) {
  size_t areas = epi_model_area_count(model);
  ptrdiff_t count = epi_model_area_above(model, area, above, areas);

  if (count < 0) {
    return complain("--dot", epi_error_detail());
  }
  for (ptrdiff_t i = 0; i < count; i++) {
    printf("  n%zu -> n%zu [ltail=cluster_%zu, lhead=cluster_%zu, "
           "color=gray50, penwidth=2];\n",
           (size_t)epi_model_area_node(model, area, 0),
           (size_t)epi_model_area_node(model, above[i], 0), area, above[i]);
  }
  return FINE;
}

static int print_areas(const epi_model *model) {
  size_t areas = epi_model_area_count(model);
  size_t *above = calloc(areas + 1, sizeof *above);
  int result = above ? FINE : complain("--dot", "out of memory");

  for (size_t i = 0; i < areas && !result; i++) {
    print_area(model, i);
  }
  for (size_t i = 0; i < areas && !result; i++) {
    result = print_steps(model, i, above);
  }
  free(above);
  return result;
}

static void put_chain(FILE *out, const epi_plan *plan) {
  for (size_t hop = 0; hop < epi_plan_hop_count(plan); hop++) {
    const char *proxy = epi_plan_hop_proxy(plan, hop);

    if (!epi_plan_function_count(plan, hop)) {
      continue;
    }
    fputs("\\n", out);
    put_escaped(out, *proxy ? proxy : "the proxy");
    for (size_t i = 0; i < epi_plan_function_count(plan, hop); i++) {
      fputs(i ? ", then " : ": ", out);
      put_escaped(out, epi_plan_function_name(plan, hop, i));
    }
  }
}

/* What an arrow says, for free(); or NULL. */
static char *text_of(const epi_decision *decision) {
  int verdict = epi_decision_verdict(decision);
  char *text = NULL;
  size_t len;
  FILE *out = open_memstream(&text, &len);

  if (!out) {
    return NULL;
  }
  if (verdict == EPI_BRIDGED) {
    put_chain(out, epi_decision_plan(decision));
  } else if (verdict != EPI_DIRECT) {
    fprintf(out, "\\n%s: ", epi_verdict_name(verdict));
    put_escaped(out, epi_decision_reason(decision));
  }
  if (fclose(out)) {
    free(text);
    text = NULL;
  }
  return text;
}

/* Print an arrow, if there is one; it is empty then. */
static void print_arrow(arrow *at, const char *application) {
  const char *look = at->verdict == EPI_DIRECT ? "color=darkgreen"
                     : at->verdict == EPI_BRIDGED
                         ? "color=blue, fontcolor=blue, style=dashed"
                         : "color=red, fontcolor=red, arrowhead=tee";

  if (at->says) {
    printf("  n%zu -> n%zu [%s, constraint=false, label=\"", at->from, at->to,
           look);
    put_escaped(stdout, application);
    printf("%s%s\"];\n", at->ports, at->says);
  }
  free(at->says);
  free(at->ports);
  *at = (arrow){0};
}

static int is_same(const arrow *a, const arrow *b) {
  return a->says && a->from == b->from && a->to == b->to &&
         a->verdict == b->verdict && !strcmp(a->says, b->says);
}

/* Make one arrow of both, the first, if they differ in their port only; else
 * print the first, and keep the second. Returns FINE or BAD_INPUT. */
static int join(arrow *first, arrow *second, int port,
                const char *application) {
  int same = is_same(first, second), len;
  const char *before = same ? first->ports : "";

  len = port < 0 ? asprintf(&second->ports, "%s", before)
                 : asprintf(&second->ports, "%s%s%d", before,
                            *before ? ", " : ":", port);
  if (len < 0) {
    second->ports = NULL;
    return complain("--dot", "out of memory");
  }
  if (same) {
    free(first->says);
    free(first->ports);
  } else {
    print_arrow(first, application);
  }
  *first = *second;
  *second = (arrow){0};
  return FINE;
}

/* Decide about a flow and make its arrow. Returns FINE or BAD_INPUT. */
static int find_arrow(epi_model *model, size_t application, size_t index,
                      epi_query *query, epi_decision *decision, int *port,
                      arrow *out) {
  if (epi_model_application_flow(model, application, index, &out->from,
                                 &out->to, port) ||
      epi_query_set_from_node(query, epi_model_node_name(model, out->from)) ||
      epi_query_set_to_node(query, epi_model_node_name(model, out->to),
                            *port) ||
      epi_model_decide(model, query, decision)) {
    return complain("--dot", epi_error_detail());
  }
  out->verdict = epi_decision_verdict(decision);
  out->says = text_of(decision);
  return out->says ? FINE : complain("--dot", "out of memory");
}

static int print_flows(epi_model *model, size_t application, epi_query *query,
                       epi_decision *decision) {
  const char *name = epi_model_application_name(model, application);
  size_t count = epi_model_application_flow_count(model, application);
  arrow first = {0}, second = {0};
  int result = FINE, port;

  if (epi_query_set(query, EPI_QUERY_APPLICATION, name)) {
    return complain("--dot", epi_error_detail());
  }
  for (size_t i = 0; i < count && !result; i++) {
    result = find_arrow(model, application, i, query, decision, &port, &second);
    if (!result) {
      result = join(&first, &second, port, name);
    }
  }
  print_arrow(&first, name);
  free(second.says);
  return result;
}

int print_dot(epi_model *model, epi_query *query, epi_decision *decision) {
  int result;

  printf("digraph model {\n"
         "  graph [rankdir=LR, compound=true, fontname=\"sans-serif\", "
         "style=rounded, nodesep=0.4, ranksep=1.2];\n"
         "  node [shape=box, style=\"rounded,filled\", fillcolor=white, "
         "fontname=\"sans-serif\"];\n"
         "  edge [fontname=\"sans-serif\", fontsize=10];\n");
  result = print_areas(model);
  for (size_t i = 0; i < epi_model_application_count(model) && !result; i++) {
    result = print_flows(model, i, query, decision);
  }
  printf("}\n");
  return result;
}
