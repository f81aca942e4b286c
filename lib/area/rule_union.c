/* rule_union.c: rules that together match whatever a later rule does.
 *
 * Rules that cover all of a rule but for one criterion, and the same one, cover
 * it together if each value of that criterion is covered by one of them. */
#include "area/rule_cover.h"

#include "base/memory.h"

#include <string.h>

enum {
  UNION_STEPS = 100000000, /* for all rules: less than a second */
};

int epi__union_start(epi__union *u, const epi_model *model) {
  size_t most = model->node_names.count + 1 + EPI__VALUES_MAX;

  u->model = model;
  u->words = epi__set_words(most);
  u->steps = UNION_STEPS;
  u->open = epi__alloc_array(u->words, sizeof *u->open);
  return u->open ? 0 : EPI_ENOMEM;
}

void epi__union_clear(epi__union *u) {
  for (size_t i = 0; i < EPI__ON_COUNT; i++) {
    epi__free(u->lacking[i].items);
  }
  epi__free(u->open);
}

/* Take a thing out of what is open. Returns 1 if it was. */
static int take(epi__union *u, size_t at) {
  uint64_t bit = (uint64_t)1 << at % 64;
  int was = (u->open[at / 64] & bit) != 0;

  u->open[at / 64] &= ~bit;
  return was;
}

static int spend(epi__union *u, size_t steps) {
  if (u->steps < steps) {
    u->steps = 0;
    return 0;
  }
  u->steps -= steps;
  return 1;
}

/* ---- lists: an open thing for each value ---- */

static const epi__list *list_of(const epi__rule *rule, int criterion) {
  return criterion == EPI__ON_PORTS ? &rule->ports
                                    : &rule->values[criterion - EPI__ON_VALUES];
}

static void open_list(epi__union *u, const epi__list *list) {
  for (size_t i = 0; i < list->count; i++) {
    epi__set_add(u->open, i);
  }
}

static int take_list(epi__union *u, const epi__list *wide,
                     const epi__list *narrow) {
  int took = 0;

  if (!spend(u, wide->count * narrow->count)) {
    return 0;
  }
  for (size_t i = 0; i < narrow->count; i++) {
    if (epi__list_has(wide, narrow->items[i])) {
      took |= take(u, i);
    }
  }
  return took;
}

/* ---- by what a client authenticated: an open thing for each ---- */

static void open_set(epi__union *u, unsigned set) {
  for (size_t i = 0; EPI__AUTH_ALL >> i; i++) {
    if (!set || set >> i & 1) {
      epi__set_add(u->open, i);
    }
  }
}

static int take_set(epi__union *u, unsigned wide) {
  int took = 0;

  for (size_t i = 0; EPI__AUTH_ALL >> i; i++) {
    if (wide >> i & 1) {
      took |= take(u, i);
    }
  }
  return took;
}

/* ---- ends: one for each node, one for what is unknown, then the ranges ----
 */

static const epi__parties *parties_of(const epi__rule *rule, int criterion) {
  return criterion == EPI__ON_FROM ? &rule->from : &rule->to;
}

static void open_nodes(epi__union *u, const epi__party *party) {
  for (uint32_t node = 0; node < u->model->node_names.count; node++) {
    if (!party || epi__party_has_node(u->model, party, node)) {
      epi__set_add(u->open, node);
    }
  }
}

static void open_parties(epi__union *u, const epi__rule *rule, int criterion) {
  const epi__parties *parties = parties_of(rule, criterion);
  size_t nodes = u->model->node_names.count;

  if (!parties->count) {
    open_nodes(u, NULL);
    if (rule->effect != EPI__ALLOW) {
      epi__set_add(u->open, nodes);
    }
  }
  for (size_t i = 0; i < parties->count; i++) {
    if (parties->items[i].kind == EPI__PARTY_UNKNOWN) {
      epi__set_add(u->open, nodes);
    } else if (parties->items[i].kind == EPI__PARTY_RANGE) {
      epi__set_add(u->open, nodes + 1 + i);
    } else {
      open_nodes(u, &parties->items[i]);
    }
  }
}

static int take_nodes(epi__union *u, const epi__party *party) {
  int took = 0;

  if (party && party->kind == EPI__PARTY_NODE) {
    return take(u, party->number);
  }
  for (uint32_t node = 0; node < u->model->node_names.count; node++) {
    if (!party || epi__party_has_node(u->model, party, node)) {
      took |= take(u, node);
    }
  }
  return took;
}

static int take_parties(epi__union *u, const epi__rule *wide,
                        const epi__rule *narrow, int criterion) {
  const epi__parties *by = parties_of(wide, criterion);
  const epi__parties *of = parties_of(narrow, criterion);
  size_t nodes = u->model->node_names.count;
  int all = !by->count && wide->effect != EPI__ALLOW;
  int took = 0;

  if (!spend(u, (by->count + 1) * (nodes + of->count))) {
    return 0;
  }
  if (!by->count) {
    took |= take_nodes(u, NULL);
  }
  if (all) {
    took |= take(u, nodes);
  }
  for (size_t i = 0; i < by->count; i++) {
    if (by->items[i].kind == EPI__PARTY_UNKNOWN) {
      took |= take(u, nodes);
    } else if (by->items[i].kind != EPI__PARTY_RANGE) {
      took |= take_nodes(u, &by->items[i]);
    }
  }
  for (size_t i = 0; i < of->count; i++) {
    if (of->items[i].kind == EPI__PARTY_RANGE &&
        (all ||
         epi__range_covered(by, wide->effect, &of->items[i], narrow->effect))) {
      took |= take(u, nodes + 1 + i);
    }
  }
  return took;
}

/* ---- all of it ---- */

static int is_end(int criterion) {
  return criterion == EPI__ON_FROM || criterion == EPI__ON_TO;
}

/* Returns 1 if some of a criterion's values are there to be covered. */
static int open_criterion(epi__union *u, const epi__rule *rule, int criterion) {
  if (!spend(u, u->words)) {
    return 0;
  }
  memset(u->open, 0, u->words * sizeof *u->open);
  if (is_end(criterion)) {
    size_t parties = parties_of(rule, criterion)->count + 1;

    if (!spend(u, parties * u->model->node_names.count)) {
      return 0;
    }
    open_parties(u, rule, criterion);
  } else if (criterion == EPI__ON_AUTHENTICATED) {
    open_set(u, rule->authenticated);
  } else {
    open_list(u, list_of(rule, criterion));
  }
  return epi__set_next(u->open, u->words, 0) >= 0;
}

/* Returns 1 if a rule covers something that was open. */
static int take_criterion(epi__union *u, const epi__rule *wide,
                          const epi__rule *narrow, int criterion) {
  if (is_end(criterion)) {
    return take_parties(u, wide, narrow, criterion);
  }
  return criterion == EPI__ON_AUTHENTICATED
             ? take_set(u, wide->authenticated)
             : take_list(u, list_of(wide, criterion),
                         list_of(narrow, criterion));
}

static void find_together(epi__union *u, uint32_t number, int criterion,
                          epi__behind *out) {
  const epi__rule *rule = &u->model->rules[number];
  const epi__list *list = &u->lacking[criterion];

  out->count = 0;
  if (!list->count || criterion == EPI__ON_TIME ||
      !open_criterion(u, rule, criterion)) {
    return;
  }
  for (size_t i = 0; i < list->count; i++) {
    const epi__rule *wide = &u->model->rules[list->items[i]];
    int took = take_criterion(u, wide, rule, criterion);

    if (!took) {
      continue;
    }
    if (out->count < EPI__BEHIND_SHOWN) {
      out->rules[out->count] = list->items[i];
    }
    out->count++;
    if (!spend(u, u->words)) {
      break;
    }
    if (epi__set_next(u->open, u->words, 0) < 0) {
      return;
    }
  }
  out->count = 0;
}

int epi__union_find(epi__union *u, uint32_t number, epi__behind *out) {
  const epi_model *model = u->model;

  for (size_t i = 0; i < EPI__ON_COUNT; i++) {
    u->lacking[i].count = 0;
  }
  for (uint32_t i = 0; i < number; i++) {
    const epi__rule *wide = &model->rules[i];
    int lacks = wide->effect == EPI__REQUIRE
                    ? EPI__LACKS_MORE
                    : epi__rule_lacks(model, wide, &model->rules[number]);

    if (lacks == EPI__ON_COUNT) {
      out->count = 1;
      out->rules[0] = i;
      return 0;
    }
    if (lacks != EPI__LACKS_MORE && epi__list_add(&u->lacking[lacks], i)) {
      return EPI_ENOMEM;
    }
  }
  out->count = 0;
  for (int i = 0; i < EPI__ON_COUNT && !out->count; i++) {
    find_together(u, number, i, out);
  }
  return 0;
}
