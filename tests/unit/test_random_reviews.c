/* test_random_reviews.c: what holds for the questions about every model. */
#include "epi/review.h"
#include "support/model_text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

enum {
  NODES = 5,
  ATTRIBUTES = 4,
  RULES = 6,
  MODELS = 1000,
};

static uint32_t state = 20251123;
static char document[8192];
static size_t used;

static uint32_t draw(uint32_t below) { /* xorshift32 */
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state % below;
}

static void put(const char *format, const char *before, uint32_t number) {
  used += (size_t)snprintf(document + used, sizeof document - used, format,
                           before, number);
}

static void put_attributes(const char *key) {
  const char *comma = "";

  put("%s", key, 0);
  for (uint32_t i = 0; i < ATTRIBUTES; i++) {
    if (draw(3) == 0 || (!*comma && i == ATTRIBUTES - 1)) {
      put("%s't%u'", comma, i);
      comma = ",";
    }
  }
  put("%s", "]", 0);
}

static void put_rule(uint32_t number) {
  static const char *const effects[] = {"allow", "deny", "require"};
  uint32_t effect = draw(3);

  put("%s{'id':'r%u'", number ? "," : "", number);
  put(",'effect':'%s'", effects[effect], 0);
  if (draw(2)) {
    put("%s['n%u']", ",'from':", draw(NODES));
  }
  if (draw(2)) {
    put("%s['has:t%u']", ",'to':", draw(ATTRIBUTES));
  }
  if (draw(3) == 0) {
    put("%s[%u]", ",'ports':", 1 + draw(2));
  }
  if (draw(4) == 0) {
    put("%s['p']", ",'application':", 0);
  }
  if (effect == 2) {
    put_attributes(",'attributes':[");
  }
  put("%s", "}", 0);
}

static epi_model *random_model(void) {
  used = 0;
  put("%s", "{'epi':1,'attributes':['t0','t1','t2','t3'],'nodes':{", 0);
  for (uint32_t i = 0; i < NODES; i++) {
    put("%s'n%u'", i ? "," : "", i);
    put_attributes(":{'attributes':[");
    put("%s", "}", 0);
  }
  put("%s", "},'functions':{", 0);
  for (uint32_t i = 0; i < 3; i++) {
    put("%s'f%u':{'filter':'f'", i ? "," : "", i);
    put_attributes(",'provides':[");
    put("%s", "}", 0);
  }
  put("%s", "},'applications':{'p':{'flows':[{'from':'n0','to':'n1','ports':[",
      0);
  put("%s%u]},{'from':'n2','to':'n3'}]}},'policy':{'rules':[", "", 1);
  for (uint32_t i = 0; i < RULES; i++) {
    put_rule(i);
  }
  put("%s", "]}}", 0);
  return model_of(document);
}

static void check_explanation(epi_model *model, epi_decision *decision,
                              const epi_query *query) {
  char deciding[64], *text;

  cr_assert_eq(epi_model_decide(model, query, decision), 0);
  cr_assert_eq(epi_model_explain(model, query, EPI_FORM_TEXT, &text), 0);
  if (!strcmp(epi_decision_rule(decision), "default")) {
    snprintf(deciding, sizeof deciding, "  default (deny) decides");
  } else {
    snprintf(deciding, sizeof deciding, ". %s (%s) matches and decides",
             epi_decision_rule(decision),
             epi_decision_verdict(decision) == EPI_DENIED ? "deny" : "allow");
  }
  cr_expect(strstr(text, deciding), "%s is not in\n%s", deciding, text);
  /* A rule that does not match says on what. */
  for (const char *at = text; (at = strstr(at, "does not match\n")); at++) {
    cr_expect(strstr(at, "       `") == at + 15, "%s", text);
  }
  epi_free(text);
}

Test(random_reviews, explanations_name_the_deciding_rule) {
  epi_decision *decision;
  epi_query *query;
  char name[8];

  cr_assert_eq(epi_decision_new(&decision), 0);
  cr_assert_eq(epi_query_new(&query), 0);
  for (int round = 0; round < MODELS; round++) {
    epi_model *model = random_model();

    for (uint32_t i = 0; i < NODES * NODES; i++) {
      snprintf(name, sizeof name, "n%u", i / NODES);
      epi_query_set_from_node(query, name);
      snprintf(name, sizeof name, "n%u", i % NODES);
      epi_query_set_to_node(query, name, (int)draw(4) - 1);
      check_explanation(model, decision, query);
    }
    epi_model_free(model);
  }
  epi_query_free(query);
  epi_decision_free(decision);
}

Test(random_reviews, equal_models_have_no_difference) {
  for (int round = 0; round < MODELS; round++) {
    epi_model *model = random_model(), *copy;
    char *text, *same;

    cr_assert_eq(epi_model_write(model, &text), 0);
    cr_assert_eq(epi_model_read(&copy, NULL, text, strlen(text)), 0);
    cr_expect_eq(epi_model_diff(copy, model, EPI_FORM_TEXT, &same), 0);
    cr_expect_str_eq(same, "");
    epi_free(text);
    epi_free(same);
    epi_model_free(copy);
    epi_model_free(model);
  }
}

Test(random_reviews, differences_reverse) {
  for (int round = 0; round < MODELS; round++) {
    epi_model *a = random_model(), *b = random_model();
    char *there, *back;

    cr_expect_eq(epi_model_diff(a, b, EPI_FORM_TEXT, &there),
                 epi_model_diff(b, a, EPI_FORM_TEXT, &back));
    cr_expect_eq(strstr(there, "opens ") != NULL,
                 strstr(back, "closes ") != NULL);
    epi_free(there);
    epi_free(back);
    epi_model_free(a);
    epi_model_free(b);
  }
}

/* Whatever is asked, at the ports that rules name and others. */
static void check_findings(epi_model *model, const char *findings) {
  epi_decision *decision;
  char flow[32], never[64];

  cr_assert_eq(epi_decision_new(&decision), 0);
  for (uint32_t i = 0; i < NODES * NODES * 4; i++) {
    snprintf(flow, sizeof flow, "n%u n%u %d", i / 4 / NODES, i / 4 % NODES,
             (int)(i % 4) - 1);
    cr_assert_eq(ask(model, decision, flow, 0), 0);
    snprintf(never, sizeof never, "rule \"%s\" never matches",
             epi_decision_rule(decision));
    cr_expect_null(strstr(findings, never), "%s\n%s", document, findings);
    for (size_t k = 0; k < epi_decision_require_count(decision); k++) {
      snprintf(never, sizeof never, "rule \"%s\" never matches",
               epi_decision_require(decision, k));
      cr_expect_null(strstr(findings, never), "%s\n%s", document, findings);
    }
  }
  epi_decision_free(decision);
}

Test(random_reviews, rules_that_never_match_never_do) {
  ptrdiff_t found = 0;

  for (int round = 0; round < MODELS; round++) {
    epi_model *model = random_model();
    char *findings;

    found += epi_model_lint(model, EPI_FORM_TEXT, &findings);
    check_findings(model, findings);
    epi_free(findings);
    epi_model_free(model);
  }
  cr_expect_gt(found, 0);
}

/* What is said to be never allowed is allowed for no application and port. */
Test(random_reviews, what_is_never_allowed_is_never_allowed) {
  static const char expected[] = "{\"epi-assert\":1,\"expect\":[{\"from\":"
                                 "\"n0\",\"to\":\"n1\",\"never\":true}]}";
  int never = 0;

  for (int round = 0; round < MODELS; round++) {
    epi_model *model = random_model();
    epi_decision *decision;
    int allowed = 0;
    char *text, flow[32];

    cr_assert_eq(epi_decision_new(&decision), 0);
    for (int port = -1; port < 4; port++) {
      snprintf(flow, sizeof flow, "n0 n1 %d", port);
      ask(model, decision, flow, 0);
      allowed |= epi_decision_allowed(decision);
      ask(model, decision, flow, EPI_QUERY_APPLICATION, "p", 0);
      allowed |= epi_decision_allowed(decision);
    }
    cr_expect_eq(epi_model_assert(model, NULL, expected, sizeof expected - 1,
                                  EPI_FORM_TEXT, &text),
                 allowed, "%s\n%s", document, text);
    never += !allowed;
    epi_free(text);
    epi_decision_free(decision);
    epi_model_free(model);
  }
  cr_expect(never > 0 && never < MODELS);
}
