/* plan_read.c: a chain laid over hops, and how callers read it. */
#include "area/chain.h"

#include "base/json.h"

void epi__plan_clear(epi_plan *plan) {
  plan->model = NULL;
  plan->hop_count = 0;
  plan->cost_ms = 0;
  plan->optimal = 1;
}

static void add_hop(epi_plan *plan, uint32_t proxy) {
  plan->hops[plan->hop_count].proxy = proxy;
  plan->hops[plan->hop_count++].count = 0;
}

void epi__plan_make(epi_plan *plan, const epi_model *model,
                    const epi__site *site, const epi__chain *chain) {
  size_t start;

  plan->model = model;
  plan->hop_count = 0;
  plan->cost_ms = chain->cost_ms;
  plan->optimal = chain->optimal;
  if (site->unchecked ? chain->count != 0 : site->source != EPI__NONE) {
    add_hop(plan, site->source);
  }
  start = plan->hop_count;
  if (!site->one_hop && site->destination != EPI__NONE) {
    add_hop(plan, site->destination);
  }
  for (size_t i = 0; i < chain->count; i++) {
    size_t hop = chain->hop[i] ? start : 0;

    plan->hops[hop].functions[plan->hops[hop].count++] = chain->functions[i];
  }
}

size_t epi_plan_hop_count(const epi_plan *plan) {
  return plan->hop_count;
}

const char *epi_plan_hop_proxy(const epi_plan *plan, size_t hop) {
  if (hop >= plan->hop_count) {
    return NULL;
  }
  return plan->hops[hop].proxy == EPI__NONE
             ? ""
             : plan->model->proxy_names.texts[plan->hops[hop].proxy];
}

const char *epi_plan_hop_endpoint(const epi_plan *plan, size_t hop) {
  const char *endpoint = NULL;

  if (hop >= plan->hop_count) {
    return NULL;
  }
  if (plan->hops[hop].proxy != EPI__NONE) {
    endpoint = plan->model->proxies[plan->hops[hop].proxy].endpoint;
  }
  return endpoint ? endpoint : "";
}

size_t epi_plan_function_count(const epi_plan *plan, size_t hop) {
  return hop < plan->hop_count ? plan->hops[hop].count : 0;
}

const char *epi_plan_function_name(const epi_plan *plan, size_t hop,
                                   size_t function) {
  return function < epi_plan_function_count(plan, hop)
             ? plan->model->function_names
                   .texts[plan->hops[hop].functions[function]]
             : NULL;
}

const char *epi_plan_function_filter(const epi_plan *plan, size_t hop,
                                     size_t function) {
  return function < epi_plan_function_count(plan, hop)
             ? plan->model->functions[plan->hops[hop].functions[function]]
                   .filter
             : NULL;
}

const char *epi_plan_function_endpoint(const epi_plan *plan, size_t hop,
                                       size_t function) {
  const epi__function *at;

  if (function >= epi_plan_function_count(plan, hop)) {
    return NULL;
  }
  at = &plan->model->functions[plan->hops[hop].functions[function]];
  return at->endpoint_count ? at->endpoints[0] : NULL;
}

double epi_plan_cost_ms(const epi_plan *plan) {
  return plan->cost_ms;
}

int epi_plan_optimal(const epi_plan *plan) {
  return plan->optimal;
}

/* ---- as JSON ---- */

void epi__plan_put(epi__text *out, const epi_plan *plan, size_t from) {
  epi__text_puts(out, "[");
  for (size_t hop = from; hop < epi_plan_hop_count(plan); hop++) {
    epi__text_puts(out, hop > from ? ",{\"proxy\":" : "{\"proxy\":");
    epi__json_put_string(out, epi_plan_hop_proxy(plan, hop));
    epi__text_puts(out, ",\"functions\":[");
    for (size_t i = 0; i < epi_plan_function_count(plan, hop); i++) {
      epi__text_puts(out, i ? "," : "");
      epi__json_put_string(out, epi_plan_function_name(plan, hop, i));
    }
    epi__text_puts(out, "]}");
  }
  epi__text_puts(out, "]");
}
