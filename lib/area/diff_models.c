/* diff_models.c: which flows a new model opens, closes or leads elsewhere, of
 * all that there are.
 *
 * Nodes that both models treat alike are a class, and so are pairs of these,
 * but for those that an application lists as flows: one pair is compared for
 * all pairs of two classes. */
#include "area/diff_classes.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct walk {
  epi__diff diff;
  epi_query *query;
  epi__names nodes; /* of both models */
  epi__classes classes;
  epi__names seen;    /* flows of applications that were compared */
  epi__names listed;  /* pairs of nodes that applications list as flows */
  uint8_t *pair_told; /* kinds of changes, as bits, for each of these */
  uint8_t *told;      /* and for all other pairs of each pair of classes */
  uint32_t *apart;    /* how many of a pair of classes are listed */
} walk;

static int number_nodes(walk *w, const epi_model *model) {
  for (size_t i = 0; i < model->node_names.count; i++) {
    if (epi__names_add(&w->nodes, model->node_names.texts[i]) < 0) {
      return EPI_ENOMEM;
    }
  }
  return 0;
}

/* The number of a listed pair of nodes, or below 0; or add it. */
static ptrdiff_t pair_number(walk *w, size_t from, size_t to, int adds) {
  char key[48];

  snprintf(key, sizeof key, "%zu %zu", from, to);
  return adds ? epi__names_add(&w->listed, key)
              : epi__names_find(&w->listed, key);
}

static size_t classes_at(const walk *w, size_t from, size_t to) {
  return w->classes.of[from] * w->classes.count + w->classes.of[to];
}

static uint8_t *told_at(walk *w, const char *from, const char *to) {
  size_t a = (size_t)epi__names_find(&w->nodes, from);
  size_t b = (size_t)epi__names_find(&w->nodes, to);
  ptrdiff_t pair = pair_number(w, a, b, 0);

  return pair >= 0 ? &w->pair_told[pair] : &w->told[classes_at(w, a, b)];
}

static int set_flow(walk *w, const char *from, const char *to, int port) {
  int result = epi_query_set_from_node(w->query, from);

  return result ? result : epi_query_set_to_node(w->query, to, port);
}

/* Where a model lacks the application, the flow is asked about without one. */
static int ask_both(walk *w, const char *application) {
  epi__side *sides[] = {&w->diff.is, &w->diff.was};

  for (size_t i = 0; i < 2; i++) {
    int has =
        application &&
        epi__names_find(&sides[i]->model->application_names, application) >= 0;
    int result = epi_query_set(w->query, EPI_QUERY_APPLICATION,
                               has ? application : NULL);

    if (!result) {
      result = epi__diff_ask(sides[i], w->query);
    }
    if (result) {
      return result;
    }
  }
  w->diff.compared++;
  return epi__diff_kind(&w->diff);
}

/* 1 if a flow of an application was not compared before; or EPI_ENOMEM. */
static int is_new(walk *w, const char *application, const char *from,
                  const char *to, int port) {
  char key[3 * (EPI_NAME_MAX + 1) + 16]; /* no name has a line end in it */
  size_t count = w->seen.count;

  snprintf(key, sizeof key, "%s\n%s\n%s\n%d", application, from, to, port);
  return epi__names_add(&w->seen, key) < 0 ? EPI_ENOMEM : w->seen.count > count;
}

static int compare_flow(walk *w, const epi_model *model, size_t application,
                        size_t index) {
  const char *name = model->application_names.texts[application];
  const char *from, *to;
  size_t a, b;
  int port, result;

  epi_model_application_flow(model, application, index, &a, &b, &port);
  from = model->node_names.texts[a];
  to = model->node_names.texts[b];
  result = is_new(w, name, from, to, port);
  if (result <= 0) {
    return result;
  }
  result = set_flow(w, from, to, port);
  if (!result) {
    result = ask_both(w, name);
  }
  if (result > EPI__SAME) {
    epi__diff_put(&w->diff, result, -1);
    if (w->told) {
      *told_at(w, from, to) |= (uint8_t)(1 << result);
    }
  }
  return result < 0 ? result : w->diff.text.failed ? EPI_ENOMEM : 0;
}

static int compare_applications(walk *w, const epi_model *model) {
  for (size_t i = 0; i < model->application_names.count; i++) {
    for (size_t k = 0; k < epi_model_application_flow_count(model, i); k++) {
      int result;

      if (w->seen.count >= EPI_DIFF_FLOWS) {
        w->diff.incomplete = 1;
        return 0;
      }
      result = compare_flow(w, model, i, k);
      if (result) {
        return result;
      }
    }
  }
  return 0;
}

/* A pair of nodes without a port, which stands for so many like it. */
static int compare_pair(walk *w, size_t from, size_t to, size_t pairs) {
  const char *a = w->nodes.texts[from], *b = w->nodes.texts[to];
  int result = set_flow(w, a, b, -1);

  if (!result) {
    result = ask_both(w, NULL);
  }
  if (result > EPI__SAME && !(*told_at(w, a, b) >> result & 1)) {
    w->diff.pairs = pairs;
    epi__diff_put(&w->diff, result, -1);
    w->diff.pairs = 1;
  }
  w->diff.compared += result < 0 ? 0 : pairs - 1;
  return result < 0 ? result : w->diff.text.failed ? EPI_ENOMEM : 0;
}

static int compare_listed(walk *w) {
  for (size_t i = 0; i < w->listed.count; i++) {
    char *rest;
    size_t from = strtoul(w->listed.texts[i], &rest, 10);
    size_t to = strtoul(rest, NULL, 10);
    int result = from == to ? 0 : compare_pair(w, from, to, 1);

    if (result) {
      return result;
    }
  }
  return 0;
}

/* All pairs of two classes that are not listed, by the first one. */
static int compare_classes(walk *w, size_t a, size_t b) {
  const epi__classes *all = &w->classes;
  size_t pairs = (all->start[a + 1] - all->start[a]) *
                     (all->start[b + 1] - all->start[b] - (a == b)) -
                 w->apart[a * all->count + b];

  for (size_t i = all->start[a]; pairs && i < all->start[a + 1]; i++) {
    for (size_t k = all->start[b]; k < all->start[b + 1]; k++) {
      size_t from = all->nodes[i], to = all->nodes[k];

      if (from != to && pair_number(w, from, to, 0) < 0) {
        return compare_pair(w, from, to, pairs);
      }
    }
  }
  return 0;
}

static int compare_pairs(walk *w) {
  size_t count = w->classes.count;
  int result = compare_listed(w);

  for (size_t i = 0; i < count * count && !result; i++) {
    result = compare_classes(w, i / count, i % count);
  }
  return result;
}

/* ---- all of it ---- */

/* Flows that an application lists make pairs differ that are alike otherwise.
 * Returns 0, EPI_ELIMIT or EPI_ENOMEM. */
static int list_pairs(walk *w, const epi_model *model) {
  for (size_t i = 0; i < model->application_names.count; i++) {
    const epi__application *app = &model->applications[i];

    for (size_t k = 0; k < app->move_count; k++) {
      const char *from = model->node_names.texts[app->moves[k].from];
      const char *to = model->node_names.texts[app->moves[k].to];
      size_t a = (size_t)epi__names_find(&w->nodes, from);
      size_t b = (size_t)epi__names_find(&w->nodes, to);
      size_t before = w->listed.count;

      if (before == EPI_DIFF_FLOWS) {
        return EPI_ELIMIT;
      }
      if (pair_number(w, a, b, 1) < 0) {
        return EPI_ENOMEM;
      }
      if (w->listed.count > before && a != b) {
        w->apart[classes_at(w, a, b)]++;
      }
    }
  }
  return 0;
}

/* Find out which pairs are alike. Without an answer only the flows of
 * applications are compared. */
static int find_pairs(walk *w) {
  const epi_model *is = w->diff.is.model, *was = w->diff.was.model;
  int result = epi__classes_make(&w->classes, is, was, &w->nodes);

  if (!result) {
    w->told = epi__alloc_array(w->classes.count, w->classes.count);
    w->apart =
        epi__alloc_array(w->classes.count * w->classes.count, sizeof *w->apart);
    result = w->told && w->apart ? 0 : EPI_ENOMEM;
  }
  if (!result && w->classes.count < w->nodes.count) {
    result = list_pairs(w, is);
    result = result ? result : list_pairs(w, was);
  }
  if (!result) {
    w->pair_told = epi__alloc_array(w->listed.count, 1);
    result = w->pair_told ? 0 : EPI_ENOMEM;
  }
  if (result == EPI_ELIMIT) {
    w->diff.incomplete = 1;
    epi__free(w->told);
    w->told = NULL;
    result = 0;
  }
  return result;
}

static int compare_all(walk *w) {
  if (number_nodes(w, w->diff.is.model) || number_nodes(w, w->diff.was.model) ||
      find_pairs(w)) {
    return EPI_ENOMEM;
  }
  epi__diff_begin(&w->diff);
  if (compare_applications(w, w->diff.is.model) ||
      compare_applications(w, w->diff.was.model)) {
    return EPI_ENOMEM;
  }
  if (w->told && compare_pairs(w)) {
    return EPI_ENOMEM;
  }
  epi__diff_ports(&w->diff);
  return w->diff.text.failed ? EPI_ENOMEM : 0;
}

ptrdiff_t epi_model_diff(epi_model *model, epi_model *old, int form,
                         char **out) {
  walk w = {0};
  int result = epi__diff_start(&w.diff, model, old, form);

  if (!result) {
    result = epi_query_new(&w.query);
  }
  if (!result) {
    result = compare_all(&w);
  }
  epi__names_clear(&w.nodes);
  epi__names_clear(&w.seen);
  epi__names_clear(&w.listed);
  epi__classes_clear(&w.classes);
  epi__free(w.pair_told);
  epi__free(w.told);
  epi__free(w.apart);
  epi_query_free(w.query);
  return epi__diff_end(&w.diff, result, out);
}
