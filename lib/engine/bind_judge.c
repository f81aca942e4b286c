/* bind_judge.c: may that host connect? The flow goes from it to the client, to
 * the port that was bound. */
#include "engine/bind.h"

#include "base/fail.h"
#include "base/net.h"
#include "engine/flow_audit.h"

#include <inttypes.h>
#include <stdio.h>

enum {
  WHY_MAX = 512,
  STRANGERS_SAID = 100, /* in the audit log, of each BIND */
};

static epi_addr client_at_port(const epi__bind *bind) {
  epi_addr addr = bind->client;

  addr.port = bind->bound.port;
  return addr;
}

static int decide(const epi_flow *flow, epi__policy *policy,
                  const epi_addr *host, epi_decision **out) {
  epi_addr client = client_at_port(flow->bind);
  epi_decision *decision = NULL;
  int result = epi_decision_new(&decision);

  if (!result) {
    result = epi__flow_ask_model(flow, epi__policy_model(policy), host, &client,
                                 decision);
  }
  if (result) {
    epi_decision_free(decision);
    return result;
  }
  *out = decision;
  return 0;
}

/* Returns 1 if a host may connect, and what that needs can be had here; else 0
 * with the reason. */
static int may_connect(const epi_flow *flow, epi__policy *policy,
                       const epi_addr *host, char *why, size_t size) {
  epi_decision *decision = NULL;
  int may = 0;

  if (decide(flow, policy, host, &decision)) {
    snprintf(why, size, "it cannot be judged: %s", epi_error_detail());
    return 0;
  }
  if (!epi_decision_allowed(decision)) {
    epi__flow_say_refused(decision, why, size);
  } else if (epi__route_can_bind(flow, decision)) {
    snprintf(why, size, "%s", epi_error_detail());
  } else {
    may = 1;
  }
  epi_decision_free(decision);
  return may;
}

int epi__bind_check(const epi_flow *flow, epi__policy *policy, char *why,
                    size_t size) {
  const epi__bind *bind = flow->bind;

  if (!policy || !bind->host_count) {
    return 0;
  }
  for (size_t i = 0; i < bind->host_count; i++) {
    if (may_connect(flow, policy, &bind->hosts[i], why, size)) {
      return 0;
    }
  }
  return EPI_EDENIED;
}

int epi__bind_may_wait(epi_flow *flow, epi__policy *policy) {
  char why[WHY_MAX];

  if (epi__bind_check(flow, policy, why, sizeof why)) {
    epi__flow_refuse(flow, EPI_REPLY_NOT_ALLOWED, why);
    return 0;
  }
  return 1;
}

/* A host of no node is a stranger: if it could end the wait, whoever finds the
 * port could. A node that is refused is the answer to the BIND. */
static int is_stranger(const epi_flow *flow, epi__policy *policy,
                       const epi_addr *host) {
  return !flow->route->hop_count && !flow->bind->host_count &&
         epi_model_node_at(epi__policy_model(policy), host) < 0;
}

void epi__bind_audit_stranger(epi_flow *flow, const epi_addr *host,
                              const epi_decision *decision, const char *why) {
  epi__bind *bind = flow->bind;
  epi_addr to = client_at_port(bind);

  if (bind->strangers < STRANGERS_SAID) {
    bind->strangers++;
    epi__audit_host_refused(flow, host, &to, decision, why);
  }
}

/* Returns as epi__bind_admit(). */
static int refuse_host(epi_flow *flow, epi__policy *policy,
                       const epi_addr *host, const epi_decision *decision) {
  epi_engine *engine = flow->worker->engine;
  char why[WHY_MAX];
  epi__addr_buf text;

  epi__flow_say_refused(decision, why, sizeof why);
  epi__meter_judged(flow, decision);
  if (!is_stranger(flow, policy, host)) {
    epi__flow_refuse(flow, EPI_REPLY_NOT_ALLOWED, why);
    return -1;
  }
  epi__log(engine, EPI_LOG_NOTE, "flow %" PRId64 ": %s may not connect: %s",
           flow->number, epi__addr_text(host, &text), why);
  epi__bind_audit_stranger(flow, host, decision, why);
  atomic_fetch_add(&engine->counts[EPI_COUNT_REFUSED], 1);
  epi__meter_refused(flow, EPI_REPLY_NOT_ALLOWED, &flow->source, &flow->dest,
                     why);
  flow->source = flow->bind->client;
  flow->dest = *epi_request_dest(flow->request);
  return 0;
}

int epi__bind_admit(epi_flow *flow, const epi_addr *host) {
  epi__policy *policy = epi__worker_policy(flow->worker);
  epi_decision *decision = NULL;
  int result = policy ? decide(flow, policy, host, &decision) : 0;

  flow->source = *host;
  flow->dest = client_at_port(flow->bind);
  if (!result && decision && !epi_decision_allowed(decision)) {
    result = refuse_host(flow, policy, host, decision);
    epi_decision_free(decision);
    return result;
  }
  epi__policy_free(flow->policy);
  flow->policy = epi__policy_ref(policy);
  flow->decision = decision;
  if (!result && decision) {
    result = epi__route_bind(flow);
  }
  if (result) {
    epi__flow_refuse_error(flow, result);
    return -1;
  }
  return epi__flow_admit(flow) ? -1 : 1;
}
