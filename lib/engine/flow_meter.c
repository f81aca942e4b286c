/* flow_meter.c: what is counted of flows. */
#include "base/bytes.h"
#include "base/fail.h"
#include "engine/flow.h"
#include "epi/plan.h"
#include "os/os.h"

#include <stdio.h>

void epi__meter_bytes(epi_flow *flow, int lane, int64_t bytes) {
  flow->lanes[lane].bytes += bytes;
  epi__meter_more(&flow->worker->meter->bytes[epi__flow_way(flow, lane)],
                  bytes);
}

void epi__meter_judged(epi_flow *flow, const epi_decision *decision) {
  epi_engine *engine = flow->worker->engine;
  epi__meter *meter = flow->worker->meter;
  int verdict = decision ? epi_decision_verdict(decision) : 0;

  epi__meter_more(&meter->verdicts[verdict], 1);
  if (decision) {
    size_t rule = epi__labels_index(&engine->meter_names.rules,
                                    epi_decision_rule(decision));

    epi__meter_more(&meter->rules[rule][epi_decision_allowed(decision)], 1);
  }
}

/* A text of bounded length; what does not fit is left out. */
typedef struct chain_text {
  char text[EPI__LABEL_BYTES + 1];
  size_t len;
} chain_text;

static void put(chain_text *out, const char *before, const char *name) {
  int len = snprintf(out->text + out->len, sizeof out->text - out->len, "%s%s",
                     before, name);

  out->len += len > 0 ? (size_t)len : 0;
  if (out->len >= sizeof out->text) {
    out->len = sizeof out->text - 1;
  }
}

/* `PROXY: FUNCTION, FUNCTION > PROXY: FUNCTION`, as a plan has them. */
static void put_plan(chain_text *out, const epi_plan *plan) {
  for (size_t hop = 0; hop < epi_plan_hop_count(plan); hop++) {
    const char *proxy = epi_plan_hop_proxy(plan, hop);
    size_t count = epi_plan_function_count(plan, hop);

    if (!count) {
      continue;
    }
    proxy = proxy && *proxy ? proxy : NULL;
    put(out, out->len ? " > " : "", proxy ? proxy : "");
    for (size_t i = 0; i < count; i++) {
      put(out,
          i       ? ", "
          : proxy ? ": "
                  : "",
          epi_plan_function_name(plan, hop, i));
    }
  }
}

static void count_chain(epi_flow *flow) {
  const epi__route *route = flow->route;
  chain_text chain = {0};

  if (flow->decision) {
    put_plan(&chain, epi_decision_plan(flow->decision));
  }
  for (size_t i = 0; !flow->decision && i < route->filter_count; i++) {
    put(&chain, i ? ", " : "", epi_filter_name(route->filters[i]));
  }
  if (chain.len) {
    epi__meter_more(&flow->worker->meter->chains[epi__labels_index(
                        &flow->worker->engine->meter_names.chains, chain.text)],
                    1);
  }
}

void epi__meter_allowed(epi_flow *flow) {
  epi__meter_judged(flow, flow->decision);
  if (flow->route) {
    count_chain(flow);
  }
}

static void remember(epi_flow *flow, int code, const epi_addr *from,
                     const epi_addr *to, const char *why) {
  epi__refusal refusal = {.flow = flow->number,
                          .at = epi__clock_wall(),
                          .reply = code,
                          .source = *from,
                          .dest = *to};

  epi__printable(refusal.why, sizeof refusal.why, why);
  epi__meter_refusal(flow->worker->meter, &refusal);
}

void epi__meter_refused(epi_flow *flow, int code, const epi_addr *from,
                        const epi_addr *to, const char *why) {
  int known = code >= 0 && code < EPI__METER_REPLIES - 1;

  epi__meter_more(
      &flow->worker->meter->replies[known ? code : EPI__METER_REPLIES - 1], 1);
  remember(flow, code, from, to, why);
}

void epi__meter_cut(epi_flow *flow, const char *why) {
  remember(flow, 0, &flow->source, &flow->dest, why);
}

void epi__meter_failed(epi_flow *flow, const char *why) {
  remember(flow, -1, &flow->source, &flow->dest, why);
}

void epi__meter_filters(epi_flow *flow) {
  epi__meter *meter = flow->worker->meter;
  epi__filter_work work;

  for (size_t i = 0; epi__filter_chain_work(flow->chain, i, &work); i++) {
    if (work.fed[EPI_FORWARD] || work.fed[EPI_BACKWARD] || work.spent_ns) {
      size_t filter = epi__labels_index(
          &flow->worker->engine->meter_names.filters, work.name);

      for (int k = 0; k < 2; k++) {
        epi__meter_more(&meter->filters[filter][k], (int64_t)work.fed[k]);
      }
      epi__meter_more(&meter->filter_ns[filter], work.spent_ns);
    }
  }
}
