/* test_random_models.c: what holds for every model, tried on random ones. */
#include "epi/area.h"
#include "epi/plan.h"
#include "support/model_text.h"
#include "support/random_document.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

enum {
  NODES = 6,
  ATTRIBUTES = 5,
  FUNCTIONS = 6,
  MODELS = 3000,
};

static unsigned node_bits[NODES], function_bits[FUNCTIONS];
static int function_cost[FUNCTIONS];

static size_t put_set(char *text, size_t size, unsigned bits) {
  size_t used = 0;
  const char *comma = "";

  text[0] = '\0';
  for (int i = 0; i < ATTRIBUTES; i++) {
    if (bits >> i & 1) {
      used += (size_t)snprintf(text + used, size - used, "%s't%d'", comma, i);
      comma = ",";
    }
  }
  return used;
}

static epi_model *random_model(void) {
  static char text[8192];
  char set[128];
  size_t used = (size_t)snprintf(text, sizeof text, "{'epi':1,'nodes':{");

  for (int i = 0; i < NODES; i++) {
    node_bits[i] = draw(1 << ATTRIBUTES);
    put_set(set, sizeof set, node_bits[i]);
    used +=
        (size_t)snprintf(text + used, sizeof text - used,
                         "%s'n%d':{'attributes':[%s]}", i ? "," : "", i, set);
  }
  used += (size_t)snprintf(text + used, sizeof text - used, "},'functions':{");
  for (int i = 0; i < FUNCTIONS; i++) {
    function_bits[i] = draw(1 << ATTRIBUTES);
    function_cost[i] = (int)draw(10);
    put_set(set, sizeof set, function_bits[i]);
    used += (size_t)snprintf(
        text + used, sizeof text - used,
        "%s'f%d':{'filter':'f','provides':[%s],'cost':{'setup_ms':%d}}",
        i ? "," : "", i, set, function_cost[i]);
  }
  snprintf(text + used, sizeof text - used, "},'policy':{'default':'allow'}}");
  return model_of(text);
}

static unsigned all_provided(void) {
  unsigned bits = 0;

  for (int i = 0; i < FUNCTIONS; i++) {
    bits |= function_bits[i];
  }
  return bits;
}

/* The cost of the cheapest cover, by trying all. */
static int cheapest(unsigned missing) {
  int best = -1;

  for (unsigned chosen = 0; chosen < 1u << FUNCTIONS; chosen++) {
    unsigned bits = 0;
    int cost = 0;

    for (int i = 0; i < FUNCTIONS; i++) {
      if (chosen >> i & 1) {
        bits |= function_bits[i];
        cost += function_cost[i];
      }
    }
    if (!(missing & ~bits) && (best < 0 || cost < best)) {
      best = cost;
    }
  }
  return best;
}

static unsigned bits_of_plan(const epi_plan *plan) {
  unsigned bits = 0;

  for (size_t i = 0; i < epi_plan_function_count(plan, 0); i++) {
    bits |= function_bits[epi_plan_function_name(plan, 0, i)[1] - '0'];
  }
  return bits;
}

static void check_flow(epi_model *model, epi_decision *decision, size_t from,
                       size_t to) {
  const epi_plan *plan = epi_decision_plan(decision);
  unsigned missing = node_bits[from] & ~node_bits[to];
  char flow[32];

  snprintf(flow, sizeof flow, "n%zu n%zu 1", from, to);
  cr_assert_eq(ask(model, decision, flow, 0), 0);
  if (!missing) {
    cr_expect_eq(epi_decision_verdict(decision), EPI_DIRECT);
  } else if (missing & ~all_provided()) {
    cr_expect_eq(epi_decision_verdict(decision), EPI_UNBRIDGEABLE);
  } else {
    cr_assert_eq(epi_decision_verdict(decision), EPI_BRIDGED);
    cr_expect_eq(missing & ~bits_of_plan(plan), 0, "bridged but unsupported");
    cr_expect_eq(epi_plan_optimal(plan), 1);
    cr_expect_float_eq(epi_plan_cost_ms(plan), cheapest(missing), 1e-9);
  }
}

Test(random_models, gaps_channels_areas_and_chains_agree) {
  for (int round = 0; round < MODELS; round++) {
    epi_model *model = random_model();
    epi_decision *decision;

    cr_assert_eq(epi_decision_new(&decision), 0);
    for (size_t i = 0; i < NODES; i++) {
      for (size_t k = 0; k < NODES; k++) {
        int there = epi_model_channel(model, i, k);
        int back = epi_model_channel(model, k, i);

        cr_expect_eq(there, !(node_bits[i] & ~node_bits[k]));
        cr_expect_eq(there, !epi_model_gap(model, i, k, NULL, 0));
        cr_expect_eq(there && back, epi_model_area_of(model, i) ==
                                        epi_model_area_of(model, k));
        for (size_t j = 0; j < NODES; j++) {
          cr_expect(!there || !epi_model_channel(model, k, j) ||
                    epi_model_channel(model, i, j));
        }
        check_flow(model, decision, i, k);
      }
    }
    epi_decision_free(decision);
    epi_model_free(model);
  }
}
