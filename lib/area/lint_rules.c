/* lint_rules.c: rules that say nothing. */
#include "area/lint.h"

#include <string.h>

/* ---- does one rule match whatever another one does? ---- */

static int party_has_node(const epi_model *model, const epi__party *party,
                          uint32_t node) {
  switch (party->kind) {
  case EPI__PARTY_NODE:
    return party->number == node;
  case EPI__PARTY_DOMAIN:
    return party->number == model->nodes[node].domain;
  case EPI__PARTY_HAS:
    return epi__set_has(epi__node_set(model, node), party->number);
  case EPI__PARTY_AREA:
    return model->nodes[party->number].area == model->nodes[node].area;
  default:
    return 0;
  }
}

static int range_covers(const epi__range *wide, const epi__range *narrow) {
  epi_addr first = {.kind = (uint8_t)narrow->kind};

  memcpy(first.ip, narrow->ip, sizeof first.ip);
  return wide->bits <= narrow->bits && epi__range_has(wide, &first);
}

/* 1 if every node of a party is in one of the others. */
static int nodes_covered(const epi_model *model, const epi__parties *wide,
                         const epi__party *narrow) {
  for (uint32_t node = 0; node < model->node_names.count; node++) {
    size_t i = 0;

    if (!party_has_node(model, narrow, node)) {
      continue;
    }
    while (i < wide->count && !party_has_node(model, &wide->items[i], node)) {
      i++;
    }
    if (i == wide->count) {
      return 0;
    }
  }
  return 1;
}

/* A node that is known by name only is in a range for an allow if all of its
 * addresses are, for the others if one is: an allow covers less. */
static int ranges_covered(const epi__parties *wide, int wide_effect,
                          const epi__party *narrow, int narrow_effect) {
  for (size_t i = 0; i < wide->count; i++) {
    if (wide->items[i].kind == EPI__PARTY_RANGE &&
        (wide_effect != EPI__ALLOW || narrow_effect == EPI__ALLOW) &&
        range_covers(&wide->items[i].range, &narrow->range)) {
      return 1;
    }
  }
  return 0;
}

static int has_kind(const epi__parties *parties, int kind) {
  for (size_t i = 0; i < parties->count; i++) {
    if (parties->items[i].kind == kind) {
      return 1;
    }
  }
  return 0;
}

static int same_party(const epi__party *a, const epi__party *b) {
  return a->kind == b->kind && a->number == b->number &&
         a->kind != EPI__PARTY_RANGE;
}

static int party_covered(const epi_model *model, const epi__parties *wide,
                         int wide_effect, const epi__party *narrow,
                         int narrow_effect) {
  for (size_t i = 0; i < wide->count; i++) {
    if (same_party(&wide->items[i], narrow)) {
      return 1; /* the usual case, without going through the nodes */
    }
  }
  if (narrow->kind == EPI__PARTY_RANGE) {
    return ranges_covered(wide, wide_effect, narrow, narrow_effect);
  }
  return narrow->kind != EPI__PARTY_UNKNOWN &&
         nodes_covered(model, wide, narrow);
}

static int parties_covered(const epi_model *model, const epi__parties *wide,
                           int wide_effect, const epi__parties *narrow,
                           int narrow_effect) {
  if (!wide->count) { /* all, but for an allow what is unknown */
    return wide_effect != EPI__ALLOW ||
           (narrow->count ? !has_kind(narrow, EPI__PARTY_UNKNOWN) &&
                                !has_kind(narrow, EPI__PARTY_RANGE)
                          : narrow_effect == EPI__ALLOW);
  }
  for (size_t i = 0; i < narrow->count; i++) {
    if (!party_covered(model, wide, wide_effect, &narrow->items[i],
                       narrow_effect)) {
      return 0;
    }
  }
  return narrow->count > 0;
}

static int list_covered(const epi__list *wide, const epi__list *narrow) {
  if (!wide->count) {
    return 1;
  }
  for (size_t i = 0; i < narrow->count; i++) {
    if (!epi__list_has(wide, narrow->items[i])) {
      return 0;
    }
  }
  return narrow->count > 0;
}

static int window_covered(const epi__window *wide, const epi__window *narrow) {
  return !wide->set ||
         (narrow->set && wide->from == narrow->from && wide->to == narrow->to &&
          !(narrow->days & ~wide->days));
}

static int covers(const epi_model *model, const epi__rule *wide,
                  const epi__rule *narrow) {
  for (size_t i = 0; i < EPI__BY_COUNT; i++) {
    if (!list_covered(&wide->values[i], &narrow->values[i])) {
      return 0;
    }
  }
  return list_covered(&wide->ports, &narrow->ports) &&
         window_covered(&wide->window, &narrow->window) &&
         parties_covered(model, &wide->from, wide->effect, &narrow->from,
                         narrow->effect) &&
         parties_covered(model, &wide->to, wide->effect, &narrow->to,
                         narrow->effect);
}

uint32_t epi__rule_shadow(const epi_model *model, uint32_t number) {
  for (uint32_t i = 0; i < number; i++) {
    if (model->rules[i].effect != EPI__REQUIRE &&
        covers(model, &model->rules[i], &model->rules[number])) {
      return i;
    }
  }
  return EPI__NONE;
}

/* ---- findings ---- */

static void begin(epi__lint *lint, const char *kind, uint32_t number) {
  epi__lint_begin(lint, kind, "policy.rules", NULL, number);
  epi__lint_say(lint, "rule \"");
  epi__lint_say(lint, lint->model->rule_names.texts[number]);
  epi__lint_say(lint, "\" ");
}

static int shadowed(epi__lint *lint, uint32_t number) {
  uint32_t by = epi__rule_shadow(lint->model, number);

  if (by == EPI__NONE) {
    return 0;
  }
  begin(lint, "shadowed-rule", number);
  epi__lint_say(lint, "never matches: \"");
  epi__lint_say(lint, lint->model->rule_names.texts[by]);
  epi__lint_say(lint, "\" decides before it about all that it is about");
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

  for (uint32_t i = 0; i < model->rule_names.count; i++) {
    const epi__rule *rule = &model->rules[i];

    if (matches_nobody(lint, i, &rule->from, "from") ||
        matches_nobody(lint, i, &rule->to, "to") || shadowed(lint, i)) {
      continue;
    }
    unmet_require(lint, i);
    open_application(lint, i);
  }
}
