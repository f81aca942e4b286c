/* flow_audit.c: what an audit log says of flows. */
#include "engine/flow_audit.h"

#include "area/decision.h"
#include "base/fail.h"
#include "base/json.h"
#include "base/net.h"

#include <inttypes.h>
#include <stdio.h>

enum {
  VALUE_MAX = 1024, /* bytes of a value */
};

/* What is not known is left out. */
static void put(epi__text *line, const char *key, const char *value) {
  char clean[VALUE_MAX];

  if (value && *value) {
    epi__text_printf(line, ",\"%s\":", key);
    epi__json_put_string(line, epi__printable(clean, sizeof clean, value));
  }
}

static void put_ends(epi__text *line, const epi_addr *from,
                     const epi_addr *to) {
  epi__addr_buf text;

  put(line, "source", epi__addr_text(from, &text));
  if (to->kind != EPI_ADDR_NONE) {
    put(line, "dest", epi__addr_text(to, &text));
  }
}

static void put_flow(epi__text *line, const char *event, const epi_flow *flow,
                     const epi_addr *from, const epi_addr *to) {
  epi__said said = epi__flow_said(flow);
  char means[EPI__AUTH_TEXT];

  epi__audit_line(line, event);
  epi__text_printf(line, ",\"flow\":%" PRId64, flow->number);
  put_ends(line, from, to);
  put(line, "user", said.user);
  if (flow->authenticated) {
    put(line, "authenticated", epi__auth_text(means, flow->authenticated));
  }
  put(line, "application", said.application);
  put(line, "purpose", said.purpose);
  put(line, "dataset", said.dataset);
}

static void put_decision(epi__text *line, const epi_decision *decision) {
  if (decision) {
    epi__text_puts(line, ",\"decision\":");
    epi__decision_put(line, decision);
  }
}

/* The proxies and functions that it really goes through. */
static void put_way(epi__text *line, const epi__route *route) {
  for (size_t i = 0; route && i < route->hop_count; i++) {
    epi__text_puts(line, i ? "," : ",\"via\":[");
    epi__json_put_string(line, route->hops[i].link);
  }
  if (route && route->hop_count) {
    epi__text_puts(line, "]");
  }
}

/* Hand over the line of what may not happen without it. */
static int put_needed(const epi_flow *flow, epi__text *line) {
  int result = epi__audit_put(flow->worker->engine, line, 1);

  epi__text_clear(line);
  return result;
}

/* Hand over the line of what happened anyhow. The detail of the error that it
 * is about stays, for whoever tells the client. */
static void put_done(epi_engine *engine, epi__text *line) {
  char detail[VALUE_MAX];

  snprintf(detail, sizeof detail, "%s", epi_error_detail());
  epi__audit_put(engine, line, 0);
  epi__fail(0, "%s", detail);
  epi__text_clear(line);
}

static int audits(const epi_flow *flow) {
  return flow->worker->engine->audit != NULL;
}

int epi__audit_allowed(epi_flow *flow) {
  epi__text line = {0};
  int result;

  if (!audits(flow)) {
    return 0;
  }
  put_flow(&line, "allowed", flow, &flow->source, &flow->dest);
  put_way(&line, flow->route);
  put_decision(&line, flow->decision);
  result = put_needed(flow, &line);
  flow->audited = !result;
  return result;
}

int epi__audit_datagrams(const epi_flow *flow, const epi_addr *from,
                         const epi_addr *to, const epi_decision *decision) {
  epi__text line = {0};

  if (!audits(flow)) {
    return 0;
  }
  put_flow(&line, "datagrams allowed", flow, from, to);
  put_decision(&line, decision);
  return put_needed(flow, &line);
}

void epi__audit_datagrams_refused(const epi_flow *flow, const epi_addr *from,
                                  const epi_addr *to, const char *why) {
  epi__text line = {0};

  if (audits(flow)) {
    put_flow(&line, "datagrams refused", flow, from, to);
    put(&line, "why", why);
    put_done(flow->worker->engine, &line);
  }
}

static void put_unallowed(epi_flow *flow, const char *event, const char *why) {
  epi__text line = {0};

  put_flow(&line, event, flow, &flow->source, &flow->dest);
  put(&line, "why", why);
  put_decision(&line, flow->decision);
  put_done(flow->worker->engine, &line);
}

void epi__audit_refused(epi_flow *flow, const char *why) {
  if (flow->audited) {
    epi__audit_ended(flow, why);
  } else if (audits(flow)) {
    put_unallowed(flow, "refused", why);
  }
}

void epi__audit_failed(epi_flow *flow, const char *why) {
  if (flow->audited) {
    epi__audit_ended(flow, why);
  } else if (audits(flow)) {
    put_unallowed(flow, "failed", why);
  }
}

void epi__audit_ended(epi_flow *flow, const char *why) {
  const epi__lane *lanes = flow->lanes;
  epi__text line = {0};

  if (!flow->audited) {
    return;
  }
  flow->audited = 0;
  put_flow(&line, "ended", flow, &flow->source, &flow->dest);
  if (flow->decision) {
    put(&line, "rule", epi_decision_rule(flow->decision));
    put(&line, "model", epi_model_hash(epi_decision_model(flow->decision)));
  }
  epi__text_printf(&line,
                   ",\"out\":%" PRId64 ",\"back\":%" PRId64
                   ",\"duration_ms\":%" PRId64,
                   lanes[epi__flow_way(flow, EPI_FORWARD)].bytes,
                   lanes[epi__flow_way(flow, EPI_BACKWARD)].bytes,
                   epi__loop_now(flow->worker->loop) - flow->opened_at);
  put(&line, "why", why);
  put_done(flow->worker->engine, &line);
}

void epi__audit_turned_away(epi_engine *engine, const epi_addr *from,
                            const char *why) {
  epi__text line = {0};
  epi__addr_buf text;

  if (engine->audit) {
    epi__audit_line(&line, "turned away");
    put(&line, "source", epi__addr_text(from, &text));
    put(&line, "why", why);
    put_done(engine, &line);
  }
}

void epi__audit_host_refused(const epi_flow *flow, const epi_addr *host,
                             const epi_addr *to, const epi_decision *decision,
                             const char *why) {
  epi__text line = {0};

  if (audits(flow)) {
    put_flow(&line, "host refused", flow, host, to);
    put(&line, "why", why);
    put_decision(&line, decision);
    put_done(flow->worker->engine, &line);
  }
}
