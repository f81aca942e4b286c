/* policy_index.c: rules by what they speak of. Each rule stands in the lists of
 * one of its criteria, the one that the fewest flows meet: in the list of each
 * value. A flow's rules are in the lists of what is known of it. */
#include "area/policy_index.h"

#include "base/memory.h"

#include <string.h>

/* What a list is for; the numbers are those of the model. */
enum {
  ALWAYS, /* rules that no list could narrow down */
  PORT,
  VALUE, /* and EPI__BY_COUNT kinds from here */
  FROM = VALUE + EPI__BY_COUNT,
  TO = FROM + 5,
};

enum { /* behind FROM and TO */
       BY_NODE,
       BY_DOMAIN,
       BY_AREA,
       BY_UNKNOWN,
       BY_RANGE, /* by the number of a range */
};

enum {
  AREAS_TRIED = 1 << 22, /* for all `has:` together */
};

typedef struct builder {
  epi_model *model;
  epi__rule_index *index;
  size_t *domain_nodes;    /* for each domain */
  size_t *attribute_nodes; /* for each attribute */
  size_t areas_tried;
  int failed;
} builder;

static uint64_t key_of(int kind, uint32_t number) {
  return (uint64_t)kind << 32 | number;
}

static size_t slot_of(const epi__rule_index *index, uint64_t key) {
  size_t mask = index->slot_count - 1;
  size_t slot = (size_t)((key * 0x9e3779b97f4a7c15u) >> 32) & mask;

  while (index->slots[slot] &&
         index->lists[index->slots[slot] - 1].key != key) {
    slot = (slot + 1) & mask;
  }
  return slot;
}

static const epi__rule_list *find(const epi__rule_index *index, int kind,
                                  uint32_t number) {
  uint32_t list = 0;

  if (index->slot_count) {
    list = index->slots[slot_of(index, key_of(kind, number))];
  }
  return list ? &index->lists[list - 1] : NULL;
}

/* ---- making it ---- */

static int spread(epi__rule_index *index) {
  size_t count = index->slot_count ? index->slot_count * 2 : 64;
  uint32_t *slots = epi__alloc_array(count, sizeof *slots);

  if (!slots) {
    return EPI_ENOMEM;
  }
  epi__free(index->slots);
  index->slots = slots;
  index->slot_count = count;
  for (size_t i = 0; i < index->list_count; i++) {
    slots[slot_of(index, index->lists[i].key)] = (uint32_t)i + 1;
  }
  return 0;
}

/* The list of a key, which is added if it is new; or NULL. */
static epi__rule_list *list_for(epi__rule_index *index, uint64_t key) {
  epi__rule_list *moved;
  size_t slot;

  if (index->list_count >= index->slot_count / 2 && spread(index)) {
    return NULL;
  }
  slot = slot_of(index, key);
  if (index->slots[slot]) {
    return &index->lists[index->slots[slot] - 1];
  }
  moved = epi__grow(index->lists, index->list_count, &index->list_capacity,
                    sizeof *moved);
  if (!moved) {
    return NULL;
  }
  index->lists = moved;
  memset(&moved[index->list_count], 0, sizeof *moved);
  moved[index->list_count].key = key;
  index->slots[slot] = (uint32_t)++index->list_count;
  return &moved[index->list_count - 1];
}

static void put(builder *b, uint32_t rule, int kind, uint32_t number) {
  epi__rule_list *list = list_for(b->index, key_of(kind, number));

  if (!list) {
    b->failed = 1;
    return;
  }
  /* One rule may name a node twice, as itself and by its area. */
  if (!list->rules.count || list->rules.items[list->rules.count - 1] != rule) {
    b->failed |= epi__list_add(&list->rules, rule) != 0;
  }
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
  const epi__parties *parties = kind == FROM ? &rule->from : &rule->to;
  const epi__list *values = kind == PORT ? &rule->ports : NULL;
  double count = 0, all = (double)model->node_names.count;

  if (kind >= FROM) {
    for (size_t i = 0; i < parties->count; i++) {
      count += nodes_of(b, &parties->items[i]);
    }
    return parties->count && count < all ? count / all : 1;
  }
  values = values ? values : &rule->values[kind - VALUE];
  if (!values->count) {
    return 1;
  }
  all = kind == PORT ? 64 /* that are much in use */
        : kind == VALUE + EPI__BY_APPLICATION
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
    put(b, rule, kind + BY_NODE, party->number);
    break;
  case EPI__PARTY_DOMAIN:
    put(b, rule, kind + BY_DOMAIN, party->number);
    break;
  case EPI__PARTY_AREA:
    put(b, rule, kind + BY_AREA, model->nodes[party->number].area);
    break;
  case EPI__PARTY_HAS:
    b->areas_tried += model->area_count;
    for (uint32_t i = 0; i < model->area_count && !b->failed; i++) {
      if (epi__set_has(epi__area_set(model, i), party->number)) {
        put(b, rule, kind + BY_AREA, i);
      }
    }
    break;
  case EPI__PARTY_UNKNOWN:
    put(b, rule, kind + BY_UNKNOWN, 0);
    break;
  default:
    if (number_range(b, &party->range, &number)) {
      put(b, rule, kind + BY_RANGE, number);
      /* An end of which only the node is known may be in any range. */
      put(b, rule, kind + BY_RANGE, EPI__NONE);
    }
  }
}

static void put_rule(builder *b, uint32_t number) {
  const epi__rule *rule = &b->model->rules[number];
  const epi__parties *parties;
  const epi__list *values;
  double least = 1;
  int best = ALWAYS;

  for (int kind = PORT; kind <= TO; kind = kind == FROM ? TO : kind + 1) {
    double share = share_of(b, rule, kind);

    if (share < least) {
      least = share;
      best = kind;
    }
  }
  if (best >= FROM && b->areas_tried > AREAS_TRIED) {
    best = ALWAYS;
  }
  if (best == ALWAYS) {
    put(b, number, ALWAYS, 0);
  } else if (best >= FROM) {
    parties = best == FROM ? &rule->from : &rule->to;
    for (size_t i = 0; i < parties->count && !b->failed; i++) {
      put_party(b, number, best, &parties->items[i]);
    }
  } else {
    values = best == PORT ? &rule->ports : &rule->values[best - VALUE];
    for (size_t i = 0; i < values->count && !b->failed; i++) {
      put(b, number, best, values->items[i]);
    }
    if (best == PORT) { /* a flow without a port matches all */
      put(b, number, PORT, 0);
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

void epi__rule_index_clear(epi__rule_index *index) {
  for (size_t i = 0; i < index->list_count; i++) {
    epi__free(index->lists[i].rules.items);
  }
  epi__free(index->lists);
  epi__free(index->slots);
  epi__node_lookup_clear(&index->ranges);
  memset(index, 0, sizeof *index);
}

/* ---- walking ---- */

static void take(epi__rule_walk *walk, const epi_model *model, int kind,
                 uint32_t number) {
  const epi__rule_list *list = find(&model->rule_index, kind, number);

  if (!list) {
    return;
  }
  if (walk->count < EPI__WALK_LISTS) {
    walk->lists[walk->count].at = list->rules.items;
    walk->lists[walk->count].end = list->rules.items + list->rules.count;
  }
  walk->count++; /* one too many means that all rules are tried */
}

static void take_end(epi__rule_walk *walk, const epi_model *model, int kind,
                     const epi__end *end) {
  const epi__node_lookup *ranges = &model->rule_index.ranges;
  size_t place = 0;
  ptrdiff_t range;

  if (end->node == EPI__NONE) {
    take(walk, model, kind + BY_UNKNOWN, 0);
  } else {
    take(walk, model, kind + BY_NODE, end->node);
    take(walk, model, kind + BY_AREA, model->nodes[end->node].area);
    if (model->nodes[end->node].domain != EPI__NONE) {
      take(walk, model, kind + BY_DOMAIN, model->nodes[end->node].domain);
    }
  }
  if (!ranges->count) {
    return;
  }
  if (!end->ip) {
    take(walk, model, kind + BY_RANGE, EPI__NONE);
    return;
  }
  while ((range = epi__node_lookup_each(ranges, end->ip, &place)) >= 0) {
    take(walk, model, kind + BY_RANGE, (uint32_t)range);
  }
}

void epi__rule_walk_start(epi__rule_walk *walk, const epi_model *model,
                          const epi__facts *facts) {
  walk->count = 0;
  walk->next = 0;
  walk->rule_count = (uint32_t)model->rule_names.count;
  take(walk, model, ALWAYS, 0);
  take(walk, model, PORT, (uint32_t)facts->port);
  for (int i = 0; i < EPI__BY_COUNT; i++) {
    if (facts->values[i] != EPI__NONE) {
      take(walk, model, VALUE + i, facts->values[i]);
    }
  }
  take_end(walk, model, FROM, &facts->from);
  take_end(walk, model, TO, &facts->to);
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
