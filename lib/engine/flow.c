/* flow.c: a flow's beginning and end, and its timer. */
#include "engine/association.h"

#include "base/fail.h"
#include "base/memory.h"
#include "base/net.h"
#include "engine/bind.h"
#include "engine/buffered.h"
#include "engine/flow_audit.h"
#include "engine/flow_limits.h"
#include "engine/flow_login.h"
#include "engine/listener_tls.h"
#include "os/os.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum {
  LINGER_MS = 2000,
};

static void on_timer(epi__timer *timer);

void epi__flow_new(epi__worker *worker, epi__listener *listener, int fd,
                   const epi_addr *peer) {
  epi_engine *engine = worker->engine;
  epi__quota_entry *counted = NULL;
  epi_flow *flow;

  if (epi__limits_connect(worker, listener, peer, &counted)) {
    epi__sock_close(fd, 1);
    return;
  }
  flow = epi__slab_take(&worker->flow_slab);
  if (!flow || !(flow->peer = epi__alloc(sizeof *peer))) {
    epi__slab_give(&worker->flow_slab, flow);
    epi__quota_give(&engine->quotas, &counted);
    epi__sock_close(fd, 1);
    epi__log(engine, EPI_LOG_ERROR, "%s", epi_error_detail());
    return;
  }
  flow->counted[EPI__QUOTA_CONNECTIONS] = counted;
  flow->worker = worker;
  flow->listener = epi__listener_ref(listener);
  flow->number = atomic_fetch_add(&engine->next_flow, 1);
  *flow->peer = flow->source = *peer;
  flow->user = "";
  if (listener->allow) {
    flow->authenticated = EPI__AUTH_ADDRESS;
  }
  for (int i = 0; i < 2; i++) {
    flow->legs[i].flow = flow;
    flow->legs[i].fd = -1;
  }
  flow->legs[EPI_FORWARD].fd = fd;
  flow->legs[EPI_FORWARD].writes = 2;
  flow->next = worker->flows;
  if (flow->next) {
    flow->next->previous = flow;
  }
  worker->flows = flow;
  epi__slack_more(worker);
  atomic_fetch_add(&engine->mailboxes[worker->number].flows, 1);
  atomic_fetch_add(&engine->counts[EPI_COUNT_OPEN], 1);
  flow->opened_at = flow->moved_at = epi__loop_now(worker->loop);
  epi__meter_add(worker->meter, EPI__METER_ACCEPTED, 1);
  epi__flow_enter(flow, EPI__HANDSHAKE);
  if (epi__listener_secure(flow)) {
    epi__flow_end(flow, 1, epi_error_detail());
    return;
  }
  epi__handshake_begin(flow);
  epi__flow_watch(flow);
}

/* How long a phase may last; 0: for ever. */
static int64_t limit_of(const epi_flow *flow) {
  const epi__setting *settings = flow->worker->engine->settings;

  switch (flow->phase) {
  case EPI__HANDSHAKE:
    return settings[EPI_ENGINE_HANDSHAKE_MS];
  case EPI__AWAIT:
    return settings[EPI_ENGINE_PROVISION_MS];
  case EPI__DIAL:
  case EPI__SECURE:
    return settings[EPI_ENGINE_CONNECT_MS];
  case EPI__HOPS:
    return epi__hops_limit(flow);
  case EPI__WAIT: /* a backlog is held for as long as its client stays */
    return flow->bind->backlog ? 0 : settings[EPI_ENGINE_BIND_MS];
  case EPI__ASSOCIATED: /* until the first datagram came, it is being set up */
    return flow->association->version != EPI_SOCKS5 &&
                   flow->association->origin.carrier == EPI__CARRIER_NONE
               ? settings[EPI_ENGINE_HANDSHAKE_MS]
               : settings[EPI_ENGINE_UDP_IDLE_MS];
  case EPI__RELAY:
    return flow->legs[0].eof || flow->legs[1].eof
               ? settings[EPI_ENGINE_HALF_CLOSED_MS]
               : settings[EPI_ENGINE_IDLE_MS];
  default:
    return LINGER_MS;
  }
}

void epi__flow_enter(epi_flow *flow, int phase) {
  epi__loop *loop = flow->worker->loop;
  int64_t limit;

  flow->phase = phase;
  flow->phase_at = epi__loop_now(loop);
  limit = limit_of(flow);
  if (limit) {
    epi__timer_start(loop, &flow->timer, limit, on_timer);
  } else {
    epi__timer_stop(loop, &flow->timer);
  }
}

static void on_timer(epi__timer *timer) {
  epi_flow *flow = EPI__OWNER(timer, epi_flow, timer);
  int64_t now = epi__loop_now(flow->worker->loop);
  int64_t since = flow->phase == EPI__RELAY || flow->phase == EPI__ASSOCIATED
                      ? flow->moved_at
                      : flow->phase_at;
  int64_t left = since + limit_of(flow) - now;

  if (left > 0) { /* something moved since the timer was started */
    epi__timer_start(flow->worker->loop, timer, left, on_timer);
    return;
  }
  switch (flow->phase) {
  case EPI__HANDSHAKE:
    epi__flow_end(flow, 1, "the client did not finish its handshake in time");
    break;
  case EPI__AWAIT:
    epi__await_timeout(flow);
    epi__flow_watch(flow);
    break;
  case EPI__DIAL:
    epi__dial_timeout(flow);
    epi__flow_watch(flow);
    break;
  case EPI__SECURE:
    epi__secure_timeout(flow);
    epi__flow_watch(flow);
    break;
  case EPI__HOPS:
    epi__hops_timeout(flow);
    epi__flow_watch(flow);
    break;
  case EPI__WAIT:
    epi__flow_refuse(flow, EPI_REPLY_TIMED_OUT, "nobody connected in time");
    epi__flow_watch(flow);
    break;
  case EPI__ASSOCIATED:
    epi__flow_end(flow, 0,
                  flow->association->origin.carrier == EPI__CARRIER_NONE
                      ? "no datagram of the client came in time"
                      : "nothing moved for too long");
    break;
  case EPI__RELAY:
    epi__flow_end(flow, 1, "nothing moved for too long");
    break;
  default:
    epi__flow_end(flow, 0, NULL);
  }
}

static void unlink_flow(epi_flow *flow) {
  epi__worker *worker = flow->worker;

  if (flow->previous) {
    flow->previous->next = flow->next;
  } else {
    worker->flows = flow->next;
  }
  if (flow->next) {
    flow->next->previous = flow->previous;
  }
  flow->next = worker->ended;
  flow->previous = NULL;
  worker->ended = flow;
}

static void log_end(const epi_flow *flow, const char *why) {
  const char *notes = flow->chain ? epi__filter_chain_notes(flow->chain) : "";
  int64_t took = epi__loop_now(flow->worker->loop) - flow->opened_at;

  epi__log(flow->worker->engine, EPI_LOG_NOTE,
           "flow %" PRId64 ": ended after %" PRId64 ".%03" PRId64 " s, %" PRId64
           " bytes out, %" PRId64 " back%s%s: %s",
           flow->number, took / 1000, took % 1000,
           flow->lanes[epi__flow_way(flow, EPI_FORWARD)].bytes,
           flow->lanes[epi__flow_way(flow, EPI_BACKWARD)].bytes,
           *notes ? "; " : "", notes, why);
}

/* It failed before there was anything to relay. */
static void log_failure(epi_flow *flow, const char *why) {
  epi_engine *engine = flow->worker->engine;
  epi__addr_buf peer;

  epi__log(engine, EPI_LOG_NOTE, "flow %" PRId64 " from %s: %s", flow->number,
           epi__addr_text(flow->peer, &peer), why);
  epi__audit_failed(flow, why);
  epi__meter_failed(flow, why);
  atomic_fetch_add(&engine->counts[EPI_COUNT_FAILED], 1);
}

/* For filters that are told of the end later; the first reason is the cause. */
static void keep_why(epi_flow *flow, const char *why) {
  if (flow->chain && why && !flow->why) {
    flow->why = epi__strdup(why);
  }
}

static void meter_end(epi_flow *flow) {
  epi__worker *worker = flow->worker;

  if (flow->phase == EPI__RELAY || flow->phase == EPI__ASSOCIATED) {
    epi__meter_time(worker->meter, EPI__METER_FLOW,
                    epi__loop_now(worker->loop) - flow->opened_at);
  }
}

void epi__flow_end(epi_flow *flow, int reset, const char *why) {
  epi_engine *engine = flow->worker->engine;

  if (flow->phase == EPI__ENDED) {
    return;
  }
  if (why && (flow->phase == EPI__RELAY || flow->phase == EPI__ASSOCIATED)) {
    log_end(flow, why);
  } else if (why && flow->phase != EPI__LINGER) {
    log_failure(flow, why);
  }
  epi__audit_ended(flow, why);
  keep_why(flow, why);
  meter_end(flow);
  flow->phase = EPI__ENDED;
  epi__reply_let_go(flow);
  epi__limits_end(flow);
  epi__login_over(flow);
  epi__sessions_leave(flow);
  epi__dial_stop(flow);
  epi__await_over(flow);
  epi__route_leave(flow->route);
  epi__associate_end(flow->association);
  epi__bind_over(flow);
  epi__timer_stop(flow->worker->loop, &flow->timer);
  epi__timer_stop(flow->worker->loop, &flow->filters_timer);
  epi__leg_close(&flow->legs[EPI_FORWARD], reset);
  epi__leg_close(&flow->legs[EPI_BACKWARD], reset);
  atomic_fetch_sub(&engine->counts[EPI_COUNT_OPEN], 1);
  atomic_fetch_sub(&engine->mailboxes[flow->worker->number].flows, 1);
  epi__buffered_note(flow);
  epi__bulk_drop(flow);
  unlink_flow(flow);
}

/* Send the reply and wait for the client to close: a close with unread data
 * would reset the connection, and the reply might never arrive. */
static void send_refusal(epi_flow *flow, int code, const char *why) {
  epi_reply *reply = NULL;

  if (!epi_reply_new(&reply)) {
    epi_reply_set_code(reply, code);
    epi__hops_answer(reply, flow);
    epi_reply_set_metadata(reply, EPI_META_REASON, why);
    epi__stack_answer_connect(reply, flow);
    epi_session_reply(flow->session, reply);
    epi_reply_free(reply);
  }
  epi__flow_enter(flow, EPI__LINGER);
  epi__linger_flush(flow);
}

void epi__flow_linger(epi_flow *flow, const char *why) {
  if (flow->phase == EPI__ENDED) {
    return;
  }
  if (why) {
    log_failure(flow, why);
  }
  epi__flow_enter(flow, EPI__LINGER);
  epi__linger_flush(flow);
}

void epi__flow_refuse(epi_flow *flow, int code, const char *why) {
  epi_engine *engine = flow->worker->engine;
  epi__addr_buf source, dest;

  if (flow->phase == EPI__ENDED || flow->phase == EPI__LINGER) {
    return;
  }
  if (flow->phase == EPI__RELAY || flow->phase == EPI__ASSOCIATED) {
    epi__meter_cut(flow, why);
    epi__flow_end(flow, 1, why);
    return;
  }
  epi__log(engine, EPI_LOG_NOTE, "flow %" PRId64 ": %s > %s refused (%s): %s",
           flow->number, epi__addr_text(&flow->source, &source),
           epi__addr_text(&flow->dest, &dest), epi_reply_text(code), why);
  epi__audit_refused(flow, why);
  epi__meter_refused(flow, code, &flow->source, &flow->dest, why);
  atomic_fetch_add(
      &engine->counts[code == EPI_REPLY_NOT_ALLOWED ? EPI_COUNT_REFUSED
                                                    : EPI_COUNT_FAILED],
      1);
  keep_why(flow, why);
  epi__limits_leave(flow);
  epi__dial_stop(flow); /* nothing must revive the flow */
  epi__await_over(flow);
  epi__route_leave(flow->route);
  epi__bind_over(flow);
  epi__leg_close(&flow->legs[EPI_BACKWARD], 1);
  epi__associate_end(flow->association);
  if (flow->session && epi_session_next(flow->session) == EPI_NEXT_REPLY) {
    send_refusal(flow, code, why);
  } else {
    epi__flow_end(flow, 1, NULL);
  }
}

void epi__flow_sweep(epi__worker *worker) {
  while (worker->ended) {
    epi_flow *flow = worker->ended;

    worker->ended = flow->next;
    epi__association_free(flow->association);
    if (flow->chain) {
      epi__meter_filters(flow);
    }
    epi__filter_chain_free(flow->chain);
    epi__free(flow->why);
    epi__free(flow->cut);
    epi__route_free(flow->route);
    epi_decision_free(flow->decision);
    epi__names_clear(&flow->crowded);
    epi__policy_free(flow->policy);
    epi_session_free(flow->hop_session);
    epi_request_free(flow->hop_request);
    epi_session_free(flow->session);
    epi_request_free(flow->own_request);
    epi__free(flow->said);
    epi__pace_free(flow);
    epi__free(flow->subject);
    epi__free(flow->peer);
    epi_request_free(flow->added);
    epi__bind_free(flow->bind);
    epi__dial_free(flow);
    epi__await_free(flow);
    epi__listener_free(flow->listener);
    for (int i = 0; i < 2; i++) {
      epi__queue_clear(&flow->lanes[i].early, 0);
      epi__queue_clear(&flow->lanes[i].pending, 0);
    }
    epi__slab_give(&worker->flow_slab, flow);
    epi__slack_less(worker);
  }
}
