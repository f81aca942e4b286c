/* test_lint.c: what a model says in vain. */
#include "base/json.h"
#include "epi/review.h"
#include "support/alloc_fail.h"
#include "support/model_text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static epi_model *model;
static char *text;

static ptrdiff_t lint(const char *document) {
  epi_free(text);
  epi_model_free(model);
  model = model_of(document);
  return epi_model_lint(model, EPI_FORM_TEXT, &text);
}

static void done(void) {
  epi_free(text);
  epi_model_free(model);
}

TestSuite(lint, .fini = done);

static void says(const char *line) {
  cr_expect(strstr(text, line), "\"%s\" is not in\n%s", line, text);
}

/* Findings about two rules, in a small model. */
static ptrdiff_t rules(const char *first, const char *second) {
  char document[1024];

  snprintf(document, sizeof document,
           "{'epi':1,'attributes':['x','y'],'nodes':{"
           "'a':{'domain':'d','addresses':['10.0.0.0/8'],'attributes':['x']},"
           "'b':{'domain':'d','addresses':['h'],'attributes':['y']},"
           "'c':{'addresses':['192.0.2.1'],'attributes':['x','y']}},"
           "'policy':{'rules':[{'id':'1',%s},{'id':'2',%s}]}}",
           first, second);
  return lint(document);
}

#define ALLOW   "'effect':'allow'"
#define DENY    "'effect':'deny'"
#define REQUIRE "'effect':'require','attributes':['x']"

Test(lint, finds_nothing_in_a_model_without_mistakes) {
  cr_expect_eq(rules(ALLOW ",'from':['a']", ALLOW ",'from':['b']"), 0, "%s",
               text);
  cr_expect_str_eq(text, "");
}

Test(lint, finds_rules_behind_others_by_what_clients_authenticate_by) {
  cr_expect_eq(rules(DENY ",'authenticated':['key','none']",
                     DENY ",'authenticated':['none']"),
               1);
  cr_expect_eq(rules(DENY ",'authenticated':['key']",
                     DENY ",'authenticated':['key','none']"),
               0);
  cr_expect_eq(rules(DENY ",'authenticated':['password','certificate','key',"
                          "'address','none']",
                     DENY ",'ports':[1]"),
               1);
}

Test(lint, finds_rules_behind_wider_ones) {
  cr_expect_eq(rules(ALLOW, ALLOW ",'from':['a'],'ports':[1]"), 1);
  cr_expect_str_eq(text, "policy.rules[1]: rule \"2\" never matches: \"1\" "
                         "decides before it about all that it is about\n");
  cr_expect_eq(rules(DENY ",'ports':[1,2]", REQUIRE ",'ports':[2]"), 1);
  cr_expect_eq(rules(DENY ",'from':['domain:d']", ALLOW ",'from':['b','a']"),
               1);
  cr_expect_eq(rules(DENY ",'from':['a','b']", ALLOW ",'from':['domain:d']"),
               1);
  cr_expect_eq(rules(DENY ",'to':['has:x']", ALLOW ",'to':['area:c','a']"), 1);
  cr_expect_eq(
      rules(DENY ",'to':['10.0.0.0/8']", ALLOW ",'to':['10.1.0.0/16']"), 1);
  cr_expect_eq(rules(DENY ",'time':{'from':'08:00'}",
                     DENY ",'time':{'from':'08:00','days':['mon']}"),
               1);
  cr_expect_eq(rules(DENY ",'purpose':['p','q']", DENY ",'purpose':['q']"), 1);
}

/* A rule behind others, the last of which ends in it. */
static ptrdiff_t behind(const char *before, const char *last) {
  char document[1024];

  snprintf(document, sizeof document,
           "{'epi':1,'attributes':['x'],'nodes':{'a':{'domain':'d','addresses':"
           "['10.0.0.0/8']},'b':{'domain':'d','addresses':['h']},'c':{"
           "'addresses':['192.0.2.1'],'attributes':['x']}},'policy':{'rules':["
           "%s,{'id':'last',%s}]}}",
           before, last);
  return lint(document);
}

Test(lint, finds_rules_behind_several_others) {
  cr_expect_eq(behind("{'id':'1'," DENY ",'ports':[1]},{'id':'2'," ALLOW
                      ",'ports':[3,2]}",
                      ALLOW ",'ports':[1,2]"),
               1);
  cr_expect_str_eq(text, "policy.rules[2]: rule \"last\" never matches: \"1\", "
                         "\"2\" together decide before it about all that it is "
                         "about\n");
  cr_expect_eq(behind("{'id':'1'," DENY ",'from':['a']},{'id':'2'," DENY
                      ",'from':['c']},{'id':'3'," DENY ",'from':['b']}",
                      DENY ",'from':['domain:d'],'user':['u']"),
               1);
  says("never matches: \"1\", \"3\" together");
  cr_expect_eq(behind("{'id':'1'," DENY ",'to':['a','unknown']},{'id':'2'," DENY
                      ",'to':['has:x']},{'id':'3'," DENY ",'to':['b']}",
                      DENY),
               1);
  cr_expect_eq(behind("{'id':'1'," ALLOW ",'to':['a','b']},{'id':'2'," DENY
                      ",'to':['192.0.2.0/24']},{'id':'3'," ALLOW ",'to':['c']}",
                      ALLOW ",'to':['domain:d','192.0.2.0/25']"),
               1);
  cr_expect_eq(behind("{'id':'1'," DENY ",'purpose':['p']},{'id':'2'," DENY
                      ",'purpose':['q']},{'id':'3'," DENY
                      ",'purpose':['r']},{'id':'4'," DENY ",'purpose':['s']}",
                      DENY ",'purpose':['p','q','r','s']"),
               1);
  says("never matches: \"1\", \"2\", \"3\" and others together");
}

Test(lint, leaves_rules_that_others_cover_in_part) {
  cr_expect_eq(behind("{'id':'1'," DENY ",'ports':[1]},{'id':'2'," DENY
                      ",'ports':[3]}",
                      ALLOW ",'ports':[1,2]"),
               0);
  cr_expect_eq(behind("{'id':'1'," DENY ",'ports':[1]},{'id':'2'," REQUIRE
                      ",'ports':[2]}",
                      ALLOW ",'ports':[1,2]"),
               0);
  cr_expect_eq(behind("{'id':'1'," DENY ",'ports':[1]},{'id':'2'," DENY
                      ",'ports':[2],'user':['u']}",
                      ALLOW ",'ports':[1,2]"),
               0);
  cr_expect_eq(behind("{'id':'1'," DENY ",'from':['a']},{'id':'2'," DENY
                      ",'from':['has:x','b']}",
                      DENY),
               0); /* what is unknown */
  cr_expect_eq(behind("{'id':'1'," DENY ",'ports':[1]},{'id':'2'," DENY
                      ",'ports':[2]}",
                      ALLOW),
               0);
  cr_expect_eq(behind("{'id':'1'," ALLOW
                      ",'to':['10.0.0.0/8']},{'id':'2'," ALLOW ",'to':['b']}",
                      DENY ",'to':['domain:d']"),
               0);
}

Test(lint, leaves_rules_that_may_match) {
  cr_expect_eq(rules(REQUIRE, ALLOW), 0);
  cr_expect_eq(rules(DENY ",'ports':[1]", ALLOW), 0);
  cr_expect_eq(rules(DENY ",'ports':[1]", ALLOW ",'ports':[1,2]"), 0);
  cr_expect_eq(rules(DENY ",'purpose':['p']", ALLOW ",'user':['p']"), 0);
  cr_expect_eq(rules(DENY ",'from':['a']", ALLOW ",'from':['domain:d']"), 0);
  cr_expect_eq(rules(DENY ",'time':{'from':'08:00'}", ALLOW), 0);
  /* What is unknown, and a node of which some addresses are in a range. */
  cr_expect_eq(rules(ALLOW, DENY), 0);
  cr_expect_eq(rules(ALLOW, ALLOW ",'to':['unknown']"), 0);
  cr_expect_eq(rules(ALLOW, ALLOW ",'to':['192.0.2.0/24']"), 0);
  cr_expect_eq(rules(ALLOW ",'to':['10.0.0.0/8']", DENY ",'to':['10.0.0.0/8']"),
               0);
}

Test(lint, finds_rules_that_match_nobody_or_cannot_be_met) {
  cr_expect_eq(
      lint("{'epi':1,'attributes':['x','y'],'nodes':{'a':{'attributes':['y']}},"
           "'applications':{'p':{'nodes':['a']}},'policy':{'rules':["
           "{'id':'1','effect':'deny','from':['has:x']},"
           "{'id':'2','effect':'require','attributes':['x','y']},"
           "{'id':'3','effect':'allow','application':['p']}]}}"),
      3, "%s", text);
  says("policy.rules[0]: rule \"1\" never matches: no node has what `from` "
       "asks for\n");
  says("policy.rules[1]: rule \"2\" requires \"x\", which no node has and no "
       "function may apply: every flow that it matches is refused\n");
  says("policy.rules[2]: rule \"3\" allows an application between all nodes");
}

Test(lint, finds_what_nobody_needs_or_uses) {
  cr_expect_eq(
      lint("{'epi':1,'attributes':['x','y','z'],'bridgeable':['x'],'nodes':{"
           "'a':{'domain':'d','addresses':['10.0.0.1'],'attributes':['x']},"
           "'b':{'attributes':['x']}},"
           "'proxies':{'p':{'domain':'d'},'q':{'domain':'d'}},"
           "'functions':{'f':{'filter':'f','provides':['x'],'pair':'u'},"
           "'g':{'filter':'g','provides':['y']},'h':{'filter':'h'},"
           "'u':{'filter':'u'}},"
           "'applications':{'s':{'nodes':['a']}},"
           "'policy':{'rules':[{'id':'r','effect':'require','attributes':["
           "'y'],'from':['a']}]}}"),
      8, "%s", text);
  says("attributes.z: no node has it, and no rule requires it\n");
  says("nodes.b: it is in no application\n");
  says("nodes.b: it has no address and no host name");
  says("proxies.q: no plan uses it: another proxy of its domain comes first\n");
  says("functions.f: no node ever lacks what it provides\n");
  says("functions.g: nothing that it provides is bridgeable\n");
  says("functions.h: it provides nothing and undoes nothing\n");
  says("policy.rules[0]: rule \"r\" requires \"y\"");
}

Test(lint, knows_that_the_unknown_has_nothing) {
  static const char form[] =
      "{'epi':1,'nodes':{'a':{'attributes':['x']}},'functions':{'f':{"
      "'filter':'f','provides':['x']}},'policy':{'rules':[{'id':'r',"
      "'effect':'allow','from':['a'],'to':['%s']}]}}";
  char document[512];

  snprintf(document, sizeof document, form, "a");
  cr_expect_eq(lint(document), 1);
  snprintf(document, sizeof document, form, "unknown");
  cr_expect_eq(lint(document), 0);
}

Test(lint, can_be_json) {
  epi__json *root;
  char *json;

  lint("{'epi':1,'attributes':['\\\\x'],'nodes':{}}");
  cr_assert_eq(epi_model_lint(model, EPI_FORM_JSON, &json), 1);
  cr_expect_eq(epi__json_read(&root, json, strlen(json)), 0, "%s", json);
  cr_expect_str_eq(json, "[{\"kind\":\"unused-attribute\",\"path\":"
                         "\"attributes.\\\\x\",\"finding\":\"no node has it, "
                         "and no rule requires it\"}]");
  epi__json_free(root);
  epi_free(json);
  cr_expect_eq(epi_model_lint(model, 0, &json), EPI_EINVAL);
}

Test(lint, survives_a_lack_of_memory) {
  ptrdiff_t found = rules(ALLOW, ALLOW ",'from':['a']");

  for (int form = EPI_FORM_TEXT; form <= EPI_FORM_JSON; form++) {
    for (alloc_fail_start(); alloc_fail_more();) {
      char *again = NULL;
      ptrdiff_t result = epi_model_lint(model, form, &again);

      cr_expect_eq(result, alloc_fail_happened() ? EPI_ENOMEM : found);
      epi_free(again);
    }
  }
}

Test(lint, warns_of_functions_that_fail_open) {
  cr_expect_eq(
      lint("{'epi':1,'nodes':{'a':{'addresses':['10.0.0.1'],'attributes':['x']"
           "},'b':{'addresses':['10.0.0.2']}},'functions':{'f':{'filter':'f',"
           "'provides':['x'],'fail':'open'}}}"),
      1, "%s", text);
  says("functions.f: it may fail open: flows then go on without what it "
       "provides\n");
}

/* A function f at an endpoint, in a model of two domains. */
static ptrdiff_t at_endpoint(const char *function, const char *proxies) {
  char document[1024];

  snprintf(document, sizeof document,
           "{'epi':1,'nodes':{'a':{'domain':'d','addresses':['10.0.0.1'],"
           "'attributes':['x']},'b':{'domain':'e','addresses':['10.0.0.2']}},"
           "'proxies':{%s},'functions':{'f':{'provides':['x'],%s}}}",
           proxies, function);
  return lint(document);
}

Test(lint, warns_of_functions_that_prove_nothing) {
  const char *two = "'p':{'domain':'d'},'q':{'domain':'e'}";

  cr_expect_eq(at_endpoint("'endpoints':['socks6://h:1']", two), 0, "%s", text);
  cr_expect_eq(at_endpoint("'endpoints':['socks6://h:1'],'proof':'none'", two),
               1, "%s", text);
  says("functions.f: it proves nothing: who takes a request");
  cr_expect_eq(at_endpoint("'endpoints':['socks6://h:1','socks5://h:2']", two),
               1, "%s", text);
  says("functions.f: it cannot prove by SOCKS 5");
  cr_expect_eq(
      at_endpoint("'endpoints':['socks5://h:1']", "'p':{'domain':'d'}"), 0,
      "%s", text);
}
