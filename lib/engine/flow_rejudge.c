/* flow_rejudge.c: there is a new model: may a flow live on as it is. */
#include "engine/association.h"

#include "base/fail.h"
#include "engine/bind.h"
#include "engine/flow_limits.h"
#include "engine/own_ports.h"
#include "epi/plan.h"

#include <stdio.h>
#include <string.h>

enum {
  WHY_MAX = 512,
};

static int same_text(const char *a, const char *b) {
  return a && b ? !strcmp(a, b) : a == b;
}

/* Where they run is no matter: it is the flow's instances that count. */
static int is_remote(const epi_plan *plan, size_t hop, size_t function) {
  return epi_plan_function_endpoint(plan, hop, function) != NULL;
}

static int same_hop(const epi_plan *a, const epi_plan *b, size_t hop) {
  size_t count = epi_plan_function_count(a, hop);

  if (count != epi_plan_function_count(b, hop) ||
      !same_text(epi_plan_hop_proxy(a, hop), epi_plan_hop_proxy(b, hop)) ||
      !same_text(epi_plan_hop_endpoint(a, hop),
                 epi_plan_hop_endpoint(b, hop))) {
    return 0;
  }
  for (size_t i = 0; i < count; i++) {
    if (!same_text(epi_plan_function_name(a, hop, i),
                   epi_plan_function_name(b, hop, i)) ||
        !same_text(epi_plan_function_filter(a, hop, i),
                   epi_plan_function_filter(b, hop, i)) ||
        is_remote(a, hop, i) != is_remote(b, hop, i) ||
        epi_plan_function_fails_open(a, hop, i) !=
            epi_plan_function_fails_open(b, hop, i) ||
        epi_plan_function_proves(a, hop, i) !=
            epi_plan_function_proves(b, hop, i)) {
      return 0;
    }
  }
  return 1;
}

/* The same functions by the same means: a name may have a new meaning. */
static int same_plan(const epi_decision *first, const epi_decision *second) {
  const epi_plan *a = epi_decision_plan(first);
  const epi_plan *b = epi_decision_plan(second);
  size_t count = epi_plan_hop_count(a);
  size_t same = 0;

  while (same < count && same_hop(a, b, same)) {
    same++;
  }
  return same == count && count == epi_plan_hop_count(b);
}

/* An instance of the flow that the new model does not have, or NULL. */
static const char *lost_instance(const epi_flow *flow) {
  const epi__route *route = flow->route;

  for (size_t i = 0; route && i < route->hop_count; i++) {
    epi__instance *instance = route->hops[i].instance;

    if (instance && epi__instance_is_gone(instance)) {
      return epi__instance_shown(instance);
    }
  }
  return NULL;
}

static int cut(epi_flow *flow, const char *why) {
  epi__flow_refuse(flow, EPI_REPLY_NOT_ALLOWED, why);
  epi__flow_watch(flow);
  return 0;
}

int epi__flow_rejudge(epi_flow *flow, epi__policy *policy) {
  epi_decision *decision = NULL;
  const char *lost;
  char why[WHY_MAX];
  int result;

  if (flow->phase == EPI__ASSOCIATED) {
    epi__association_forget(flow->association);
    return 1; /* each of its datagrams is judged anew */
  }
  if (flow->phase < EPI__AWAIT || flow->phase > EPI__RELAY) {
    return 1; /* not judged yet, or gone */
  }
  if (epi__port_check(flow, policy)) {
    snprintf(why, sizeof why, "cut by the new model: %s", epi_error_detail());
    return cut(flow, why);
  }
  if (!policy || (flow->phase == EPI__AWAIT && !flow->route)) {
    return 1; /* nothing to judge by, or it will be judged as if it were new */
  }
  if (flow->bind && flow->phase < EPI__RELAY) {
    return epi__bind_rejudge(flow, policy);
  }
  result = epi_decision_new(&decision);
  if (!result) {
    result = epi__flow_ask_model(flow, epi__policy_model(policy), &flow->source,
                                 &flow->dest, decision);
  }
  if (result) {
    snprintf(why, sizeof why, "cut, it cannot be judged: %s",
             epi_error_detail());
  } else if (!epi_decision_allowed(decision)) {
    snprintf(why, sizeof why, "cut by the new model: %s by rule %s: %s",
             epi_verdict_name(epi_decision_verdict(decision)),
             epi_decision_rule(decision), epi_decision_reason(decision));
    result = EPI_EDENIED;
  } else if (flow->decision
                 ? !same_plan(flow->decision, decision)
                 : epi_plan_hop_count(epi_decision_plan(decision)) > 0) {
    snprintf(why, sizeof why, "cut by the new model: another chain is needed");
    result = EPI_EDENIED;
  } else if ((lost = lost_instance(flow)) != NULL) {
    snprintf(why, sizeof why,
             "cut by the new model: its instance %s is no longer there", lost);
    result = EPI_EDENIED;
  } else if (!epi__dial_may_go_on(flow, decision)) {
    snprintf(why, sizeof why,
             "cut by the new model: the name's address is another node's");
    result = EPI_EDENIED;
  }
  if (result) {
    epi_decision_free(decision);
    return cut(flow, why);
  }
  epi_decision_free(flow->decision);
  flow->decision = decision;
  epi__policy_free(flow->policy);
  flow->policy = epi__policy_ref(policy);
  return epi__limits_anew(flow) ? cut(flow, epi_error_detail()) : 1;
}
