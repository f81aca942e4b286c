/* decision.c: the decision object, and how callers read it. */
#include "area/decision.h"

#include "base/json.h"
#include "base/memory.h"

static const char *const verdict_names[] = {
    [EPI_DIRECT] = "direct",
    [EPI_BRIDGED] = "bridged",
    [EPI_UNBRIDGEABLE] = "unbridgeable",
    [EPI_UNPLACEABLE] = "unplaceable",
    [EPI_DENIED] = "denied",
};

void epi__decision_deny(epi_decision *decision, const char *reason) {
  epi_model_free(decision->model);
  decision->model = NULL;
  decision->verdict = EPI_DENIED;
  decision->from = decision->to = decision->application = EPI__NONE;
  decision->port = 0;
  decision->rule = EPI__NONE;
  decision->requires.count = 0;
  decision->words = 0;
  decision->reason = reason;
  decision->text.len = 0;
  epi__plan_clear(&decision->plan);
}

int epi_decision_new(epi_decision **out) {
  epi_decision *decision = epi__alloc(sizeof *decision);

  if (!decision) {
    return EPI_ENOMEM;
  }
  epi__decision_deny(decision, "nothing was decided yet");
  *out = decision;
  return 0;
}

void epi_decision_free(epi_decision *decision) {
  if (!decision) {
    return;
  }
  epi_model_free(decision->model);
  epi__free(decision->requires.items);
  epi__free(decision->sets);
  epi__text_clear(&decision->text);
  epi__free(decision);
}

uint64_t *epi__decision_set(const epi_decision *decision, int which) {
  return decision->sets + (size_t)which * decision->words;
}

int epi_decision_verdict(const epi_decision *decision) {
  return decision->verdict;
}

const char *epi_verdict_name(int verdict) {
  return verdict >= EPI_DIRECT && verdict <= EPI_DENIED ? verdict_names[verdict]
                                                        : "no verdict";
}

int epi_decision_allowed(const epi_decision *decision) {
  return decision->verdict == EPI_DIRECT || decision->verdict == EPI_BRIDGED;
}

static const char *node_name(const epi_decision *decision, uint32_t node) {
  return node == EPI__NONE ? "unknown"
                           : decision->model->node_names.texts[node];
}

const char *epi_decision_from(const epi_decision *decision) {
  return node_name(decision, decision->from);
}

const char *epi_decision_to(const epi_decision *decision) {
  return node_name(decision, decision->to);
}

const char *epi_decision_application(const epi_decision *decision) {
  return decision->application == EPI__NONE
             ? ""
             : decision->model->application_names.texts[decision->application];
}

const epi__limits *epi__decision_limits(const epi_decision *decision) {
  static const epi__limits none = {0};

  return decision->application == EPI__NONE
             ? &none
             : &decision->model->applications[decision->application].limits;
}

const char *epi_decision_rule(const epi_decision *decision) {
  return decision->rule == EPI__NONE
             ? "default"
             : decision->model->rule_names.texts[decision->rule];
}

const char *epi_decision_reason(const epi_decision *decision) {
  return decision->reason;
}

static int is_set(const epi_decision *decision, int which) {
  return decision->model && which >= EPI_NEED && which <= EPI_MISSING;
}

size_t epi_decision_attribute_count(const epi_decision *decision, int which) {
  return is_set(decision, which)
             ? epi__set_count(epi__decision_set(decision, which),
                              decision->words)
             : 0;
}

const char *epi_decision_attribute(const epi_decision *decision, int which,
                                   size_t index) {
  ptrdiff_t at = -1;

  if (!is_set(decision, which)) {
    return NULL;
  }
  do {
    at = epi__set_next(epi__decision_set(decision, which), decision->words,
                       (size_t)(at + 1));
  } while (at >= 0 && index--);
  return at < 0 ? NULL : decision->model->attributes.texts[at];
}

size_t epi_decision_require_count(const epi_decision *decision) {
  return decision->requires.count;
}

const char *epi_decision_require(const epi_decision *decision, size_t index) {
  return index < decision->requires.count
             ? decision->model->rule_names
                   .texts[decision->requires.items[index]]
             : NULL;
}

const epi_plan *epi_decision_plan(const epi_decision *decision) {
  return &decision->plan;
}

const epi_model *epi_decision_model(const epi_decision *decision) {
  return decision->model;
}

/* ---- as JSON ---- */

static void put(epi__text *out, const char *key, const char *text) {
  epi__text_printf(out, ",\"%s\":", key);
  epi__json_put_string(out, text);
}

static void put_attributes(epi__text *out, const epi_decision *decision,
                           const char *key, int which) {
  epi__text_printf(out, ",\"%s\":", key);
  if (decision->model) {
    epi__attributes_put(out, decision->model,
                        epi__decision_set(decision, which));
  } else {
    epi__text_puts(out, "[]");
  }
}

static void put_requires(epi__text *out, const epi_decision *decision) {
  epi__text_puts(out, ",\"requires\":[");
  for (size_t i = 0; i < decision->requires.count; i++) {
    epi__text_puts(out, i ? "," : "");
    epi__json_put_string(out, epi_decision_require(decision, i));
  }
  epi__text_puts(out, "]");
}

void epi__decision_put(epi__text *out, const epi_decision *decision) {
  epi__text_puts(out, "{\"from\":");
  epi__json_put_string(out, epi_decision_from(decision));
  put(out, "to", epi_decision_to(decision));
  if (decision->port) {
    epi__text_printf(out, ",\"port\":%d", decision->port);
  } else {
    epi__text_puts(out, ",\"port\":null");
  }
  put(out, "application", epi_decision_application(decision));
  put(out, "verdict", epi_verdict_name(decision->verdict));
  put(out, "rule", epi_decision_rule(decision));
  put_requires(out, decision);
  put(out, "reason", decision->reason);
  put_attributes(out, decision, "need", EPI_NEED);
  put_attributes(out, decision, "have", EPI_HAVE);
  put_attributes(out, decision, "missing", EPI_MISSING);
  epi__text_puts(out, ",\"chain\":");
  epi__plan_put(out, &decision->plan, 0);
  epi__text_puts(out, ",\"cost\":");
  epi__json_put_number(out, decision->plan.cost_ms);
  epi__text_printf(out, ",\"optimal\":%s",
                   decision->plan.optimal ? "true" : "false");
  put(out, "model", decision->model ? decision->model->hash : "");
  epi__text_puts(out, "}");
}

int epi_decision_write(const epi_decision *decision, char **out) {
  epi__text text = {0};
  char *block;

  epi__decision_put(&text, decision);
  block = epi__text_take(&text);
  if (!block) {
    return EPI_ENOMEM;
  }
  *out = block;
  return 0;
}
