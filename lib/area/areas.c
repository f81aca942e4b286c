/* areas.c: areas, channels, gaps and what is counted over them. */
#include "area/model.h"

#include "base/fail.h"
#include "base/memory.h"
#include "base/table_key.h"

#include <string.h>

/* The area of a set, which is added if it is new: open addressing over area
 * numbers + 1. slots has room for twice the nodes. */
static uint32_t area_of(epi_model *model, uint32_t *slots, size_t mask,
                        const epi__hash_key *key, const uint64_t *set) {
  size_t slot =
      (size_t)epi__siphash(key, set, model->words * sizeof *set) & mask;

  for (; slots[slot]; slot = (slot + 1) & mask) {
    if (epi__set_equal(epi__area_set(model, slots[slot] - 1), set,
                       model->words)) {
      return slots[slot] - 1;
    }
  }
  memcpy(model->area_sets + model->area_count * model->words, set,
         model->words * sizeof *set);
  slots[slot] = (uint32_t)++model->area_count;
  return slots[slot] - 1;
}

static void list_nodes(epi_model *model) {
  size_t count = model->node_names.count;

  for (size_t i = 0; i < count; i++) {
    model->area_start[model->nodes[i].area + 1]++;
  }
  for (size_t i = 0; i < model->area_count; i++) {
    model->area_start[i + 1] += model->area_start[i];
  }
  for (size_t i = count; i--;) { /* backwards: each start ends up right */
    model->area_nodes[--model->area_start[model->nodes[i].area + 1]] =
        (uint32_t)i;
  }
  memmove(model->area_start, model->area_start + 1,
          model->area_count * sizeof *model->area_start);
  model->area_start[model->area_count] = count;
}

int epi__areas_make(epi_model *model, const uint64_t *sets) {
  size_t count = model->node_names.count;
  size_t size = 16;
  epi__hash_key key;
  uint32_t *slots;

  while (size < count * 2) {
    size *= 2;
  }
  slots = epi__alloc_array(size, sizeof *slots);
  model->area_sets =
      epi__alloc_array(count * model->words, sizeof *model->area_sets);
  model->area_start = epi__alloc_array(count + 2, sizeof *model->area_start);
  model->area_nodes = epi__alloc_array(count, sizeof *model->area_nodes);
  if (!slots || !model->area_sets || !model->area_start || !model->area_nodes) {
    epi__free(slots);
    return EPI_ENOMEM;
  }
  key = epi__table_key(slots);
  for (size_t i = 0; i < count; i++) {
    model->nodes[i].area =
        area_of(model, slots, size - 1, &key, sets + i * model->words);
  }
  epi__free(slots);
  list_nodes(model);
  return 0;
}

size_t epi_model_area_count(const epi_model *model) {
  return model->area_count;
}

size_t epi_model_area_node_count(const epi_model *model, size_t area) {
  return area < model->area_count
             ? model->area_start[area + 1] - model->area_start[area]
             : 0;
}

ptrdiff_t epi_model_area_node(const epi_model *model, size_t area,
                              size_t index) {
  if (index >= epi_model_area_node_count(model, area)) {
    return epi__fail(EPI_EINVAL, "the area has no node %zu", index);
  }
  return (ptrdiff_t)model->area_nodes[model->area_start[area] + index];
}

size_t epi_model_area_attribute_count(const epi_model *model, size_t area) {
  return area < model->area_count
             ? epi__set_count(epi__area_set(model, area), model->words)
             : 0;
}

const char *epi_model_area_attribute(const epi_model *model, size_t area,
                                     size_t index) {
  ptrdiff_t at = -1;

  if (area >= model->area_count) {
    return NULL;
  }
  do {
    at = epi__set_next(epi__area_set(model, area), model->words,
                       (size_t)(at + 1));
  } while (at >= 0 && index--);
  return at < 0 ? NULL : model->attributes.texts[at];
}

ptrdiff_t epi_model_area_of(const epi_model *model, size_t node) {
  if (node >= model->node_names.count) {
    return epi__fail(EPI_EINVAL, "there is no node %zu", node);
  }
  return (ptrdiff_t)model->nodes[node].area;
}

static int check_pair(const epi_model *model, size_t from, size_t to) {
  size_t count = model->node_names.count;

  if (from >= count || to >= count) {
    return epi__fail(EPI_EINVAL, "there is no node %zu",
                     from >= count ? from : to);
  }
  return 0;
}

int epi_model_channel(const epi_model *model, size_t from, size_t to) {
  if (check_pair(model, from, to)) {
    return EPI_EINVAL;
  }
  return epi__set_within(epi__node_set(model, from), epi__node_set(model, to),
                         model->words);
}

ptrdiff_t epi_model_gap(const epi_model *model, size_t from, size_t to,
                        const char **names, size_t max) {
  size_t count = 0;

  if (check_pair(model, from, to)) {
    return EPI_EINVAL;
  }
  for (size_t i = 0; i < model->words; i++) {
    uint64_t a = epi__node_set(model, model->as_printed ? to : from)[i];
    uint64_t b = epi__node_set(model, model->as_printed ? from : to)[i];
    uint64_t gap = a & ~b;

    for (ptrdiff_t at = 0; (at = epi__set_next(&gap, 1, (size_t)at)) >= 0;
         at++) {
      if (count < max) {
        names[count] = model->attributes.texts[i * 64 + (size_t)at];
      }
      count++;
    }
  }
  return (ptrdiff_t)count;
}

/* 1 if the gap between two areas is within what may be bridged. */
static int may_bridge(const epi_model *model, size_t from, size_t to) {
  const uint64_t *a = epi__area_set(model, model->as_printed ? to : from);
  const uint64_t *b = epi__area_set(model, model->as_printed ? from : to);

  for (size_t i = 0; i < model->words; i++) {
    if (a[i] & ~b[i] & ~model->bridgeable[i]) {
      return 0;
    }
  }
  return 1;
}

/* Pairs of one kind, over areas and how many nodes are in each. */
static int64_t count_pairs(const epi_model *model, const uint32_t *areas,
                           const size_t *nodes, size_t count, int kind) {
  int64_t pairs = 0;

  for (size_t i = 0; i < count; i++) {
    for (size_t k = 0; k < count; k++) {
      int supported =
          epi__set_within(epi__area_set(model, areas[i]),
                          epi__area_set(model, areas[k]), model->words);

      if (supported != (kind == EPI_PAIRS_SUPPORTED) ||
          (kind == EPI_PAIRS_UNBRIDGEABLE &&
           may_bridge(model, areas[i], areas[k]))) {
        continue;
      }
      pairs += (int64_t)nodes[i] * (int64_t)(nodes[k] - (i == k));
    }
  }
  return pairs;
}

/* The areas that count, and their nodes; returns how many. */
static size_t gather(const epi_model *model, ptrdiff_t application,
                     uint32_t *areas, size_t *nodes) {
  size_t count = 0;

  if (application >= 0) {
    const epi__list *all = &model->applications[application].nodes;

    for (size_t i = 0; i < all->count; i++) {
      nodes[model->nodes[all->items[i]].area]++;
    }
  }
  for (size_t i = 0; i < model->area_count; i++) {
    size_t in =
        application < 0 ? epi_model_area_node_count(model, i) : nodes[i];

    if (in) { /* count never passes i */
      areas[count] = (uint32_t)i;
      nodes[count++] = in;
    }
  }
  return count;
}

int64_t epi_model_pairs(const epi_model *model, ptrdiff_t application,
                        int kind) {
  int64_t pairs = EPI_ENOMEM;
  uint32_t *areas;
  size_t *nodes;

  if (kind < EPI_PAIRS_SUPPORTED || kind > EPI_PAIRS_UNBRIDGEABLE ||
      application < -1 ||
      application >= (ptrdiff_t)model->application_names.count) {
    return epi__fail(EPI_EINVAL, "no such application or kind of pairs");
  }
  areas = epi__alloc_array(model->area_count, sizeof *areas);
  nodes = epi__alloc_array(model->area_count, sizeof *nodes);
  if (areas && nodes) {
    size_t count = gather(model, application, areas, nodes);

    pairs = count_pairs(model, areas, nodes, count, kind);
  }
  epi__free(areas);
  epi__free(nodes);
  return pairs;
}

double epi_model_ratio(const epi_model *model, ptrdiff_t application) {
  int64_t all = epi_model_pairs(model, application, EPI_PAIRS_UNSUPPORTED);
  int64_t bad = epi_model_pairs(model, application, EPI_PAIRS_UNBRIDGEABLE);

  if (all < 0 || bad < 0) {
    return -1.0;
  }
  return all ? (double)bad / (double)all : 0.0;
}
