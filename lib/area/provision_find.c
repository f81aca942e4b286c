/* provision_find.c: every flow of the applications is judged, and what its plan
 * needs is counted. */
#include "area/chain.h"
#include "area/flow_query.h"
#include "area/provision_list.h"

#include "base/bytes.h"
#include "base/fail.h"
#include "base/memory.h"

typedef struct search {
  epi_provision *list;
  int snapshot;
  epi_query *query;
  epi_decision *decision;
  epi__text key;
} search;

/* Names have no control characters, so a line feed keeps them apart. */
static epi__provision_entry *entry_of(search *s, const char *proxy,
                                      const char *function) {
  epi_provision *list = s->list;
  ptrdiff_t number;

  s->key.len = 0;
  epi__text_puts(&s->key, proxy);
  epi__text_puts(&s->key, function ? "\n" : "");
  epi__text_puts(&s->key, function ? function : "");
  number =
      s->key.failed ? EPI_ENOMEM : epi__names_add(&list->keys, s->key.block);
  if (number < 0) {
    return NULL;
  }
  if ((size_t)number == list->count) {
    epi__provision_entry *moved =
        epi__grow(list->entries, list->count, &list->capacity, sizeof *moved);

    if (!moved) {
      return NULL;
    }
    list->entries = moved;
    moved[list->count++] = (epi__provision_entry){0};
  }
  return &list->entries[number];
}

static int count_one(search *s, uint32_t proxy, uint32_t function) {
  const epi_model *model = s->list->models[s->snapshot];
  epi__provision_entry *entry = entry_of(
      s, proxy == EPI__NONE ? "" : model->proxy_names.texts[proxy],
      function == EPI__NONE ? NULL : model->function_names.texts[function]);

  if (!entry) {
    return EPI_ENOMEM;
  }
  entry->of[s->snapshot].flows++;
  entry->of[s->snapshot].proxy = proxy;
  entry->of[s->snapshot].function = function;
  return 0;
}

static int count_plan(search *s, const epi_plan *plan) {
  int result = 0;

  for (size_t hop = 0; hop < plan->hop_count && !result; hop++) {
    uint32_t proxy = plan->proxies[hop];
    size_t count;
    const uint32_t *functions = epi__plan_functions(plan, hop, &count);

    result = count_one(s, proxy, EPI__NONE);
    for (size_t i = 0; i < count && !result; i++) {
      result = count_one(s, proxy, functions[i]);
    }
  }
  return result;
}

static int count_application(search *s, size_t application) {
  epi_model *model = s->list->models[s->snapshot];
  size_t flows = epi_model_application_flow_count(model, application);
  int result = epi_query_set(s->query, EPI_QUERY_APPLICATION,
                             epi_model_application_name(model, application));

  for (size_t i = 0; i < flows && !result; i++) {
    size_t from, to;
    int port;

    result =
        epi_model_application_flow(model, application, i, &from, &to, &port);
    if (!result) {
      result =
          epi_query_set_from_node(s->query, epi_model_node_name(model, from));
    }
    if (!result) {
      result =
          epi_query_set_to_node(s->query, epi_model_node_name(model, to), port);
    }
    if (!result) {
      result = epi_model_decide(model, s->query, s->decision);
    }
    if (!result && epi_decision_allowed(s->decision)) {
      result = count_plan(s, epi_decision_plan(s->decision));
    }
  }
  return result;
}

/* Returns 0, EPI_ENOENT or EPI_ENOMEM. */
static int count_model(search *s, int snapshot, const char *application) {
  const epi_model *model = s->list->models[snapshot];
  int result = 0;

  s->snapshot = snapshot;
  if (!model) {
    return EPI_ENOENT;
  }
  if (application) {
    ptrdiff_t number = epi_model_application_find(model, application);

    return number < 0 ? EPI_ENOENT : count_application(s, (size_t)number);
  }
  for (size_t i = 0; i < model->application_names.count && !result; i++) {
    result = count_application(s, i);
  }
  return result;
}

static int copy_facts(epi_query *query, const epi_query *facts) {
  int result = 0;

  for (int key = EPI_QUERY_PURPOSE; facts && key <= EPI_QUERY_CONSENT; key++) {
    if (!result) {
      result = epi_query_set(query, key, facts->texts[key]);
    }
  }
  if (facts) {
    query->authenticated = facts->authenticated;
  }
  if (facts && facts->has_time) {
    epi_query_set_time(query, facts->time);
  }
  return result;
}

static int find_all(search *s, const char *application,
                    const epi_query *facts) {
  int result = epi_query_new(&s->query), before;

  if (!result) {
    result = epi_decision_new(&s->decision);
  }
  if (!result) {
    result = copy_facts(s->query, facts);
  }
  if (result) {
    return result;
  }
  before = count_model(s, EPI__BEFORE, application);
  if (before && before != EPI_ENOENT) {
    return before;
  }
  result = count_model(s, EPI__NOW, application);
  return result == EPI_ENOENT && !before ? 0 : result;
}

int epi_provision_new(epi_provision **out, epi_model *model, epi_model *before,
                      const char *application, const epi_query *facts) {
  search s = {.list = epi__alloc(sizeof *s.list)};
  int result;

  if (!s.list) {
    return EPI_ENOMEM;
  }
  s.list->models[EPI__NOW] = epi_model_ref(model);
  s.list->models[EPI__BEFORE] = before ? epi_model_ref(before) : NULL;
  result = find_all(&s, application, facts);
  epi_query_free(s.query);
  epi_decision_free(s.decision);
  epi__text_clear(&s.key);
  if (result) {
    epi_provision_free(s.list);
    return result;
  }
  epi__provision_sort(s.list);
  *out = s.list;
  return 0;
}
