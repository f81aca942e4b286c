/* explain_json.c: a decision rule by rule, as JSON. */
#include "area/explain.h"

#include "base/json.h"
#include "base/memory.h"

typedef void put_words(epi__text *out, const epi_model *model,
                       const epi__rule *rule, int criterion,
                       const epi__facts *facts);

static void put_wanted(epi__text *out, const epi_model *model,
                       const epi__rule *rule, int criterion,
                       const epi__facts *facts) {
  (void)facts;
  epi__criterion_put(out, model, rule, criterion);
}

static void put_found(epi__text *out, const epi_model *model,
                      const epi__rule *rule, int criterion,
                      const epi__facts *facts) {
  (void)rule;
  epi__fact_put(out, model, criterion, facts);
}

static void put_quoted(epi__story *s, const char *key, put_words *put,
                       const epi__rule *rule, int criterion) {
  epi__text words = {0};
  char *block;

  put(&words, s->model, rule, criterion, &s->facts);
  block = epi__text_take(&words);
  epi__text_printf(&s->text, ",\"%s\":", key);
  epi__json_put_string(&s->text, block ? block : "");
  s->text.failed |= !block;
  epi__free(block);
}

static void put_rule(epi__story *s, uint32_t number) {
  const epi__rule *rule = &s->model->rules[number];
  int decides = number == s->decision->rule;
  const char *comma = "";

  epi__text_puts(&s->text, "{\"id\":");
  epi__json_put_string(&s->text, s->model->rule_names.texts[number]);
  epi__text_printf(&s->text, ",\"effect\":\"%s\",\"matches\":%s,\"decides\":%s",
                   epi__effect_name(rule->effect),
                   decides || epi__story_requires(s, number) ? "true" : "false",
                   decides ? "true" : "false");
  epi__text_puts(&s->text, ",\"unmet\":[");
  for (int i = 0; i < EPI__ON_COUNT; i++) {
    if (!epi__criterion_met(s->model, rule, i, &s->facts)) {
      epi__text_printf(&s->text, "%s{\"criterion\":\"%s\"", comma,
                       epi__criterion_name(i));
      put_quoted(s, "wanted", put_wanted, rule, i);
      put_quoted(s, "found", put_found, rule, i);
      epi__text_puts(&s->text, "}");
      comma = ",";
    }
  }
  epi__text_puts(&s->text, "],\"adds\":");
  if (epi__story_requires(s, number)) {
    epi__attributes_put(&s->text, s->model, epi__story_adds(s, number));
  } else {
    epi__text_puts(&s->text, "[]");
  }
  epi__text_puts(&s->text, "}");
}

static void put_function(epi__story *s, size_t hop, size_t index) {
  const epi__names *names = &s->model->function_names;
  uint32_t number = epi__story_function(s, hop, index);
  uint32_t undone = epi__story_undone(s, number);
  const char *comma = "";

  epi__text_puts(&s->text, "{\"name\":");
  epi__json_put_string(&s->text, names->texts[number]);
  epi__text_puts(&s->text, ",\"proxy\":");
  epi__json_put_string(&s->text,
                       epi_plan_hop_proxy(epi_decision_plan(s->decision), hop));
  epi__text_puts(&s->text, ",\"applies\":");
  epi__attributes_put(&s->text, s->model, epi__story_applies(s, number));
  epi__text_puts(&s->text, ",\"undoes\":");
  if (undone != EPI__NONE) {
    epi__json_put_string(&s->text, names->texts[undone]);
  } else {
    epi__text_puts(&s->text, "null");
  }
  epi__text_puts(&s->text, ",\"cost\":");
  epi__json_put_number(&s->text, s->model->functions[number].cost_ms);
  epi__text_puts(&s->text, ",\"alternatives\":[");
  for (uint32_t i = 0; i < names->count; i++) {
    if (epi__story_alternative(s, i)) {
      epi__text_puts(&s->text, comma);
      epi__json_put_string(&s->text, names->texts[i]);
      comma = ",";
    }
  }
  epi__text_puts(&s->text, "]}");
}

void epi__story_put_json(epi__story *s) {
  const epi_plan *plan = epi_decision_plan(s->decision);
  const char *comma = "";

  epi__text_puts(&s->text, "{\"decision\":");
  epi__decision_put(&s->text, s->decision);
  epi__text_puts(&s->text, ",\"rules\":[");
  for (uint32_t i = 0; i < s->tried; i++) {
    epi__text_puts(&s->text, i ? "," : "");
    put_rule(s, i);
  }
  epi__text_printf(&s->text, "],\"not_tried\":%zu,\"functions\":[",
                   s->model->rule_names.count - s->tried);
  for (size_t hop = 0; hop < epi_plan_hop_count(plan); hop++) {
    for (size_t i = 0; i < epi_plan_function_count(plan, hop); i++) {
      epi__text_puts(&s->text, comma);
      put_function(s, hop, i);
      comma = ",";
    }
  }
  epi__text_puts(&s->text, "]}");
}
