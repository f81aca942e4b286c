/* model_write.c: the canonical document. */
#include "area/model.h"

#include "base/json.h"
#include "base/memory.h"

#include <stdio.h>

/* Members and elements are written behind `open`, which begins with a comma
 * but for the first. */
static void put_key(epi__text *out, const char *key) {
  char last = out->len ? out->block[out->len - 1] : '{';

  if (last != '{') {
    epi__text_puts(out, ",");
  }
  epi__json_put_string(out, key);
  epi__text_puts(out, ":");
}

static void put_comma(epi__text *out) {
  if (!out->failed && out->block[out->len - 1] != '[') {
    epi__text_puts(out, ",");
  }
}

static void put_text(epi__text *out, const char *key, const char *text) {
  if (text) {
    put_key(out, key);
    epi__json_put_string(out, text);
  }
}

static void open_list(epi__text *out, const char *key) {
  put_key(out, key);
  epi__text_puts(out, "[");
}

static void put_item(epi__text *out, const char *text) {
  put_comma(out);
  epi__json_put_string(out, text);
}

void epi__attributes_put(epi__text *out, const epi_model *model,
                         const uint64_t *set) {
  epi__text_puts(out, "[");
  for (ptrdiff_t at = 0;
       (at = epi__set_next(set, model->words, (size_t)at)) >= 0; at++) {
    put_item(out, model->attributes.texts[at]);
  }
  epi__text_puts(out, "]");
}

static void put_set(epi__text *out, const epi_model *model, const char *key,
                    const uint64_t *set) {
  put_key(out, key);
  epi__attributes_put(out, model, set);
}

static int is_empty(const epi_model *model, const uint64_t *set) {
  return epi__set_next(set, model->words, 0) < 0;
}

/* A list of names, left out if it is empty. */
static void put_names(epi__text *out, const char *key, const epi__list *list,
                      const epi__names *names) {
  if (!list->count) {
    return;
  }
  open_list(out, key);
  for (size_t i = 0; i < list->count; i++) {
    put_item(out, names->texts[list->items[i]]);
  }
  epi__text_puts(out, "]");
}

static void put_ports(epi__text *out, const epi__list *ports) {
  if (!ports->count) {
    return;
  }
  open_list(out, "ports");
  for (size_t i = 0; i < ports->count; i++) {
    put_comma(out);
    epi__text_printf(out, "%u", (unsigned)ports->items[i]);
  }
  epi__text_puts(out, "]");
}

static void put_node(epi__text *out, const epi_model *model, size_t number) {
  const epi__node *node = &model->nodes[number];
  const uint64_t *set = epi__node_set(model, number);
  epi__addr_buf buf;

  if (node->domain != EPI__NONE) {
    put_text(out, "domain", model->domains.texts[node->domain]);
  }
  if (node->entry_count) {
    open_list(out, "addresses");
    for (size_t i = 0; i < node->entry_count; i++) {
      put_item(out,
               epi__entry_text(&model->lookup,
                               &model->lookup.entries[node->entry + i], &buf));
    }
    epi__text_puts(out, "]");
  }
  if (!is_empty(model, set)) {
    put_set(out, model, "attributes", set);
  }
}

static void put_proxy(epi__text *out, const epi_model *model, size_t number) {
  const epi__proxy *proxy = &model->proxies[number];

  put_text(out, "domain", model->domains.texts[proxy->domain]);
  put_text(out, "endpoint", proxy->endpoint);
  if (proxy->lists_reach) {
    open_list(out, "reach");
    for (size_t i = 0; i < proxy->reach.count; i++) {
      put_item(out, model->proxy_names.texts[proxy->reach.items[i]]);
    }
    epi__text_puts(out, "]");
  }
  if (proxy->rtt_count) {
    put_key(out, "rtt_ms");
    epi__text_puts(out, "{");
    for (size_t i = 0; i < proxy->rtt_count; i++) {
      put_key(out, model->proxy_names.texts[proxy->rtts[i].proxy]);
      epi__json_put_number(out, proxy->rtts[i].ms);
    }
    epi__text_puts(out, "}");
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
  put_key(out, "cost");
  epi__text_puts(out, "{");
  for (size_t i = 0; i < EPI__COSTS; i++) {
    if (function->costs[i] > 0) {
      put_key(out, names[i]);
      epi__json_put_number(out, function->costs[i]);
    }
  }
  epi__text_puts(out, "}");
}

static void put_limit(epi__text *out, const char *key, uint32_t limit) {
  if (limit) {
    put_key(out, key);
    epi__text_printf(out, "%u", (unsigned)limit);
  }
}

static void put_function(epi__text *out, const epi_model *model,
                         size_t number) {
  const epi__function *function = &model->functions[number];

  if (!is_empty(model, function->provides)) {
    put_set(out, model, "provides", function->provides);
  }
  put_text(out, "filter", function->filter);
  if (function->endpoint_count) {
    open_list(out, "endpoints");
    for (size_t i = 0; i < function->endpoint_count; i++) {
      put_item(out, function->endpoints[i]);
    }
    epi__text_puts(out, "]");
  }
  put_limit(out, "instances", function->instances);
  put_limit(out, "capacity", function->capacity);
  if (function->pair != EPI__NONE) {
    put_text(out, "pair", model->function_names.texts[function->pair]);
  }
  put_names(out, "before", &function->before, &model->function_names);
  put_names(out, "after", &function->after, &model->function_names);
  put_cost(out, function);
  put_text(out, "image", function->image);
  if (function->options) {
    put_key(out, "options");
    epi__text_puts(out, function->options);
  }
}

static void put_application(epi__text *out, const epi_model *model,
                            size_t number) {
  const epi__application *application = &model->applications[number];

  if (application->purpose != EPI__NONE) {
    put_text(out, "purpose", model->terms.texts[application->purpose]);
  }
  if (application->dataset != EPI__NONE) {
    put_text(out, "dataset", model->terms.texts[application->dataset]);
  }
  if (application->lists_nodes) {
    open_list(out, "nodes");
    for (size_t i = 0; i < application->nodes.count; i++) {
      put_item(out, model->node_names.texts[application->nodes.items[i]]);
    }
    epi__text_puts(out, "]");
  }
  if (!application->lists_moves) {
    return;
  }
  open_list(out, "flows");
  for (size_t i = 0; i < application->move_count; i++) {
    const epi__move *move = &application->moves[i];

    put_comma(out);
    epi__text_puts(out, "{");
    put_text(out, "from", model->node_names.texts[move->from]);
    put_text(out, "to", model->node_names.texts[move->to]);
    put_ports(out, &move->ports);
    epi__text_puts(out, "}");
  }
  epi__text_puts(out, "]");
}

static void put_party(epi__text *out, const epi_model *model,
                      const epi__party *party) {
  static const char *const prefixes[] = {
      [EPI__PARTY_NODE] = "",
      [EPI__PARTY_DOMAIN] = "domain:",
      [EPI__PARTY_HAS] = "has:",
      [EPI__PARTY_AREA] = "area:",
  };
  const epi__names *names = party->kind == EPI__PARTY_DOMAIN ? &model->domains
                            : party->kind == EPI__PARTY_HAS
                                ? &model->attributes
                                : &model->node_names;
  char text[EPI_NAME_MAX + 16];
  epi__addr_buf buf;

  if (party->kind == EPI__PARTY_RANGE) {
    put_item(out, epi__range_text(&party->range, &buf));
  } else if (party->kind == EPI__PARTY_UNKNOWN) {
    put_item(out, "unknown");
  } else {
    snprintf(text, sizeof text, "%s%s", prefixes[party->kind],
             names->texts[party->number]);
    put_item(out, text);
  }
}

static void put_parties(epi__text *out, const epi_model *model, const char *key,
                        const epi__parties *parties) {
  if (!parties->count) {
    return;
  }
  open_list(out, key);
  for (size_t i = 0; i < parties->count; i++) {
    put_party(out, model, &parties->items[i]);
  }
  epi__text_puts(out, "]");
}

static void put_minutes(epi__text *out, const char *key, int minutes) {
  put_key(out, key);
  epi__text_printf(out, "\"%02d:%02d\"", minutes / 60, minutes % 60);
}

static void put_window(epi__text *out, const epi__window *window) {
  if (!window->set) {
    return;
  }
  put_key(out, "time");
  epi__text_puts(out, "{");
  if (window->from) {
    put_minutes(out, "from", window->from);
  }
  if (window->to != 24 * 60) {
    put_minutes(out, "to", window->to);
  }
  if (window->days != 0x7f) {
    open_list(out, "days");
    for (unsigned day = 0; day < 7; day++) {
      if (window->days >> day & 1) {
        put_item(out, epi__day_name(day));
      }
    }
    epi__text_puts(out, "]");
  }
  epi__text_puts(out, "}");
}

static void put_rule(epi__text *out, const epi_model *model, size_t number) {
  static const char *const effects[] = {
      [EPI__ALLOW] = "allow",
      [EPI__DENY] = "deny",
      [EPI__REQUIRE] = "require",
  };
  static const char *const criteria[EPI__BY_COUNT] = {
      [EPI__BY_APPLICATION] = "application", [EPI__BY_PURPOSE] = "purpose",
      [EPI__BY_DATASET] = "dataset",         [EPI__BY_USER] = "user",
      [EPI__BY_CONSENT] = "consent",
  };
  const epi__rule *rule = &model->rules[number];

  put_text(out, "id", model->rule_names.texts[number]);
  put_text(out, "effect", effects[rule->effect]);
  put_parties(out, model, "from", &rule->from);
  put_parties(out, model, "to", &rule->to);
  for (size_t i = 0; i < EPI__BY_COUNT; i++) {
    put_names(out, criteria[i], &rule->values[i],
              i == EPI__BY_APPLICATION ? &model->application_names
                                       : &model->terms);
  }
  put_ports(out, &rule->ports);
  put_window(out, &rule->window);
  if (rule->effect == EPI__REQUIRE) {
    put_set(out, model, "attributes", rule->attributes);
  }
  put_text(out, "reason", rule->reason);
}

typedef void put_thing(epi__text *out, const epi_model *model, size_t number);

static void put_things(epi__text *out, const epi_model *model, const char *key,
                       const epi__names *names, put_thing *put) {
  put_key(out, key);
  epi__text_puts(out, "{");
  for (size_t i = 0; i < names->count; i++) {
    put_key(out, names->texts[i]);
    epi__text_puts(out, "{");
    put(out, model, i);
    epi__text_puts(out, "}");
  }
  epi__text_puts(out, "}");
}

static void put_policy(epi__text *out, const epi_model *model) {
  put_key(out, "policy");
  epi__text_puts(out, "{");
  put_text(out, "default", model->default_allow ? "allow" : NULL);
  if (model->rule_names.count) {
    open_list(out, "rules");
    for (size_t i = 0; i < model->rule_names.count; i++) {
      put_comma(out);
      epi__text_puts(out, "{");
      put_rule(out, model, i);
      epi__text_puts(out, "}");
    }
    epi__text_puts(out, "]");
  }
  epi__text_puts(out, "}");
}

static void put_all_attributes(epi__text *out, const epi_model *model) {
  open_list(out, "attributes");
  for (size_t i = 0; i < model->attributes.count; i++) {
    put_item(out, model->attributes.texts[i]);
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

int epi_model_write(const epi_model *model, char **out) {
  epi__text text = {0};
  char *block;

  epi__text_puts(&text, "{\"epi\":1");
  put_text(&text, "gap", model->as_printed ? "as-printed" : NULL);
  if (model->lists_attributes) {
    put_all_attributes(&text, model);
  }
  if (model->lists_bridgeable) {
    put_set(&text, model, "bridgeable", model->bridgeable);
  }
  put_parts(&text, model);
  if (model->default_allow || model->rule_names.count) {
    put_policy(&text, model);
  }
  epi__text_puts(&text, "}");
  block = epi__text_take(&text);
  if (!block) {
    return EPI_ENOMEM;
  }
  *out = block;
  return 0;
}
