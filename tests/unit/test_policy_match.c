/* test_policy_match.c: the criteria of rules, one by one. */
#include "epi/area.h"
#include "support/model_text.h"

#include <criterion/criterion.h>
#include <stdio.h>

/* 1 if an allow rule with the criterion lets the flow through. */
static int allows(const char *criterion, const char *flow, int key,
                  const char *value) {
  char text[1024];
  epi_decision *decision;
  epi_model *model;
  int allowed;

  snprintf(text, sizeof text,
           "{'epi':1,'nodes':{"
           "'a':{'domain':'d','attributes':['x'],'addresses':['10.1.0.0/16']},"
           "'b':{'attributes':['x'],'addresses':['10.2.0.0/16','b.example']},"
           "'c':{'domain':'d','attributes':['x','y']}},"
           "'policy':{'rules':[{'id':'r','effect':'allow',%s}]}}",
           criterion);
  model = model_of(text);
  cr_assert_eq(epi_decision_new(&decision), 0);
  cr_assert_eq(ask(model, decision, flow, key, value, 0), 0);
  allowed = epi_decision_allowed(decision);
  epi_decision_free(decision);
  epi_model_free(model);
  return allowed;
}

Test(policy_match, parties_are_nodes_domains_attributes_and_areas) {
  cr_expect(allows("'from':['b','a']", "a b 1", 0, NULL));
  cr_expect_not(allows("'from':['b']", "a b 1", 0, NULL));
  cr_expect(allows("'to':['domain:d']", "b c 1", 0, NULL));
  cr_expect_not(allows("'to':['domain:d']", "a b 1", 0, NULL));
  cr_expect(allows("'to':['has:y']", "a c 1", 0, NULL));
  cr_expect_not(allows("'to':['has:y']", "a b 1", 0, NULL));
  cr_expect(allows("'to':['area:a']", "a b 1", 0, NULL));
  cr_expect_not(allows("'to':['area:a']", "a c 1", 0, NULL));
}

Test(policy_match, a_range_takes_addresses) {
  cr_expect(allows("'from':['10.1.2.0/24']", "(10.1.2.3) b 1", 0, NULL));
  cr_expect_not(allows("'from':['10.1.2.0/24']", "(10.1.3.3) b 1", 0, NULL));
}

Test(policy_match, a_node_is_allowed_by_a_range_that_has_all_of_it) {
  cr_expect(allows("'from':['10.0.0.0/8']", "a b 1", 0, NULL));
  cr_expect_not(allows("'from':['10.1.2.0/24']", "a b 1", 0, NULL));
  cr_expect_not(allows("'to':['10.0.0.0/8']", "a b 1", 0, NULL));
  cr_expect_not(allows("'to':['10.0.0.0/8']", "a c 1", 0, NULL));
}

Test(policy_match, ports_and_words_are_alternatives) {
  cr_expect(allows("'ports':[1,2]", "a b 2", 0, NULL));
  cr_expect_not(allows("'ports':[1,2]", "a b 3", 0, NULL));
  cr_expect(allows("'ports':[1,2]", "a b -1", 0, NULL));
  cr_expect(allows("'user':['u','v']", "a b 1", EPI_QUERY_USER, "v"));
  cr_expect_not(allows("'user':['u','v']", "a b 1", EPI_QUERY_USER, "w"));
  cr_expect_not(allows("'user':['u','v']", "a b 1", 0, NULL));
  cr_expect(allows("'consent':['c']", "a b 1", EPI_QUERY_CONSENT, "c"));
  cr_expect(allows("'dataset':['s']", "a b 1", EPI_QUERY_DATASET, "s"));
  cr_expect(allows("'purpose':['p']", "a b 1", EPI_QUERY_PURPOSE, "p"));
}

Test(policy_match, a_client_has_one_of_the_means_that_a_rule_takes) {
  static const int by = EPI_QUERY_AUTHENTICATED;

  cr_expect(allows("'authenticated':['key','password']", "a b 1", by, "key"));
  cr_expect(
      allows("'authenticated':['password']", "a b 1", by, "address,password"));
  cr_expect_not(allows("'authenticated':['password']", "a b 1", by, "address"));
  cr_expect_not(allows("'authenticated':['none']", "a b 1", by, "address"));
  cr_expect(allows("'authenticated':['none']", "a b 1", by, "none"));
  cr_expect(allows("'authenticated':['none']", "a b 1", by, "none,key"));
  cr_expect(allows("'authenticated':['none']", "a b 1", 0, NULL), "unsaid");
  cr_expect_not(allows("'authenticated':['certificate']", "a b 1", 0, NULL));
}

Test(policy_match, a_query_takes_no_other_means) {
  static const char *const words[] = {
      "", "passwords", "key,", ",key", "key key", "none,password", "pass"};
  epi_query *query;

  cr_assert_eq(epi_query_new(&query), 0);
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    cr_expect_eq(epi_query_set(query, EPI_QUERY_AUTHENTICATED, words[i]),
                 EPI_EINVAL, "%s", words[i]);
  }
  cr_expect_eq(epi_query_set(query, EPI_QUERY_AUTHENTICATED + 1, "x"),
               EPI_EINVAL);
  epi_query_free(query);
}

Test(policy_match, different_criteria_must_all_match) {
  cr_expect(allows("'ports':[1],'user':['u']", "a b 1", EPI_QUERY_USER, "u"));
  cr_expect_not(
      allows("'ports':[2],'user':['u']", "a b 1", EPI_QUERY_USER, "u"));
}

static int allows_at(const char *window, int64_t seconds) {
  char text[512];
  epi_decision *decision;
  epi_query *query;
  epi_model *model;
  int allowed;

  snprintf(text, sizeof text,
           "{'epi':1,'nodes':{'a':{}},'policy':{'rules':[{'id':'r','effect':"
           "'allow','time':%s}]}}",
           window);
  model = model_of(text);
  cr_assert_eq(epi_decision_new(&decision), 0);
  cr_assert_eq(epi_query_new(&query), 0);
  cr_assert_eq(epi_query_set_from_node(query, "a"), 0);
  cr_assert_eq(epi_query_set_to_node(query, "a", -1), 0);
  cr_assert_eq(epi_model_decide(model, query, decision), 0);
  cr_expect_not(epi_decision_allowed(decision), "without a time");
  epi_query_set_time(query, seconds);
  cr_assert_eq(epi_model_decide(model, query, decision), 0);
  allowed = epi_decision_allowed(decision);
  epi_query_free(query);
  epi_decision_free(decision);
  epi_model_free(model);
  return allowed;
}

Test(policy_match, a_window_is_in_utc_and_may_span_midnight) {
  static const int64_t thursday = 0; /* 1970-01-01 */
  static const int64_t hour = 3600;

  cr_expect(allows_at("{'from':'08:00','to':'18:00'}", 8 * hour));
  cr_expect_not(allows_at("{'from':'08:00','to':'18:00'}", 18 * hour));
  cr_expect_not(allows_at("{'from':'08:00','to':'18:00'}", 8 * hour - 1));
  cr_expect(allows_at("{'days':['thu']}", thursday));
  cr_expect_not(allows_at("{'days':['thu']}", thursday - 1));
  cr_expect(allows_at("{'days':['wed']}", thursday - 1));
  cr_expect(allows_at("{'from':'22:00','to':'06:00','days':['thu']}",
                      thursday + 29 * hour));
  cr_expect_not(allows_at("{'from':'22:00','to':'06:00','days':['thu']}",
                          thursday + 5 * hour));
}
