/* plan_read.c: a chain laid over hops, and how callers read it. */
#include "area/chain.h"

#include "base/json.h"

#include <string.h>

void epi__plan_clear(epi_plan *plan) {
  plan->model = NULL;
  plan->hop_count = 0;
  plan->cost_ms = 0;
  plan->optimal = 1;
}

int epi__site_is_cut(const epi__site *site) {
  return !site->one_hop && site->source != EPI__NONE &&
         site->destination != EPI__NONE && !site->path_count;
}

static void add_hop(epi_plan *plan, uint32_t proxy) {
  plan->proxies[plan->hop_count++] = proxy;
}

void epi__plan_make(epi_plan *plan, const epi_model *model,
                    const epi__site *site, const epi__chain *chain) {
  plan->model = model;
  plan->hop_count = 0;
  plan->cost_ms = chain->cost_ms;
  plan->optimal = chain->optimal;
  if (site->path_count) {
    memcpy(plan->proxies, site->path, sizeof plan->proxies);
    plan->hop_count = site->path_count;
  } else if (site->unchecked ? chain->count != 0 : site->source != EPI__NONE) {
    add_hop(plan, site->source);
  } else if (!site->one_hop && site->destination != EPI__NONE) {
    add_hop(plan, site->destination);
  }
  plan->count = plan->first = chain->count;
  memcpy(plan->functions, chain->functions,
         chain->count * sizeof *plan->functions);
  while (plan->first && chain->hop[plan->first - 1]) {
    plan->first--; /* what runs at the destination comes last */
  }
}

const uint32_t *epi__plan_functions(const epi_plan *plan, size_t hop,
                                    size_t *count) {
  if (hop >= plan->hop_count) {
    *count = 0;
    return NULL;
  }
  if (!hop) {
    *count = plan->first;
    return plan->functions;
  }
  *count = hop + 1 == plan->hop_count ? plan->count - plan->first : 0;
  return plan->functions + plan->first;
}

/* A function of a plan, or NULL. */
static const epi__function *function_at(const epi_plan *plan, size_t hop,
                                        size_t function) {
  size_t count;
  const uint32_t *numbers = epi__plan_functions(plan, hop, &count);

  return function < count ? &plan->model->functions[numbers[function]] : NULL;
}

size_t epi_plan_hop_count(const epi_plan *plan) {
  return plan->hop_count;
}

const char *epi_plan_hop_proxy(const epi_plan *plan, size_t hop) {
  if (hop >= plan->hop_count) {
    return NULL;
  }
  return plan->proxies[hop] == EPI__NONE
             ? ""
             : plan->model->proxy_names.texts[plan->proxies[hop]];
}

const char *epi_plan_hop_endpoint(const epi_plan *plan, size_t hop) {
  const char *endpoint = NULL;

  if (hop >= plan->hop_count) {
    return NULL;
  }
  if (plan->proxies[hop] != EPI__NONE) {
    endpoint = plan->model->proxies[plan->proxies[hop]].endpoint;
  }
  return endpoint ? endpoint : "";
}

size_t epi_plan_function_count(const epi_plan *plan, size_t hop) {
  size_t count;

  epi__plan_functions(plan, hop, &count);
  return count;
}

const char *epi_plan_function_name(const epi_plan *plan, size_t hop,
                                   size_t function) {
  const epi__function *found = function_at(plan, hop, function);

  return found
             ? plan->model->function_names.texts[found - plan->model->functions]
             : NULL;
}

const char *epi_plan_function_filter(const epi_plan *plan, size_t hop,
                                     size_t function) {
  const epi__function *found = function_at(plan, hop, function);

  return found ? found->filter : NULL;
}

const char *epi_plan_function_endpoint(const epi_plan *plan, size_t hop,
                                       size_t function) {
  return epi_plan_function_endpoint_at(plan, hop, function, 0);
}

size_t epi_plan_function_endpoint_count(const epi_plan *plan, size_t hop,
                                        size_t function) {
  const epi__function *found = function_at(plan, hop, function);

  return found ? found->endpoint_count : 0;
}

const char *epi_plan_function_endpoint_at(const epi_plan *plan, size_t hop,
                                          size_t function, size_t endpoint) {
  const epi__function *found = function_at(plan, hop, function);

  return found && endpoint < found->endpoint_count ? found->endpoints[endpoint]
                                                   : NULL;
}

int epi_plan_function_fails_open(const epi_plan *plan, size_t hop,
                                 size_t function) {
  const epi__function *found = function_at(plan, hop, function);

  return found ? found->fails_open : 0;
}

int epi_plan_function_proves(const epi_plan *plan, size_t hop,
                             size_t function) {
  const epi__function *found = function_at(plan, hop, function);

  return found ? found->proves : 0;
}

double epi_plan_cost_ms(const epi_plan *plan) {
  return plan->cost_ms;
}

double epi_plan_rtt_ms(const epi_plan *plan) {
  double sum = 0;

  for (size_t hop = 1; hop < plan->hop_count; hop++) {
    sum += epi__round_trip(plan->model, plan->proxies[hop - 1],
                           plan->proxies[hop]);
  }
  return sum;
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
