/* model_write.c: the canonical document. */
#include "area/document_put.h"

#include "base/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int is_empty(const epi_model *model, const uint64_t *set) {
  return epi__set_next(set, model->words, 0) < 0;
}

static void put_node(epi__text *out, const epi_model *model, size_t number) {
  const epi__node *node = &model->nodes[number];
  const uint64_t *set = epi__node_set(model, number);
  epi__addr_buf buf;

  if (node->domain != EPI__NONE) {
    epi__put_text(out, "domain", model->domains.texts[node->domain]);
  }
  if (node->entry_count) {
    epi__open_list(out, "addresses");
    for (size_t i = 0; i < node->entry_count; i++) {
      epi__put_item(
          out, epi__entry_text(&model->lookup,
                               &model->lookup.entries[node->entry + i], &buf));
    }
    epi__text_puts(out, "]");
  }
  if (!is_empty(model, set)) {
    epi__put_set(out, model, "attributes", set);
  }
}

static void put_port(epi__text *out, const epi_model *model,
                     const epi__port *port) {
  const char *to = port->host ? port->host : model->node_names.texts[port->to];
  int is_ipv6 = port->host && strchr(to, ':');
  char text[EPI_NAME_MAX + sizeof "[]:65535"];

  snprintf(text, sizeof text, is_ipv6 ? "[%s]:%u" : "%s:%u", to,
           (unsigned)port->to_port);
  epi__put_comma(out);
  epi__text_printf(out, "{\"port\":%u", (unsigned)port->number);
  epi__put_text(out, "from", model->node_names.texts[port->from]);
  epi__put_text(out, "to", text);
  epi__put_text(out, "listen", port->listen);
  epi__text_puts(out, "}");
}

static void put_proxy(epi__text *out, const epi_model *model, size_t number) {
  const epi__proxy *proxy = &model->proxies[number];

  epi__put_text(out, "domain", model->domains.texts[proxy->domain]);
  epi__put_text(out, "endpoint", proxy->endpoint);
  if (proxy->lists_reach) {
    epi__open_list(out, "reach");
    for (size_t i = 0; i < proxy->reach.count; i++) {
      epi__put_item(out, model->proxy_names.texts[proxy->reach.items[i]]);
    }
    epi__text_puts(out, "]");
  }
  if (proxy->rtt_count) {
    epi__put_key(out, "rtt_ms");
    epi__text_puts(out, "{");
    for (size_t i = 0; i < proxy->rtt_count; i++) {
      epi__put_key(out, model->proxy_names.texts[proxy->rtts[i].proxy]);
      epi__json_put_number(out, proxy->rtts[i].ms);
    }
    epi__text_puts(out, "}");
  }
  if (proxy->port_count) {
    epi__open_list(out, "ports");
    for (size_t i = 0; i < proxy->port_count; i++) {
      put_port(out, model, &proxy->ports[i]);
    }
    epi__text_puts(out, "]");
  }
}

static void put_cost(epi__text *out, const epi__function *function) {
  static const char *const names[EPI__COSTS] = {
      [EPI__SETUP] = "setup_ms",
      [EPI__PER_FLOW] = "per_flow_ms",
      [EPI__PER_MIB] = "per_mib_ms",
      [EPI__COMPLEXITY] = "complexity",
  };

  if (!(function->cost_ms > 0)) {
    return;
  }
  epi__put_key(out, "cost");
  epi__text_puts(out, "{");
  for (size_t i = 0; i < EPI__COSTS; i++) {
    if (function->costs[i] > 0) {
      epi__put_key(out, names[i]);
      epi__json_put_number(out, function->costs[i]);
    }
  }
  epi__text_puts(out, "}");
}

static void put_limit(epi__text *out, const char *key, int64_t limit) {
  if (limit) {
    epi__put_key(out, key);
    epi__text_printf(out, "%" PRId64, limit);
  }
}

static void put_function(epi__text *out, const epi_model *model,
                         size_t number) {
  const epi__function *function = &model->functions[number];

  if (!is_empty(model, function->provides)) {
    epi__put_set(out, model, "provides", function->provides);
  }
  epi__put_text(out, "filter", function->filter);
  if (function->endpoint_count) {
    epi__open_list(out, "endpoints");
    for (size_t i = 0; i < function->endpoint_count; i++) {
      epi__put_item(out, function->endpoints[i]);
    }
    epi__text_puts(out, "]");
  }
  put_limit(out, "instances", function->instances);
  put_limit(out, "capacity", function->capacity);
  if (function->pair != EPI__NONE) {
    epi__put_text(out, "pair", model->function_names.texts[function->pair]);
  }
  epi__put_names(out, "before", &function->before, &model->function_names);
  epi__put_names(out, "after", &function->after, &model->function_names);
  put_cost(out, function);
  epi__put_text(out, "fail", function->fails_open ? "open" : NULL);
  epi__put_text(out, "proof",
                !function->filter && !function->proves ? "none" : NULL);
  epi__put_text(out, "image", function->image);
  if (function->options) {
    epi__put_key(out, "options");
    epi__text_puts(out, function->options);
  }
}

static void put_limits(epi__text *out, const epi__limits *limits) {
  static const epi__limits none = {0};

  if (!memcmp(limits, &none, sizeof none)) {
    return;
  }
  epi__put_key(out, "limits");
  epi__text_puts(out, "{");
  put_limit(out, "flows", limits->flows);
  put_limit(out, "bytes_out", limits->bytes[EPI__OUT]);
  put_limit(out, "bytes_back", limits->bytes[EPI__BACK]);
  put_limit(out, "rate_out", limits->rates[EPI__OUT]);
  put_limit(out, "rate_back", limits->rates[EPI__BACK]);
  epi__text_puts(out, "}");
}

static void put_application(epi__text *out, const epi_model *model,
                            size_t number) {
  const epi__application *application = &model->applications[number];

  if (application->purpose != EPI__NONE) {
    epi__put_text(out, "purpose", model->terms.texts[application->purpose]);
  }
  if (application->dataset != EPI__NONE) {
    epi__put_text(out, "dataset", model->terms.texts[application->dataset]);
  }
  if (application->lists_nodes) {
    epi__open_list(out, "nodes");
    for (size_t i = 0; i < application->nodes.count; i++) {
      epi__put_item(out, model->node_names.texts[application->nodes.items[i]]);
    }
    epi__text_puts(out, "]");
  }
  put_limits(out, &application->limits);
  if (!application->lists_moves) {
    return;
  }
  epi__open_list(out, "flows");
  for (size_t i = 0; i < application->move_count; i++) {
    const epi__move *move = &application->moves[i];

    epi__put_comma(out);
    epi__text_puts(out, "{");
    epi__put_text(out, "from", model->node_names.texts[move->from]);
    epi__put_text(out, "to", model->node_names.texts[move->to]);
    epi__put_ports(out, &move->ports);
    epi__text_puts(out, "}");
  }
  epi__text_puts(out, "]");
}

typedef void put_thing(epi__text *out, const epi_model *model, size_t number);

static void put_things(epi__text *out, const epi_model *model, const char *key,
                       const epi__names *names, put_thing *put) {
  epi__put_key(out, key);
  epi__text_puts(out, "{");
  for (size_t i = 0; i < names->count; i++) {
    epi__put_key(out, names->texts[i]);
    epi__text_puts(out, "{");
    put(out, model, i);
    epi__text_puts(out, "}");
  }
  epi__text_puts(out, "}");
}

static void put_all_attributes(epi__text *out, const epi_model *model) {
  epi__open_list(out, "attributes");
  for (size_t i = 0; i < model->attributes.count; i++) {
    epi__put_item(out, model->attributes.texts[i]);
  }
  epi__text_puts(out, "]");
}

static void put_parts(epi__text *out, const epi_model *model) {
  const struct {
    const char *key;
    const epi__names *names;
    put_thing *put;
    int required;
  } parts[] = {
      {"nodes", &model->node_names, put_node, 1},
      {"proxies", &model->proxy_names, put_proxy, 0},
      {"functions", &model->function_names, put_function, 0},
      {"applications", &model->application_names, put_application, 0},
  };

  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    if (parts[i].required || parts[i].names->count) {
      put_things(out, model, parts[i].key, parts[i].names, parts[i].put);
    }
  }
}

int epi__model_write(const epi_model *model, const char *more, size_t before,
                     char **out) {
  epi__text text = {0};
  char *block;

  epi__text_puts(&text, "{\"epi\":1");
  epi__put_text(&text, "gap", model->as_printed ? "as-printed" : NULL);
  epi__put_text(&text, "private", model->private_any ? "any" : NULL);
  if (model->lists_attributes) {
    put_all_attributes(&text, model);
  }
  if (model->lists_bridgeable) {
    epi__put_set(&text, model, "bridgeable", model->bridgeable);
  }
  put_parts(&text, model);
  epi__put_policy(&text, model, more, before);
  epi__text_puts(&text, "}");
  block = epi__text_take(&text);
  if (!block) {
    return EPI_ENOMEM;
  }
  *out = block;
  return 0;
}

int epi_model_write(const epi_model *model, char **out) {
  return epi__model_write(model, NULL, 0, out);
}
