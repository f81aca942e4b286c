/* dial.c: resolving and connecting. */
#include "engine/dial.h"

#include "base/fail.h"
#include "base/memory.h"
#include "base/net.h"
#include "engine/leg_tls.h"
#include "engine/own_ports.h"
#include "os/os.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum {
  PAUSE_MS = 250, /* RFC 8305 section 8: connection attempt delay */
};

/* What to connect to first: a hop, or the destination. */
static const epi_addr *first_target(const epi_flow *flow) {
  return flow->route->hop_count ? &flow->route->hops[0].addr : &flow->dest;
}

int epi__dial_leave_out(epi_flow *flow, const char *why) {
  epi__route *route = flow->route;

  if (!route->hop_count || !route->hops[0].fails_open) {
    return 0;
  }
  epi__log(flow->worker->engine, EPI_LOG_ERROR,
           "flow %" PRId64 ": goes on WITHOUT %s, which may fail open: %s",
           flow->number, route->hops[0].link, why);
  epi__route_drop_hop(route);
  epi__dial_stop(flow);
  epi__dial_free(flow);
  epi__dial_begin(flow);
  return 1;
}

static void refuse_dial(epi_flow *flow) {
  static const char nowhere[] = "none of its addresses may be tried";
  int error = flow->dial->error;
  const epi__route *route = flow->route;
  epi__addr_buf target;
  char why[512];

  snprintf(why, sizeof why, "cannot connect to %s%s: %s",
           route->hop_count ? "the proxy " : "",
           route->hop_count ? route->hops[0].link
                            : epi__addr_text(&flow->dest, &target),
           error ? epi__dial_error_text(error) : nowhere);
  if (route->hop_count &&
      epi__fail_over(flow, 0, error ? epi__dial_error_text(error) : nowhere)) {
    return;
  }
  if (!epi__dial_leave_out(flow, why)) {
    epi__refuse_failed(
        flow, 0, error ? epi__dial_error_code(error) : EPI_REPLY_NOT_ALLOWED,
        why);
  }
}

static int is_taken(const epi__dial *dial, size_t addr) {
  return dial->taken >> addr & 1;
}

/* The next address to try: in a race the families take turns, IPv6 first (RFC
 * 8305 section 4). Returns its index, or -1 if none is left. */
static int pick(const epi__dial *dial) {
  int other = -1;

  for (size_t i = 0; i < dial->addr_count; i++) {
    if (is_taken(dial, i)) {
      continue;
    }
    if (!dial->race || dial->addrs[i].kind != dial->last_kind) {
      return (int)i;
    }
    other = other < 0 ? (int)i : other;
  }
  return other;
}

/* The next one that may be tried, which then counts as taken. */
static int take_next(epi_flow *flow) {
  epi__dial *dial = flow->dial;
  epi__addr_buf text;
  int next, loop;

  while ((next = pick(dial)) >= 0) {
    const epi_addr *addr = &dial->addrs[next];

    dial->taken |= (uint32_t)1 << next;
    loop = epi__port_is_loop(flow, addr);
    if (!loop && !epi__dial_check(flow, flow->decision, &flow->dest, addr)) {
      dial->last_kind = addr->kind;
      return next;
    }
    epi__log(flow->worker->engine, EPI_LOG_NOTE,
             "flow %" PRId64 ": skipping %s, which is %s", flow->number,
             epi__addr_text(addr, &text),
             loop ? "this proxy: a loop" : epi_error_detail());
  }
  return -1;
}

static void note_failure(epi__dial *dial, int error) {
  if (epi__dial_error_weight(error) >= epi__dial_error_weight(dial->error)) {
    dial->error = error;
  }
}

/* A target is connected: whatever else was under way ends. */
static void connected(epi_flow *flow, size_t addr, int fd) {
  epi_addr target = flow->dial->addrs[addr];
  static const epi__hop plain = {0};
  epi__worker *worker = flow->worker;
  const epi__hop *hop = flow->route->hop_count ? flow->route->hops : NULL;
  int missed = !flow->warm;
  int later = hop && !hop->tls;

  epi__meter_time(worker->meter, EPI__METER_CONNECT,
                  epi__loop_now(worker->loop) - flow->phase_at);
  if (hop) {
    epi__meter_add(worker->meter,
                   missed ? EPI__METER_WARM_MISSES : EPI__METER_WARM_HITS, 1);
  }
  flow->legs[EPI_BACKWARD].fd = fd;
  epi__dial_stop(flow);
  epi__dial_free(flow);
  if (hop && hop->tls) { /* which may be another one soon */
    epi__warm_used(worker->warm, &target, hop, missed);
  }
  epi__hops_begin(flow);
  if (later) {
    epi__warm_used(worker->warm, &target, &plain, missed);
  }
}

/* Returns 1 if there was a connection to the hop already. */
static int take_warm(epi_flow *flow, size_t addr) {
  epi__leg *server = &flow->legs[EPI_BACKWARD];
  epi__tls *session = NULL;
  int fd = flow->route->hop_count && !flow->afresh
               ? epi__warm_take(flow->worker->warm, &flow->dial->addrs[addr],
                                flow->route->hops, &server->io, &session)
               : -1;

  if (fd < 0) {
    return 0;
  }
  server->fd = fd;
  if (session && epi__leg_secure(server, session)) {
    epi__leg_close(server, 1); /* another one is tried */
    return 0;
  }
  flow->warm = 1;
  connected(flow, addr, fd);
  return 1;
}

static void go_on(epi_flow *flow);

static void on_pause_end(epi__timer *timer) {
  epi__dial *dial = EPI__OWNER(timer, epi__dial, next);
  epi_flow *flow = dial->flow;

  dial->pausing = 0;
  go_on(flow);
  epi__flow_watch(flow);
}

/* Data is under way in a SYN: no other host may get it before that failed. */
static int is_alone(const epi__dial *dial) {
  for (int i = 0; i < EPI__ATTEMPTS; i++) {
    if (dial->attempts[i].fd >= 0 && dial->attempts[i].in_syn) {
      return 1;
    }
  }
  return 0;
}

/* After a moment the next one begins, if there is or may be one. */
static void pause_before_next(epi_flow *flow) {
  epi__dial *dial = flow->dial;

  if (dial->race && !is_alone(dial) && (flow->lookup || pick(dial) >= 0)) {
    dial->pausing = 1;
    epi__timer_start(flow->worker->loop, &dial->next, PAUSE_MS, on_pause_end);
  }
}

/* Try the next address. Refuses if there is nothing left to hope for. */
static void go_on(epi_flow *flow) {
  epi__dial *dial = flow->dial;
  int next, started;

  while (dial->running < EPI__ATTEMPTS && (next = take_next(flow)) >= 0) {
    if (take_warm(flow, (size_t)next)) {
      return;
    }
    started = epi__attempt_start(flow, (size_t)next);
    if (!started) {
      pause_before_next(flow);
    }
    if (started >= 0) {
      return;
    }
    note_failure(dial, errno);
  }
  if (!dial->running && !flow->lookup) {
    refuse_dial(flow);
  }
}

static int add_addrs(epi__dial *dial, const epi_addr *addrs, size_t count) {
  epi_addr *moved;

  if (count > EPI__DIAL_ADDRS - dial->addr_count) {
    count = EPI__DIAL_ADDRS - dial->addr_count;
  }
  if (!count) {
    return 0;
  }
  moved = epi__realloc_array(dial->addrs, dial->addr_count + count,
                             sizeof *dial->addrs);
  if (!moved) {
    return EPI_ENOMEM;
  }
  memcpy(moved + dial->addr_count, addrs, count * sizeof *addrs);
  dial->addrs = moved;
  dial->addr_count += count;
  return 0;
}

/* why is NULL if more will come (resolve.h). */
static void on_addresses(void *user, const epi_addr *addrs, size_t count,
                         const char *why) {
  epi_flow *flow = user;
  epi__dial *dial = flow->dial;
  epi__addr_buf target;
  char text[512];

  if (why) {
    flow->lookup = NULL;
    epi__timer_stop(flow->worker->loop, &flow->timer);
  }
  if (add_addrs(dial, addrs, count)) {
    epi__flow_refuse(flow, EPI_REPLY_FAILURE, epi_error_detail());
  } else if (!dial->addr_count) {
    snprintf(text, sizeof text, "cannot resolve %s: %s",
             epi__addr_text(first_target(flow), &target), why);
    if (!epi__fail_over(flow, 0, "its name cannot be resolved") &&
        !epi__dial_leave_out(flow, text)) {
      epi__refuse_failed(flow, 0, EPI_REPLY_HOST_UNREACHABLE, text);
    }
  } else if (!dial->running || (!dial->pausing && !is_alone(dial))) {
    go_on(flow);
  }
  epi__flow_watch(flow);
}

static int wants_race(const epi_flow *flow) {
  int wanted = epi_request_stack(flow->request, EPI_LEG_REMOTE,
                                 EPI_STACK_HAPPY_EYEBALLS);

  return flow->route->hop_count || wanted < 0
             ? flow->worker->engine->settings[EPI_ENGINE_HAPPY_EYEBALLS] != 0
             : wanted == EPI_STACK_YES;
}

static int begin(epi_flow *flow) {
  const epi_addr *target = first_target(flow);
  int (*look_up)(epi__resolver *, const epi_addr *,
                 void (*)(void *, const epi_addr *, size_t, const char *),
                 void *, epi__node_lookup **);
  epi__dial *dial = epi__alloc(sizeof *dial);

  if (!dial) {
    return EPI_ENOMEM;
  }
  flow->dial = dial;
  dial->flow = flow;
  dial->last_kind = EPI_ADDR_IPV4;
  for (int i = 0; i < EPI__ATTEMPTS; i++) {
    dial->attempts[i].fd = -1;
  }
  if (target->kind != EPI_ADDR_NAME) {
    epi__timer_stop(flow->worker->loop, &flow->timer); /* attempts have own */
    return add_addrs(dial, target, 1);
  }
  dial->race = flow->raced = wants_race(flow);
  look_up = dial->race ? epi__node_lookup_race : epi__node_lookup_start;
  return look_up(flow->worker->resolver, target, on_addresses, flow,
                 &flow->lookup);
}

void epi__dial_begin(epi_flow *flow) {
  int is_name = first_target(flow)->kind == EPI_ADDR_NAME;

  epi__flow_enter(flow, EPI__DIAL);
  epi__stack_apply(flow->request, EPI_LEG_CLIENT, flow->legs[EPI_FORWARD].fd);
  if (begin(flow)) {
    epi__flow_refuse(flow, EPI_REPLY_FAILURE, epi_error_detail());
  } else if (!is_name) {
    go_on(flow);
  }
}

void epi__dial_timeout(epi_flow *flow) {
  epi__node_lookup_cancel(flow->lookup);
  flow->lookup = NULL;
  if (!flow->dial->running) {
    note_failure(flow->dial, ETIMEDOUT);
    refuse_dial(flow);
  }
}

void epi__dial_stop(epi_flow *flow) {
  epi__node_lookup_cancel(flow->lookup);
  flow->lookup = NULL;
  if (flow->dial) {
    epi__timer_stop(flow->worker->loop, &flow->dial->next);
    for (int i = 0; i < EPI__ATTEMPTS; i++) {
      epi__attempt_stop(&flow->dial->attempts[i]);
    }
  }
}

void epi__dial_free(epi_flow *flow) {
  if (flow->dial) {
    epi__free(flow->dial->addrs);
    epi__free(flow->dial);
    flow->dial = NULL;
  }
}

void epi__dial_lost(epi__attempt *attempt, int error) {
  epi_flow *flow = attempt->flow;

  epi__attempt_stop(attempt);
  note_failure(flow->dial, error);
  epi__timer_stop(flow->worker->loop, &flow->dial->next);
  flow->dial->pausing = 0;
  go_on(flow);
  epi__flow_watch(flow);
}

void epi__dial_won(epi__attempt *attempt) {
  epi_flow *flow = attempt->flow;
  epi__lane *lane = &flow->lanes[EPI_FORWARD];
  size_t along = attempt->in_syn + attempt->behind;
  size_t addr = attempt->addr;

  flow->in_syn = attempt->in_syn;
  epi__queue_ack(&lane->early, along);
  epi__meter_bytes(flow, EPI_FORWARD, (int64_t)along);
  flow->legs[EPI_BACKWARD].writes = along > 0;
  connected(flow, addr, epi__attempt_take(attempt));
  epi__flow_watch(flow);
}
