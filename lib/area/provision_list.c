/* provision_list.c: what must run, as callers read it. */
#include "area/provision_list.h"

#include "base/fail.h"
#include "base/json.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

void epi_provision_free(epi_provision *list) {
  if (!list) {
    return;
  }
  epi_model_free(list->models[EPI__NOW]);
  epi_model_free(list->models[EPI__BEFORE]);
  epi__names_clear(&list->keys);
  epi__free(list->entries);
  epi__free(list);
}

/* Document order: EPI__NONE, for the proxy itself, comes before functions. */
static int compare(const void *a, const void *b) {
  const epi__provision_entry *left = a, *right = b;
  int of = epi__provision_snapshot(left);
  const epi__needed *x = &left->of[of], *y = &right->of[of];

  if (of != epi__provision_snapshot(right)) {
    return of - epi__provision_snapshot(right);
  }
  if (x->proxy != y->proxy) {
    return x->proxy < y->proxy ? -1 : 1;
  }
  return (x->function + 1 > y->function + 1) -
         (x->function + 1 < y->function + 1);
}

void epi__provision_sort(epi_provision *list) {
  if (list->count) {
    qsort(list->entries, list->count, sizeof *list->entries, compare);
  }
}

const epi__function *epi__provision_function(const epi_provision *list,
                                             const epi__provision_entry *entry,
                                             int snapshot) {
  const epi__needed *needed = &entry->of[snapshot];

  return needed->flows && needed->function != EPI__NONE
             ? &list->models[snapshot]->functions[needed->function]
             : NULL;
}

static const char *proxy_name(const epi_provision *list,
                              const epi__provision_entry *entry) {
  int of = epi__provision_snapshot(entry);
  uint32_t proxy = entry->of[of].proxy;

  return proxy == EPI__NONE ? "" : list->models[of]->proxy_names.texts[proxy];
}

static const char *endpoint_of(const epi_provision *list,
                               const epi__provision_entry *entry, int of) {
  uint32_t proxy = entry->of[of].proxy;

  return proxy == EPI__NONE ? NULL : list->models[of]->proxies[proxy].endpoint;
}

size_t epi__provision_instances(const epi_provision *list,
                                const epi__provision_entry *entry,
                                int snapshot) {
  size_t flows = entry->of[snapshot].flows;
  uint32_t function = entry->of[snapshot].function;
  size_t capacity = 0;

  if (flows && function != EPI__NONE) {
    capacity = list->models[snapshot]->functions[function].capacity;
  }
  return capacity ? (flows + capacity - 1) / capacity : flows > 0;
}

static int same_text(const char *a, const char *b) {
  return a && b ? !strcmp(a, b) : a == b;
}

static int same_function(const epi__function *a, const epi__function *b) {
  if (!same_text(a->image, b->image) || !same_text(a->options, b->options) ||
      !same_text(a->filter, b->filter) ||
      a->endpoint_count != b->endpoint_count) {
    return 0;
  }
  for (size_t i = 0; i < a->endpoint_count; i++) {
    if (strcmp(a->endpoints[i], b->endpoints[i])) {
      return 0;
    }
  }
  return 1;
}

static int change_of(const epi_provision *list,
                     const epi__provision_entry *entry) {
  const epi__function *now = epi__provision_function(list, entry, EPI__NOW);
  const epi__function *before =
      epi__provision_function(list, entry, EPI__BEFORE);
  int same;

  if (!entry->of[EPI__BEFORE].flows) {
    return EPI_PROVISION_ADDED;
  }
  if (!entry->of[EPI__NOW].flows) {
    return EPI_PROVISION_REMOVED;
  }
  same = now ? same_function(now, before)
             : same_text(endpoint_of(list, entry, EPI__NOW),
                         endpoint_of(list, entry, EPI__BEFORE));
  return same && epi__provision_instances(list, entry, EPI__NOW) ==
                     epi__provision_instances(list, entry, EPI__BEFORE)
             ? EPI_PROVISION_SAME
             : EPI_PROVISION_CHANGED;
}

static const epi__function *function_at(const epi_provision *list,
                                        size_t entry) {
  return entry < list->count
             ? epi__provision_function(
                   list, &list->entries[entry],
                   epi__provision_snapshot(&list->entries[entry]))
             : NULL;
}

size_t epi_provision_count(const epi_provision *list) {
  return list->count;
}

const char *epi_provision_proxy(const epi_provision *list, size_t entry) {
  return entry < list->count ? proxy_name(list, &list->entries[entry]) : NULL;
}

const char *epi_provision_function(const epi_provision *list, size_t entry) {
  int of;

  if (!function_at(list, entry)) {
    return NULL;
  }
  of = epi__provision_snapshot(&list->entries[entry]);
  return list->models[of]
      ->function_names.texts[list->entries[entry].of[of].function];
}

const char *epi_provision_image(const epi_provision *list, size_t entry) {
  const epi__function *function = function_at(list, entry);

  return function ? function->image : NULL;
}

const char *epi_provision_options(const epi_provision *list, size_t entry) {
  const epi__function *function = function_at(list, entry);

  return function ? function->options : NULL;
}

size_t epi_provision_flows(const epi_provision *list, size_t entry) {
  return entry < list->count ? list->entries[entry].of[EPI__NOW].flows : 0;
}

size_t epi_provision_instances(const epi_provision *list, size_t entry) {
  return entry < list->count
             ? epi__provision_instances(list, &list->entries[entry], EPI__NOW)
             : 0;
}

size_t epi_provision_instances_before(const epi_provision *list, size_t entry) {
  return entry < list->count ? epi__provision_instances(
                                   list, &list->entries[entry], EPI__BEFORE)
                             : 0;
}

int epi_provision_change(const epi_provision *list, size_t entry) {
  return entry < list->count
             ? change_of(list, &list->entries[entry])
             : epi__fail(EPI_EINVAL, "there is no entry %zu", entry);
}

const char *epi_provision_change_name(int change) {
  static const char *const names[] = {
      [EPI_PROVISION_SAME] = "same",
      [EPI_PROVISION_ADDED] = "added",
      [EPI_PROVISION_REMOVED] = "removed",
      [EPI_PROVISION_CHANGED] = "changed",
  };

  return change >= EPI_PROVISION_SAME && change <= EPI_PROVISION_CHANGED
             ? names[change]
             : NULL;
}

/* ---- as JSON ---- */

static void put(epi__text *out, const char *key, const char *text) {
  epi__text_printf(out, ",\"%s\":", key);
  if (text) {
    epi__json_put_string(out, text);
  } else {
    epi__text_puts(out, "null");
  }
}

static void put_how(epi__text *out, const epi__function *function) {
  put(out, "image", function->image);
  epi__text_printf(out, ",\"options\":%s",
                   function->options ? function->options : "{}");
  put(out, "filter", function->filter);
  epi__text_puts(out, ",\"endpoints\":[");
  for (size_t i = 0; i < function->endpoint_count; i++) {
    epi__text_puts(out, i ? "," : "");
    epi__json_put_string(out, function->endpoints[i]);
  }
  epi__text_puts(out, "]");
}

static void put_entry(epi__text *out, const epi_provision *list, size_t entry) {
  const epi__provision_entry *at = &list->entries[entry];
  const epi__function *function = function_at(list, entry);

  epi__text_puts(out, entry ? ",{\"proxy\":" : "{\"proxy\":");
  epi__json_put_string(out, proxy_name(list, at));
  put(out, "function", epi_provision_function(list, entry));
  if (function) {
    put_how(out, function);
  } else {
    put(out, "endpoint", endpoint_of(list, at, epi__provision_snapshot(at)));
  }
  epi__text_printf(out, ",\"flows\":%zu,\"instances\":%zu",
                   at->of[EPI__NOW].flows,
                   epi_provision_instances(list, entry));
  if (list->models[EPI__BEFORE]) {
    epi__text_printf(out, ",\"instances_before\":%zu",
                     epi_provision_instances_before(list, entry));
    put(out, "change", epi_provision_change_name(change_of(list, at)));
  }
  epi__text_puts(out, "}");
}

int epi_provision_write(const epi_provision *list, char **out) {
  const epi_model *before = list->models[EPI__BEFORE];
  epi__text text = {0};
  char *block;

  epi__text_puts(&text, "{\"model\":");
  epi__json_put_string(&text, list->models[EPI__NOW]->hash);
  if (before) {
    put(&text, "before", before->hash);
  }
  epi__text_puts(&text, ",\"needs\":[");
  for (size_t i = 0; i < list->count; i++) {
    put_entry(&text, list, i);
  }
  epi__text_puts(&text, "]}");
  block = epi__text_take(&text);
  if (!block) {
    return EPI_ENOMEM;
  }
  *out = block;
  return 0;
}
