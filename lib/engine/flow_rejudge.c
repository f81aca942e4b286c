/* flow_rejudge.c: there is a new model: may a flow live on as it is. */
#include "engine/association.h"

#include "base/fail.h"
#include "base/memory.h"
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

/* By the same means: a name may have a new meaning. */
int epi__flow_same_plan(const epi_decision *first, const epi_decision *second) {
  const epi_plan *a = epi_decision_plan(first);
  const epi_plan *b = epi_decision_plan(second);
  size_t count = epi_plan_hop_count(a);
  size_t same = 0;

  while (same < count && same_hop(a, b, same)) {
    same++;
  }
  return same == count && count == epi_plan_hop_count(b);
}

/* An instance of the flow that the new model does not have, or NULL; by a model
 * that is not in force, one that it would not have. */
static const char *lost_instance(const epi_flow *flow,
                                 const epi_model *planned) {
  const epi__route *route = flow->route;

  for (size_t i = 0; route && i < route->hop_count; i++) {
    epi__instance *instance = route->hops[i].instance;

    if (instance &&
        (planned ? epi__supply_would_go(flow->worker->engine->provisioner,
                                        instance, planned)
                 : epi__instance_is_gone(instance))) {
      return epi__instance_shown(instance);
    }
  }
  return NULL;
}

/* What a decision about the flow means for it. Returns 0, or EPI_EDENIED and
 * why. */
static int hold_against(const epi_flow *flow, const epi_decision *decision,
                        const epi_model *planned, char *why, size_t size) {
  const char *lost;

  if (!epi_decision_allowed(decision)) {
    snprintf(why, size, "%s by rule %s: %s",
             epi_verdict_name(epi_decision_verdict(decision)),
             epi_decision_rule(decision), epi_decision_reason(decision));
  } else if (flow->decision
                 ? !epi__flow_same_plan(flow->decision, decision)
                 : epi_plan_hop_count(epi_decision_plan(decision)) > 0) {
    snprintf(why, size, "another chain is needed");
  } else if ((lost = lost_instance(flow, planned)) != NULL) {
    snprintf(why, size, "its instance %s is no longer there", lost);
  } else if (!epi__dial_may_go_on(flow, decision)) {
    snprintf(why, size, "the name's address is %s", epi_error_detail());
  } else {
    return 0;
  }
  return EPI_EDENIED;
}

int epi__flow_check(const epi_flow *flow, epi__policy *policy, int planned,
                    epi_decision **out, char *why, size_t size) {
  epi_model *model = policy ? epi__policy_model(policy) : NULL;
  epi_decision *decision = NULL;
  int result;

  *out = NULL;
  if (flow->phase < EPI__AWAIT || flow->phase > EPI__RELAY) {
    return EPI__LATER; /* not judged yet, each datagram apart, or gone */
  }
  if (epi__port_check(flow, policy)) {
    snprintf(why, size, "%s", epi_error_detail());
    return EPI_EDENIED;
  }
  if (!policy || (flow->phase == EPI__AWAIT && !flow->route)) {
    return EPI__LATER; /* nothing to judge by, or it will be as if it were new
                        */
  }
  if (flow->bind && flow->phase < EPI__RELAY) {
    return flow->bind->bound.kind == EPI_ADDR_NONE
               ? EPI__LATER
               : epi__bind_check(flow, policy, why, size);
  }
  result = epi_decision_new(&decision);
  if (!result) {
    result =
        epi__flow_ask_model(flow, model, &flow->source, &flow->dest, decision);
  }
  if (result) {
    snprintf(why, size, "it cannot be judged: %s", epi_error_detail());
    epi_decision_free(decision);
    return result;
  }
  *out = decision;
  return hold_against(flow, decision, planned ? model : NULL, why, size);
}

/* A flow that carries bytes is stopped, and its end told later; what is not as
 * far gets its answer. */
static int cut(epi_flow *flow, const char *why) {
  flow->cut = flow->phase == EPI__RELAY ? epi__strdup(why) : NULL;
  if (flow->cut) {
    epi__leg_close(&flow->legs[EPI_FORWARD], 1);
    epi__leg_close(&flow->legs[EPI_BACKWARD], 1);
    return 0;
  }
  epi__flow_refuse(flow, EPI_REPLY_NOT_ALLOWED, why);
  epi__flow_watch(flow);
  return 0;
}

int epi__flow_rejudge(epi_flow *flow, epi__policy *policy) {
  static const char prefix[] = "cut by the new model: ";
  epi_decision *decision;
  char why[WHY_MAX];
  int result;

  if (flow->phase == EPI__ASSOCIATED) {
    epi__association_forget(flow->association);
    return 1; /* each of its datagrams is judged anew */
  }
  memcpy(why, prefix, sizeof prefix);
  result = epi__flow_check(flow, policy, 0, &decision, why + sizeof prefix - 1,
                           sizeof why - (sizeof prefix - 1));
  if (result < 0) {
    epi_decision_free(decision);
    return cut(flow, why);
  }
  if (decision) {
    epi_decision_free(flow->decision);
    flow->decision = decision;
    epi__policy_free(flow->policy);
    flow->policy = epi__policy_ref(policy);
  }
  if (decision && epi__limits_anew(flow)) {
    return cut(flow, epi_error_detail());
  }
  return 1;
}
