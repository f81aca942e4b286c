/* hops.c: handshakes with the proxies on the way to the destination. */
#include "engine/flow.h"

#include "base/fail.h"
#include "base/net.h"
#include "os/os.h"

#include <stdio.h>

static void begin_relay(epi_flow *flow, const epi_addr *bound) {
  epi__flow_enter(flow, EPI__RELAY);
  flow->moved_at = flow->phase_at;
  epi__handshake_succeed(flow, bound);
  if (flow->phase == EPI__RELAY) {
    epi__relay_open(flow, EPI_BACKWARD);
  }
  if (flow->phase == EPI__RELAY) {
    epi__relay_open(flow, EPI_FORWARD);
  }
}

/* Start the handshake with the current hop. Returns 0, or it was refused. */
static int begin_hop(epi_flow *flow) {
  const epi__route *route = flow->route;
  int version = route->hops[flow->hop].version;
  int last = version != EPI_SOCKS5 || flow->hop + 1 == route->hop_count;
  int result;

  epi_session_free(flow->hop_session);
  flow->hop_session = NULL;
  epi_request_free(flow->hop_request);
  flow->hop_request = NULL;
  result = epi_request_new(&flow->hop_request);
  if (!result) {
    result = epi__route_request(flow, flow->hop, flow->hop_request);
  }
  if (!result) {
    result =
        epi_session_new_client(&flow->hop_session, version, flow->hop_request);
  }
  if (result) {
    epi__flow_refuse(flow, EPI_REPLY_FAILURE, epi_error_detail());
    return result;
  }
  epi__relay_flush(flow, EPI_FORWARD);
  if (flow->phase == EPI__HOPS && last &&
      epi_session_may_send(flow->hop_session)) {
    epi__relay_open(flow, EPI_FORWARD); /* what came early goes right behind */
  }
  return flow->phase == EPI__HOPS ? 0 : EPI_ECLOSED;
}

void epi__hops_begin(epi_flow *flow) {
  epi_addr bound;

  if (!flow->route->hop_count) {
    if (epi__sock_local(flow->legs[EPI_BACKWARD].fd, &bound)) {
      epi__flow_refuse(flow, EPI_REPLY_FAILURE, epi_error_detail());
      return;
    }
    begin_relay(flow, &bound);
    return;
  }
  epi__flow_enter(flow, EPI__HOPS);
  flow->hop = 0;
  begin_hop(flow);
}

static void refuse_by_hop(epi_flow *flow) {
  const epi_reply *reply = epi_session_result(flow->hop_session);
  const char *reason =
      reply ? epi_reply_metadata(reply, EPI_META_REASON) : NULL;
  int code = reply ? epi_reply_code(reply) : EPI_REPLY_FAILURE;
  char why[700], clean[512];

  snprintf(why, sizeof why, "%s says: %s%s%s",
           flow->route->hops[flow->hop].link,
           reply ? epi_reply_text(code) : "authentication failed",
           reason ? ": " : "",
           reason ? epi__printable(clean, sizeof clean, reason) : "");
  epi__flow_refuse(flow, code, why);
}

static void hop_failed(epi_flow *flow, const char *what) {
  char why[700];

  snprintf(why, sizeof why, "%s: %s", flow->route->hops[flow->hop].link, what);
  epi__flow_refuse(flow, EPI_REPLY_FAILURE, why);
}

/* The current hop is done; rest is what came behind its reply. */
static void finish_hop(epi_flow *flow, const uint8_t *rest, size_t len) {
  int socks5 = flow->route->hops[flow->hop].version == EPI_SOCKS5;
  epi_addr bound = *epi_reply_bound(epi_session_result(flow->hop_session));

  if (socks5 && flow->hop + 1 < flow->route->hop_count) {
    if (len) {
      hop_failed(flow, "it sent data before it was asked");
      return;
    }
    flow->hop++;
    begin_hop(flow);
    return;
  }
  begin_relay(flow, &bound);
  if (flow->phase == EPI__RELAY && len) {
    epi__relay_take(flow, EPI_BACKWARD, rest, len);
  }
}

void epi__hops_read(epi_flow *flow) {
  epi__worker *worker = flow->worker;
  ptrdiff_t got =
      epi__sock_read(flow->legs[EPI_BACKWARD].fd, worker->scratch,
                     (size_t)worker->engine->settings[EPI_ENGINE_BUFFER]);
  ptrdiff_t used;

  if (got == EPI_ENOENT) {
    return;
  }
  if (got <= 0) {
    hop_failed(flow, got ? epi_error_detail()
                         : "it closed the connection during the handshake");
    return;
  }
  used = epi_session_feed(flow->hop_session, worker->scratch, (size_t)got);
  if (used < 0 && epi_session_next(flow->hop_session) != EPI_NEXT_REFUSED) {
    hop_failed(flow, epi_error_detail());
    return;
  }
  switch (epi_session_next(flow->hop_session)) {
  case EPI_NEXT_DONE:
    finish_hop(flow, worker->scratch + used, (size_t)(got - used));
    break;
  case EPI_NEXT_REFUSED:
    refuse_by_hop(flow);
    break;
  default:
    epi__relay_flush(flow, EPI_FORWARD);
  }
}
