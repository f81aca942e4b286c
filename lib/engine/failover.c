/* failover.c: another instance takes over from one that failed, as long as
 * nothing of the flow's data went to that.
 *
 * A byte that was sent may have had its effect: it is not sent again. So what a
 * client says before it is answered, which goes right behind a request of SOCKS
 * 6, saves a round trip, and gives up that another instance may take over. */
#include "engine/flow.h"

#include "base/fail.h"
#include "base/net.h"

#include <inttypes.h>
#include <stdio.h>

/* One more try, within the time that flows with one instance may take. */
static int may_try(const epi_flow *flow) {
  const epi__setting *settings = flow->worker->engine->settings;
  int64_t took = epi__loop_now(flow->worker->loop) - flow->route->began_at;

  return !flow->bind && !flow->lanes[EPI_FORWARD].sent &&
         flow->route->tried_count < EPI__TRIES_MAX &&
         took < settings[EPI_ENGINE_HANDSHAKE_MS] +
                    settings[EPI_ENGINE_CONNECT_MS];
}

/* Leave the first hop, with all that was said there. */
static void leave(epi_flow *flow) {
  epi__leg *server = &flow->legs[EPI_BACKWARD];

  epi__dial_stop(flow);
  epi__dial_free(flow);
  epi__leg_close(server, 1);
  server->eof = server->shut = 0;
  epi_session_free(flow->hop_session);
  flow->hop_session = NULL;
  flow->hop = 0;
  flow->warm = flow->afresh = 0;
  flow->lanes[EPI_FORWARD].open = 0; /* what is pending waits */
}

/* Connect anew to the first hop, for the handshakes from the first on. */
static void begin_again(epi_flow *flow) {
  leave(flow);
  epi__dial_begin(flow);
}

/* Returns 1 if there is another one in the place of a hop now. */
static int replace(epi_flow *flow, size_t hop, const char *why) {
  const epi__hop *at = &flow->route->hops[hop];
  char before[EPI__URL_MAX];

  snprintf(before, sizeof before, "%s", at->link);
  if (epi__route_replace(flow, hop)) {
    return 0;
  }
  epi__log(flow->worker->engine, EPI_LOG_NOTE,
           "flow %" PRId64 ": %s takes over from %s for \"%s\": %s",
           flow->number, at->link, before, epi__instance_function(at->instance),
           why);
  return 1;
}

/* Returns 1 if another one is being started, and the flow waits for it. */
static int await_other(epi_flow *flow, size_t hop) {
  epi__await_anew(flow);
  if (epi__flow_await(
          flow, epi__instance_function(flow->route->hops[hop].instance)) !=
      EPI_EBUSY) {
    return 0;
  }
  leave(flow);
  epi__await_begin(flow, hop + 1);
  return 1;
}

int epi__fail_over(epi_flow *flow, size_t hop, const char *why) {
  epi__route *route = flow->route;
  int may;

  if (hop >= route->hop_count || !route->hops[hop].instance) {
    return 0;
  }
  may = may_try(flow);
  epi__route_note_failure(route, route->hops[hop].instance, why);
  if (!may) {
    return 0;
  }
  if (!replace(flow, hop, why)) {
    return await_other(flow, hop);
  }
  begin_again(flow);
  return 1;
}

void epi__fail_over_again(epi_flow *flow, size_t hop) {
  char why[400];

  if (replace(flow, hop, "it did not answer")) {
    epi__await_free(flow);
    begin_again(flow);
  } else if (!await_other(flow, hop)) {
    snprintf(why, sizeof why, "%s", epi_error_detail());
    epi__await_free(flow);
    if (hop || !epi__dial_leave_out(flow, why)) {
      epi__refuse_failed(flow, hop, EPI_REPLY_FAILURE, why);
    }
  }
}

/* An error of the network, so that the answer may be another one elsewhere. */
static int is_of_network(int code) {
  switch (code) {
  case EPI_REPLY_NETWORK_UNREACHABLE:
  case EPI_REPLY_HOST_UNREACHABLE:
  case EPI_REPLY_REFUSED:
  case EPI_REPLY_TIMED_OUT:
    return 1;
  default:
    return 0;
  }
}

/* Whether it was the destination that failed or a function on the way, nobody
 * says: once, all functions behind the hop are tried elsewhere, and none is
 * blamed. */
static int try_others_behind(epi_flow *flow, const char *why) {
  epi__route *route = flow->route;
  int others = 0;

  if (route->tried_behind || !may_try(flow)) {
    return 0;
  }
  route->tried_behind = 1;
  for (size_t i = flow->hop + 1; i < route->hop_count; i++) {
    epi__instance *instance = route->hops[i].instance;

    if (instance && route->tried_count < EPI__TRIES_MAX) {
      route->tried[route->tried_count++] = epi__instance_number(instance);
      others |= replace(flow, i, why);
    }
  }
  if (others) {
    begin_again(flow);
  }
  return others;
}

int epi__fail_over_behind(epi_flow *flow, int code, const char *why) {
  const epi__route *route = flow->route;
  size_t behind = flow->hop + 1;

  if (route->hops[flow->hop].version != EPI_SOCKS5) {
    return is_of_network(code) && try_others_behind(flow, why);
  }
  /* It was asked for the next hop, and for nothing else. */
  if (!is_of_network(code) && code != EPI_REPLY_FAILURE) {
    return 0;
  }
  if (!epi__fail_over(flow, behind, why)) {
    epi__refuse_failed(flow, behind, code, why);
  }
  return 1;
}

void epi__refuse_failed(epi_flow *flow, size_t hop, int code, const char *why) {
  const epi__route *route = flow->route;
  char all[900];

  if (route->failed_count < 2 || route->failures.failed ||
      hop >= route->hop_count || !route->hops[hop].instance) {
    epi__flow_refuse(flow, code, why);
    return;
  }
  snprintf(all, sizeof all, "no instance of \"%s\" works: %s",
           epi__instance_function(route->hops[hop].instance),
           route->failures.block);
  epi__flow_refuse(flow, EPI_REPLY_FAILURE, all);
}
