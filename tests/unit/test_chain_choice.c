/* test_chain_choice.c: what a caller says about the choice of functions. */
#include "area/flow_query.h"
#include "epi/plan.h"
#include "support/alloc_fail.h"
#include "support/model_text.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static const char two[] =
    "{'epi':1,'nodes':{'a':{'attributes':['x']},'b':{}},'functions':{"
    "'bulk':{'filter':'f','provides':['x'],'instances':2,'capacity':10,"
    "'cost':{'setup_ms':20,'per_mib_ms':1}},"
    "'light':{'filter':'f','provides':['x'],'pair':'undo',"
    "'cost':{'setup_ms':1,'per_mib_ms':5}},"
    "'undo':{'filter':'f','instances':1,'capacity':3,"
    "'cost':{'complexity':1}}},'policy':{'default':'allow'}}";

typedef struct asked {
  epi_model *model;
  epi_query *query;
  epi_decision *decision;
} asked;

static asked start(const char *text) {
  asked all = {.model = model_of(text)};

  cr_assert_eq(epi_query_new(&all.query), 0);
  cr_assert_eq(epi_decision_new(&all.decision), 0);
  cr_assert_eq(epi_query_set_from_node(all.query, "a"), 0);
  cr_assert_eq(epi_query_set_to_node(all.query, "b", -1), 0);
  return all;
}

static void end(asked *all) {
  epi_decision_free(all->decision);
  epi_query_free(all->query);
  epi_model_free(all->model);
}

static const char *chain(asked *all) {
  cr_assert_eq(epi_model_decide(all->model, all->query, all->decision), 0);
  return epi_decision_allowed(all->decision)
             ? chain_text(all->decision)
             : epi_decision_reason(all->decision);
}

Test(chain_choice, weights_change_what_is_cheap) {
  asked all = start(two);

  cr_expect_str_eq(chain(&all), ": light undo");
  cr_expect_eq(epi_plan_cost_ms(epi_decision_plan(all.decision)), 7);
  cr_assert_eq(epi_query_set_weight(all.query, EPI_COST_PER_MIB, 100), 0);
  cr_expect_str_eq(chain(&all), ": bulk");
  cr_expect_eq(epi_plan_cost_ms(epi_decision_plan(all.decision)), 120);
  cr_assert_eq(epi_query_set_weight(all.query, EPI_COST_PER_MIB, 1), 0);
  cr_assert_eq(epi_query_set_weight(all.query, EPI_COST_COMPLEXITY, 50), 0);
  cr_expect_str_eq(chain(&all), ": bulk");
  cr_assert_eq(epi_query_set_weight(all.query, EPI_COST_SETUP, 0), 0);
  cr_expect_eq(epi_plan_cost_ms(epi_decision_plan(all.decision)), 21);
  end(&all);
}

Test(chain_choice, weights_have_bounds) {
  asked all = start(two);

  cr_expect_eq(epi_query_set_weight(all.query, 0, 1), EPI_EINVAL);
  cr_expect_eq(epi_query_set_weight(all.query, 5, 1), EPI_EINVAL);
  cr_expect_eq(epi_query_set_weight(all.query, EPI_COST_SETUP, -1), EPI_EINVAL);
  cr_expect_eq(epi_query_set_weight(all.query, EPI_COST_SETUP, (double)NAN),
               EPI_EINVAL);
  cr_expect_eq(epi_query_set_running(all.query, NULL, 1), EPI_EINVAL);
  cr_expect_eq(epi_query_set_running(all.query, "bulk", -1), EPI_EINVAL);
  cr_expect_str_eq(chain(&all), ": light undo");
  end(&all);
}

Test(chain_choice, a_full_function_is_passed_over) {
  asked all = start(two);

  cr_assert_eq(epi_query_set_running(all.query, "undo", 2), 0);
  cr_assert_eq(epi_query_set_running(all.query, "no such function", 99), 0);
  cr_expect_str_eq(chain(&all), ": light undo");
  cr_assert_eq(epi_query_set_running(all.query, "undo", 3), 0);
  cr_expect_str_eq(chain(&all), ": bulk");
  cr_assert_eq(epi_query_set_running(all.query, "bulk", 20), 0);
  cr_expect_str_eq(chain(&all), "\"bulk\" has as many flows as its 2 instances "
                                "can carry, 10 each");
  cr_expect_eq(epi_decision_verdict(all.decision), EPI_UNPLACEABLE);
  cr_assert_eq(epi_query_set_running(all.query, "undo", 0), 0);
  cr_expect_str_eq(chain(&all), ": light undo");
  end(&all);
}

Test(chain_choice, what_undoes_needs_room_too) {
  asked all =
      start("{'epi':1,'nodes':{'a':{'attributes':['x']},'b':{}},'functions':{"
            "'s':{'filter':'f','provides':['x'],'pair':'o'},"
            "'o':{'filter':'f','instances':1,'capacity':1}},"
            "'policy':{'default':'allow'}}");

  cr_assert_eq(epi_query_set_running(all.query, "o", 1), 0);
  cr_expect_str_eq(chain(&all), "\"o\" has as many flows as its 1 instance "
                                "can carry, 1 each");
  end(&all);
}

Test(chain_choice, running_flows_survive_a_lack_of_memory) {
  for (alloc_fail_start(); alloc_fail_more();) {
    epi_query *query;
    int result = epi_query_new(&query);

    if (!result) {
      for (int i = 0; i < 20 && !result; i++) {
        char name[8] = {'f', (char)('a' + i)};

        result = epi_query_set_running(query, name, i);
      }
      epi_query_free(query);
    }
    cr_expect_eq(result, alloc_fail_happened() ? EPI_ENOMEM : 0);
  }
}

Test(chain_choice, what_is_full_is_passed_over_whatever_the_model_says) {
  asked all = start("{'epi':1,'nodes':{'a':{'attributes':['x']},'b':{}},"
                    "'functions':{'near':{'provides':['x'],'capacity':3,"
                    "'endpoints':['socks5://10.0.0.1:1','socks5://10.0.0.2:1']"
                    "},'far':{'filter':'f','provides':['x'],"
                    "'cost':{'setup_ms':1}}},'policy':{'default':'allow'}}");

  cr_expect_str_eq(chain(&all), ": near");
  cr_assert_eq(epi__query_set_full(all.query, "near"), 0);
  cr_expect_str_eq(chain(&all), ": far");
  cr_assert_eq(epi__query_set_full(all.query, "far"), 0);
  cr_expect_str_eq(chain(&all), "\"near\" has as many flows as its 2 instances "
                                "can carry, 3 each");
  end(&all);
}

Test(chain_choice, callers_see_all_endpoints) {
  asked all = start("{'epi':1,'nodes':{'a':{'attributes':['x']},'b':{}},"
                    "'functions':{'near':{'provides':['x'],"
                    "'endpoints':['socks5://10.0.0.1:1','socks5://10.0.0.2:1']"
                    "}},'policy':{'default':'allow'}}");
  const epi_plan *plan;

  cr_expect_str_eq(chain(&all), ": near");
  plan = epi_decision_plan(all.decision);
  cr_expect_eq(epi_plan_function_endpoint_count(plan, 0, 0), 2);
  cr_expect_eq(epi_plan_function_endpoint_count(plan, 0, 1), 0);
  cr_expect_str_eq(epi_plan_function_endpoint(plan, 0, 0),
                   "socks5://10.0.0.1:1");
  cr_expect_str_eq(epi_plan_function_endpoint_at(plan, 0, 0, 1),
                   "socks5://10.0.0.2:1");
  cr_expect_null(epi_plan_function_endpoint_at(plan, 0, 0, 2));
  cr_expect_eq(epi_model_function_endpoint_count(all.model, 0), 2);
  cr_expect_eq(epi_model_function_endpoint_count(all.model, 1), 0);
  cr_expect_str_eq(epi_model_function_endpoint(all.model, 0, 1),
                   "socks5://10.0.0.2:1");
  cr_expect_null(epi_model_function_endpoint(all.model, 0, 2));
  end(&all);
}
