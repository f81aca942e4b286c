/* association_judge.c: may a datagram go where it wants to, or come from where
 * it came. What was decided is kept for a while, and no longer than the model
 * that decided it. */
#include "base/fail.h"
#include "base/memory.h"
#include "base/net.h"
#include "engine/association.h"
#include "engine/flow_audit.h"
#include "epi/plan.h"
#include "os/os.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
  KEPT_MS = 60000, /* how long a decision, and an address of a name, count */
  LOOKUPS = 8,     /* under way, of an association */
  WAITING = 16,    /* datagrams that wait for them */
  WAITING_BYTES = 65536,
  REFUSALS = 100, /* of an association that the log has */
  WHY_MAX = 512,
};

void epi__association_forget(epi__association *association) {
  epi_flow *flow = association->flow;

  epi__udp_peers_clear(&association->sent);
  epi__udp_peers_clear(&association->heard);
  epi__policy_free(flow->policy);
  flow->policy = epi__policy_ref(epi__worker_policy(flow->worker));
  association->generation = flow->worker->generation;
}

/* Judge by the model of now; what an older one said is forgotten. */
static void keep_up(epi__association *association) {
  epi__worker *worker = association->flow->worker;

  epi__worker_policy(worker);
  if (association->generation != worker->generation) {
    epi__association_forget(association);
  }
}

static int64_t now_of(const epi__association *association) {
  return epi__loop_now(association->flow->worker->loop);
}

static int counts_still(const epi__udp_peer *peer) {
  return peer->state != EPI__PEER_NEW &&
         now_of(peer->association) - peer->judged_at < KEPT_MS;
}

/* Ask the model. *out is NULL without one. Returns 0, or EPI_EDENIED or another
 * error with the reason in the detail. */
static int judge(epi__association *association, const epi_addr *from,
                 const epi_addr *to, epi_decision **out) {
  epi_flow *flow = association->flow;
  epi_decision *decision = NULL;
  int result;

  *out = NULL;
  if (!flow->policy) {
    return epi__audit_datagrams(flow, from, to, NULL);
  }
  result = epi_decision_new(&decision);
  if (!result) {
    result = epi__flow_ask_model(flow, epi__policy_model(flow->policy), from,
                                 to, decision);
  }
  if (!result) {
    epi__meter_judged(flow, decision);
  }
  if (!result && !epi_decision_allowed(decision)) {
    result =
        epi__fail(EPI_EDENIED, "%s > %s is %s by rule %s: %s",
                  epi_decision_from(decision), epi_decision_to(decision),
                  epi_verdict_name(epi_decision_verdict(decision)),
                  epi_decision_rule(decision), epi_decision_reason(decision));
  } else if (!result && epi_plan_hop_count(epi_decision_plan(decision))) {
    result = epi__fail(EPI_EDENIED,
                       "%s > %s needs a chain, and functions take "
                       "no datagrams",
                       epi_decision_from(decision), epi_decision_to(decision));
  }
  if (!result) {
    result = epi__audit_datagrams(flow, from, to, decision);
  }
  if (result) {
    epi_decision_free(decision);
    return result;
  }
  *out = decision;
  return 0;
}

static void refuse(epi__udp_peer *peer, const epi_addr *from,
                   const epi_addr *to, const char *why) {
  epi__association *association = peer->association;
  epi_engine *engine = association->flow->worker->engine;
  epi__addr_buf source, dest;

  peer->state = EPI__PEER_REFUSED;
  peer->judged_at = now_of(association);
  epi__udp_peer_stop(peer);
  if (peer->logged) {
    return;
  }
  peer->logged = 1;
  atomic_fetch_add(&engine->counts[EPI_COUNT_REFUSED], 1);
  epi__meter_refused(association->flow, EPI_REPLY_NOT_ALLOWED, from, to, why);
  if (association->refusals++ < REFUSALS) {
    epi__audit_datagrams_refused(association->flow, from, to, why);
    epi__log(engine, EPI_LOG_NOTE,
             "flow %" PRId64 ": datagrams %s > %s refused: %s%s",
             association->flow->number, epi__addr_text(from, &source),
             epi__addr_text(to, &dest), why,
             association->refusals == REFUSALS ? " (further ones go unsaid)"
                                               : "");
  }
}

/* ---- names ---- */

/* The first address that the decision is about; or NULL, and the detail says
 * what the last one is. */
static const epi_addr *choose(const epi__udp_peer *peer, const epi_addr *addrs,
                              size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (!epi__dial_check(peer->association->flow, peer->decision, &peer->addr,
                         &addrs[i])) {
      return &addrs[i];
    }
  }
  return NULL;
}

/* What the address sends is an answer. */
static void let_answer(epi__association *association, const epi_addr *addr) {
  epi__udp_peer *peer =
      epi__udp_peer_get(association, &association->sent, addr);

  if (peer) {
    peer->answers = 1;
  }
}

static void send_waiting(epi__udp_peer *peer) {
  epi__association *association = peer->association;
  epi_addr to = peer->to;
  epi__udp_waiting *waiting = peer->first;

  peer->first = peer->last = NULL;
  while (waiting) {
    epi__udp_waiting *next = waiting->next;

    association->waiting--;
    association->waiting_bytes -= waiting->len;
    epi__association_send_on(association, &to, waiting->data, waiting->len);
    epi__free(waiting);
    waiting = next;
  }
}

static void on_addresses(void *user, const epi_addr *addrs, size_t count,
                         const char *why) {
  epi__udp_peer *peer = user;
  epi__association *association = peer->association;
  const epi_addr *to = choose(peer, addrs, count);
  char text[WHY_MAX];

  peer->lookup = NULL;
  association->lookups--;
  if (!to) {
    snprintf(text, sizeof text, "%s%s",
             count ? "none of its addresses may be used, the last is " : "",
             count ? epi_error_detail() : why);
    refuse(peer, &association->flow->source, &peer->addr, text);
    return;
  }
  peer->to = *to;
  peer->state = EPI__PEER_ALLOWED;
  peer->judged_at = now_of(association);
  epi_decision_free(peer->decision);
  peer->decision = NULL;
  send_waiting(peer);
  if (association->flow->phase == EPI__ASSOCIATED) {
    let_answer(association, to); /* last: it may take this peer's place */
  }
}

/* Datagrams for a name wait; too many of them are lost. */
static void wait_for(epi__udp_peer *peer, const void *data, size_t len) {
  epi__association *association = peer->association;
  epi__udp_waiting *waiting;

  if (association->waiting == WAITING ||
      association->waiting_bytes + len > WAITING_BYTES) {
    return;
  }
  waiting = epi__alloc(sizeof *waiting + len);
  if (!waiting) {
    return;
  }
  waiting->len = len;
  if (len) {
    memcpy(waiting->data, data, len);
  }
  *(peer->last ? &peer->last->next : &peer->first) = waiting;
  peer->last = waiting;
  association->waiting++;
  association->waiting_bytes += len;
}

static void resolve(epi__udp_peer *peer) {
  epi__association *association = peer->association;

  if (association->lookups == LOOKUPS) {
    epi__udp_peer_stop(peer); /* the next datagram tries again */
    return;
  }
  association->lookups++;
  peer->state = EPI__PEER_RESOLVING;
  peer->judged_at = now_of(association);
  if (epi__node_lookup_start(association->flow->worker->resolver, &peer->addr,
                             on_addresses, peer, &peer->lookup)) {
    association->lookups--;
    peer->lookup = NULL;
    peer->state = EPI__PEER_NEW;
    epi__udp_peer_stop(peer);
  }
}

/* ---- questions ---- */

const epi_addr *epi__association_may_send(epi__association *association,
                                          const epi_addr *to, const void *data,
                                          size_t len) {
  epi_flow *flow = association->flow;
  epi__udp_peer *peer;
  epi_decision *decision;

  keep_up(association);
  peer = epi__udp_peer_get(association, &association->sent, to);
  if (!peer) {
    return NULL;
  }
  if (peer->state == EPI__PEER_RESOLVING) {
    wait_for(peer, data, len);
    return NULL;
  }
  if (!counts_still(peer)) {
    if (judge(association, &flow->source, to, &decision)) {
      refuse(peer, &flow->source, to, epi_error_detail());
      return NULL;
    }
    peer->logged = 0;
    if (to->kind == EPI_ADDR_NAME) {
      peer->decision = decision;
      wait_for(peer, data, len);
      resolve(peer); /* its answer may be there at once, and send */
      return NULL;
    }
    epi_decision_free(decision);
    peer->state = EPI__PEER_ALLOWED;
    peer->judged_at = now_of(association);
  }
  return peer->state == EPI__PEER_ALLOWED ? &peer->to : NULL;
}

int epi__association_knows(epi__association *association,
                           const epi_addr *addr) {
  epi__udp_peer *peer;

  keep_up(association);
  peer = epi__udp_peer_find(&association->sent, addr);
  return peer && (peer->answers || peer->state == EPI__PEER_ALLOWED);
}

int epi__association_may_hear(epi__association *association,
                              const epi_addr *from) {
  epi_flow *flow = association->flow;
  epi_addr to = flow->source;
  epi__udp_peer *peer;
  epi_decision *decision;
  epi_addr bound;

  if (epi__association_knows(association, from)) {
    return 1;
  }
  /* Nobody asked for it: it is the remote that wants to send. */
  peer = epi__udp_peer_get(association, &association->heard, from);
  if (!peer) {
    return 0;
  }
  if (!counts_still(peer)) {
    int index = from->kind == EPI_ADDR_IPV6;

    if (!epi__sock_local(association->remotes[index].fd, &bound)) {
      to.port = bound.port;
    }
    if (judge(association, from, &to, &decision)) {
      refuse(peer, from, &to, epi_error_detail());
      return 0;
    }
    epi_decision_free(decision);
    peer->state = EPI__PEER_ALLOWED;
    peer->judged_at = now_of(association);
    peer->logged = 0;
  }
  return peer->state == EPI__PEER_ALLOWED;
}
