/* dial_check.c: may an address be what was asked for? What was judged is a
 * name, and whoever answers for that name says which addresses it has: now this
 * one, and at the next question that of another machine. So each address is
 * looked at when it is dialled, and it is that address that is dialled. */
#include "area/decision.h"
#include "base/fail.h"
#include "engine/dial.h"
#include "os/os.h"

/* Judge one address of a name, of a node or of none, as if it had been asked
 * for. Returns 0, or EPI_EDENIED with what it is. */
static int judge_apart(const epi_flow *flow, const epi_decision *decision,
                       const epi_addr *addr) {
  epi_decision *apart = NULL;
  int result = EPI_EDENIED;

  if (epi_decision_new(&apart) ||
      epi__flow_ask_model(flow, decision->model, &flow->source, addr, apart)) {
    epi__fail(result, "not to be judged");
  } else if (!epi_decision_allowed(apart)) {
    epi__fail(result, "%s (%s by rule %s)", epi_decision_reason(apart),
              epi_verdict_name(epi_decision_verdict(apart)),
              epi_decision_rule(apart));
  } else if (!epi__flow_same_plan(decision, apart)) {
    epi__fail(result, "in need of other functions than its name (rule %s)",
              epi_decision_rule(apart));
  } else {
    result = 0;
  }
  epi_decision_free(apart);
  return result;
}

int epi__dial_check(const epi_flow *flow, const epi_decision *decision,
                    const epi_addr *asked, const epi_addr *addr) {
  ptrdiff_t node;

  if (!decision || (flow->route && flow->route->hop_count)) {
    return 0;
  }
  node = epi__node_lookup_find(&decision->model->lookup, addr);
  if (node >= 0) {
    return (uint32_t)node == decision->to
               ? 0
               : epi__fail(EPI_EDENIED, "another node's");
  }
  return asked->kind == EPI_ADDR_NAME &&
                 epi__model_asks_apart(decision->model,
                                       decision->to != EPI__NONE, addr)
             ? judge_apart(flow, decision, addr)
             : 0;
}

/* A host that connected to a BIND was judged by its own address, and which one
 * a name had only the socket knows. It is not asked else: it has forgotten once
 * both sides ended, though what came last may still be on its way. */
static int is_with(const epi_flow *flow, const epi_decision *decision) {
  epi_addr addr;

  if (flow->bind || flow->dest.kind != EPI_ADDR_NAME ||
      (flow->route && flow->route->hop_count)) {
    return 1;
  }
  if (epi__sock_peer(flow->legs[EPI_BACKWARD].fd, &addr)) {
    epi__fail(EPI_EDENIED, "not known any more");
    return 0;
  }
  return !epi__dial_check(flow, decision, &flow->dest, &addr);
}

int epi__dial_may_go_on(const epi_flow *flow, const epi_decision *decision) {
  const epi__dial *dial = flow->dial;

  if (!dial) {
    return is_with(flow, decision);
  }
  for (int i = 0; i < EPI__ATTEMPTS; i++) {
    if (dial->attempts[i].fd >= 0 &&
        epi__dial_check(flow, decision, &flow->dest,
                        &dial->addrs[dial->attempts[i].addr])) {
      return 0;
    }
  }
  return 1;
}
