/* rule_cover.c: does one rule match whatever another one does? */
#include "area/rule_cover.h"

int epi__party_has_node(const epi_model *model, const epi__party *party,
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

static int node_covered(const epi_model *model, const epi__parties *wide,
                        uint32_t node) {
  for (size_t i = 0; i < wide->count; i++) {
    if (epi__party_has_node(model, &wide->items[i], node)) {
      return 1;
    }
  }
  return 0;
}

/* 1 if every node of a party is in one of the others. */
static int nodes_covered(const epi_model *model, const epi__parties *wide,
                         const epi__party *narrow) {
  for (uint32_t node = 0; node < model->node_names.count; node++) {
    if (epi__party_has_node(model, narrow, node) &&
        !node_covered(model, wide, node)) {
      return 0;
    }
  }
  return 1;
}

/* A node that is known by name only is in a range for an allow if all of its
 * addresses are, for the others if one is: an allow covers less. */
int epi__range_covered(const epi__parties *wide, int wide_effect,
                       const epi__party *narrow, int narrow_effect) {
  for (size_t i = 0; i < wide->count; i++) {
    if (wide->items[i].kind == EPI__PARTY_RANGE &&
        (wide_effect != EPI__ALLOW || narrow_effect == EPI__ALLOW) &&
        epi__range_covers(&wide->items[i].range, &narrow->range)) {
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
    return epi__range_covered(wide, wide_effect, narrow, narrow_effect);
  }
  if (narrow->kind == EPI__PARTY_NODE) {
    return node_covered(model, wide, narrow->number);
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

/* A flow has some of them, and one in common with a rule is enough. */
static int set_covered(unsigned wide, unsigned narrow) {
  return !wide || !((narrow ? narrow : EPI__AUTH_ALL) & ~wide);
}

static int window_covered(const epi__window *wide, const epi__window *narrow) {
  return !wide->set ||
         (narrow->set && wide->from == narrow->from && wide->to == narrow->to &&
          !(narrow->days & ~wide->days));
}

static int criterion_covered(const epi_model *model, const epi__rule *wide,
                             const epi__rule *narrow, int criterion) {
  switch (criterion) {
  case EPI__ON_FROM:
    return parties_covered(model, &wide->from, wide->effect, &narrow->from,
                           narrow->effect);
  case EPI__ON_TO:
    return parties_covered(model, &wide->to, wide->effect, &narrow->to,
                           narrow->effect);
  case EPI__ON_AUTHENTICATED:
    return set_covered(wide->authenticated, narrow->authenticated);
  case EPI__ON_PORTS:
    return list_covered(&wide->ports, &narrow->ports);
  case EPI__ON_TIME:
    return window_covered(&wide->window, &narrow->window);
  default:
    return list_covered(&wide->values[criterion - EPI__ON_VALUES],
                        &narrow->values[criterion - EPI__ON_VALUES]);
  }
}

int epi__rule_lacks(const epi_model *model, const epi__rule *wide,
                    const epi__rule *narrow) {
  int lacks = EPI__ON_COUNT;

  for (int i = EPI__ON_COUNT; i--;) { /* the ends, which take longest, last */
    if (criterion_covered(model, wide, narrow, i)) {
      continue;
    }
    if (lacks != EPI__ON_COUNT) {
      return EPI__LACKS_MORE;
    }
    lacks = i;
  }
  return lacks;
}
