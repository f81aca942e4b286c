/* explain.c: what there is to tell about a decision, rule by rule. */
#include "area/explain.h"

#include "base/fail.h"
#include "base/memory.h"
#include "epi/review.h"

#include <string.h>

const uint64_t *epi__story_missing(const epi__story *s) {
  return epi__decision_set(s->decision, EPI_MISSING);
}

int epi__story_requires(const epi__story *s, uint32_t rule) {
  return epi__list_has(&s->decision->requires, rule);
}

const uint64_t *epi__story_adds(epi__story *s, uint32_t rule) {
  size_t words = s->model->words;

  memset(s->set, 0, words * sizeof *s->set);
  epi__set_join(s->set, s->model->rules[rule].attributes, words);
  epi__set_drop(s->set, s->need, words);
  epi__set_join(s->need, s->set, words);
  return s->set;
}

uint32_t epi__story_function(const epi__story *s, size_t hop, size_t index) {
  const char *name =
      epi_plan_function_name(epi_decision_plan(s->decision), hop, index);

  return (uint32_t)epi__names_find(&s->model->function_names, name);
}

const uint64_t *epi__story_applies(epi__story *s, uint32_t function) {
  size_t words = s->model->words;
  const uint64_t *provides = s->model->functions[function].provides;

  for (size_t i = 0; i < words; i++) {
    s->set[i] = provides[i] & epi__story_missing(s)[i];
  }
  return s->set;
}

uint32_t epi__story_undone(const epi__story *s, uint32_t function) {
  const epi_plan *plan = epi_decision_plan(s->decision);

  for (size_t hop = 0; hop < epi_plan_hop_count(plan); hop++) {
    for (size_t i = 0; i < epi_plan_function_count(plan, hop); i++) {
      uint32_t other = epi__story_function(s, hop, i);

      if (s->model->functions[other].pair == function) {
        return other;
      }
    }
  }
  return EPI__NONE;
}

int epi__story_alternative(const epi__story *s, uint32_t other) {
  const epi_plan *plan = epi_decision_plan(s->decision);
  uint64_t shared = 0;

  for (size_t i = 0; i < s->model->words; i++) {
    shared |= s->model->functions[other].provides[i] & s->set[i];
  }
  for (size_t hop = 0; shared && hop < epi_plan_hop_count(plan); hop++) {
    for (size_t i = 0; i < epi_plan_function_count(plan, hop); i++) {
      if (epi__story_function(s, hop, i) == other) {
        return 0;
      }
    }
  }
  return shared != 0;
}

/* ---- all of it ---- */

static void forget_rules(epi__story *s) {
  memset(s->need, 0, s->model->words * sizeof *s->need);
  if (s->facts.from.node != EPI__NONE) {
    epi__set_join(s->need, epi__node_set(s->model, s->facts.from.node),
                  s->model->words);
  }
}

static int tell(epi__story *s, int form, char **out) {
  char *block;

  s->set = epi__alloc_array(s->model->words, sizeof *s->set);
  s->need = epi__alloc_array(s->model->words, sizeof *s->need);
  if (!s->set || !s->need) {
    return EPI_ENOMEM;
  }
  s->tried = s->decision->rule == EPI__NONE
                 ? (uint32_t)s->model->rule_names.count
                 : s->decision->rule + 1;
  forget_rules(s);
  if (form == EPI_FORM_JSON) {
    epi__story_put_json(s);
  } else {
    epi__story_tell(s);
  }
  block = epi__text_take(&s->text);
  if (!block) {
    return EPI_ENOMEM;
  }
  *out = block;
  return 0;
}

int epi_model_explain(epi_model *model, const epi_query *query, int form,
                      char **out) {
  epi_decision *decision;
  epi__story s = {.model = model, .query = query};
  int result;

  if (form != EPI_FORM_TEXT && form != EPI_FORM_JSON) {
    return epi__fail(EPI_EINVAL, "there is no form %d", form);
  }
  result = epi_decision_new(&decision);
  if (result) {
    return result;
  }
  s.decision = decision;
  result = epi__decide(model, query, decision, &s.facts);
  if (!result) {
    result = tell(&s, form, out);
  }
  epi__free(s.set);
  epi__free(s.need);
  epi__text_clear(&s.text);
  epi_decision_free(decision);
  return result;
}
