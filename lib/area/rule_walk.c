/* rule_walk.c: the rules that a flow could meet, out of the lists of what is
 * known of it. */
#include "area/rule_walk.h"

#include "area/rule_lists.h"

static int end_passes(const epi__rule_walk *walk, size_t end, int kind,
                      uint32_t number) {
  switch (kind) {
  case EPI__RULES_NODE:
    return walk->ends[end].node == number;
  case EPI__RULES_DOMAIN:
    return walk->ends[end].domain == number;
  case EPI__RULES_AREA:
    return walk->ends[end].area == number;
  default: /* EPI__RULES_HAS */
    return walk->ends[end].node != EPI__NONE &&
           epi__set_has(epi__area_set(walk->model, walk->ends[end].area),
                        number);
  }
}

/* 1 unless a flow fails the test of a place in a list. */
static int passes(const epi__rule_walk *walk, uint32_t test) {
  uint32_t number = test % EPI__TEST_NUMBERS;
  int kind = (int)(test >> EPI__TEST_SHIFT);

  if (kind == EPI__RULES_ALWAYS) {
    return 1;
  }
  if (kind == EPI__RULES_PORT) {
    return !walk->facts->port || walk->facts->port == (int)number;
  }
  if (kind < EPI__RULES_FROM) {
    return walk->facts->values[kind - EPI__RULES_VALUE] == number;
  }
  return kind < EPI__RULES_TO
             ? end_passes(walk, 0, kind - EPI__RULES_FROM, number)
             : end_passes(walk, 1, kind - EPI__RULES_TO, number);
}

/* Go to the next place of a list whose rule is worth a look. */
static void settle(epi__rule_walk *walk, size_t list) {
  while (walk->lists[list].at < walk->lists[list].end &&
         !passes(walk, walk->lists[list].at->test)) {
    walk->lists[list].at++;
  }
}

static void take(epi__rule_walk *walk, int kind, uint32_t number) {
  const epi__rule_list *list =
      epi__rule_lists_find(&walk->model->rule_index, kind, number);

  if (!list) {
    return;
  }
  if (walk->count >= EPI__WALK_LISTS) {
    walk->count++; /* one too many means that all rules are tried */
    return;
  }
  walk->lists[walk->count].at = list->rules;
  walk->lists[walk->count].end = list->rules + list->count;
  settle(walk, walk->count);
  walk->count += walk->lists[walk->count].at < walk->lists[walk->count].end;
}

static void take_end(epi__rule_walk *walk, int kind, size_t which,
                     const epi__end *end) {
  const epi__node_lookup *ranges = &walk->model->rule_index.ranges;
  size_t place = 0;
  ptrdiff_t range;

  if (end->node == EPI__NONE) {
    take(walk, kind + EPI__RULES_UNKNOWN, 0);
  } else {
    take(walk, kind + EPI__RULES_NODE, end->node);
    take(walk, kind + EPI__RULES_AREA, walk->ends[which].area);
    if (walk->ends[which].domain != EPI__NONE) {
      take(walk, kind + EPI__RULES_DOMAIN, walk->ends[which].domain);
    }
  }
  if (!ranges->count) {
    return;
  }
  if (!end->ip) {
    take(walk, kind + EPI__RULES_RANGE, EPI__NONE);
    return;
  }
  while ((range = epi__node_lookup_each(ranges, end->ip, &place)) >= 0) {
    take(walk, kind + EPI__RULES_RANGE, (uint32_t)range);
  }
}

static void meet(epi__rule_walk *walk, size_t which, const epi__end *end) {
  const epi__node *node = NULL;

  if (end->node != EPI__NONE) {
    node = &walk->model->nodes[end->node];
  }
  walk->ends[which].node = end->node;
  walk->ends[which].domain = node ? node->domain : EPI__NONE;
  walk->ends[which].area = node ? node->area : EPI__NONE;
}

void epi__rule_walk_start(epi__rule_walk *walk, const epi_model *model,
                          const epi__facts *facts) {
  walk->model = model;
  walk->facts = facts;
  walk->count = 0;
  walk->next = 0;
  walk->rule_count = (uint32_t)model->rule_names.count;
  meet(walk, 0, &facts->from);
  meet(walk, 1, &facts->to);
  take(walk, EPI__RULES_ALWAYS, 0);
  take(walk, EPI__RULES_PORT, (uint32_t)facts->port);
  for (int i = 0; i < EPI__BY_COUNT; i++) {
    if (facts->values[i] != EPI__NONE) {
      take(walk, EPI__RULES_VALUE + i, facts->values[i]);
    }
  }
  take_end(walk, EPI__RULES_FROM, 0, &facts->from);
  take_end(walk, EPI__RULES_TO, 1, &facts->to);
}

uint32_t epi__rule_walk_next(epi__rule_walk *walk) {
  uint32_t next = EPI__NONE;

  if (walk->count > EPI__WALK_LISTS) {
    return walk->next < walk->rule_count ? walk->next++ : EPI__NONE;
  }
  for (size_t i = 0; i < walk->count; i++) {
    if (walk->lists[i].at < walk->lists[i].end &&
        walk->lists[i].at->rule < next) {
      next = walk->lists[i].at->rule;
    }
  }
  for (size_t i = 0; i < walk->count; i++) {
    if (walk->lists[i].at < walk->lists[i].end &&
        walk->lists[i].at->rule == next) {
      walk->lists[i].at++;
      settle(walk, i);
    }
  }
  return next;
}
