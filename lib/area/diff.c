/* diff.c: which flows a new model opens, closes or leads elsewhere. */
#include "area/diff.h"
#include "area/flow_query.h"

#include "base/fail.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>

/* Ask one side. Returns 0, EPI_EINVAL or EPI_ENOMEM. */
static int ask(epi__side *side, const epi_query *query) {
  int result;

  if (!side->model) {
    return 0;
  }
  result = epi_model_decide(side->model, query, side->decision);
  side->there = !result;
  if (result == EPI_ENOENT) { /* without what was perhaps meant */
    const char *detail = epi_error_detail();
    const char *more = strstr(detail, ", did you mean");

    snprintf(side->lacks, sizeof side->lacks, "%.*s",
             (int)(more ? more - detail : (ptrdiff_t)strlen(detail)), detail);
    result = 0;
  }
  return result;
}

/* Returns the kind of change, or an error. */
static int compare(epi__diff *diff, const epi_query *query) {
  int result = ask(&diff->is, query);

  if (!result) {
    result = ask(&diff->was, query);
  }
  if (result) {
    return result;
  }
  diff->compared++;
  return epi__diff_kind(diff);
}

static int start(epi__diff *diff, epi_model *model, epi_model *old, int form) {
  if (form != EPI_FORM_TEXT && form != EPI_FORM_JSON) {
    return epi__fail(EPI_EINVAL, "there is no form %d", form);
  }
  diff->form = form;
  diff->is.model = model;
  diff->was.model = old;
  return epi_decision_new(&diff->is.decision) ||
                 epi_decision_new(&diff->was.decision)
             ? EPI_ENOMEM
             : 0;
}

static void begin(epi__diff *diff) {
  if (diff->form == EPI_FORM_JSON) {
    epi__text_printf(&diff->text, "{\"was\":\"%s\",\"is\":\"%s\",\"changes\":[",
                     diff->was.model ? diff->was.model->hash : "",
                     diff->is.model->hash);
  }
}

static ptrdiff_t end(epi__diff *diff, int result, char **out) {
  char *block = NULL;

  if (!result && diff->form == EPI_FORM_JSON) {
    epi__text_printf(&diff->text, "],\"compared\":%zu,\"complete\":%s}",
                     diff->compared, diff->incomplete ? "false" : "true");
  } else if (!result && diff->incomplete) {
    epi__text_printf(&diff->text,
                     "not all was compared: over %d nodes, or over %d flows of "
                     "applications\n",
                     EPI_DIFF_NODES, EPI_DIFF_FLOWS);
  }
  if (!result) {
    block = epi__text_take(&diff->text);
    result = block ? 0 : EPI_ENOMEM;
  }
  if (!result) {
    *out = block;
  }
  epi__text_clear(&diff->text);
  epi_decision_free(diff->is.decision);
  epi_decision_free(diff->was.decision);
  return result ? result : (ptrdiff_t)diff->changes;
}

ptrdiff_t epi_model_diff_flows(epi_model *model, epi_model *old,
                               epi_query *const *flows, size_t count, int form,
                               char **out) {
  epi__diff diff = {0};
  int result = start(&diff, model, old, form);

  if (!result) {
    begin(&diff);
  }
  for (size_t i = 0; i < count && !result; i++) {
    int kind = compare(&diff, flows[i]);

    if (kind > EPI__SAME) {
      epi__diff_put(&diff, kind, (ptrdiff_t)i);
    }
    result = kind < 0 ? kind : diff.text.failed ? EPI_ENOMEM : 0;
  }
  return end(&diff, result, out);
}

/* ---- whole models ---- */

typedef struct walk {
  epi__diff diff;
  epi_query *query;
  epi__names nodes; /* of both models */
  epi__names seen;  /* flows of applications that were compared */
  uint8_t *told;    /* kinds of changes, as bits, for each pair of nodes */
} walk;

static int number_nodes(walk *w, const epi_model *model) {
  for (size_t i = 0; i < model->node_names.count; i++) {
    if (epi__names_add(&w->nodes, model->node_names.texts[i]) < 0) {
      return EPI_ENOMEM;
    }
  }
  return 0;
}

static uint8_t *told_at(walk *w, const char *from, const char *to) {
  size_t a = (size_t)epi__names_find(&w->nodes, from);
  size_t b = (size_t)epi__names_find(&w->nodes, to);

  return &w->told[a * w->nodes.count + b];
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
      result = ask(sides[i], w->query);
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

static int compare_pairs(walk *w) {
  for (size_t i = 0; i < w->nodes.count * w->nodes.count; i++) {
    const char *from = w->nodes.texts[i / w->nodes.count];
    const char *to = w->nodes.texts[i % w->nodes.count];
    int result;

    if (i / w->nodes.count == i % w->nodes.count) {
      continue;
    }
    result = set_flow(w, from, to, -1);
    if (!result) {
      result = ask_both(w, NULL);
    }
    if (result > EPI__SAME && !(w->told[i] >> result & 1)) {
      epi__diff_put(&w->diff, result, -1);
    }
    if (result < 0 || w->diff.text.failed) {
      return result < 0 ? result : EPI_ENOMEM;
    }
  }
  return 0;
}

static int compare_all(walk *w) {
  if (number_nodes(w, w->diff.is.model) || number_nodes(w, w->diff.was.model)) {
    return EPI_ENOMEM;
  }
  if (w->nodes.count <= EPI_DIFF_NODES) {
    w->told = epi__alloc_array(w->nodes.count, w->nodes.count);
    if (!w->told) {
      return EPI_ENOMEM;
    }
  } else {
    w->diff.incomplete = 1;
  }
  begin(&w->diff);
  if (compare_applications(w, w->diff.is.model) ||
      compare_applications(w, w->diff.was.model)) {
    return EPI_ENOMEM;
  }
  return w->told ? compare_pairs(w) : 0;
}

ptrdiff_t epi_model_diff(epi_model *model, epi_model *old, int form,
                         char **out) {
  walk w = {0};
  int result = start(&w.diff, model, old, form);

  if (!result) {
    result = epi_query_new(&w.query);
  }
  if (!result) {
    result = compare_all(&w);
  }
  epi__names_clear(&w.nodes);
  epi__names_clear(&w.seen);
  epi__free(w.told);
  epi_query_free(w.query);
  return end(&w.diff, result, out);
}
