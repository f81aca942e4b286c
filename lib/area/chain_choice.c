/* chain_choice.c: what a caller says about the choice of functions. */
#include "area/flow_query.h"

#include "base/fail.h"
#include "base/memory.h"

int epi_query_set_weight(epi_query *query, int cost, double weight) {
  epi__choice *choice = &query->choice;

  if (cost < EPI_COST_SETUP || cost > EPI_COST_COMPLEXITY) {
    return epi__fail(EPI_EINVAL, "functions have no cost %d", cost);
  }
  if (!(weight >= 0 && weight <= 1e12)) {
    return epi__fail(EPI_EINVAL, "a weight is from 0 to 1e12");
  }
  for (size_t i = 0; i < EPI__COSTS && !choice->weighted; i++) {
    choice->weights[i] = 1;
  }
  choice->weighted = 1;
  choice->weights[cost - EPI_COST_SETUP] = weight;
  return 0;
}

static int set_flows(epi__choice *choice, const char *function,
                     uint64_t flows) {
  uint64_t *moved;
  ptrdiff_t number;

  moved = epi__grow(choice->flows, choice->used.count, &choice->flow_capacity,
                    sizeof *moved);
  if (!moved) {
    return EPI_ENOMEM;
  }
  choice->flows = moved;
  number = epi__names_add(&choice->used, function);
  if (number < 0) {
    return (int)number;
  }
  choice->flows[number] = flows;
  return 0;
}

int epi_query_set_running(epi_query *query, const char *function,
                          int64_t flows) {
  if (!function || flows < 0) {
    return epi__fail(EPI_EINVAL, "a function and a count are needed");
  }
  return set_flows(&query->choice, function, (uint64_t)flows);
}

int epi__query_set_full(epi_query *query, const char *function) {
  return set_flows(&query->choice, function, EPI__FULL);
}

double epi__function_cost(const epi_model *model, const epi__choice *choice,
                          uint32_t number) {
  const epi__function *function = &model->functions[number];
  double cost = 0;

  if (!choice || !choice->weighted) {
    return function->cost_ms;
  }
  for (size_t i = 0; i < EPI__COSTS; i++) {
    cost += function->costs[i] * choice->weights[i];
  }
  return cost;
}

int epi__function_full(const epi_model *model, const epi__choice *choice,
                       uint32_t number) {
  const epi__function *function = &model->functions[number];
  ptrdiff_t used;

  if (!choice || !choice->used.count) {
    return 0;
  }
  used = epi__names_find(&choice->used, model->function_names.texts[number]);
  if (used < 0) {
    return 0;
  }
  return choice->flows[used] == EPI__FULL ||
         (function->instances && function->capacity &&
          choice->flows[used] >=
              (uint64_t)function->instances * function->capacity);
}
