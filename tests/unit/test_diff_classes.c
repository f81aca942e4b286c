/* test_diff_classes.c: large models are compared by kinds of nodes, with the
 * same result as pair by pair. */
#include "area/diff_classes.h"

#include "support/alloc_fail.h"
#include "support/model_text.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum {
  NODES = EPI_DIFF_NODES + 76,
};

/* Nodes n0 ... of 7 domains and 5 sets of attributes; some have an address, and
 * some are part of applications. */
static epi_model *model_of_many(size_t nodes, const char *rules) {
  epi__text out = {0};
  epi_model *model;

  epi__text_puts(&out, "{'epi':1,'attributes':['t0','t1','t2','t3','t4'],"
                       "'bridgeable':['t1'],'nodes':{");
  for (size_t i = 0; i < nodes; i++) {
    epi__text_printf(&out, "%s'n%zu':{'domain':'d%zu','attributes':['t%zu']",
                     i ? "," : "", i, i % 7, i % 5);
    if (i % 3 == 0) {
      epi__text_printf(&out, ",'addresses':['10.%zu.%zu.0/24']", i / 256,
                       i % 256);
    }
    epi__text_puts(&out, "}");
  }
  epi__text_puts(&out,
                 "},'functions':{'f':{'provides':['t1'],'filter':'f'}},"
                 "'applications':{'all':{'purpose':'p','nodes':['n1','n6',"
                 "'n8','n36','n41']},'some':{'flows':[{'from':'n1','to':'n36'},"
                 "{'from':'n36','to':'n71','ports':[7]},{'from':'n2','to':"
                 "'n2'},{'from':'n2','to':'n37'}]}},'policy':{'rules':[");
  epi__text_puts(&out, rules);
  epi__text_puts(&out, "]}}");
  cr_assert_not(out.failed);
  model = model_of(out.block);
  epi__text_clear(&out);
  return model;
}

static const char before[] =
    "{'id':'1','effect':'deny','to':['n5','10.2.0.0/16']},"
    "{'id':'2','effect':'allow','purpose':['p']},"
    "{'id':'3','effect':'require','from':['domain:d2'],'attributes':['t1']},"
    "{'id':'4','effect':'allow','from':['domain:d1','has:t3']}";
static const char after[] =
    "{'id':'1','effect':'deny','to':['n9'],'ports':[7]},"
    "{'id':'2','effect':'allow','application':['some']},"
    "{'id':'3','effect':'allow','from':['domain:d2','area:n1']},"
    "{'id':'4','effect':'allow','to':['10.1.0.0/16']}";

/* The verdict, 0 if the flow is refused. There is one function only, so that a
 * chain changes exactly if the verdict does. */
static int verdict(epi_model *model, epi_query *query, epi_decision *decision,
                   size_t from, size_t to, int port) {
  const char *a = epi_model_node_name(model, from);
  const char *b = epi_model_node_name(model, to);

  cr_assert_eq(epi_query_set_from_node(query, a), 0);
  cr_assert_eq(epi_query_set_to_node(query, b, port), 0);
  cr_assert_eq(epi_model_decide(model, query, decision), 0);
  return epi_decision_allowed(decision) ? epi_decision_verdict(decision) : 0;
}

typedef struct both {
  epi_model *old, *new;
  epi_query *query;
  epi_decision *decision;
} both;

/* EPI__SAME ... */
static int change(both *b, size_t from, size_t to, int port) {
  int was = verdict(b->old, b->query, b->decision, from, to, port);
  int is = verdict(b->new, b->query, b->decision, from, to, port);

  return was == is ? EPI__SAME
         : !was    ? EPI__OPENS
         : !is     ? EPI__CLOSES
                   : EPI__CHANGES;
}

/* What epi_model_diff() says it does, flow by flow. */
static ptrdiff_t count_changes(both *b, size_t nodes) {
  uint8_t *told = calloc(nodes, nodes);
  ptrdiff_t changes = 0;

  cr_assert(told);
  for (size_t i = 0; i < epi_model_application_count(b->new); i++) {
    const char *name = epi_model_application_name(b->new, i);

    cr_assert_eq(epi_query_set(b->query, EPI_QUERY_APPLICATION, name), 0);
    for (size_t k = 0; k < epi_model_application_flow_count(b->new, i); k++) {
      size_t from, to;
      int port, what;

      epi_model_application_flow(b->new, i, k, &from, &to, &port);
      what = change(b, from, to, port);
      changes += what != EPI__SAME;
      told[from * nodes + to] |= (uint8_t)(1 << what);
    }
  }
  cr_assert_eq(epi_query_set(b->query, EPI_QUERY_APPLICATION, NULL), 0);
  for (size_t i = 0; i < nodes * nodes; i++) {
    int what = i / nodes == i % nodes ? EPI__SAME
                                      : change(b, i / nodes, i % nodes, -1);

    changes += what != EPI__SAME && !(told[i] >> what & 1);
  }
  free(told);
  return changes;
}

Test(diff_classes, have_the_changes_of_all_pairs) {
  both b = {.old = model_of_many(NODES, before),
            .new = model_of_many(NODES, after)};
  ptrdiff_t changes;
  char *text;

  cr_assert(!epi_query_new(&b.query) && !epi_decision_new(&b.decision));
  changes = count_changes(&b, NODES);
  cr_assert_gt(changes, 10000);
  cr_expect_eq(epi_model_diff(b.new, b.old, EPI_FORM_TEXT, &text), changes);
  cr_expect(strstr(text, " pairs like it\n"));
  cr_expect(!strstr(text, "not all was compared"));
  epi_free(text);
  cr_expect_eq(epi_model_diff(b.new, b.old, EPI_FORM_JSON, &text), changes);
  cr_expect(strstr(text, "\"complete\":true"));
  epi_free(text);
  epi_query_free(b.query);
  epi_decision_free(b.decision);
  epi_model_free(b.old);
  epi_model_free(b.new);
}

Test(diff_classes, are_the_nodes_of_small_models) {
  epi_model *old = model_of_many(100, before);
  epi_model *new = model_of_many(100, after);
  epi__classes classes = {0};
  epi__names nodes = {0};

  for (size_t i = 0; i < 100; i++) {
    cr_assert_geq(epi__names_add(&nodes, epi_model_node_name(old, i)), 0);
  }
  cr_assert_eq(epi__classes_make(&classes, new, old, &nodes), 0);
  cr_expect_eq(classes.count, 100);
  cr_expect(classes.of[7] == 7 && classes.start[7] == 7 &&
            classes.nodes[7] == 7 && classes.start[100] == 100);
  epi__classes_clear(&classes);
  epi__names_clear(&nodes);
  epi_model_free(old);
  epi_model_free(new);
}

Test(diff_classes, survive_without_memory) {
  epi_model *old = model_of_many(NODES, before);
  epi_model *new = model_of_many(NODES, after);
  epi__names nodes = {0};

  for (size_t i = 0; i < NODES; i++) {
    cr_assert_geq(epi__names_add(&nodes, epi_model_node_name(old, i)), 0);
  }
  for (alloc_fail_start(); alloc_fail_more();) {
    epi__classes classes = {0};
    int result = epi__classes_make(&classes, new, old, &nodes);

    cr_expect_eq(result, alloc_fail_happened() ? EPI_ENOMEM : 0);
    epi__classes_clear(&classes);
  }
  epi__names_clear(&nodes);
  epi_model_free(old);
  epi_model_free(new);
}
