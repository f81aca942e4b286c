/* flow_judge.c: who asks, and may it be. */
#include "engine/flow.h"

#include "area/flow_query.h"
#include "base/bytes.h"
#include "base/fail.h"
#include "base/net.h"
#include "engine/bind.h"
#include "engine/flow_audit.h"
#include "engine/flow_limits.h"
#include "engine/own_ports.h"
#include "os/os.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
  WHY_MAX = 512,
  ROUNDS = 16, /* of choosing other functions for those without room */
};

/* Which loop this would be: a proxy's id twice, or too many proxies. */
static const char *find_loop(const epi_flow *flow) {
  const char *passed = epi_request_metadata(flow->request, EPI_META_PASSED);

  if (!passed) {
    return NULL;
  }
  if (strstr(passed, flow->worker->engine->id)) {
    return "a loop: the flow passed this proxy before";
  }
  return strlen(passed) / (EPI__PROXY_ID + 1) >= EPI__HOPS_MAX
             ? "a loop: the flow passed too many proxies"
             : NULL;
}

/* By what the source showed the first proxy who it is. What this proxy's own
 * peer did is not the source's. */
static unsigned claimed_means(const epi_request *request) {
  const char *words = epi_request_metadata(request, EPI_META_AUTHENTICATED);

  return words ? epi__auth_read(words) : 0;
}

/* Find out whether to believe the metadata. Returns 0, or an error to refuse
 * the flow for. */
static int check_claims(epi_flow *flow) {
  epi_engine *engine = flow->worker->engine;
  const char *source;
  int result;

  if (engine->function && !flow->session) {
    return epi__fail(EPI_EAUTH, "a function takes what proxies send alone, by "
                                "SOCKS 6");
  }
  if ((!engine->chain_key && !engine->function) || !flow->session) {
    return 0;
  }
  pthread_mutex_lock(&engine->lock);
  /* The start by the wall clock as it is now: it may have been set. */
  engine->seen.from = epi__clock_wall_at(engine->started_at);
  result =
      engine->function
          ? epi__ticket_check(flow->request, engine->crypto,
                              engine->function_key, epi__clock_wall(),
                              &engine->seen)
          : epi__claims_check(flow->request, engine->crypto, engine->claims_key,
                              epi__clock_wall(), &engine->seen);
  pthread_mutex_unlock(&engine->lock);
  if (result == EPI_ENOENT) {
    return 0;
  }
  if (result) {
    return result;
  }
  source = epi_request_metadata(flow->request, EPI_META_SOURCE);
  if (source && epi_addr_parse(&flow->source, source, -1)) {
    return epi__fail(EPI_EPROTO, "the metadata names no source");
  }
  flow->trusted = 1;
  flow->authenticated = EPI__AUTH_KEY | claimed_means(flow->request);
  return 0;
}

/* Is the destination that of a listener, a port of the model or --dns, and not
 * what the client asked for? */
static int is_named(const epi_flow *flow) {
  return flow->is_dns ||
         (flow->listener &&
          flow->listener->kind & (EPI__LISTEN_REVERSE | EPI__LISTEN_PORT));
}

int epi__flow_query(const epi_flow *flow, const epi_addr *from,
                    const epi_addr *to, epi_query **out) {
  epi__said said = epi__flow_said(flow);
  epi_query *query = NULL;
  int result = epi_query_new(&query);

  if (!result) {
    result = epi_query_set_from(query, from);
  }
  if (!result) {
    result = epi_query_set_to(query, to);
  }
  if (!result) {
    result = epi_query_set(query, EPI_QUERY_APPLICATION, said.application);
  }
  if (!result) {
    result = epi_query_set(query, EPI_QUERY_PURPOSE, said.purpose);
  }
  if (!result) {
    result = epi_query_set(query, EPI_QUERY_DATASET, said.dataset);
  }
  if (!result) {
    result = epi_query_set(query, EPI_QUERY_USER, said.user);
  }
  if (!result && is_named(flow)) {
    epi__query_set_named(query);
  }
  for (size_t i = 0; !result && i < flow->crowded.count; i++) {
    result = epi__query_set_full(query, flow->crowded.texts[i]);
  }
  if (result) {
    epi_query_free(query);
    return result;
  }
  epi__query_set_authenticated(query, flow->authenticated);
  epi_query_set_time(query, epi__clock_wall());
  *out = query;
  return 0;
}

int epi__flow_ask_model(const epi_flow *flow, epi_model *model,
                        const epi_addr *from, const epi_addr *to,
                        epi_decision *out) {
  epi_query *query = NULL;
  int result = epi__flow_query(flow, from, to, &query);

  if (!result) {
    result = epi_model_decide(model, query, out);
  }
  epi_query_free(query);
  return result;
}

static int ask_model(const epi_flow *flow, epi_model *model,
                     epi_decision *out) {
  return epi__flow_ask_model(flow, model, &flow->source, &flow->dest, out);
}

void epi__flow_say_refused(const epi_decision *decision, char *why,
                           size_t size) {
  snprintf(why, size, "%s > %s is %s by rule %s: %s",
           epi_decision_from(decision), epi_decision_to(decision),
           epi_verdict_name(epi_decision_verdict(decision)),
           epi_decision_rule(decision), epi_decision_reason(decision));
}

static void log_allowed(const epi_flow *flow) {
  const epi__route *route = flow->route;
  epi__addr_buf source, dest;
  epi__text way = {0};

  if (!epi__logs(flow->worker->engine, EPI_LOG_NOTE)) {
    return;
  }
  for (size_t i = 0; i < route->filter_count; i++) {
    epi__text_printf(&way, "%s%s", i ? ", " : " through ",
                     epi_filter_name(route->filters[i]));
  }
  for (size_t i = 0; i < route->hop_count; i++) {
    epi__text_printf(&way, " via %s", route->hops[i].link);
  }
  if (flow->decision) {
    epi__log(flow->worker->engine, EPI_LOG_NOTE,
             "flow %" PRId64 ": %s (%s) > %s (%s) %s by rule %s%s",
             flow->number, epi__addr_text(&flow->source, &source),
             epi_decision_from(flow->decision),
             epi__addr_text(&flow->dest, &dest),
             epi_decision_to(flow->decision),
             epi_verdict_name(epi_decision_verdict(flow->decision)),
             epi_decision_rule(flow->decision),
             way.block && !way.failed ? way.block : "");
  } else {
    epi__log(flow->worker->engine, EPI_LOG_NOTE, "flow %" PRId64 ": %s > %s%s",
             flow->number, epi__addr_text(&flow->source, &source),
             epi__addr_text(&flow->dest, &dest),
             way.block && !way.failed ? way.block : "");
  }
  epi__text_clear(&way);
}

void epi__flow_refuse_error(epi_flow *flow, int error) {
  int denied =
      error == EPI_EDENIED || error == EPI_EAUTH || error == EPI_ENOENT;

  epi__flow_refuse(flow, denied ? EPI_REPLY_NOT_ALLOWED : EPI_REPLY_FAILURE,
                   epi_error_detail());
}

int epi__flow_believe(epi_flow *flow) {
  const char *loop = find_loop(flow);
  int result = loop ? epi__fail(EPI_EDENIED, "%s", loop) : check_claims(flow);

  if (result) {
    epi__flow_refuse_error(flow, result);
  }
  return !result;
}

int epi__flow_admit(epi_flow *flow) {
  int result = epi__limits_enter(flow);

  if (!result && flow->route->filter_count) {
    result = epi__filters_open(flow);
  }
  if (!result) {
    result = epi__audit_allowed(flow);
  }
  if (result) {
    epi__flow_refuse_error(flow, result);
    return result;
  }
  log_allowed(flow);
  atomic_fetch_add(&flow->worker->engine->counts[EPI_COUNT_ALLOWED], 1);
  epi__meter_allowed(flow);
  return 0;
}

/* Judge by the policy that the flow holds. Returns 0, an error, or EPI_ECLOSED
 * and it was refused. */
static int judge(epi_flow *flow) {
  int result = ask_model(flow, epi__policy_model(flow->policy), flow->decision);
  char why[WHY_MAX];

  if (!result && !epi_decision_allowed(flow->decision)) {
    epi__flow_say_refused(flow->decision, why, sizeof why);
    epi__meter_judged(flow, flow->decision);
    epi__flow_refuse(flow, EPI_REPLY_NOT_ALLOWED, why);
    return EPI_ECLOSED;
  }
  return result;
}

/* May another function stand in for one without room? Not where the proxy
 * before has chosen. */
static int may_choose(const epi_flow *flow) {
  return !flow->trusted || !epi_request_metadata(flow->request, EPI_META_PLAN);
}

/* Judge, and find the way. The model is first asked as if all functions had
 * room, which it answers from memory, and asked again only if one on this
 * flow's way has none. Returns as judge(), or EPI_EBUSY: the flow waits. */
static int find_way(epi_flow *flow) {
  int result = 0;

  for (int round = 0; round < ROUNDS; round++) {
    epi__await_anew(flow);
    if (flow->policy) {
      result = judge(flow);
    }
    if (!result) {
      result = epi__route_new(&flow->route, flow);
    }
    if (result != EPI_ELIMIT || !may_choose(flow)) {
      break;
    }
  }
  return result == EPI_ELIMIT ? EPI_EDENIED : result; /* as unplaceable */
}

/* Hold the policy in force, and a decision to fill if there is one. */
static int hold_policy(epi_flow *flow) {
  epi__policy *policy = epi__worker_policy(flow->worker);

  if (policy != flow->policy) {
    epi__policy_free(flow->policy);
    flow->policy = epi__policy_ref(policy);
  }
  if (!policy) {
    epi_decision_free(flow->decision);
    flow->decision = NULL;
  }
  return policy && !flow->decision ? epi_decision_new(&flow->decision) : 0;
}

void epi__flow_judge_again(epi_flow *flow) {
  int result = hold_policy(flow);

  epi__names_clear(&flow->crowded);
  if (!result) {
    result = epi__port_check(flow, flow->policy);
  }
  if (!result) {
    result = find_way(flow);
  }
  if (result == EPI_EBUSY) {
    epi__await_begin(flow, 0);
    return;
  }
  epi__await_free(flow);
  if (result == EPI_ECLOSED) {
    return;
  }
  if (result) {
    epi__flow_refuse_error(flow, result);
  } else if (!epi__flow_admit(flow)) {
    epi__dial_begin(flow);
  }
}

void epi__flow_judge(epi_flow *flow) {
  if (epi__flow_believe(flow)) {
    epi__flow_judge_again(flow);
  }
}
