/* test_proxy_routes.c: the ways between proxies. */
#include "epi/area.h"
#include "epi/error.h"
#include "epi/plan.h"
#include "support/alloc_fail.h"
#include "support/model_text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The chain from a in domain da to e in domain de, or why there is none; the
 * proxies are A to E, their members as given, each in its domain. */
static const char *way(const char *a, const char *b, const char *c,
                       const char *d, const char *functions) {
  static char out[1024];
  const char *members[] = {a, b, c, d, ""};
  char text[4096];
  size_t used;
  epi_decision *decision;
  epi_model *model;

  used = (size_t)snprintf(
      text, sizeof text,
      "{'epi':1,'nodes':{'a':{'domain':'d0','attributes':['x']},"
      "'b':{'domain':'d1'},'c':{'domain':'d2'},'d':{'domain':'d3'},"
      "'e':{'domain':'d4'}},'functions':{%s},'policy':{'default':'allow'},"
      "'proxies':{",
      functions);
  for (int i = 0; i < 5; i++) {
    used += (size_t)snprintf(text + used, sizeof text - used,
                             "%s'%c':{'domain':'d%d','endpoint':"
                             "'socks6://h:%d'%s%s}",
                             i ? "," : "", "ABCDE"[i], i, i + 1,
                             *members[i] ? "," : "", members[i]);
  }
  snprintf(text + used, sizeof text - used, "}}");
  model = model_of(text);
  cr_assert_eq(epi_decision_new(&decision), 0);
  cr_assert_eq(ask(model, decision, "a e 1", 0), 0);
  snprintf(out, sizeof out, "%s",
           epi_decision_allowed(decision) ? chain_text(decision)
                                          : epi_decision_reason(decision));
  epi_decision_free(decision);
  epi_model_free(model);
  return out;
}

#define PAIR "'s':{'filter':'s','provides':['x'],'pair':'o'},'o':{'filter':'o'}"

Test(proxy_routes, without_reach_all_connect_to_all) {
  cr_expect_str_eq(way("", "", "", "", PAIR), "A: s | E: o");
  cr_expect_str_eq(way("'rtt_ms':{'E':900,'B':1}", "", "", "", PAIR),
                   "A: s | E: o");
}

Test(proxy_routes, a_direct_link_is_taken_whatever_it_takes) {
  cr_expect_str_eq(
      way("'reach':['B','E'],'rtt_ms':{'E':900,'B':1}", "", "", "", PAIR),
      "A: s | E: o");
}

Test(proxy_routes, others_forward_where_there_is_no_link) {
  cr_expect_str_eq(way("'reach':['B']", "", "", "", PAIR), "A: s | B: | E: o");
  cr_expect_str_eq(
      way("'reach':['B']", "'reach':['C']", "'reach':['D']", "", PAIR),
      "A: s | B: | C: | D: | E: o");
}

Test(proxy_routes, the_shortest_round_trips_win) {
  /* By B 50 ms, by C and D 3 ms. */
  cr_expect_str_eq(way("'reach':['B','C'],'rtt_ms':{'B':40,'C':1}",
                       "'rtt_ms':{'E':10}", "'reach':['D'],'rtt_ms':{'D':1}",
                       "'rtt_ms':{'E':1}", PAIR),
                   "A: s | C: | D: | E: o");
  /* What one end measured is true for the other. */
  cr_expect_str_eq(way("'reach':['B','C']", "'rtt_ms':{'A':9}", "", "", PAIR),
                   "A: s | C: | E: o");
}

Test(proxy_routes, fewer_hops_then_document_order_break_ties) {
  cr_expect_str_eq(way("'reach':['C','B']", "", "", "", PAIR),
                   "A: s | B: | E: o");
  cr_expect_str_eq(way("'reach':['B','D']", "'reach':['C']", "", "", PAIR),
                   "A: s | D: | E: o");
}

Test(proxy_routes, no_way_is_unplaceable) {
  static const char cut[] =
      "\"A\" cannot reach \"E\", not even through other proxies";

  cr_expect_str_eq(way("'reach':[]", "", "", "", PAIR), cut);
  cr_expect_str_eq(
      way("'reach':['B']", "'reach':['A','C']", "'reach':[]", "", PAIR), cut);
}

Test(proxy_routes, nothing_missing_still_needs_a_way) {
  epi_model *model =
      model_of("{'epi':1,'nodes':{'a':{'domain':'d0'},'b':{'domain':'d1'},"
               "'c':{'domain':'d2'}},'proxies':{'A':{'domain':'d0','reach':[]},"
               "'B':{'domain':'d1'}},'policy':{'default':'allow'}}");
  epi_decision *decision;

  cr_assert_eq(epi_decision_new(&decision), 0);
  cr_assert_eq(ask(model, decision, "a b 1", 0), 0);
  cr_expect_eq(epi_decision_verdict(decision), EPI_UNPLACEABLE);
  cr_assert_eq(ask(model, decision, "b a 1", 0), 0);
  cr_expect_str_eq(chain_text(decision), "B: | A:");
  cr_assert_eq(ask(model, decision, "a c 1", 0), 0);
  cr_expect_str_eq(chain_text(decision), "A:");
  epi_decision_free(decision);
  epi_model_free(model);
}

/* A line of proxies, each of which reaches the next only. */
static size_t hops_of_line(int count) {
  static char text[65536];
  size_t used = (size_t)snprintf(text, sizeof text, "{'epi':1,'nodes':{");
  epi_decision *decision;
  epi_model *model;
  char flow[32];
  size_t hops;

  for (int i = 0; i < count; i++) {
    used += (size_t)snprintf(text + used, sizeof text - used,
                             "%s'n%d':{'domain':'d%d'}", i ? "," : "", i, i);
  }
  used += (size_t)snprintf(text + used, sizeof text - used, "},'proxies':{");
  for (int i = 0; i < count; i++) {
    used += (size_t)snprintf(text + used, sizeof text - used,
                             "%s'p%d':{'domain':'d%d','endpoint':"
                             "'socks6://h:1','reach':['p%d']}",
                             i ? "," : "", i, i, i + 1 < count ? i + 1 : i - 1);
  }
  snprintf(text + used, sizeof text - used, "},'policy':{'default':'allow'}}");
  model = model_of(text);
  cr_assert_eq(epi_decision_new(&decision), 0);
  snprintf(flow, sizeof flow, "n0 n%d 1", count - 1);
  cr_assert_eq(ask(model, decision, flow, 0), 0);
  hops = epi_plan_hop_count(epi_decision_plan(decision));
  epi_decision_free(decision);
  epi_model_free(model);
  return hops;
}

Test(proxy_routes, a_flow_passes_16_proxies_at_most) {
  cr_expect_eq(hops_of_line(16), 16);
  cr_expect_eq(hops_of_line(17), 0);
}

#define SAYS(proxies, line)                                                    \
  do {                                                                         \
    const char *all = problems_of(                                             \
        "{'epi':1,'nodes':{'a':{'domain':'d'}},'proxies':{" proxies "}}");     \
                                                                               \
    cr_expect(strstr(all, line), "%s", all);                                   \
  } while (0)

Test(proxy_routes, links_are_checked) {
  SAYS("'px':{'domain':'d','reach':['py']}",
       "proxies.px.reach[0]: no proxy \"py\", did you mean \"px\"?");
  SAYS("'px':{'domain':'d','reach':['px']}",
       "proxies.px.reach: a proxy does not connect to itself");
  SAYS("'px':{'domain':'d','rtt_ms':{'px':1}}",
       "proxies.px.rtt_ms.px: a proxy does not connect to itself");
  SAYS("'px':{'domain':'d','rtt_ms':{'pq':1}}",
       "proxies.px.rtt_ms.pq: no proxy \"pq\"");
  SAYS("'px':{'domain':'d','rtt_ms':{'py':-1}},'py':{'domain':'d'}",
       "proxies.px.rtt_ms.py: must be a number from 0 to 1e12");
  SAYS("'px':{'domain':'d','rtt_ms':{'py':1,'py':2}},'py':{'domain':'d'}",
       "proxies.px.rtt_ms.py: is there twice");
}

Test(proxy_routes, a_lack_of_memory_is_an_error) {
  static const char text[] =
      "{\"epi\":1,\"nodes\":{\"a\":{\"domain\":\"d\"},\"b\":{\"domain\":\"e\"}}"
      ","
      "\"proxies\":{\"p\":{\"domain\":\"d\",\"reach\":[\"q\"],\"rtt_ms\":{"
      "\"q\":1}},\"q\":{\"domain\":\"e\"}}}";

  for (alloc_fail_start(); alloc_fail_more();) {
    epi_model *model;
    int result = epi_model_read(&model, NULL, text, sizeof text - 1);

    cr_expect_eq(result, alloc_fail_happened() ? EPI_ENOMEM : 0);
    if (!result) {
      epi_model_free(model);
    }
  }
}
