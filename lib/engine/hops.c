/* hops.c: handshakes with the proxies on the way to the destination. */
#include "engine/flow.h"

#include "base/fail.h"
#include "base/net.h"
#include "engine/bind.h"
#include "os/os.h"

#include <inttypes.h>
#include <stdio.h>

/* Is this handshake under way still? Its hop may have been lost in writing, and
 * another handshake begun. */
static int goes_on(const epi_flow *flow, unsigned handshake) {
  return flow->phase == EPI__HOPS && flow->handshakes == handshake;
}

/* What came early goes along with the request, as far as one send takes both:
 * whoever reads them together can have it in the SYN to the destination. What
 * fails, or is left, is for the flush that follows. */
static void send_along(epi_flow *flow) {
  epi__lane *lane = &flow->lanes[EPI_FORWARD];
  const void *request;
  const uint8_t *early;
  ptrdiff_t len = epi_session_peek(flow->hop_session, &request);
  size_t early_len = epi__queue_peek(&lane->early, &early);
  ptrdiff_t sent;

  if (flow->chain || flow->pace || !early_len || epi__lane_held(lane) ||
      len <= 0) {
    return; /* it has yet to be looked at, or something else goes first */
  }
  sent = epi__leg_write_two(&flow->legs[EPI_BACKWARD], request, (size_t)len,
                            early, early_len);
  if (sent <= 0) {
    return;
  }
  epi_session_ack(flow->hop_session, (size_t)(sent < len ? sent : len));
  if (sent > len) {
    epi__queue_ack(&lane->early, (size_t)(sent - len));
    epi__meter_bytes(flow, EPI_FORWARD, sent - len);
    lane->sent = 1;
  }
}

/* Ask the current hop, which is connected, and secured if need be. */
static void ask_hop(epi_flow *flow) {
  const epi__route *route = flow->route;
  int version = route->hops[flow->hop].version;
  int last = version != EPI_SOCKS5 || flow->hop + 1 == route->hop_count;
  unsigned number = ++flow->handshakes;
  int along, result;

  epi_session_free(flow->hop_session);
  flow->hop_session = NULL;
  epi_request_free(flow->hop_request);
  flow->hop_request = NULL;
  flow->heard = 0;
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
    return;
  }
  along = last && !flow->listener->dest_tls &&
          epi_session_may_send(flow->hop_session);
  if (along) {
    send_along(flow);
  }
  epi__relay_flush(flow, EPI_FORWARD);
  if (along && goes_on(flow, number)) {
    epi__relay_open(flow, EPI_FORWARD); /* what is early still comes behind */
  }
}

/* Start the handshakes with the current hop. The first one has TLS already if
 * it was kept warm; what another one has is that of a hop before, and nothing
 * is to be said to one that was not checked. */
static void begin_hop(epi_flow *flow) {
  const epi__hop *hop = &flow->route->hops[flow->hop];
  int spoken = flow->legs[EPI_BACKWARD].tls != NULL;

  if (hop->tls && spoken && flow->hop) {
    epi__flow_refuse(flow, EPI_REPLY_FAILURE,
                     "TLS to a hop cannot be inside of the TLS with another");
    return;
  }
  if (hop->tls && !spoken) {
    epi__secure_begin(flow);
    return;
  }
  if (flow->phase != EPI__HOPS) {
    epi__flow_enter(flow, EPI__HOPS);
  }
  ask_hop(flow);
}

void epi__hops_go_on(epi_flow *flow) {
  epi__flow_enter(flow, EPI__HOPS);
  ask_hop(flow);
}

/* All hops are passed, if any: TLS to the destination comes next, or data. */
static void begin_relay(epi_flow *flow, const epi_addr *bound, int follows) {
  if (!flow->listener->dest_tls) {
    epi__relay_begin(flow, bound, follows);
    return;
  }
  flow->hop = flow->route->hop_count;
  if (flow->legs[EPI_BACKWARD].tls) {
    epi__flow_refuse(flow, EPI_REPLY_FAILURE,
                     "TLS to the destination cannot be inside of the TLS with "
                     "a hop");
  } else {
    epi__secure_begin(flow);
  }
}

void epi__hops_begin(epi_flow *flow) {
  epi_addr bound = {0};

  if (!flow->route->hop_count) {
    if (flow->session && /* whom a reply tells it */
        epi__sock_local(flow->legs[EPI_BACKWARD].fd, &bound)) {
      epi__flow_refuse(flow, EPI_REPLY_FAILURE, epi_error_detail());
      return;
    }
    begin_relay(flow, &bound, 0);
    return;
  }
  flow->hop = 0;
  flow->heard = 0;
  begin_hop(flow);
}

/* It answered, and so did all behind it that it speaks for. */
static void note_success(epi_flow *flow, int all) {
  const epi__route *route = flow->route;
  size_t end = all ? route->hop_count : flow->hop + 1;

  for (size_t i = flow->hop; i < end; i++) {
    if (route->hops[i].instance) {
      epi__instance_works(route->hops[i].instance);
    }
  }
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
  note_success(flow, 0);
  if (!reply || !epi__fail_over_behind(flow, code, why)) {
    epi__flow_refuse(flow, code, why);
  }
}

/* A connection that was kept warm may have been dead, and its flow is tried
 * once more, on a fresh one. Not if anything behind the request went along,
 * which is sent at once as ever: the hop may have passed it on before it died,
 * and it would arrive twice. Returns 1 if the flow goes on. */
static int try_afresh(epi_flow *flow, const char *what) {
  epi__lane *lane = &flow->lanes[EPI_FORWARD];
  epi__leg *server = &flow->legs[EPI_BACKWARD];

  if (!flow->warm || lane->bytes || (flow->chain && lane->open)) {
    return 0;
  }
  epi__log(flow->worker->engine, EPI_LOG_DEBUG,
           "flow %" PRId64 ": connects afresh to %s, which left a connection: "
           "%s",
           flow->number, flow->route->hops[flow->hop].link, what);
  flow->warm = 0;
  flow->afresh = 1;
  lane->open = lane->ended = 0;
  epi__leg_close(server, 1);
  server->eof = server->shut = 0;
  epi__dial_begin(flow);
  return 1;
}

void epi__hops_lost(epi_flow *flow, const char *what) {
  size_t hop = flow->hop;
  char why[700], shown[600];

  if (try_afresh(flow, what)) {
    return;
  }
  snprintf(shown, sizeof shown, "%s", what);
  snprintf(why, sizeof why, "%s: %s", flow->route->hops[hop].link, shown);
  if (!epi__fail_over(flow, hop, shown)) {
    epi__refuse_failed(flow, hop, EPI_REPLY_FAILURE, why);
  }
}

/* Who has answered something waits for another itself: he is not to blame. */
void epi__hops_timeout(epi_flow *flow) {
  static const char what[] = "did not answer in time";
  size_t hop = flow->hop;
  char why[400];

  snprintf(why, sizeof why, "%s %s", flow->route->hops[hop].link, what);
  if (flow->heard) {
    epi__flow_refuse(flow, EPI_REPLY_TIMED_OUT, why);
  } else if (!epi__fail_over(flow, hop, what)) {
    epi__refuse_failed(flow, hop, EPI_REPLY_TIMED_OUT, why);
  }
}

int64_t epi__hops_limit(const epi_flow *flow) {
  const epi__setting *settings = flow->worker->engine->settings;
  epi__instance *instance = flow->route->hops[flow->hop].instance;

  if (instance && !flow->heard && epi__instance_has_others(instance)) {
    return settings[EPI_ENGINE_CONNECT_MS];
  }
  /* The proxies on the way connect meanwhile. */
  return settings[EPI_ENGINE_HANDSHAKE_MS] + settings[EPI_ENGINE_CONNECT_MS];
}

/* The current hop is done; rest is what came behind its reply. */
static void finish_hop(epi_flow *flow, const uint8_t *rest, size_t len) {
  int socks5 = flow->route->hops[flow->hop].version == EPI_SOCKS5;
  epi_addr bound = *epi_reply_bound(epi_session_result(flow->hop_session));

  if (socks5 && flow->hop + 1 < flow->route->hop_count) {
    if (len) {
      epi__hops_lost(flow, "it sent data before it was asked");
      return;
    }
    note_success(flow, 0);
    flow->hop++;
    begin_hop(flow);
    return;
  }
  note_success(flow, 1);
  if (flow->bind) {
    epi__bind_connected_by_hop(flow, &bound);
  } else {
    begin_relay(flow, &bound, len > 0);
  }
  if (flow->phase == EPI__RELAY && len) {
    epi__relay_take(flow, EPI_BACKWARD, rest, len);
  }
}

/* Returns the bytes used, and then the flow may go on; or 0. */
static size_t feed_hop(epi_flow *flow, const uint8_t *data, size_t len) {
  epi_session *session = flow->hop_session;
  unsigned number = flow->handshakes;
  ptrdiff_t used = epi_session_feed(session, data, len);

  if (used < 0 && epi_session_next(session) != EPI_NEXT_REFUSED) {
    epi__hops_lost(flow, epi_error_detail());
    return 0;
  }
  switch (epi_session_next(session)) {
  case EPI_NEXT_DONE:
    finish_hop(flow, data + used, len - (size_t)used);
    return 0;
  case EPI_NEXT_REFUSED:
    refuse_by_hop(flow);
    return 0;
  default:
    if (flow->phase == EPI__HOPS && epi_session_replies(session)) {
      epi__bind_offered_by_hop(flow); /* the second reply may be here too */
    } else {
      epi__relay_flush(flow, EPI_FORWARD);
    }
    return flow->handshakes == number ? (size_t)used : 0;
  }
}

void epi__hops_read(epi_flow *flow) {
  epi__worker *worker = flow->worker;
  const uint8_t *data = worker->scratch;
  ptrdiff_t got =
      epi__leg_read(&flow->legs[EPI_BACKWARD], worker->scratch,
                    (size_t)worker->engine->settings[EPI_ENGINE_BUFFER]);
  size_t used;

  if (got == EPI_ENOENT) {
    return;
  }
  if (got <= 0) {
    epi__hops_lost(flow, got ? epi_error_detail()
                             : "it closed the connection during the handshake");
    return;
  }
  flow->warm = 0; /* it lives */
  flow->heard = 1;
  for (size_t len = (size_t)got;
       len && (flow->phase == EPI__HOPS || flow->phase == EPI__WAIT);
       data += used, len -= used) {
    used = feed_hop(flow, data, len);
    if (!used) {
      return;
    }
  }
}

int epi__hops_answer(epi_reply *out, const epi_flow *flow) {
  const epi_reply *said =
      flow->hop_session ? epi_session_result(flow->hop_session) : NULL;
  int result = 0;
  int key;

  for (size_t i = 0;
       said && !result && (key = epi_reply_metadata_key(said, i)) >= 0; i++) {
    if (!epi__is_own_key(key)) {
      result = epi_reply_set_metadata(out, key, epi_reply_metadata(said, key));
    }
  }
  return result;
}
