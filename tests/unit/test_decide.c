/* test_decide.c: what may happen to a flow, and why. */
#include "epi/area.h"
#include "epi/plan.h"
#include "support/model_text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static epi_model *model;
static epi_decision *decision;

static void make(const char *text) {
  model = model_of(text);
  cr_assert_eq(epi_decision_new(&decision), 0);
}

static void hospitals(void) {
  size_t len;
  char *text = file_text("examples/hospitals.json", &len);

  make(text);
  free(text);
}

static void done(void) {
  epi_model_free(model);
  epi_decision_free(decision);
}

static const char *verdict(const char *flow) {
  cr_assert_eq(ask(model, decision, flow, 0), 0, "%s", epi_error_detail());
  return epi_verdict_name(epi_decision_verdict(decision));
}

Test(decide, the_example_is_bridged_as_the_design_says, .fini = done) {
  hospitals();
  cr_expect_str_eq(verdict("umc antonius 443"), "bridged");
  cr_expect_eq(epi_decision_allowed(decision), 1);
  cr_expect_str_eq(epi_decision_application(decision), "train");
  cr_expect_str_eq(epi_decision_rule(decision), "train");
  cr_expect_eq(epi_decision_require_count(decision), 1);
  cr_expect_str_eq(epi_decision_require(decision, 0), "inspect-in");
  cr_expect_str_eq(set_text(decision, EPI_NEED),
                   "encryption firewall inspection");
  cr_expect_str_eq(set_text(decision, EPI_HAVE), "firewall");
  cr_expect_str_eq(set_text(decision, EPI_MISSING), "encryption inspection");
  cr_expect_str_eq(chain_text(decision), "px-umc: scan seal | px-ant: open");
  cr_expect_float_eq(epi_plan_cost_ms(epi_decision_plan(decision)), 3.8, 1e-9);
  cr_expect_eq(epi_plan_optimal(epi_decision_plan(decision)), 1);
  cr_expect_eq(epi_decision_model(decision), model);
}

Test(decide, what_is_in_no_application_falls_to_the_default, .fini = done) {
  hospitals();
  cr_expect_str_eq(verdict("antonius umc 443"), "denied");
  cr_expect_str_eq(epi_decision_rule(decision), "default");
  cr_expect_str_eq(epi_decision_application(decision), "");
  cr_expect_str_eq(chain_text(decision), "");
  cr_expect_str_eq(verdict("umc antonius 80"), "denied");
  cr_expect_str_eq(set_text(decision, EPI_MISSING), "encryption inspection");
}

Test(decide, a_purpose_that_is_denied_is_denied, .fini = done) {
  hospitals();
  cr_assert_eq(ask(model, decision, "umc antonius 443", EPI_QUERY_PURPOSE,
                   "commercial", 0),
               0);
  cr_expect_eq(epi_decision_verdict(decision), EPI_DENIED);
  cr_expect_str_eq(epi_decision_reason(decision),
                   "patients consented to research only");
  cr_expect_eq(epi_decision_require_count(decision), 0);
}

Test(decide, addresses_and_names_lead_to_their_nodes, .fini = done) {
  hospitals();
  cr_expect_str_eq(verdict("(10.1.2.3) (x.EHR.antonius.example) 443"),
                   "bridged");
  cr_expect_str_eq(epi_decision_from(decision), "umc");
  cr_expect_str_eq(epi_decision_to(decision), "antonius");
  cr_expect_str_eq(verdict("(10.1.2.3) (192.0.2.1) 443"), "denied");
  cr_expect_str_eq(epi_decision_to(decision), "unknown");
}

Test(decide, a_node_or_application_that_is_not_there_is_an_error,
     .fini = done) {
  hospitals();
  cr_expect_eq(ask(model, decision, "umc antonus 443", 0), EPI_ENOENT);
  cr_expect(strstr(epi_error_detail(), "did you mean \"antonius\""));
  cr_expect_eq(epi_decision_verdict(decision), EPI_DENIED);
  cr_expect_eq(
      ask(model, decision, "umc antonius 443", EPI_QUERY_APPLICATION, "x", 0),
      EPI_ENOENT);
  cr_expect_eq(epi_decision_allowed(decision), 0);
}

Test(decide, a_query_without_ends_is_refused) {
  epi_query *query;

  hospitals();
  cr_assert_eq(epi_query_new(&query), 0);
  cr_expect_eq(epi_model_decide(model, query, decision), EPI_EINVAL);
  cr_expect_eq(epi_query_set_from_node(query, "umc"), 0);
  cr_expect_eq(epi_model_decide(model, query, decision), EPI_EINVAL);
  cr_expect_eq(epi_query_set_to_node(query, "umc", 70000), EPI_EINVAL);
  cr_expect_eq(epi_query_set(query, 9, "x"), EPI_EINVAL);
  epi_query_free(query);
  done();
}

Test(decide, requires_add_up_until_a_rule_decides, .fini = done) {
  make("{'epi':1,'nodes':{'a':{},'b':{}},'functions':{"
       "'f':{'provides':['x','y','z'],'filter':'count'}},'policy':{'rules':["
       "{'id':'1','effect':'require','attributes':['x']},"
       "{'id':'2','effect':'require','to':['a'],'attributes':['y']},"
       "{'id':'3','effect':'allow','to':['b']},"
       "{'id':'4','effect':'require','attributes':['z']}]}}");
  cr_expect_str_eq(verdict("a b -1"), "bridged");
  cr_expect_str_eq(set_text(decision, EPI_NEED), "x");
  cr_expect_str_eq(verdict("b a -1"), "denied");
  cr_expect_str_eq(set_text(decision, EPI_NEED), "x y z");
  cr_expect_eq(epi_decision_require_count(decision), 3);
}

Test(decide, a_node_to_itself_needs_what_rules_require, .fini = done) {
  make("{'epi':1,'nodes':{'a':{'attributes':['x']}},'functions':{"
       "'f':{'provides':['y'],'filter':'count'}},'policy':{'default':'allow',"
       "'rules':[{'id':'r','effect':'require','ports':[9],"
       "'attributes':['y']}]}}");
  cr_expect_str_eq(verdict("a a 1"), "direct");
  cr_expect_str_eq(verdict("a a 9"), "bridged");
  cr_expect_str_eq(set_text(decision, EPI_MISSING), "y");
}

Test(decide, the_default_never_admits_what_is_unknown, .fini = done) {
  make("{'epi':1,'nodes':{'a':{'addresses':['10.0.0.0/8']}},"
       "'policy':{'default':'allow'}}");
  cr_expect_str_eq(verdict("a a -1"), "direct");
  cr_expect_str_eq(verdict("a (192.0.2.1) 1"), "denied");
  cr_expect_str_eq(verdict("(192.0.2.1) a 1"), "denied");
}

Test(decide, only_a_rule_that_says_so_admits_what_is_unknown, .fini = done) {
  make("{'epi':1,'nodes':{'a':{}},'policy':{'rules':["
       "{'id':'cidr','effect':'allow','from':['a'],'to':['192.0.2.0/24']},"
       "{'id':'unknown','effect':'allow','from':['unknown'],'to':['a']},"
       "{'id':'all','effect':'allow'}]}}");
  cr_expect_str_eq(verdict("a (192.0.2.1) 1"), "direct");
  cr_expect_str_eq(epi_decision_rule(decision), "cidr");
  cr_expect_str_eq(verdict("(h.example) a 1"), "direct");
  cr_expect_str_eq(epi_decision_rule(decision), "unknown");
  cr_expect_str_eq(verdict("a (192.0.3.1) 1"), "denied");
  cr_expect_str_eq(verdict("a (h.example) 1"), "denied");
}

Test(decide, unknown_has_no_attributes, .fini = done) {
  make("{'epi':1,'nodes':{'a':{'attributes':['x']}},'policy':{'rules':["
       "{'id':'r','effect':'allow','to':['unknown']}]}}");
  cr_expect_str_eq(verdict("a (192.0.2.1) 1"), "unbridgeable");
  cr_expect_str_eq(epi_decision_reason(decision), "nothing may bridge x");
}

Test(decide, the_first_allowed_application_with_the_flow_counts, .fini = done) {
  make("{'epi':1,'nodes':{'a':{},'b':{},'c':{}},'applications':{"
       "'one':{'nodes':['a','b'],'purpose':'p'},"
       "'two':{'nodes':['b','a','c']},"
       "'three':{'flows':[{'from':'a','to':'b','ports':[5]}],'purpose':'q'}},"
       "'policy':{'default':'deny','rules':["
       "{'id':'no','effect':'deny','purpose':['p']},"
       "{'id':'yes','effect':'allow','application':['three','two']}]}}");
  cr_expect_str_eq(verdict("a b 5"), "direct");
  cr_expect_str_eq(epi_decision_application(decision), "two");
  cr_assert_eq(ask(model, decision, "a b 5", EPI_QUERY_APPLICATION, "three", 0),
               0);
  cr_expect_str_eq(epi_decision_application(decision), "three");
  cr_expect_str_eq(verdict("a a 5"), "denied");
  cr_expect_str_eq(epi_decision_application(decision), "");
  cr_assert_eq(ask(model, decision, "a b 5", EPI_QUERY_PURPOSE, "p", 0), 0);
  cr_expect_str_eq(epi_decision_rule(decision), "no");
  cr_expect_str_eq(epi_decision_application(decision), "one");
}

Test(decide, a_decision_is_the_same_json_everywhere, .fini = done) {
  static const char start[] =
      "{\"from\":\"umc\",\"to\":\"antonius\",\"port\":443,\"application\":"
      "\"train\",\"verdict\":\"bridged\",\"rule\":\"train\",\"requires\":["
      "\"inspect-in\"],\"reason\":\"rule \\\"train\\\" allows it\",\"need\":["
      "\"encryption\",\"firewall\",\"inspection\"],\"have\":[\"firewall\"],"
      "\"missing\":[\"encryption\",\"inspection\"],\"chain\":[{\"proxy\":"
      "\"px-umc\",\"functions\":[\"scan\",\"seal\"]},{\"proxy\":\"px-ant\","
      "\"functions\":[\"open\"]}],\"cost\":3.8,\"optimal\":true,\"model\":\"";
  char *text;

  hospitals();
  verdict("umc antonius 443");
  cr_assert_eq(epi_decision_write(decision, &text), 0);
  cr_expect_eq(strncmp(text, start, sizeof start - 1), 0, "%s", text);
  epi_free(text);
}

Test(decide, a_new_decision_denies) {
  epi_decision *empty;
  char *text;

  cr_assert_eq(epi_decision_new(&empty), 0);
  cr_expect_eq(epi_decision_verdict(empty), EPI_DENIED);
  cr_expect_str_eq(epi_decision_from(empty), "unknown");
  cr_expect_eq(epi_decision_attribute_count(empty, EPI_NEED), 0);
  cr_expect_null(epi_decision_attribute(empty, EPI_NEED, 0));
  cr_expect_null(epi_decision_model(empty));
  cr_expect_eq(epi_plan_hop_count(epi_decision_plan(empty)), 0);
  cr_assert_eq(epi_decision_write(empty, &text), 0);
  epi_free(text);
  epi_decision_free(empty);
}

/* ---- private destinations ---- */

static void make_private(const char *more) {
  char text[2048];

  snprintf(
      text, sizeof text,
      "{'epi':1,%s'nodes':{'a':{'domain':'d','addresses':['192.0.2.0/24']},"
      "'b':{'addresses':['10.2.0.0/16','b.example']}},"
      "'proxies':{'p':{'domain':'d','endpoint':'socks6://10.7.0.1:1080'}},"
      "'functions':{'f':{'endpoints':['socks6://f.example:1',"
      "'socks5://127.0.0.1:9']}},"
      "'policy':{'rules':["
      "{'id':'no','effect':'deny','to':['unknown'],'ports':[25]},"
      "{'id':'out','effect':'allow','from':['a'],'to':['unknown']},"
      "{'id':'lan','effect':'allow','from':['a'],"
      "'to':['b','10.9.0.0/16']}]}}",
      more);
  make(text);
}

static const char *rule_of(const char *flow) {
  verdict(flow);
  return epi_decision_rule(decision);
}

Test(decide, unknown_is_no_private_address, .fini = done) {
  make_private("");
  cr_expect_str_eq(rule_of("a (198.51.100.1) 80"), "out");
  cr_expect_str_eq(rule_of("a (www.example) 80"), "out");
  cr_expect_str_eq(rule_of("a (10.1.0.1) 80"), "default");
  cr_expect_str_eq(epi_decision_reason(decision),
                   "a private address that no node has");
  cr_expect_str_eq(rule_of("a (127.0.0.1) 80"), "default");
  cr_expect_str_eq(rule_of("a (169.254.169.254) 80"), "default");
  cr_expect_str_eq(rule_of("a (64:ff9b::a00:1) 80"), "default");
}

Test(decide, a_private_address_is_admitted_where_it_is_named, .fini = done) {
  make_private("");
  cr_expect_str_eq(rule_of("a (10.2.0.1) 80"), "lan");
  cr_expect_str_eq(rule_of("a (10.9.1.1) 80"), "lan");
  cr_expect_str_eq(rule_of("a (10.7.0.1) 1080"), "out");
  cr_expect_str_eq(rule_of("a (10.7.0.1) 1081"), "default");
  cr_expect_str_eq(rule_of("a (127.0.0.1) 9"), "out");
}

Test(decide, a_deny_takes_unknown_to_be_private_too, .fini = done) {
  make_private("");
  cr_expect_str_eq(rule_of("a (10.1.0.1) 25"), "no");
}

Test(decide, says_what_is_private_only_where_that_is_the_reason, .fini = done) {
  make_private("");
  cr_expect_str_eq(rule_of("b (10.1.0.1) 80"), "default");
  cr_expect_str_eq(epi_decision_reason(decision),
                   "no rule allows an end that is no node of the model");
}

Test(decide, a_model_may_take_any_address_for_unknown, .fini = done) {
  make_private("'private':'any',");
  cr_expect_str_eq(rule_of("a (10.1.0.1) 80"), "out");
  cr_expect_str_eq(rule_of("a (127.0.0.1) 80"), "out");
}
