/* policy_index.c: rules by what they speak of. Each rule stands in the lists of
 * one of its criteria, the one that the fewest flows meet: in the list of each
 * value. A flow's rules are in the lists of what is known of it. */
#include "area/rule_lists.h"

#include "base/memory.h"

enum {
  AREAS_TRIED = 1 << 22, /* for all `has:` together */
};

typedef struct builder {
  epi_model *model;
  epi__rule_index *index;
  size_t *domain_nodes;    /* for each domain */
  size_t *attribute_nodes; /* for each attribute */
  size_t areas_tried;
  uint32_t test; /* of the rule that is put */
  int failed;
} builder;

static void put(builder *b, uint32_t rule, int kind, uint32_t number) {
  epi__rule_ref ref = {.rule = rule, .test = b->test};

  b->failed |= epi__rule_lists_put(b->index, kind, number, ref) != 0;
}

static size_t area_size(const epi_model *model, size_t area) {
  return model->area_start[area + 1] - model->area_start[area];
}

/* How many nodes a value of `from` or `to` stands for. */
static double nodes_of(const builder *b, const epi__party *party) {
  const epi_model *model = b->model;

  switch (party->kind) {
  case EPI__PARTY_DOMAIN:
    return (double)b->domain_nodes[party->number];
  case EPI__PARTY_AREA:
    return (double)area_size(model, model->nodes[party->number].area);
  case EPI__PARTY_HAS:
    return (double)b->attribute_nodes[party->number];
  default:
    return 1; /* a range that stands in a rule is taken to be a narrow one */
  }
}

/* The share of flows that meet a criterion, 1 if it is not there. */
static double share_of(const builder *b, const epi__rule *rule, int kind) {
  const epi_model *model = b->model;
  const epi__parties *parties =
      kind == EPI__RULES_FROM ? &rule->from : &rule->to;
  const epi__list *values = kind == EPI__RULES_PORT ? &rule->ports : NULL;
  double count = 0, all = (double)model->node_names.count;

  if (kind >= EPI__RULES_FROM) {
    for (size_t i = 0; i < parties->count; i++) {
      count += nodes_of(b, &parties->items[i]);
    }
    return parties->count && count < all ? count / all : 1;
  }
  values = values ? values : &rule->values[kind - EPI__RULES_VALUE];
  if (!values->count) {
    return 1;
  }
  all = kind == EPI__RULES_PORT ? 64 /* that are much in use */
        : kind == EPI__RULES_VALUE + EPI__BY_APPLICATION
            ? (double)model->application_names.count
            : (double)model->terms.count;
  count = (double)values->count;
  return count < all ? count / all : 0.99;
}

static int number_range(builder *b, const epi__range *range, uint32_t *number) {
  epi__addr_buf text;
  size_t there = 0;
  ptrdiff_t entry =
      epi__node_lookup_add(&b->index->ranges, epi__range_text(range, &text),
                           (uint32_t)b->index->ranges.count, &there);

  if (entry == EPI_EBUSY) {
    entry = (ptrdiff_t)there;
  }
  b->failed |= entry < 0;
  *number = (uint32_t)entry;
  return entry >= 0;
}

static void put_party(builder *b, uint32_t rule, int kind,
                      const epi__party *party) {
  const epi_model *model = b->model;
  uint32_t number;

  switch (party->kind) {
  case EPI__PARTY_NODE:
    put(b, rule, kind + EPI__RULES_NODE, party->number);
    break;
  case EPI__PARTY_DOMAIN:
    put(b, rule, kind + EPI__RULES_DOMAIN, party->number);
    break;
  case EPI__PARTY_AREA:
    put(b, rule, kind + EPI__RULES_AREA, model->nodes[party->number].area);
    break;
  case EPI__PARTY_HAS:
    b->areas_tried += model->area_count;
    for (uint32_t i = 0; i < model->area_count && !b->failed; i++) {
      if (epi__set_has(epi__area_set(model, i), party->number)) {
        put(b, rule, kind + EPI__RULES_AREA, i);
      }
    }
    break;
  case EPI__PARTY_UNKNOWN:
    put(b, rule, kind + EPI__RULES_UNKNOWN, 0);
    break;
  default:
    if (number_range(b, &party->range, &number)) {
      put(b, rule, kind + EPI__RULES_RANGE, number);
      /* An end of which only the node is known may be in any range. */
      put(b, rule, kind + EPI__RULES_RANGE, EPI__NONE);
    }
  }
}

static uint32_t test_of(int kind, uint32_t number) {
  return number < EPI__TEST_NUMBERS ? (uint32_t)kind << EPI__TEST_SHIFT | number
                                    : 0;
}

/* A criterion as a test: 0 if it has several values, or one that takes more
 * than a look. */
static uint32_t find_test(const builder *b, const epi__rule *rule, int kind) {
  const epi__parties *parties =
      kind == EPI__RULES_FROM ? &rule->from : &rule->to;
  const epi__list *values = &rule->ports;
  const epi__party *party;

  if (kind == EPI__RULES_ALWAYS) {
    return 0;
  }
  if (kind < EPI__RULES_FROM) {
    values = kind == EPI__RULES_PORT ? values
                                     : &rule->values[kind - EPI__RULES_VALUE];
    return values->count == 1 ? test_of(kind, values->items[0]) : 0;
  }
  if (parties->count != 1) {
    return 0;
  }
  party = parties->items;
  switch (party->kind) {
  case EPI__PARTY_NODE:
    return test_of(kind + EPI__RULES_NODE, party->number);
  case EPI__PARTY_DOMAIN:
    return test_of(kind + EPI__RULES_DOMAIN, party->number);
  case EPI__PARTY_AREA:
    return test_of(kind + EPI__RULES_AREA, b->model->nodes[party->number].area);
  case EPI__PARTY_HAS:
    return test_of(kind + EPI__RULES_HAS, party->number);
  default:
    return 0;
  }
}

/* The criterion that the fewest flows meet, or EPI__RULES_ALWAYS; with one set
 * aside, of those that can be a test. */
static int narrowest(const builder *b, const epi__rule *rule, int aside) {
  int best = EPI__RULES_ALWAYS;
  double least = 1;

  for (int kind = EPI__RULES_PORT; kind <= EPI__RULES_TO;
       kind = kind == EPI__RULES_FROM ? EPI__RULES_TO : kind + 1) {
    double share = share_of(b, rule, kind);

    if (share < least && kind != aside &&
        (aside < 0 || find_test(b, rule, kind))) {
      least = share;
      best = kind;
    }
  }
  return best;
}

static void put_rule(builder *b, uint32_t number) {
  const epi__rule *rule = &b->model->rules[number];
  const epi__parties *parties;
  const epi__list *values;
  int best = narrowest(b, rule, -1);

  if (best >= EPI__RULES_FROM && b->areas_tried > AREAS_TRIED) {
    best = EPI__RULES_ALWAYS;
  }
  b->test = find_test(b, rule, narrowest(b, rule, best));
  if (best == EPI__RULES_ALWAYS) {
    put(b, number, EPI__RULES_ALWAYS, 0);
  } else if (best >= EPI__RULES_FROM) {
    parties = best == EPI__RULES_FROM ? &rule->from : &rule->to;
    for (size_t i = 0; i < parties->count && !b->failed; i++) {
      put_party(b, number, best, &parties->items[i]);
    }
  } else {
    values = best == EPI__RULES_PORT ? &rule->ports
                                     : &rule->values[best - EPI__RULES_VALUE];
    for (size_t i = 0; i < values->count && !b->failed; i++) {
      put(b, number, best, values->items[i]);
    }
    if (best == EPI__RULES_PORT) { /* a flow without a port matches all */
      put(b, number, EPI__RULES_PORT, 0);
    }
  }
}

/* How many nodes each domain and each attribute has. */
static void count_nodes(builder *b) {
  const epi_model *model = b->model;

  for (size_t i = 0; i < model->node_names.count; i++) {
    if (model->nodes[i].domain != EPI__NONE) {
      b->domain_nodes[model->nodes[i].domain]++;
    }
  }
  for (size_t i = 0; i < model->area_count; i++) {
    for (ptrdiff_t at = 0; (at = epi__set_next(epi__area_set(model, i),
                                               model->words, (size_t)at)) >= 0;
         at++) {
      b->attribute_nodes[at] += area_size(model, i);
    }
  }
}

int epi__rules_index(epi_model *model) {
  builder b = {.model = model, .index = &model->rule_index};

  b.domain_nodes = epi__alloc_array(model->domains.count, sizeof(size_t));
  b.attribute_nodes = epi__alloc_array(model->attributes.count, sizeof(size_t));
  b.failed = !b.domain_nodes || !b.attribute_nodes;
  if (!b.failed) {
    count_nodes(&b);
  }
  for (uint32_t i = 0; i < model->rule_names.count && !b.failed; i++) {
    put_rule(&b, i);
  }
  epi__free(b.domain_nodes);
  epi__free(b.attribute_nodes);
  return b.failed ? EPI_ENOMEM : 0;
}
