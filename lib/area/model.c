/* model.c: the life of a model, and its getters. */
#include "area/chain_cache.h"

#include "base/fail.h"
#include "base/memory.h"

#include <string.h>

int epi__list_add(epi__list *list, uint32_t item) {
  uint32_t *moved =
      epi__grow(list->items, list->count, &list->capacity, sizeof *list->items);

  if (!moved) {
    return EPI_ENOMEM;
  }
  list->items = moved;
  list->items[list->count++] = item;
  return 0;
}

int epi__list_has(const epi__list *list, uint32_t item) {
  for (size_t i = 0; i < list->count; i++) {
    if (list->items[i] == item) {
      return 1;
    }
  }
  return 0;
}

epi_model *epi__model_new(void) {
  epi_model *model = epi__alloc(sizeof *model);

  if (model) {
    atomic_init(&model->references, 1);
  }
  return model;
}

epi_model *epi_model_ref(epi_model *model) {
  atomic_fetch_add_explicit(&model->references, 1, memory_order_relaxed);
  return model;
}

static void free_proxy(epi__proxy *proxy) {
  epi__free(proxy->endpoint);
  epi__free(proxy->reach.items);
  epi__free(proxy->rtts);
  for (size_t i = 0; i < proxy->port_count; i++) {
    epi__free(proxy->ports[i].host);
    epi__free(proxy->ports[i].listen);
  }
  epi__free(proxy->ports);
}

static void free_function(epi__function *function) {
  epi__free(function->provides);
  epi__free(function->filter);
  for (size_t i = 0; i < function->endpoint_count; i++) {
    epi__free(function->endpoints[i]);
  }
  epi__free(function->endpoints);
  epi__free(function->before.items);
  epi__free(function->after.items);
  epi__free(function->image);
  epi__free(function->options);
}

static void free_application(epi__application *application) {
  for (size_t i = 0; i < application->move_count; i++) {
    epi__free(application->moves[i].ports.items);
  }
  epi__free(application->moves);
  epi__free(application->nodes.items);
  epi__free(application->members.items);
}

void epi__rule_clear(epi__rule *rule) {
  epi__free(rule->reason);
  epi__free(rule->says);
  epi__free(rule->attributes);
  epi__free(rule->from.items);
  epi__free(rule->to.items);
  epi__free(rule->ports.items);
  for (size_t i = 0; i < EPI__BY_COUNT; i++) {
    epi__free(rule->values[i].items);
  }
  memset(rule, 0, sizeof *rule);
}

/* The arrays are there for all names or not at all. */
static void free_things(epi_model *model) {
  for (size_t i = 0; model->proxies && i < model->proxy_names.count; i++) {
    free_proxy(&model->proxies[i]);
  }
  for (size_t i = 0; model->functions && i < model->function_names.count; i++) {
    free_function(&model->functions[i]);
  }
  for (size_t i = 0; model->applications && i < model->application_names.count;
       i++) {
    free_application(&model->applications[i]);
  }
  for (size_t i = 0; model->rules && i < model->rule_names.count; i++) {
    epi__rule_clear(&model->rules[i]);
  }
}

static void free_model(epi_model *model) {
  free_things(model);
  epi__free(model->bridgeable);
  epi__free(model->nodes);
  epi__node_lookup_clear(&model->lookup);
  epi__free(model->area_sets);
  epi__free(model->area_start);
  epi__free(model->area_nodes);
  epi__free(model->proxies);
  epi__free(model->domain_proxy);
  epi__free(model->next_proxy);
  epi__free(model->functions);
  epi__free(model->applications);
  epi__free(model->exit_start);
  epi__free(model->exits);
  epi__free(model->rules);
  epi__rule_index_clear(&model->rule_index);
  epi__chain_cache_free(model->chains);
  epi__names_clear(&model->attributes);
  epi__names_clear(&model->node_names);
  epi__names_clear(&model->domains);
  epi__names_clear(&model->proxy_names);
  epi__names_clear(&model->endpoints);
  epi__names_clear(&model->function_names);
  epi__names_clear(&model->application_names);
  epi__names_clear(&model->terms);
  epi__names_clear(&model->rule_names);
  epi__free(model);
}

void epi_model_free(epi_model *model) {
  if (model && atomic_fetch_sub_explicit(&model->references, 1,
                                         memory_order_acq_rel) == 1) {
    free_model(model);
  }
}

const char *epi_model_hash(const epi_model *model) {
  return model->hash;
}

size_t epi_model_node_count(const epi_model *model) {
  return model->node_names.count;
}

const char *epi_model_node_name(const epi_model *model, size_t node) {
  return node < model->node_names.count ? model->node_names.texts[node] : NULL;
}

const char *epi_model_node_domain(const epi_model *model, size_t node) {
  uint32_t domain;

  if (node >= model->node_names.count) {
    return NULL;
  }
  domain = model->nodes[node].domain;
  return domain == EPI__NONE ? "" : model->domains.texts[domain];
}

ptrdiff_t epi_model_node_find(const epi_model *model, const char *name) {
  ptrdiff_t node = epi__names_find(&model->node_names, name);
  char text[80];

  if (node < 0) {
    return epi__fail(EPI_ENOENT, "no node \"%s\"",
                     epi__printable(text, sizeof text, name));
  }
  return node;
}

ptrdiff_t epi_model_node_at(const epi_model *model, const epi_addr *addr) {
  ptrdiff_t node = epi__node_lookup_find(&model->lookup, addr);
  epi__addr_buf text;

  if (node < 0) {
    return epi__fail(EPI_ENOENT, "no node has %s", epi__addr_text(addr, &text));
  }
  return node;
}

int epi_model_node_host(const epi_model *model, size_t node, epi_addr *out) {
  if (node >= model->node_names.count) {
    return epi__fail(EPI_EINVAL, "there is no node %zu", node);
  }
  for (size_t i = 0; i < model->nodes[node].entry_count; i++) {
    const epi__entry *entry =
        &model->lookup.entries[model->nodes[node].entry + i];
    size_t len = entry->range.kind == EPI_ADDR_IPV4 ? 4 : 16;

    if (entry->range.kind == EPI_ADDR_NONE) {
      const char *name = model->lookup.names.texts[entry->name];

      return epi_addr_set_name(out, name, strlen(name), 0);
    }
    if (entry->range.bits == (int)len * 8) {
      return epi_addr_set_ip(out, entry->range.ip, len, 0);
    }
  }
  return epi__fail(EPI_ENOENT, "node \"%s\" has no address of one host",
                   model->node_names.texts[node]);
}

size_t epi_model_application_count(const epi_model *model) {
  return model->application_names.count;
}

const char *epi_model_application_name(const epi_model *model,
                                       size_t application) {
  return application < model->application_names.count
             ? model->application_names.texts[application]
             : NULL;
}

ptrdiff_t epi_model_application_find(const epi_model *model, const char *name) {
  ptrdiff_t application = epi__names_find(&model->application_names, name);
  char text[80];

  return application < 0 ? epi__fail(EPI_ENOENT, "no application \"%s\"",
                                     epi__printable(text, sizeof text, name))
                         : application;
}

size_t epi_model_application_flow_count(const epi_model *model,
                                        size_t application) {
  return application < model->application_names.count
             ? model->applications[application].flow_count
             : 0;
}

/* Flow number index among the ordered pairs of distinct members. */
static void pair_at(const epi__application *application, size_t index,
                    size_t *from, size_t *to) {
  const epi__list *nodes = &application->nodes;
  size_t others = nodes->count - 1;
  size_t second = index % others;

  *from = nodes->items[index / others];
  *to = nodes->items[second + (second >= index / others)];
}

int epi_model_application_flow(const epi_model *model, size_t application,
                               size_t index, size_t *from, size_t *to,
                               int *port) {
  const epi__application *app;
  size_t low = 0, high;

  if (index >= epi_model_application_flow_count(model, application)) {
    return epi__fail(EPI_EINVAL, "there is no such flow");
  }
  app = &model->applications[application];
  if (!app->lists_moves) {
    pair_at(app, index, from, to);
    *port = -1;
    return 0;
  }
  high = app->move_count;
  while (high - low > 1) {
    size_t middle = low + (high - low) / 2;

    *(app->moves[middle].first <= index ? &low : &high) = middle;
  }
  *from = app->moves[low].from;
  *to = app->moves[low].to;
  *port = app->moves[low].ports.count
              ? (int)app->moves[low].ports.items[index - app->moves[low].first]
              : -1;
  return 0;
}

const char *epi_model_proxy_endpoint(const epi_model *model,
                                     const char *proxy) {
  ptrdiff_t number = epi__names_find(&model->proxy_names, proxy);

  return number < 0 ? NULL : model->proxies[number].endpoint;
}

size_t epi_model_proxy_count(const epi_model *model) {
  return model->proxy_names.count;
}

const char *epi_model_proxy_name(const epi_model *model, size_t proxy) {
  return proxy < model->proxy_names.count ? model->proxy_names.texts[proxy]
                                          : NULL;
}
