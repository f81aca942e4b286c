/* lint_rules.c: rules that say nothing. */
#include "area/lint.h"
#include "area/rule_cover.h"

static void begin(epi__lint *lint, const char *kind, uint32_t number) {
  epi__lint_begin(lint, kind, "policy.rules", NULL, number);
  epi__lint_say(lint, "rule \"");
  epi__lint_say(lint, lint->model->rule_names.texts[number]);
  epi__lint_say(lint, "\" ");
}

/* "a", "b", "c" and others */
static void say_rules(epi__lint *lint, const epi__behind *by) {
  for (size_t i = 0; i < by->count && i < EPI__BEHIND_SHOWN; i++) {
    epi__lint_say(lint, i ? "\", \"" : "\"");
    epi__lint_say(lint, lint->model->rule_names.texts[by->rules[i]]);
  }
  epi__lint_say(lint, by->count > EPI__BEHIND_SHOWN ? "\" and others" : "\"");
}

static int shadowed(epi__lint *lint, epi__union *together, uint32_t number) {
  epi__behind by;

  if (epi__union_find(together, number, &by)) {
    lint->text.failed = 1;
    return 0;
  }
  if (!by.count) {
    return 0;
  }
  begin(lint, "shadowed-rule", number);
  epi__lint_say(lint, "never matches: ");
  say_rules(lint, &by);
  epi__lint_say(lint, by.count == 1
                          ? " decides before it about all that it is about"
                          : " together decide before it about all that it is "
                            "about");
  epi__lint_end(lint);
  return 1;
}

/* Of the values of `from` and `to` only has:ATTRIBUTE can be empty. */
static int matches_nobody(epi__lint *lint, uint32_t number,
                          const epi__parties *parties, const char *criterion) {
  const epi_model *model = lint->model;

  for (size_t i = 0; i < parties->count; i++) {
    if (parties->items[i].kind != EPI__PARTY_HAS) {
      return 0;
    }
    for (size_t area = 0; area < model->area_count; area++) {
      if (epi__set_has(epi__area_set(model, area), parties->items[i].number)) {
        return 0;
      }
    }
  }
  if (!parties->count) {
    return 0;
  }
  begin(lint, "empty-rule", number);
  epi__lint_say(lint, "never matches: no node has what `");
  epi__lint_say(lint, criterion);
  epi__lint_say(lint, "` asks for");
  epi__lint_end(lint);
  return 1;
}

/* What a require asks for, and neither a node has nor a function applies. */
static void unmet_require(epi__lint *lint, uint32_t number) {
  const epi_model *model = lint->model;
  const epi__rule *rule = &model->rules[number];

  for (ptrdiff_t at = 0;
       (at = epi__set_next(rule->attributes, model->words, (size_t)at)) >= 0;
       at++) {
    size_t area = 0;

    while (area < model->area_count &&
           !epi__set_has(epi__area_set(model, area), (size_t)at)) {
      area++;
    }
    if (area < model->area_count ||
        epi__set_has(model->bridgeable, (size_t)at)) {
      continue;
    }
    begin(lint, "unmet-require", number);
    epi__lint_say(lint, "requires \"");
    epi__lint_say(lint, model->attributes.texts[at]);
    epi__lint_say(lint, "\", which no node has and no function may apply: "
                        "every flow that it matches is refused");
    epi__lint_end(lint);
  }
}

/* Whoever names an application is believed. */
static void open_application(epi__lint *lint, uint32_t number) {
  const epi__rule *rule = &lint->model->rules[number];

  if (rule->effect != EPI__ALLOW || rule->from.count || rule->to.count ||
      !rule->values[EPI__BY_APPLICATION].count) {
    return;
  }
  begin(lint, "open-application", number);
  epi__lint_say(lint, "allows an application between all nodes, to whoever "
                      "names it: say `from` or `to` as well");
  epi__lint_end(lint);
}

void epi__lint_rules(epi__lint *lint) {
  const epi_model *model = lint->model;
  epi__union together = {0};

  lint->text.failed |= epi__union_start(&together, model) != 0;
  for (uint32_t i = 0; i < model->rule_names.count && !lint->text.failed; i++) {
    const epi__rule *rule = &model->rules[i];

    if (matches_nobody(lint, i, &rule->from, "from") ||
        matches_nobody(lint, i, &rule->to, "to") ||
        shadowed(lint, &together, i)) {
      continue;
    }
    unmet_require(lint, i);
    open_application(lint, i);
  }
  epi__union_clear(&together);
}
