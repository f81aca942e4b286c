/* test_verdict_adapter.c: replies of the policy reasoner, there and back. */
#include "epi/area.h"
#include "support/alloc_fail.h"
#include "support/model_text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static epi_query *query_of(const char *from, const char *to, int port) {
  epi_query *query;

  cr_assert_eq(epi_query_new(&query), 0);
  cr_assert_eq(epi_query_set_from_node(query, from), 0);
  cr_assert_eq(epi_query_set_to_node(query, to, port), 0);
  return query;
}

/* The rule of an exact-size copy of a reply, with ' for "; or the detail. */
static const char *rule_of(const char *reply, const epi_query *query,
                           const char *id) {
  static char said[8192];
  size_t len = strlen(reply);
  char *copy = malloc(len ? len : 1), *rule;

  cr_assert(copy);
  for (size_t i = 0; i < len; i++) {
    copy[i] = reply[i];
    if (reply[i] == '\'') {
      copy[i] = '"';
    }
  }
  if (epi_reasoner_rule(copy, len, query, id, &rule)) {
    snprintf(said, sizeof said, "%s", epi_error_detail());
  } else {
    snprintf(said, sizeof said, "%s", rule);
    epi_free(rule);
  }
  free(copy);
  return said;
}

Test(verdict_adapter, a_deliberation_becomes_a_rule) {
  epi_query *query = query_of("a", "b", 443);

  cr_expect_str_eq(
      rule_of("{'verdict':'allow','verdict_reference':'v-1',"
              "'reasons_for_denial':null,'signature':{}}",
              query, NULL),
      "{\"id\":\"v-1\",\"effect\":\"allow\",\"from\":[\"a\"],\"to\":[\"b\"],"
      "\"ports\":[443]}");
  cr_expect_str_eq(
      rule_of("{'verdict':'deny','verdict_reference':'v-2',"
              "'reasons_for_denial':['no consent','','not\\nnow']}",
              query, "mine"),
      "{\"id\":\"mine\",\"effect\":\"deny\",\"from\":[\"a\"],\"to\":[\"b\"],"
      "\"ports\":[443],\"reason\":\"no consent; not now\"}");
  epi_query_free(query);
}

Test(verdict_adapter, violations_become_a_rule) {
  epi_query *query = query_of("a", "b", -1);

  cr_expect_str_eq(rule_of("{'verdict':'Success'}", query, "r"),
                   "{\"id\":\"r\",\"effect\":\"allow\",\"from\":[\"a\"],"
                   "\"to\":[\"b\"]}");
  cr_expect_str_eq(rule_of("{'verdict':{'Violated':['x','y']}}", query, "r"),
                   "{\"id\":\"r\",\"effect\":\"deny\",\"from\":[\"a\"],"
                   "\"to\":[\"b\"],\"reason\":\"x; y\"}");
  cr_expect_str_eq(rule_of("{'verdict':{'Violated':[]}}", query, "r"),
                   "{\"id\":\"r\",\"effect\":\"deny\",\"from\":[\"a\"],"
                   "\"to\":[\"b\"]}");
  cr_expect_str_eq(rule_of("{'verdict':'Success'}", query, NULL),
                   "id: is needed: the reply has no verdict_reference");
  epi_query_free(query);
}

Test(verdict_adapter, the_rule_is_about_that_flow_only) {
  epi_query *query = query_of("a", "b", 443);
  epi_addr addr;
  char *rule;

  cr_assert_eq(epi_query_set(query, EPI_QUERY_APPLICATION, "train"), 0);
  cr_assert_eq(epi_query_set(query, EPI_QUERY_PURPOSE, "re\"search"), 0);
  cr_assert_eq(epi_query_set(query, EPI_QUERY_CONSENT, "c"), 0);
  cr_assert_eq(epi_query_set(query, EPI_QUERY_AUTHENTICATED, "key"), 0);
  cr_assert_eq(epi_addr_parse(&addr, "[2001:db8::1]:1", 0), 0);
  cr_assert_eq(epi_query_set_from(query, &addr), 0);
  cr_expect_str_eq(
      rule_of("{'verdict':'Success'}", query, "r"),
      "{\"id\":\"r\",\"effect\":\"allow\",\"from\":[\"2001:db8::1\"],"
      "\"to\":[\"b\"],\"application\":[\"train\"],\"purpose\":["
      "\"re\\\"search\"],\"consent\":[\"c\"],\"authenticated\":[\"key\"],"
      "\"ports\":[443]}");
  cr_assert_eq(epi_query_set(query, EPI_QUERY_AUTHENTICATED, "key,address"), 0);
  cr_expect_eq(
      epi_reasoner_rule("{\"verdict\":\"Success\"}", 21, query, "r", &rule),
      EPI_EINVAL, "a rule cannot ask for both");
  epi_query_free(query);
}

Test(verdict_adapter, no_end_of_a_query_makes_a_wider_rule) {
  static const char *const names[] = {
      "has:enc",  "domain:d", "area:a", "unknown", "0.0.0.0/0",
      "10.0.0.1", "",         " a",     "a\n",     "2001:db8::1"};
  epi_query *query;
  epi_addr addr;
  char *rule;

  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    query = query_of(names[i], "b", 1);
    cr_expect_eq(
        epi_reasoner_rule("{\"verdict\":\"Success\"}", 21, query, "r", &rule),
        EPI_EINVAL, "took %s", names[i]);
    epi_query_free(query);
  }
  cr_assert_eq(epi_query_new(&query), 0);
  cr_expect_str_eq(rule_of("{'verdict':'Success'}", query, "r"),
                   "from: is not set");
  cr_assert_eq(epi_addr_parse(&addr, "host.example:1", 0), 0);
  cr_assert_eq(epi_query_set_from(query, &addr), 0);
  cr_expect_str_eq(rule_of("{'verdict':'Success'}", query, "r"),
                   "from: rules name nodes and IP addresses, not hosts");
  epi_query_free(query);
}

Test(verdict_adapter, a_malformed_reply_is_named) {
  static const char *const replies[][2] = {
      {"", "line 1: this is not JSON"},
      {"[]", "the document: a reply must be an object, not a list"},
      {"{}", "verdict: is missing"},
      {"{'verdict':1}", "verdict: must be \"allow\", \"deny\", \"Success\""},
      {"{'verdict':'success'}", "verdict: must be \"allow\""},
      {"{'verdict':{}}", "verdict.Violated: is missing"},
      {"{'verdict':{'Violated':null}}", "verdict.Violated: must be a list"},
      {"{'verdict':{'Violated':'x'}}", "verdict.Violated: must be a list"},
      {"{'verdict':{'Violated':['x',1]}}", "verdict.Violated[1]: must be a s"},
      {"{'verdict':'Success','verdict':'Success'}", "verdict: is there twice"},
      {"{'verdict':'deny','verdict':'allow','verdict_reference':'r'}",
       "verdict: is there twice"},
      {"{'verdict':'allow'}", "verdict_reference: is missing"},
      {"{'verdict':'allow','verdict_reference':''}", "verdict_reference: is e"},
      {"{'verdict':'allow','verdict_reference':'default'}", "is no id"},
      {"{'verdict':'allow','verdict_reference':7}", "must be a string"},
      {"{'verdict':'deny','verdict_reference':'r','reasons_for_denial':'x'}",
       "reasons_for_denial: must be a list, not a string"},
      {"{'verdict':'allow','verdict_reference':'r','reasons_for_denial':['x']}",
       "reasons_for_denial: the verdict is \"allow\", which has none"},
  };
  epi_query *query = query_of("a", "b", 443);

  for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
    const char *said = rule_of(replies[i][0], query, NULL);

    cr_expect_eq(strncmp(said, "{", 1) && strstr(said, replies[i][1]), 1,
                 "%s: %s", replies[i][0], said);
  }
  cr_expect_str_eq(rule_of("{'verdict':'Success'}", query, "default"),
                   "id: \"default\" is no id of a rule");
  epi_query_free(query);
}

Test(verdict_adapter, a_reply_has_a_largest_size) {
  epi_query *query = query_of("a", "b", 443);
  size_t len = (1 << 20) + 1;
  char *reply = malloc(len), *rule;

  cr_assert(reply);
  memset(reply, ' ', len);
  cr_expect_eq(epi_reasoner_rule(reply, len, query, "r", &rule), EPI_ELIMIT);
  cr_expect_eq(epi_reasoner_rule(reply, len - 1, query, "r", &rule),
               EPI_EPROTO);
  free(reply);
  epi_query_free(query);
}

Test(verdict_adapter, cut_anywhere_it_is_no_reply) {
  static const char reply[] = "{\"verdict\":\"deny\",\"verdict_reference\":"
                              "\"r\",\"reasons_for_denial\":[\"\xc3\xbc\"]}";
  epi_query *query = query_of("a", "b", 443);
  char *rule;

  for (size_t cut = 0; cut < sizeof reply - 1; cut++) {
    char *exact = malloc(cut ? cut : 1);

    cr_assert(exact);
    memcpy(exact, reply, cut);
    cr_expect_eq(epi_reasoner_rule(exact, cut, query, NULL, &rule), EPI_EPROTO);
    free(exact);
  }
  epi_query_free(query);
}

/* A model with one rule decides as the reasoner did, and says so in its
 * words. */
static void there_and_back(const char *reply, int version) {
  epi_query *query = query_of("a", "b", 443);
  const char *rule = rule_of(reply, query, version == 2 ? "r" : NULL);
  char text[16384], *again;
  epi_decision *decision;
  epi_model *model;

  snprintf(text, sizeof text,
           "{\"epi\":1,\"nodes\":{\"a\":{},\"b\":{}},\"policy\":{\"rules\":["
           "%s]}}",
           rule);
  model = model_of(text);
  cr_assert_eq(epi_decision_new(&decision), 0);
  cr_assert_eq(epi_model_decide(model, query, decision), 0);
  cr_assert_eq(epi_reasoner_reply(decision, version, NULL, &again), 0);
  snprintf(text, sizeof text, "%s", again);
  for (char *at = text; *at; at++) {
    *at = (char)(*at == '"' ? '\'' : *at);
  }
  cr_expect_str_eq(text, reply);
  epi_free(again);
  epi_decision_free(decision);
  epi_model_free(model);
  epi_query_free(query);
}

Test(verdict_adapter, there_and_back_nothing_is_lost) {
  there_and_back("{'verdict':'allow','verdict_reference':'v-1',"
                 "'reasons_for_denial':null}",
                 EPI_REASONER_DELIBERATION);
  there_and_back("{'verdict':'deny','verdict_reference':'v-1',"
                 "'reasons_for_denial':['one','two, three']}",
                 EPI_REASONER_DELIBERATION);
  there_and_back("{'verdict':'Success'}", EPI_REASONER_VIOLATIONS);
  there_and_back("{'verdict':{'Violated':['x','y']}}", EPI_REASONER_VIOLATIONS);
}

Test(verdict_adapter, long_reasons_are_cut_between_characters) {
  epi_query *query = query_of("a", "b", 443);
  char reply[8192] = "{'verdict':{'Violated':['xx";
  const char *rule, *reason, *end;

  for (int i = 0; i < 3000; i++) {
    strcat(reply, "\xc3\xbc");
  }
  strcat(reply, "','y']}}");
  rule = rule_of(reply, query, "r");
  reason = strstr(rule, "\"reason\":\"");
  cr_assert_not_null(reason, "%s", rule);
  reason += strlen("\"reason\":\"");
  end = strrchr(reason, '"');
  cr_expect_eq(end - reason, 2046);
  epi_query_free(query);
}

Test(verdict_adapter, a_reply_may_have_a_reference_of_its_own) {
  epi_model *model = model_of("{'epi':1,'nodes':{'a':{},'b':{}}}");
  epi_decision *decision;
  char *reply;

  cr_assert_eq(epi_decision_new(&decision), 0);
  cr_assert_eq(ask(model, decision, "a b 443", 0), 0);
  cr_assert_eq(
      epi_reasoner_reply(decision, EPI_REASONER_DELIBERATION, "v-9", &reply),
      0);
  cr_expect(strstr(reply, "\"verdict_reference\":\"v-9\""), "%s", reply);
  epi_free(reply);
  cr_expect_eq(epi_reasoner_reply(decision, 3, NULL, &reply), EPI_EINVAL);
  epi_decision_free(decision);
  epi_model_free(model);
}

Test(verdict_adapter, survives_failing_allocations) {
  static const char reply[] = "{\"verdict\":{\"Violated\":[\"x\",\"y\"]}}";
  epi_query *query = query_of("a", "b", 443);
  char *rule;

  for (alloc_fail_start(); alloc_fail_more();) {
    int result = epi_reasoner_rule(reply, sizeof reply - 1, query, "r", &rule);

    cr_expect_eq(result, alloc_fail_happened() ? EPI_ENOMEM : 0);
    if (!result) {
      epi_free(rule);
    }
  }
  epi_query_free(query);
}

/* The rule that decides about a flow from a to b, and whether it is allowed. */
static void decides(const char *policy, const char *reply, const char *rule,
                    int allowed) {
  char document[512], json[256];
  epi_query *query = query_of("a", "b", 443);
  epi_model *model, *made = NULL;
  epi_decision *decision;

  snprintf(document, sizeof document,
           "{'epi':1,'nodes':{'a':{},'b':{}},'policy':{'rules':[%s]}}", policy);
  model = model_of(document);
  snprintf(json, sizeof json, "{\"verdict\":%s}", reply);
  cr_assert_eq(epi_decision_new(&decision), 0);
  cr_assert_eq(epi_reasoner_apply(model, json, strlen(json), query, "v", &made),
               0);
  cr_assert_eq(epi_model_decide(made, query, decision), 0);
  cr_expect_str_eq(epi_decision_rule(decision), rule);
  cr_expect_eq(epi_decision_allowed(decision), allowed);
  epi_decision_free(decision);
  epi_query_free(query);
  epi_model_free(made);
  epi_model_free(model);
}

Test(verdict_adapter, a_denial_counts_before_all_rules_an_allow_behind_them) {
  const char *allow = "{'id':'r','effect':'allow'}";
  const char *deny = "{'id':'r','effect':'deny','ports':[443]}";

  decides(allow, "{\"Violated\":[\"x\"]}", "v", 0);
  decides(allow, "\"Success\"", "r", 1);
  decides(deny, "\"Success\"", "r", 0);
  decides("", "\"Success\"", "v", 1);
  decides("", "{\"Violated\":[]}", "v", 0);
}

Test(verdict_adapter, a_reply_that_does_not_fit_a_model_is_refused) {
  static const char reply[] = "{\"verdict\":\"Success\"}";
  const size_t len = sizeof reply - 1;
  epi_model *model = model_of("{'epi':1,'nodes':{'a':{},'b':{}},'policy':{"
                              "'rules':[{'id':'r','effect':'deny'}]}}");
  epi_query *query = query_of("a", "b", 443), *other = query_of("a", "c", 443);
  epi_model *made = NULL;

  cr_expect_eq(epi_reasoner_apply(model, reply, len, query, "r", &made),
               EPI_EMODEL);
  cr_expect(strstr(epi_error_detail(), "policy.rules[1].id"), "%s",
            epi_error_detail());
  cr_expect_eq(epi_reasoner_apply(model, reply, len, other, "v", &made),
               EPI_EMODEL);
  cr_expect_eq(epi_reasoner_apply(model, reply, len, query, NULL, &made),
               EPI_EINVAL);
  cr_expect_eq(epi_reasoner_apply(model, reply, 3, query, "v", &made),
               EPI_EPROTO);
  cr_expect_null(made);
  for (alloc_fail_start(); alloc_fail_more();) {
    int result = epi_reasoner_apply(model, reply, len, query, "v", &made);

    cr_expect_eq(result, alloc_fail_happened() ? EPI_ENOMEM : 0);
    if (!result) {
      epi_model_free(made);
    }
  }
  epi_query_free(query);
  epi_query_free(other);
  epi_model_free(model);
}
