/* route_bind.c: the functions that a BIND passes, all of them in this proxy: it
 * is where the host connected, and no other could be put before it. */
#include "base/fail.h"
#include "engine/flow.h"
#include "engine/route.h"
#include "epi/plan.h"

#include <string.h>

static int can_have(const epi_plan *plan, size_t hop) {
  for (size_t i = 0; i < epi_plan_function_count(plan, hop); i++) {
    if (!epi_plan_function_filter(plan, hop, i)) {
      return epi__fail(EPI_EDENIED,
                       "a BIND cannot pass the function %s, "
                       "which is at an endpoint",
                       epi_plan_function_name(plan, hop, i));
    }
  }
  return 0;
}

int epi__route_can_bind(const epi_flow *flow, const epi_decision *decision) {
  const epi_plan *plan = epi_decision_plan(decision);
  const char *name = flow->worker->engine->name;
  int result = 0;

  for (size_t hop = 0; !result && hop < epi_plan_hop_count(plan); hop++) {
    const char *proxy = epi_plan_hop_proxy(plan, hop);

    result = *proxy && (!name || strcmp(name, proxy) != 0)
                 ? epi__fail(EPI_EDENIED,
                             "the flow must pass %s, and a BIND cannot", proxy)
                 : can_have(plan, hop);
  }
  return result;
}

int epi__route_bind(epi_flow *flow) {
  const epi_plan *plan = epi_decision_plan(flow->decision);
  int result = epi__route_can_bind(flow, flow->decision);

  for (size_t hop = 0; !result && hop < epi_plan_hop_count(plan); hop++) {
    for (size_t i = 0; !result && i < epi_plan_function_count(plan, hop); i++) {
      result = epi__route_add_filter(flow->route, flow->policy, plan, hop, i);
    }
  }
  return result;
}
