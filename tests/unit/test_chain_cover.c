/* test_chain_cover.c: the cheapest cover, exact and approximate. */
#include "epi/area.h"
#include "epi/plan.h"
#include "support/model_text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* From a with count attributes to b with none. */
static epi_model *make(int count, const char *functions) {
  static char text[65536];
  size_t used = (size_t)snprintf(text, sizeof text,
                                 "{'epi':1,'nodes':{'b':{},"
                                 "'a':{'attributes':[");

  for (int i = 0; i < count; i++) {
    used += (size_t)snprintf(text + used, sizeof text - used, "%s't%02d'",
                             i ? "," : "", i);
  }
  snprintf(text + used, sizeof text - used,
           "]}},'functions':{%s},'policy':{'default':'allow'}}", functions);
  return model_of(text);
}

static epi_decision *decide(epi_model *model) {
  epi_decision *decision;

  cr_assert_eq(epi_decision_new(&decision), 0);
  cr_assert_eq(ask(model, decision, "a b 1", 0), 0);
  return decision;
}

Test(chain_cover, one_for_all_beats_two_when_it_is_cheaper) {
  static const char form[] =
      "'u':{'filter':'f','provides':['t00'],'cost':{'setup_ms':2}},"
      "'v':{'filter':'f','provides':['t01'],'cost':{'per_flow_ms':2}},"
      "'w':{'filter':'f','provides':['t00','t01'],'cost':{'complexity':%d}}";
  char functions[512];

  for (int cost = 3; cost <= 5; cost++) {
    epi_model *model;
    epi_decision *decision;

    snprintf(functions, sizeof functions, form, cost);
    model = make(2, functions);
    decision = decide(model);
    /* At equal cost the chain with fewer functions wins. */
    cr_expect_str_eq(chain_text(decision), cost > 4 ? ": u v" : ": w");
    epi_decision_free(decision);
    epi_model_free(model);
  }
}

Test(chain_cover, a_pair_costs_both_its_halves) {
  epi_model *model =
      make(1, "'s':{'filter':'f','provides':['t00'],'pair':'o',"
              "'cost':{'setup_ms':1}},"
              "'o':{'filter':'f','cost':{'setup_ms':5}},"
              "'v':{'filter':'f','provides':['t00'],'cost':{'setup_ms':5}}");
  epi_decision *decision = decide(model);

  cr_expect_str_eq(chain_text(decision), ": v");
  epi_decision_free(decision);
  epi_model_free(model);
}

static size_t add_single(char *text, size_t size, int i) {
  return (size_t)snprintf(text, size,
                          "%s'f%02d':{'filter':'f','provides':['t%02d']}",
                          i ? "," : "", i, i);
}

Test(chain_cover, says_when_it_is_only_approximate) {
  static char functions[8192];

  for (int count = 24; count <= 25; count++) {
    epi_model *model;
    epi_decision *decision;
    size_t used = 0;

    for (int i = 0; i < count; i++) {
      used += add_single(functions + used, sizeof functions - used, i);
    }
    model = make(count, functions);
    decision = decide(model);
    cr_expect_eq(epi_decision_verdict(decision), EPI_BRIDGED);
    cr_expect_eq(epi_plan_optimal(epi_decision_plan(decision)), count == 24);
    cr_expect_eq(epi_plan_function_count(epi_decision_plan(decision), 0),
                 (size_t)count);
    epi_decision_free(decision);
    epi_model_free(model);
  }
}

Test(chain_cover, a_chain_has_a_longest_length) {
  static char functions[8192];
  epi_decision *decision;
  epi_model *model;
  size_t used = 0;

  for (int i = 0; i < 65; i++) {
    used += add_single(functions + used, sizeof functions - used, i);
  }
  model = make(65, functions);
  decision = decide(model);
  cr_expect_eq(epi_decision_verdict(decision), EPI_UNPLACEABLE);
  cr_expect_str_eq(epi_decision_reason(decision),
                   "the chain would have more than 64 functions");
  epi_decision_free(decision);
  epi_model_free(model);
}

Test(chain_cover, many_equal_functions_do_not_take_for_ever) {
  static char functions[16384];
  epi_decision *decision;
  epi_model *model;
  size_t used = 0;

  for (int i = 0; i < 64; i++) {
    used += (size_t)snprintf(
        functions + used, sizeof functions - used,
        "%s'f%02d':{'filter':'f','provides':['t%02d','t%02d','t%02d']}",
        i ? "," : "", i, i % 24,
        i * 7 % 24 == i % 24 ? 23 - i % 24 : i * 7 % 24,
        (i % 24 + 12) % 24 == i * 7 % 24 ? (i + 5) % 24 : (i % 24 + 12) % 24);
  }
  model = make(24, functions);
  decision = decide(model);
  cr_expect_eq(epi_decision_verdict(decision), EPI_BRIDGED);
  epi_decision_free(decision);
  epi_model_free(model);
}
