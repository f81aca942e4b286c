/* status_json.c: what the status page shows, as JSON. */
#include "base/json.h"
#include "base/memory.h"
#include "engine/metrics.h"
#include "engine/status.h"
#include "os/os.h"

#include <inttypes.h>

enum {
  RULES = 50,  /* that a page has, those used first */
  AREAS = 200, /* and areas */
  NODES = 100, /* and nodes of each */
};

static epi__policy *hold_policy(epi_engine *engine) {
  epi__policy *policy;

  pthread_mutex_lock(&engine->lock);
  policy = engine->policy ? epi__policy_ref(engine->policy) : NULL;
  pthread_mutex_unlock(&engine->lock);
  return policy;
}

static void put_number(epi__text *out, const char *key, int64_t value) {
  epi__text_printf(out, ",\"%s\":%" PRId64, key, value);
}

static void put_model(epi__text *out, epi_engine *engine) {
  epi__policy *policy = hold_policy(engine);

  epi__text_puts(out, ",\"model\":");
  if (policy) {
    epi__json_put_string(out, epi_model_hash(epi__policy_model(policy)));
  } else {
    epi__text_puts(out, "null");
  }
  epi__policy_free(policy);
}

static void put_totals(epi__text *out, const epi_engine *engine) {
  put_number(out, "limit", engine->settings[EPI_ENGINE_LIMIT]);
  put_number(out, "open", atomic_load(&engine->counts[EPI_COUNT_OPEN]));
  put_number(out, "allowed", atomic_load(&engine->counts[EPI_COUNT_ALLOWED]));
  put_number(out, "refused", atomic_load(&engine->counts[EPI_COUNT_REFUSED]));
  put_number(out, "failed", atomic_load(&engine->counts[EPI_COUNT_FAILED]));
  epi__text_printf(out, ",\"bytes\":{\"out\":%" PRId64 ",\"back\":%" PRId64 "}",
                   EPI__METERS_SUM(engine, bytes[EPI_FORWARD]),
                   EPI__METERS_SUM(engine, bytes[EPI_BACKWARD]));
  epi__text_puts(out, ",\"workers\":[");
  for (int i = 0; i < EPI__WORKERS_MAX; i++) {
    if (atomic_load(&engine->meters[i])) {
      epi__text_printf(out, "%s%d", i ? "," : "",
                       atomic_load(&engine->mailboxes[i].flows));
    }
  }
  epi__text_puts(out, "]");
}

static void put_decisions(epi__text *out, const epi_engine *engine) {
  epi__text_puts(out, ",\"decisions\":{");
  for (int i = 0; i < EPI__METER_VERDICTS; i++) {
    epi__text_printf(out, "%s\"%s\":%" PRId64, i ? "," : "",
                     i ? epi_verdict_name(i) : "none",
                     EPI__METERS_SUM(engine, verdicts[i]));
  }
  epi__text_puts(out, "}");
}

static void put_rule(epi__text *out, const epi_engine *engine, size_t rule,
                     const char *name) {
  epi__text_puts(out, "{\"rule\":");
  epi__json_put_string(out, name);
  put_number(out, "allowed", EPI__METERS_SUM(engine, rules[rule][1]));
  put_number(out, "refused", EPI__METERS_SUM(engine, rules[rule][0]));
  epi__text_puts(out, "}");
}

static void put_rules(epi__text *out, const epi_engine *engine) {
  const epi__labels *names = &engine->meter_names.rules;
  size_t count = epi__labels_count(names);

  epi__text_puts(out, ",\"rules\":[");
  for (size_t i = 0; i < count && i < RULES; i++) {
    epi__text_puts(out, i ? "," : "");
    put_rule(out, engine, i, epi__labels_text(names, i));
  }
  epi__text_puts(out, "]");
}

int epi__status_json(epi_engine *engine, char **out) {
  epi__text text = {0};

  epi__text_printf(&text,
                   "{\"version\":\"%s\",\"ready\":%s,\"draining\":%s,"
                   "\"uptime_ms\":%" PRId64,
                   epi_version(),
                   epi__engine_is_ready(engine) ? "true" : "false",
                   atomic_load(&engine->drains) ? "true" : "false",
                   epi__clock_steady() - engine->made_ms);
  put_model(&text, engine);
  put_totals(&text, engine);
  put_decisions(&text, engine);
  put_rules(&text, engine);
  epi__text_puts(&text, ",\"refusals\":");
  epi__refusals_put(&text, engine);
  epi__text_puts(&text, "}");
  *out = epi__text_take(&text);
  return *out ? 0 : EPI_ENOMEM;
}

/* ---- areas ---- */

static void put_area(epi__text *out, const epi_model *model, size_t area) {
  size_t nodes = epi_model_area_node_count(model, area);

  epi__text_puts(out, "{\"attributes\":[");
  for (size_t i = 0; i < epi_model_area_attribute_count(model, area); i++) {
    epi__text_puts(out, i ? "," : "");
    epi__json_put_string(out, epi_model_area_attribute(model, area, i));
  }
  epi__text_puts(out, "],\"nodes\":[");
  for (size_t i = 0; i < nodes && i < NODES; i++) {
    size_t node = (size_t)epi_model_area_node(model, area, i);

    epi__text_puts(out, i ? "," : "");
    epi__json_put_string(out, epi_model_node_name(model, node));
  }
  epi__text_printf(out, "],\"more\":%zu}", nodes > NODES ? nodes - NODES : 0);
}

int epi__status_areas(epi_engine *engine, char **out) {
  epi__policy *policy = hold_policy(engine);
  const epi_model *model = policy ? epi__policy_model(policy) : NULL;
  size_t count = model ? epi_model_area_count(model) : 0;
  epi__text text = {0};

  epi__text_puts(&text, "{\"areas\":[");
  for (size_t i = 0; i < count && i < AREAS; i++) {
    epi__text_puts(&text, i ? "," : "");
    put_area(&text, model, i);
  }
  epi__text_printf(&text, "],\"more\":%zu}", count > AREAS ? count - AREAS : 0);
  epi__policy_free(policy);
  *out = epi__text_take(&text);
  return *out ? 0 : EPI_ENOMEM;
}
