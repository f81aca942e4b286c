/* diff_classes.c: nodes that two models treat alike, by all that a decision
 * about them depends on, written down as a text. */
#include "area/diff_classes.h"

#include "base/memory.h"

#include <string.h>

enum {
  RANGE_STEPS = 50000000, /* nodes times ranges of rules */
};

typedef struct view { /* a model's */
  const epi_model *model;
  uint8_t *named; /* nodes that rules name: 1 */
  size_t ranges;
} view;

static void mark_parties(view *v, const epi__parties *parties) {
  for (size_t i = 0; i < parties->count; i++) {
    if (parties->items[i].kind == EPI__PARTY_NODE) {
      v->named[parties->items[i].number] = 1;
    }
    v->ranges += parties->items[i].kind == EPI__PARTY_RANGE;
  }
}

static int look(view *v, const epi_model *model) {
  v->model = model;
  v->named = epi__alloc_array(model->node_names.count, 1);
  if (!v->named) {
    return EPI_ENOMEM;
  }
  for (size_t i = 0; i < model->rule_names.count; i++) {
    mark_parties(v, &model->rules[i].from);
    mark_parties(v, &model->rules[i].to);
  }
  return 0;
}

static void put_ranges(epi__text *key, const epi_model *model, uint32_t node,
                       const epi__rule *rule, const epi__parties *parties) {
  for (size_t i = 0; i < parties->count; i++) {
    if (parties->items[i].kind == EPI__PARTY_RANGE) {
      epi__text_puts(key, epi__node_in_range(model, node, rule->effect,
                                             &parties->items[i].range)
                              ? "1"
                              : "0");
    }
  }
}

/* What a model knows of a node; nothing stands for a node that it lacks. */
static void put_view(epi__text *key, const view *v, const char *name) {
  const epi_model *model = v->model;
  ptrdiff_t found = epi__names_find(&model->node_names, name);
  uint32_t node = (uint32_t)found;

  epi__text_puts(key, "\n");
  if (found < 0) {
    return;
  }
  epi__text_printf(key, "%u %u\n", (unsigned)model->nodes[node].area,
                   (unsigned)model->nodes[node].domain);
  if (v->named[node]) {
    epi__text_puts(key, name); /* which has no line end in it */
  }
  epi__text_puts(key, "\n");
  for (size_t at = model->exit_start[node]; at < model->exit_start[node + 1];
       at++) {
    if (model->exits[at].move == EPI__NONE) {
      epi__text_printf(key, " %u", (unsigned)model->exits[at].application);
    }
  }
  epi__text_puts(key, "\n");
  for (size_t i = 0; v->ranges && i < model->rule_names.count; i++) {
    put_ranges(key, model, node, &model->rules[i], &model->rules[i].from);
    put_ranges(key, model, node, &model->rules[i], &model->rules[i].to);
  }
}

/* Returns 0, EPI_ELIMIT or EPI_ENOMEM. */
static int classify(epi__classes *out, const view *is, const view *was,
                    const epi__names *nodes, epi__names *keys) {
  epi__text key = {0};

  if (nodes->count <= EPI_DIFF_NODES) {
    for (size_t i = 0; i < nodes->count; i++) {
      out->of[i] = (uint32_t)i;
    }
    out->count = nodes->count;
    return 0;
  }
  if (is->ranges + was->ranges > RANGE_STEPS / nodes->count) {
    return EPI_ELIMIT;
  }
  for (size_t i = 0; i < nodes->count; i++) {
    ptrdiff_t number;

    key.len = 0;
    put_view(&key, is, nodes->texts[i]);
    put_view(&key, was, nodes->texts[i]);
    number = key.failed ? EPI_ENOMEM : epi__names_add(keys, key.block);
    if (number < 0 || number >= EPI_DIFF_NODES) {
      epi__text_clear(&key);
      return number < 0 ? EPI_ENOMEM : EPI_ELIMIT;
    }
    out->of[i] = (uint32_t)number;
  }
  epi__text_clear(&key);
  out->count = keys->count;
  return 0;
}

/* Nodes by class: counting sort. */
static int list_nodes(epi__classes *out, size_t count) {
  out->start = epi__alloc_array(out->count + 2, sizeof *out->start);
  out->nodes = epi__alloc_array(count, sizeof *out->nodes);
  if (!out->start || !out->nodes) {
    return EPI_ENOMEM;
  }
  for (size_t i = 0; i < count; i++) {
    out->start[out->of[i] + 2]++;
  }
  for (size_t i = 2; i < out->count + 2; i++) {
    out->start[i] += out->start[i - 1];
  }
  for (size_t i = 0; i < count; i++) {
    out->nodes[out->start[out->of[i] + 1]++] = (uint32_t)i;
  }
  return 0;
}

int epi__classes_make(epi__classes *out, const epi_model *is,
                      const epi_model *was, const epi__names *nodes) {
  view now = {0}, before = {0};
  epi__names keys = {0};
  int result = EPI_ENOMEM;

  out->of = epi__alloc_array(nodes->count, sizeof *out->of);
  if (out->of && !look(&now, is) && !look(&before, was)) {
    result = classify(out, &now, &before, nodes, &keys);
  }
  if (!result) {
    result = list_nodes(out, nodes->count);
  }
  epi__names_clear(&keys);
  epi__free(now.named);
  epi__free(before.named);
  return result;
}

void epi__classes_clear(epi__classes *classes) {
  epi__free(classes->of);
  epi__free(classes->start);
  epi__free(classes->nodes);
}
