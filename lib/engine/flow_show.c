/* flow_show.c: a flow as an operator sees it. */
#include "engine/flow_show.h"

#include "base/json.h"
#include "base/net.h"

#include <inttypes.h>

enum {
  VALUE_MAX = 1024, /* bytes of a value */
};

static const char *const phases[] = {
    [EPI__HANDSHAKE] = "handshake", [EPI__AWAIT] = "instances",
    [EPI__DIAL] = "connecting",     [EPI__SECURE] = "securing",
    [EPI__HOPS] = "hops",           [EPI__WAIT] = "waiting for host",
    [EPI__RELAY] = "relaying",      [EPI__ASSOCIATED] = "datagrams",
    [EPI__LINGER] = "last reply",   [EPI__ENDED] = "ended",
};

/* null for what is not known. */
static void put(epi__text *out, const char *key, const char *value) {
  char clean[VALUE_MAX];

  epi__text_printf(out, ",\"%s\":", key);
  if (value && *value) {
    epi__json_put_string(out, epi__printable(clean, sizeof clean, value));
  } else {
    epi__text_puts(out, "null");
  }
}

static void put_addr(epi__text *out, const char *key, const epi_addr *addr) {
  epi__addr_buf text;

  put(out, key,
      addr->kind == EPI_ADDR_NONE ? NULL : epi__addr_text(addr, &text));
}

static void put_ends(epi__text *out, const epi_flow *flow) {
  epi_addr addr = {0};

  put_addr(out, "source", &flow->source);
  put_addr(out, "dest", &flow->dest);
  if (!epi__flow_dialled(flow, &addr)) {
    addr.kind = EPI_ADDR_NONE;
  }
  put_addr(out, "dialled", &addr);
}

static void put_filters(epi__text *out, const epi__route *route) {
  for (size_t i = 0; route && i < route->filter_count; i++) {
    epi__text_puts(out, i ? "," : "");
    epi__json_put_string(out, epi_filter_name(route->filters[i]));
  }
}

static void put_hops(epi__text *out, const epi__route *route) {
  for (size_t i = 0; route && i < route->hop_count; i++) {
    epi__text_puts(out, i ? "," : "");
    epi__json_put_string(out, route->hops[i].link);
  }
}

static void put_judged(epi__text *out, const epi_flow *flow) {
  const epi_decision *decision = flow->decision;
  const epi__route *route = flow->route;
  epi__said said = epi__flow_said(flow);

  put(out, "user", said.user);
  put(out, "application", epi__flow_application(flow));
  put(out, "purpose", said.purpose);
  put(out, "dataset", said.dataset);
  put(out, "from", decision ? epi_decision_from(decision) : NULL);
  put(out, "to", decision ? epi_decision_to(decision) : NULL);
  put(out, "verdict",
      decision ? epi_verdict_name(epi_decision_verdict(decision)) : NULL);
  put(out, "rule", decision ? epi_decision_rule(decision) : NULL);
  epi__text_puts(out, ",\"chain\":[");
  put_filters(out, route);
  epi__text_puts(out,
                 route && route->filter_count && route->hop_count ? "," : "");
  put_hops(out, route);
  epi__text_puts(out, "]");
}

void epi__flow_show(epi__text *out, const epi_flow *flow) {
  int64_t now = epi__loop_now(flow->worker->loop);

  epi__text_printf(out, "{\"flow\":%" PRId64 ",\"worker\":%d", flow->number,
                   flow->worker->number);
  put(out, "phase", phases[flow->phase]);
  put(out, "listener", flow->listener->name);
  put_ends(out, flow);
  put_judged(out, flow);
  epi__text_printf(out,
                   ",\"out\":%" PRId64 ",\"back\":%" PRId64
                   ",\"age_ms\":%" PRId64 ",\"idle_ms\":%" PRId64,
                   flow->lanes[epi__flow_way(flow, EPI_FORWARD)].bytes,
                   flow->lanes[epi__flow_way(flow, EPI_BACKWARD)].bytes,
                   now - flow->opened_at, now - flow->moved_at);
}

void epi__flow_show_route(epi__text *out, const epi_flow *flow) {
  epi__text_puts(out, "{\"filters\":[");
  put_filters(out, flow->route);
  epi__text_puts(out, "],\"hops\":[");
  put_hops(out, flow->route);
  epi__text_puts(out, "]}");
}
