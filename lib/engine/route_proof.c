/* route_proof.c: functions at endpoints show that they saw a flow. */
#include "base/fail.h"
#include "engine/flow.h"
#include "engine/route.h"
#include "epi/plan.h"

int epi__route_check_proof(const epi_flow *flow, const epi_plan *plan,
                           size_t hop) {
  const epi_engine *engine = flow->worker->engine;
  epi__proof_of functions[EPI__PROOF_MAX];
  size_t count = 0;

  for (size_t i = 0; hop && i < epi_plan_function_count(plan, hop - 1); i++) {
    if (!epi_plan_function_proves(plan, hop - 1, i)) {
      continue;
    }
    if (count == EPI__PROOF_MAX) {
      return epi__fail(EPI_EDENIED, "over %d functions between two proxies",
                       EPI__PROOF_MAX);
    }
    functions[count].name = epi_plan_function_name(plan, hop - 1, i);
    functions[count].optional = epi_plan_function_fails_open(plan, hop - 1, i);
    count++;
  }
  return epi__proof_check(flow->request, engine->crypto, engine->chain_key,
                          engine->chain_key_len, functions, count);
}

int epi__route_put_tickets(epi_request *out, const epi_flow *flow, size_t hop) {
  const epi_engine *engine = flow->worker->engine;
  const epi__route *route = flow->route;
  uint8_t key[EPI__FUNCTION_KEY];
  int result = 0;

  for (size_t i = hop; i < route->hop_count && !result; i++) {
    if (!route->hops[i].function) {
      continue;
    }
    result = epi__function_key(
        key, engine->crypto, engine->chain_key, engine->chain_key_len,
        epi_plan_function_name(epi_decision_plan(flow->decision), route->place,
                               route->hops[i].function - 1));
    if (!result) {
      result = epi__ticket_add(out, engine->crypto, key);
    }
  }
  epi_wipe(key, sizeof key);
  return result;
}
