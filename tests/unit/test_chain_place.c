/* test_chain_place.c: the order of a chain, and where it runs. */
#include "epi/area.h"
#include "support/model_text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* The chain from a, which has x, y and z, to b, which has nothing; or why there
 * is none. */
static const char *chain(const char *functions, const char *proxies) {
  static char out[1024];
  char text[2048];
  epi_decision *decision;
  epi_model *model;

  snprintf(text, sizeof text,
           "{'epi':1,'nodes':{'a':{'domain':'da','attributes':['x','y','z']},"
           "'b':{'domain':'db'}},'proxies':{%s},'functions':{%s},"
           "'policy':{'default':'allow'}}",
           proxies, functions);
  model = model_of(text);
  cr_assert_eq(epi_decision_new(&decision), 0);
  cr_assert_eq(ask(model, decision, "a b 1", 0), 0);
  snprintf(out, sizeof out, "%s",
           epi_decision_allowed(decision) ? chain_text(decision)
                                          : epi_decision_reason(decision));
  cr_expect(epi_decision_allowed(decision) ||
            epi_decision_verdict(decision) == EPI_UNPLACEABLE);
  epi_decision_free(decision);
  epi_model_free(model);
  return out;
}

#define BOTH    "'pa':{'domain':'da'},'pb':{'domain':'db'}"
#define F(body) "'filter':'f','provides':" body
#define E(body) "'endpoints':['socks5://h:1'],'provides':" body

Test(chain_place, ties_are_in_document_order) {
  static const char functions[] =
      "'u':{" F("['y']") "},'v':{" F("['x']") "},'w':{" F("['z']") "}";

  cr_expect_str_eq(chain(functions, BOTH), "pa: u v w | pb:");
  cr_expect_str_eq(chain(functions, ""), ": u v w");
}

Test(chain_place, before_and_after_are_kept) {
  cr_expect_str_eq(chain("'u':{" F("['y']") ",'after':['w']},'v':{" F(
                             "['x']") "},'w':{" F("['z']") ",'after':['v']}",
                         BOTH),
                   "pa: v w u | pb:");
}

Test(chain_place, pairs_nest) {
  static const char functions[] = "'s1':{" F("['x']") ",'pair':'o1'},'s2':{" F(
      "['y','z']") ",'pair':'o2'},'o1':{'filter':'o'},'o2':{'filter':'o'}";
  static const char turned[] = "'s1':{" F("['x']") ",'pair':'o1'},'s2':{" F(
      "['y','z']") ",'pair':'o2'},'o1':{'filter':'o','before':['o2']},"
                   "'o2':{'filter':'o'}";

  cr_expect_str_eq(chain(functions, BOTH), "pa: s1 s2 | pb: o2 o1");
  cr_expect_str_eq(chain(functions, ""), ": s1 s2 o2 o1");
  cr_expect_str_eq(chain(turned, BOTH), "pa: s2 s1 | pb: o1 o2");
}

Test(chain_place, what_comes_after_the_opening_runs_at_the_destination) {
  cr_expect_str_eq(
      chain("'s':{" F("['x']") ",'pair':'o'},'o':{'filter':'o'},"
                               "'i':{" F("['y','z']") ",'after':['o']}",
            BOTH),
      "pa: s | pb: o i");
}

Test(chain_place, filters_come_before_endpoints) {
  cr_expect_str_eq(chain("'e':{" E("['x']") "},'f':{" F("['y','z']") "}", BOTH),
                   "pa: f e | pb:");
  cr_expect_str_eq(
      chain("'e':{" E("['x']") ",'before':['f']},'f':{" F("['y','z']") "}",
            BOTH),
      "\"e\" must come before \"f\", but it runs at an endpoint, "
      "and \"f\" in the proxy that the flow has left by then");
}

Test(chain_place, a_circle_is_no_order) {
  cr_expect_str_eq(chain("'u':{" F("['x']") ",'before':['v']},'v':{" F(
                             "['y','z']") ",'before':['u']}",
                         BOTH),
                   "\"u\" and \"v\" would each have to come before the other");
}

Test(chain_place, a_proxy_is_needed_where_functions_run) {
  static const char one[] = "'f':{" F("['x','y','z']") "}";
  static const char pair[] =
      "'s':{" F("['x','y','z']") ",'pair':'o'},'o':{'filter':'o'}";

  cr_expect_str_eq(chain(one, "'pb':{'domain':'db'}"),
                   "domain \"da\" has no proxy to run functions");
  cr_expect_str_eq(chain(one, "'pa':{'domain':'da'}"), "pa: f");
  cr_expect_str_eq(chain(pair, "'pa':{'domain':'da'}"),
                   "domain \"db\" has no proxy to run o, which undoes \"s\"");
}

Test(chain_place, a_dearer_chain_that_fits_is_taken) {
  cr_expect_str_eq(
      chain("'e':{" E("['x']") ",'before':['f']},'f':{" F(
                "['y','z']") "},'g':{" F("['x']") ",'cost':{'setup_ms':9}}",
            BOTH),
      "pa: f g | pb:");
}

Test(chain_place, one_domain_is_one_hop) {
  epi_model *model = model_of(
      "{'epi':1,'nodes':{'a':{'domain':'d','attributes':['x']},"
      "'b':{'domain':'d'}},'proxies':{'p':{'domain':'d'}},'functions':{"
      "'s':{'provides':['x'],'filter':'s','pair':'o'},'o':{'filter':'o'}},"
      "'policy':{'default':'allow'}}");
  epi_decision *decision;

  cr_assert_eq(epi_decision_new(&decision), 0);
  cr_assert_eq(ask(model, decision, "a b 1", 0), 0);
  cr_expect_str_eq(chain_text(decision), "p: s o");
  cr_assert_eq(ask(model, decision, "b a 1", 0), 0);
  cr_expect_str_eq(chain_text(decision), "p:");
  epi_decision_free(decision);
  epi_model_free(model);
}
