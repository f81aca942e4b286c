/* model_plan.c: what another model would change, before it does. */
#include "area/decision.h"
#include "base/fail.h"
#include "base/json.h"
#include "base/net.h"
#include "engine/ask.h"
#include "engine/flow_show.h"
#include "engine/own_ports.h"

#include <string.h>

enum {
  WHY_MAX = 512,
};

epi_model *epi_engine_model(epi_engine *engine) {
  epi_model *model = NULL;

  pthread_mutex_lock(&engine->lock);
  if (engine->policy) {
    model = epi_model_ref(epi__policy_model(engine->policy));
  }
  pthread_mutex_unlock(&engine->lock);
  return model;
}

/* ---- in workers ---- */

static void keep_cut(epi__ask_part *part, const epi_flow *flow,
                     const epi_decision *then, const char *why) {
  epi__text *out = &part->text;
  size_t start = out->len;
  char clean[WHY_MAX];

  epi__flow_show(out, flow);
  epi__text_puts(out, ",\"why\":");
  epi__json_put_string(out, epi__printable(clean, sizeof clean, why));
  epi__text_puts(out, ",\"then\":");
  if (then) {
    epi__decision_put(out, then);
  } else {
    epi__text_puts(out, "null");
  }
  epi__text_puts(out, "}");
  epi__ask_keep(part, flow->number, start);
}

/* New flows are in front: the lowest number comes last. */
static void answer_plan(epi__worker *worker, const epi__ask *ask,
                        epi__ask_part *part) {
  const epi_flow *flow = worker->flows;

  while (flow && flow->next) {
    flow = flow->next;
  }
  for (; flow && !part->failed; flow = flow->previous) {
    epi_decision *decision;
    char why[WHY_MAX];
    int result =
        epi__flow_check(flow, ask->policy, 1, &decision, why, sizeof why);

    *(result == EPI__LATER ? &part->later : &part->judged) += 1;
    if (result < 0 && part->matched++ < ask->most) {
      keep_cut(part, flow, decision, why);
    }
    epi_decision_free(decision);
  }
}

/* ---- all of it ---- */

static void put_port(void *user, const char *change,
                     const epi__own_port *port) {
  epi__text *out = user;
  epi__addr_buf text;

  epi__text_printf(out, "%s{\"change\":\"%s\",\"listen\":\"%s\",\"from\":",
                   out->block[out->len - 1] == '[' ? "" : ",", change,
                   epi__addr_text(&port->listen, &text));
  epi__json_put_string(out, port->from);
  epi__text_puts(out, ",\"to\":");
  epi__json_put_string(out, epi__addr_text(&port->to, &text));
  epi__text_puts(out, "}");
}

static void put_plan(epi__text *out, epi__ask *ask, const epi_engine *engine,
                     const epi_model *was, const epi_model *is, int missing) {
  size_t judged = 0, later = 0, cut = 0;

  for (int i = 0; i < EPI__WORKERS_MAX; i++) {
    const epi__ask_part *part = epi__ask_part_of(ask, i);

    judged += part ? part->judged : 0;
    later += part ? part->later : 0;
    cut += part ? part->matched : 0;
  }
  epi__text_puts(out, "{\"was\":");
  if (was) {
    epi__json_put_string(out, epi_model_hash(was));
  } else {
    epi__text_puts(out, "null");
  }
  epi__text_puts(out, ",\"is\":");
  epi__json_put_string(out, epi_model_hash(is));
  epi__text_printf(out, ",\"judged\":%zu,\"later\":%zu,\"cut\":%zu,\"flows\":",
                   judged, later, cut);
  epi__ask_put_rows(out, ask);
  epi__text_puts(out, ",\"ports\":[");
  if (!out->failed) {
    epi__ports_compare(engine, was, is, put_port, out);
  }
  epi__text_printf(out, "],\"missing\":%d}", missing);
}

/* Make the question. Returns 0 or an error. */
static int begin(epi__ask **out, epi_engine *engine, epi_model *model,
                 size_t most) {
  epi__ask *ask;
  int result = epi__ask_new(&ask, NULL, answer_plan);

  if (!result) {
    ask->most = most;
    result = epi__policy_new(&ask->policy, model, engine->chain_key,
                             engine->chain_key_len, engine->filter_path);
    if (result) {
      epi__ask_free(ask);
    }
  }
  if (!result) {
    *out = ask;
  }
  return result;
}

int epi_engine_plan(epi_engine *engine, epi_model *model, size_t most,
                    char **out) {
  epi__text text = {0};
  epi_model *was;
  epi__ask *ask;
  char *block;
  int missing, result;

  if (!model || most < 1 || most > EPI_CONTROL_FLOWS) {
    return epi__fail(EPI_EINVAL, "a plan needs a model, and has 1 to %d flows",
                     EPI_CONTROL_FLOWS);
  }
  if (engine->function) {
    return epi__fail(EPI_ESTATE, "a function has no model: proxies judge");
  }
  result = begin(&ask, engine, model, most);
  if (result) {
    return result;
  }
  missing = epi__ask_all(ask, engine);
  if (missing < 0) {
    epi__ask_free(ask);
    return missing;
  }
  was = epi_engine_model(engine);
  put_plan(&text, ask, engine, was, model, missing);
  epi_model_free(was);
  epi__ask_free(ask);
  block = epi__text_take(&text);
  if (!block) {
    return EPI_ENOMEM;
  }
  *out = block;
  return 0;
}
