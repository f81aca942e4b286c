/* flow_list.c: the flows of all workers, as JSON, and one of them explained. */
#include "area/decision.h"
#include "base/fail.h"
#include "base/memory.h"
#include "engine/ask.h"
#include "engine/flow_match.h"
#include "engine/flow_show.h"
#include "epi/review.h"

#include <inttypes.h>
#include <stdio.h>

/* Hand a text over. Returns 0 or EPI_ENOMEM. */
static int give(epi__text *text, char **out) {
  char *block = epi__text_take(text);

  if (!block) {
    return EPI_ENOMEM;
  }
  *out = block;
  return 0;
}

/* ---- a list ---- */

/* New flows are in front: the lowest number comes last. */
static void answer_list(epi__worker *worker, const epi__ask *ask,
                        epi__ask_part *part) {
  const epi_flow *flow = worker->flows;

  while (flow && flow->next) {
    flow = flow->next;
  }
  for (; flow && !part->failed; flow = flow->previous) {
    if (flow->number < ask->from || !epi__match_has(ask->match, flow)) {
      continue;
    }
    part->matched++;
    if (part->row_count <= ask->most) { /* one more shows where to go on */
      size_t start = part->text.len;

      epi__flow_show(&part->text, flow);
      epi__text_puts(&part->text, "}");
      epi__ask_keep(part, flow->number, start);
    }
  }
}

static void put_list(epi__text *out, epi__ask *ask, int missing) {
  size_t matched = 0;
  int64_t next;

  for (int i = 0; i < EPI__WORKERS_MAX; i++) {
    const epi__ask_part *part = epi__ask_part_of(ask, i);

    matched += part ? part->matched : 0;
  }
  epi__text_puts(out, "{\"flows\":");
  next = epi__ask_put_rows(out, ask);
  epi__text_printf(out, ",\"matched\":%zu,\"next\":", matched);
  if (next) {
    epi__text_printf(out, "%" PRId64, next);
  } else {
    epi__text_puts(out, "null");
  }
  epi__text_printf(out, ",\"missing\":%d}", missing);
}

int epi__flows_list(epi_engine *engine, const epi_match *match, int64_t from,
                    size_t most, int64_t wait_ms, char **out) {
  epi__text text = {0};
  epi__ask *ask;
  int missing, result;

  if (most < 1 || most > EPI_CONTROL_FLOWS) {
    return epi__fail(EPI_EINVAL, "a list has 1 to %d flows, not %zu",
                     EPI_CONTROL_FLOWS, most);
  }
  result = epi__ask_new(&ask, match, answer_list);
  if (result) {
    return result;
  }
  ask->from = from;
  ask->most = most;
  ask->wait_ms = wait_ms;
  missing = epi__ask_all(ask, engine);
  if (missing < 0) {
    result = missing;
  } else {
    put_list(&text, ask, missing);
    result = give(&text, out);
  }
  epi__ask_free(ask);
  return result;
}

int epi_engine_flows(epi_engine *engine, const epi_match *match, int64_t from,
                     size_t most, char **out) {
  return epi__flows_list(engine, match, from, most, EPI_CONTROL_MS, out);
}

/* ---- one of them ---- */

/* What takes long, the rules, is left to who asked. */
static void answer_explain(epi__worker *worker, const epi__ask *ask,
                           epi__ask_part *part) {
  epi__text *out = &part->text;

  for (epi_flow *flow = worker->flows; flow; flow = flow->next) {
    if (!epi__match_has(ask->match, flow)) {
      continue;
    }
    part->matched = 1;
    epi__text_puts(out, "{\"flow\":");
    epi__flow_show(out, flow);
    epi__text_puts(out, "},\"route\":");
    epi__flow_show_route(out, flow);
    epi__text_puts(out, ",\"decision\":");
    if (!flow->decision) {
      epi__text_puts(out, "null");
      return;
    }
    epi__decision_put(out, flow->decision);
    if (flow->policy && flow->dest.kind != EPI_ADDR_NONE) {
      part->failed =
          epi__flow_query(flow, &flow->source, &flow->dest, &part->query) != 0;
      part->model = epi_model_ref(epi__policy_model(flow->policy));
    }
    return;
  }
}

/* Returns 0 or EPI_ENOMEM. */
static int put_explained(epi__text *out, const epi__ask_part *part) {
  char *now = NULL;

  epi__text_add(out, part->text.block, part->text.len);
  if (part->query &&
      epi_model_explain(part->model, part->query, EPI_FORM_JSON, &now)) {
    return EPI_ENOMEM;
  }
  epi__text_printf(out, ",\"now\":");
  epi__text_puts(out, now ? now : "null");
  epi__text_puts(out, "}");
  epi__free(now);
  return 0;
}

int epi_engine_explain(epi_engine *engine, int64_t flow, char **out) {
  epi_match *match = NULL;
  epi__ask *ask = NULL;
  epi__text text = {0};
  int missing, result;
  char number[24];

  snprintf(number, sizeof number, "%" PRId64, flow);
  result = epi_match_new(&match);
  if (!result) {
    result = epi_match_set(match, EPI_MATCH_FLOW, number);
  }
  if (!result) {
    result = epi__ask_new(&ask, match, answer_explain);
  }
  epi_match_free(match);
  if (result) {
    return result == EPI_EINVAL ? EPI_ENOENT : result;
  }
  missing = epi__ask_all(ask, engine);
  result = missing < 0 ? missing
           : missing   ? epi__fail(EPI_ETIMEOUT, "a worker did not answer")
                       : epi__fail(EPI_ENOENT, "no flow %" PRId64, flow);
  for (int i = 0; missing >= 0 && i < EPI__WORKERS_MAX; i++) {
    const epi__ask_part *part = epi__ask_part_of(ask, i);

    if (part && part->matched) {
      result = put_explained(&text, part);
    }
  }
  if (!result) {
    result = give(&text, out);
  }
  epi__text_clear(&text);
  epi__ask_free(ask);
  return result;
}
