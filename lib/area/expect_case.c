/* expect_case.c: what rules tell apart, of all that a flow may be. */
#include "area/expect_case.h"

#include "base/memory.h"

#include <string.h>

static const epi_model *model_of(const epi__hunt *h) {
  return h->decision->model;
}

static int add_end(epi__ends *list, const epi__end *end) {
  epi__end *moved =
      epi__grow(list->items, list->count, &list->capacity, sizeof *moved);

  if (!moved) {
    return EPI_ENOMEM;
  }
  list->items = moved;
  list->items[list->count++] = *end;
  return 0;
}

/* The first address of a range, if the node has it. */
static int add_range(epi__hunt *h, epi__ends *list, uint32_t node,
                     const epi__range *range) {
  epi_addr addr = {.kind = (uint8_t)range->kind};
  epi__end end = {.node = node};

  memcpy(addr.ip, range->ip, sizeof addr.ip);
  if (range->kind == EPI_ADDR_NONE ||
      epi__node_lookup_find(&model_of(h)->lookup, &addr) != (ptrdiff_t)node) {
    return 0;
  }
  h->addrs[h->addr_count] = addr;
  end.ip = &h->addrs[h->addr_count++];
  return add_end(list, &end);
}

static int add_parties(epi__hunt *h, epi__ends *list, uint32_t node,
                       const epi__parties *parties) {
  for (size_t i = 0; i < parties->count; i++) {
    if (parties->items[i].kind == EPI__PARTY_RANGE &&
        add_range(h, list, node, &parties->items[i].range)) {
      return EPI_ENOMEM;
    }
  }
  return 0;
}

/* A node that is asked about by name is also each of its addresses: rules may
 * tell those apart, at the ranges that they name. */
static int find_ends(epi__hunt *h, epi__ends *list, const epi__end *given,
                     int by_name) {
  const epi_model *model = model_of(h);
  const epi__node *node;

  if (add_end(list, given)) {
    return EPI_ENOMEM;
  }
  if (!by_name || given->node == EPI__NONE) {
    return 0;
  }
  node = &model->nodes[given->node];
  for (size_t i = 0; i < node->entry_count; i++) {
    if (add_range(h, list, given->node,
                  &model->lookup.entries[node->entry + i].range)) {
      return EPI_ENOMEM;
    }
  }
  for (size_t i = 0; i < model->rule_names.count; i++) {
    if (add_parties(h, list, given->node, &model->rules[i].from) ||
        add_parties(h, list, given->node, &model->rules[i].to)) {
      return EPI_ENOMEM;
    }
  }
  return 0;
}

/* Room for every address that both ends may get. */
static int make_room(epi__hunt *h) {
  const epi_model *model = model_of(h);
  const epi__end *given[] = {&h->given.from, &h->given.to};
  size_t count = 0;

  for (size_t i = 0; i < model->rule_names.count; i++) {
    count += 2 * (model->rules[i].from.count + model->rules[i].to.count);
  }
  for (size_t i = 0; i < 2; i++) {
    count += given[i]->node == EPI__NONE
                 ? 0
                 : model->nodes[given[i]->node].entry_count;
  }
  h->addrs = epi__alloc_array(count, sizeof *h->addrs);
  return h->addrs ? 0 : EPI_ENOMEM;
}

/* None, those that rules name, and one that no rule names: the others are the
 * same to all rules. */
static int find_applications(epi__hunt *h) {
  const epi_model *model = model_of(h);
  epi__list *found = &h->applications;
  uint32_t other = 0;

  if (epi__list_add(found, EPI__NONE)) {
    return EPI_ENOMEM;
  }
  for (size_t i = 0; i < model->rule_names.count; i++) {
    const epi__list *named = &model->rules[i].values[EPI__BY_APPLICATION];

    for (size_t k = 0; k < named->count; k++) {
      if (!epi__list_has(found, named->items[k]) &&
          epi__list_add(found, named->items[k])) {
        return EPI_ENOMEM;
      }
    }
  }
  while (other < model->application_names.count &&
         epi__list_has(found, other)) {
    other++;
  }
  return other < model->application_names.count ? epi__list_add(found, other)
                                                : 0;
}

static int find_minutes(epi__hunt *h) {
  const epi_model *model = model_of(h);

  for (size_t i = 0; i < model->rule_names.count; i++) {
    const epi__window *window = &model->rules[i].window;
    const int edges[] = {window->from, window->to};

    for (size_t k = 0; window->set && k < 14; k++) {
      uint32_t minute = (uint32_t)(k / 2 * 1440 + (size_t)edges[k % 2]) % 10080;

      if (!epi__list_has(&h->minutes, minute) &&
          epi__list_add(&h->minutes, minute)) {
        return EPI_ENOMEM;
      }
    }
  }
  return 0;
}

/* What a flow may be authenticated by: all sets of what rules name, and one
 * more that stands for what none of them does. */
static int find_means(epi__hunt *h) {
  const epi_model *model = model_of(h);
  unsigned real = EPI__AUTH_ALL & ~EPI__AUTH_NONE, named = 0, other;

  for (size_t i = 0; i < model->rule_names.count; i++) {
    named |= model->rules[i].authenticated;
  }
  if (!named || h->query->authenticated) {
    return epi__list_add(&h->means, h->given.authenticated);
  }
  other = ~named & real;
  other &= ~(other - 1); /* the lowest, or none */
  for (unsigned set = 0; set <= real; set++) {
    int is_told = !(set & ~named) || set == other;

    if (is_told && epi__list_add(&h->means, set ? set : EPI__AUTH_NONE)) {
      return EPI_ENOMEM;
    }
  }
  return 0;
}

static void find_port(epi__hunt *h) {
  const epi_model *model = model_of(h);

  for (h->free_port = 65535; h->free_port; h->free_port--) {
    size_t i = 0;

    while (i < model->rule_names.count &&
           !epi__list_has(&model->rules[i].ports, (uint32_t)h->free_port)) {
      i++;
    }
    if (i == model->rule_names.count) {
      return;
    }
  }
}

int epi__hunt_start(epi__hunt *h) {
  if (make_room(h) || find_applications(h) || find_minutes(h) ||
      find_means(h) ||
      find_ends(h, &h->from, &h->given.from, h->query->from.node != NULL) ||
      find_ends(h, &h->to, &h->given.to, h->query->to.node != NULL)) {
    return EPI_ENOMEM;
  }
  find_port(h);
  return 0;
}

void epi__hunt_clear(epi__hunt *h) {
  epi__free(h->addrs);
  epi__free(h->from.items);
  epi__free(h->to.items);
  epi__free(h->applications.items);
  epi__free(h->minutes.items);
  epi__free(h->means.items);
}
