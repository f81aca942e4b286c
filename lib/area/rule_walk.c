/* rule_walk.c: the rules that a flow could meet, out of the lists of what is
 * known of it. */
#include "area/rule_walk.h"

#include "area/rule_lists.h"

static void take(epi__rule_walk *walk, const epi_model *model, int kind,
                 uint32_t number) {
  const epi__list *rules =
      epi__rule_lists_find(&model->rule_index, kind, number);

  if (!rules) {
    return;
  }
  if (walk->count < EPI__WALK_LISTS) {
    walk->lists[walk->count].at = rules->items;
    walk->lists[walk->count].end = rules->items + rules->count;
  }
  walk->count++; /* one too many means that all rules are tried */
}

static void take_end(epi__rule_walk *walk, const epi_model *model, int kind,
                     const epi__end *end) {
  const epi__node_lookup *ranges = &model->rule_index.ranges;
  size_t place = 0;
  ptrdiff_t range;

  if (end->node == EPI__NONE) {
    take(walk, model, kind + EPI__RULES_UNKNOWN, 0);
  } else {
    take(walk, model, kind + EPI__RULES_NODE, end->node);
    take(walk, model, kind + EPI__RULES_AREA, model->nodes[end->node].area);
    if (model->nodes[end->node].domain != EPI__NONE) {
      take(walk, model, kind + EPI__RULES_DOMAIN,
           model->nodes[end->node].domain);
    }
  }
  if (!ranges->count) {
    return;
  }
  if (!end->ip) {
    take(walk, model, kind + EPI__RULES_RANGE, EPI__NONE);
    return;
  }
  while ((range = epi__node_lookup_each(ranges, end->ip, &place)) >= 0) {
    take(walk, model, kind + EPI__RULES_RANGE, (uint32_t)range);
  }
}

void epi__rule_walk_start(epi__rule_walk *walk, const epi_model *model,
                          const epi__facts *facts) {
  walk->count = 0;
  walk->next = 0;
  walk->rule_count = (uint32_t)model->rule_names.count;
  take(walk, model, EPI__RULES_ALWAYS, 0);
  take(walk, model, EPI__RULES_PORT, (uint32_t)facts->port);
  for (int i = 0; i < EPI__BY_COUNT; i++) {
    if (facts->values[i] != EPI__NONE) {
      take(walk, model, EPI__RULES_VALUE + i, facts->values[i]);
    }
  }
  take_end(walk, model, EPI__RULES_FROM, &facts->from);
  take_end(walk, model, EPI__RULES_TO, &facts->to);
}

uint32_t epi__rule_walk_next(epi__rule_walk *walk) {
  uint32_t next = EPI__NONE;

  if (walk->count > EPI__WALK_LISTS) {
    return walk->next < walk->rule_count ? walk->next++ : EPI__NONE;
  }
  for (size_t i = 0; i < walk->count; i++) {
    if (walk->lists[i].at < walk->lists[i].end && *walk->lists[i].at < next) {
      next = *walk->lists[i].at;
    }
  }
  for (size_t i = 0; i < walk->count; i++) {
    walk->lists[i].at +=
        walk->lists[i].at < walk->lists[i].end && *walk->lists[i].at == next;
  }
  return next;
}
