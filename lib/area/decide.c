/* decide.c: from a query to a decision. */
#include "area/decision.h"
#include "area/flow_query.h"

#include "base/fail.h"
#include "base/memory.h"

#include <string.h>

static int no_such(const char *what, const char *text,
                   const epi__names *known) {
  char shown[80], meant[80];
  const char *near = known->count <= 4096 ? epi__names_near(known, text) : NULL;

  epi__printable(shown, sizeof shown, text);
  if (near) {
    return epi__fail(EPI_ENOENT, "no %s \"%s\", did you mean \"%s\"?", what,
                     shown, epi__printable(meant, sizeof meant, near));
  }
  return epi__fail(EPI_ENOENT, "no %s \"%s\"", what, shown);
}

/* May only a rule with a range admit it? Not what the model names as an
 * endpoint, nor who runs the proxy as a destination. */
static int is_private(const epi_model *model, const epi_query *query,
                      const epi__end *to) {
  return to->node == EPI__NONE && to->ip && !query->to_named &&
         epi__model_is_private(model, to->ip);
}

static int find_end(const epi_model *model, const epi__query_end *end,
                    epi__end *out) {
  ptrdiff_t node;

  *out = (epi__end){.ip = NULL};
  if (end->node) {
    node = epi__names_find(&model->node_names, end->node);
    if (node < 0) {
      return no_such("node", end->node, &model->node_names);
    }
  } else {
    node = epi__node_lookup_find(&model->lookup, &end->addr);
    if (end->addr.kind != EPI_ADDR_NAME) {
      out->ip = &end->addr;
    }
  }
  out->node = node < 0 ? EPI__NONE : (uint32_t)node;
  return 0;
}

static uint32_t term_of(const epi_model *model, const char *text) {
  ptrdiff_t term = text ? epi__names_find(&model->terms, text) : -1;

  return term < 0 ? EPI__NONE : (uint32_t)term;
}

/* Make the flow one of an application's: its purpose and dataset count where
 * the query has none. */
static void be_in(epi__facts *facts, const epi_model *model,
                  const epi_query *query, uint32_t application) {
  const epi__application *app = &model->applications[application];

  facts->values[EPI__BY_APPLICATION] = application;
  facts->values[EPI__BY_PURPOSE] =
      query->texts[EPI_QUERY_PURPOSE]
          ? term_of(model, query->texts[EPI_QUERY_PURPOSE])
          : app->purpose;
  facts->values[EPI__BY_DATASET] =
      query->texts[EPI_QUERY_DATASET]
          ? term_of(model, query->texts[EPI_QUERY_DATASET])
          : app->dataset;
}

/* 1 unless a query names something else than an application has. */
static int agrees(const epi_model *model, const char *said, uint32_t term) {
  return !said || term == EPI__NONE || term_of(model, said) == term;
}

static int could_be(const epi_model *model, const epi_query *query,
                    uint32_t application) {
  const epi__application *app = &model->applications[application];

  return agrees(model, query->texts[EPI_QUERY_PURPOSE], app->purpose) &&
         agrees(model, query->texts[EPI_QUERY_DATASET], app->dataset);
}

/* The first application that has the flow and for which it may exist; if it may
 * for none, the first that has it; or else none. */
static int infer(epi_decision *out, const epi_query *query, epi__facts *facts) {
  const epi_model *model = out->model;
  const epi__facts bare = *facts;
  uint32_t first = EPI__NONE, last = EPI__NONE;
  size_t at = 0, end = 0;
  int result;

  if (facts->from.node != EPI__NONE && facts->to.node != EPI__NONE) {
    at = model->exit_start[facts->from.node];
    end = model->exit_start[facts->from.node + 1];
  }
  for (; at < end; at++) {
    uint32_t application = model->exits[at].application;

    if (application == last ||
        !epi__exit_takes(model, &model->exits[at], facts->to.node,
                         facts->port) ||
        (model->exits[at].move == EPI__NONE &&
         facts->from.node == facts->to.node) ||
        !could_be(model, query, application)) {
      continue;
    }
    be_in(facts, model, query, application);
    result = epi__judge(out, facts);
    if (result || epi_decision_allowed(out)) {
      return result;
    }
    first = first == EPI__NONE ? application : first;
    last = application;
  }
  if (first != EPI__NONE && first == last) {
    return 0;
  }
  *facts = bare;
  if (first != EPI__NONE) {
    be_in(facts, model, query, first);
  }
  return epi__judge(out, facts);
}

/* Make the decision hold the model, and have room for its sets. */
static int hold(epi_decision *out, epi_model *model) {
  if (out->word_capacity < model->words) {
    uint64_t *sets = epi__alloc_array(model->words, EPI__SETS * sizeof *sets);

    if (!sets) {
      return EPI_ENOMEM;
    }
    epi__free(out->sets);
    out->sets = sets;
    out->word_capacity = model->words;
  }
  if (out->model != model) {
    epi_model_free(out->model);
    out->model = epi_model_ref(model);
  }
  out->words = model->words;
  return 0;
}

static int decide(epi_model *model, const epi_query *query, epi_decision *out,
                  epi__facts *facts) {
  const char *named = query->texts[EPI_QUERY_APPLICATION];
  ptrdiff_t application;
  int result;

  if ((!query->from.node && query->from.addr.kind == EPI_ADDR_NONE) ||
      (!query->to.node && query->to.addr.kind == EPI_ADDR_NONE)) {
    return epi__fail(EPI_EINVAL, "a flow needs its source and its destination");
  }
  result = find_end(model, &query->from, &facts->from);
  if (!result) {
    result = find_end(model, &query->to, &facts->to);
  }
  if (!result) {
    result = hold(out, model);
  }
  if (result) {
    return result;
  }
  facts->to.is_private = is_private(model, query, &facts->to);
  facts->values[EPI__BY_APPLICATION] = EPI__NONE;
  facts->values[EPI__BY_PURPOSE] =
      term_of(model, query->texts[EPI_QUERY_PURPOSE]);
  facts->values[EPI__BY_DATASET] =
      term_of(model, query->texts[EPI_QUERY_DATASET]);
  facts->values[EPI__BY_USER] = term_of(model, query->texts[EPI_QUERY_USER]);
  facts->values[EPI__BY_CONSENT] =
      term_of(model, query->texts[EPI_QUERY_CONSENT]);
  if (!named) {
    return infer(out, query, facts);
  }
  application = epi__names_find(&model->application_names, named);
  if (application < 0) {
    return no_such("application", named, &model->application_names);
  }
  be_in(facts, model, query, (uint32_t)application);
  return epi__judge(out, facts);
}

int epi__decide(epi_model *model, const epi_query *query, epi_decision *out,
                epi__facts *facts) {
  int result;

  *facts =
      (epi__facts){.port = query->port,
                   .authenticated = query->authenticated ? query->authenticated
                                                         : EPI__AUTH_NONE,
                   .has_time = query->has_time,
                   .time = query->time,
                   .choice = &query->choice};
  result = decide(model, query, out, facts);
  if (result) {
    epi__decision_deny(out, "no decision could be made");
  }
  return result;
}

int epi_model_decide(epi_model *model, const epi_query *query,
                     epi_decision *out) {
  epi__facts facts;

  return epi__decide(model, query, out, &facts);
}
