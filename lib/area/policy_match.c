/* policy_match.c: does a rule speak of a flow? */
#include "area/policy_match.h"

int epi__node_in_range(const epi_model *model, uint32_t number, int effect,
                       const epi__range *range) {
  const epi__node *node = &model->nodes[number];
  size_t all = 0, inside = 0, touching = 0;

  for (size_t i = 0; i < node->entry_count; i++) {
    const epi__range *own = &model->lookup.entries[node->entry + i].range;

    all++;
    if (own->kind == EPI_ADDR_NONE) {
      continue; /* a host name is in no range */
    }
    inside += epi__range_covers(range, own);
    touching += epi__range_covers(range, own) || epi__range_covers(own, range);
  }
  return effect == EPI__ALLOW ? all && inside == all : touching > 0;
}

static int party_matches(const epi_model *model, const epi__party *party,
                         int effect, const epi__end *end) {
  if (party->kind == EPI__PARTY_RANGE && end->ip) {
    return epi__range_has(&party->range, end->ip);
  }
  if (end->node == EPI__NONE) {
    return party->kind == EPI__PARTY_UNKNOWN &&
           !(end->is_private && effect == EPI__ALLOW);
  }
  switch (party->kind) {
  case EPI__PARTY_NODE:
    return party->number == end->node;
  case EPI__PARTY_DOMAIN:
    return party->number == model->nodes[end->node].domain;
  case EPI__PARTY_HAS:
    return epi__set_has(epi__node_set(model, end->node), party->number);
  case EPI__PARTY_AREA:
    return model->nodes[party->number].area == model->nodes[end->node].area;
  case EPI__PARTY_RANGE:
    return epi__node_in_range(model, end->node, effect, &party->range);
  default:
    return 0;
  }
}

static int parties_match(const epi_model *model, const epi__parties *parties,
                         int effect, const epi__end *end) {
  if (!parties->count) {
    return effect != EPI__ALLOW || end->node != EPI__NONE;
  }
  for (size_t i = 0; i < parties->count; i++) {
    if (party_matches(model, &parties->items[i], effect, end)) {
      return 1;
    }
  }
  return 0;
}

static int window_has(const epi__window *window, const epi__facts *facts) {
  int64_t days = facts->time / 86400, rest = facts->time % 86400;
  unsigned today, yesterday;
  int minute;

  if (!facts->has_time) {
    return 0;
  }
  if (rest < 0) {
    rest += 86400;
    days--;
  }
  minute = (int)(rest / 60);
  today = (unsigned)((days % 7 + 7 + 3) % 7); /* 1970-01-01 was a Thursday */
  yesterday = (today + 6) % 7;
  if (window->from < window->to) {
    return window->days >> today & 1 && minute >= window->from &&
           minute < window->to;
  }
  return (window->days >> today & 1 && minute >= window->from) ||
         (window->days >> yesterday & 1 && minute < window->to);
}

int epi__rule_matches(const epi_model *model, const epi__rule *rule,
                      const epi__facts *facts) {
  for (size_t i = 0; i < EPI__BY_COUNT; i++) {
    if (rule->values[i].count &&
        (facts->values[i] == EPI__NONE ||
         !epi__list_has(&rule->values[i], facts->values[i]))) {
      return 0;
    }
  }
  if (rule->authenticated && !(rule->authenticated & facts->authenticated)) {
    return 0;
  }
  if (rule->ports.count && facts->port &&
      !epi__list_has(&rule->ports, (uint32_t)facts->port)) {
    return 0;
  }
  return (!rule->window.set || window_has(&rule->window, facts)) &&
         parties_match(model, &rule->from, rule->effect, &facts->from) &&
         parties_match(model, &rule->to, rule->effect, &facts->to);
}
