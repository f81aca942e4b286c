/* lint_ports.c: ports of proxies that cannot be, or that let nobody through. */
#include "area/decision.h"
#include "area/lint.h"

#include "base/memory.h"
#include "base/net.h"

#include <stdio.h>
#include <string.h>

typedef struct places { /* where proxies listen */
  epi__names addrs;
  epi__list owners; /* a proxy for each */
} places;

static void begin(epi__lint *lint, const char *kind, size_t proxy,
                  size_t port) {
  char part[EPI_NAME_MAX + 32];

  snprintf(part, sizeof part, "proxies.%s.ports",
           lint->model->proxy_names.texts[proxy]);
  epi__lint_begin(lint, kind, part, NULL, port);
}

/* ---- two at one place ---- */

/* Returns the proxy that was there first, or -1. */
static ptrdiff_t take_place(epi__lint *lint, places *all, const epi_addr *addr,
                            size_t proxy) {
  size_t count = all->addrs.count;
  epi__addr_buf text;
  ptrdiff_t place = epi__names_add(&all->addrs, epi__addr_text(addr, &text));

  if (place < 0 || (all->addrs.count > count &&
                    epi__list_add(&all->owners, (uint32_t)proxy))) {
    lint->text.failed = 1;
    return -1;
  }
  return all->addrs.count > count ? -1 : (ptrdiff_t)all->owners.items[place];
}

static void take_endpoints(epi__lint *lint, places *all) {
  const epi_model *model = lint->model;
  epi__url url;

  for (size_t i = 0; i < model->proxy_names.count && !lint->text.failed; i++) {
    const char *endpoint = model->proxies[i].endpoint;

    if (endpoint && !epi__url_parse(&url, endpoint) &&
        url.addr.kind != EPI_ADDR_NAME) {
      take_place(lint, all, &url.addr, i);
    }
  }
}

/* All addresses of a proxy are nobody else's. */
static void lint_place(epi__lint *lint, places *all, size_t proxy,
                       size_t port) {
  epi__addr_buf text;
  ptrdiff_t other;
  epi_addr addr;

  epi_model_proxy_port_listen(lint->model, proxy, port, &addr);
  if (epi__addr_is_any(&addr)) {
    return;
  }
  other = take_place(lint, all, &addr, proxy);
  if (other >= 0) {
    begin(lint, "same-port", proxy, port);
    epi__lint_say(lint, "proxy \"");
    epi__lint_say(lint, lint->model->proxy_names.texts[other]);
    epi__lint_say(lint, "\" listens at ");
    epi__lint_say(lint, epi__addr_text(&addr, &text));
    epi__lint_say(lint, " already");
    epi__lint_end(lint);
  }
}

/* ---- nobody comes through ---- */

static int has_times(const epi_model *model) {
  for (size_t i = 0; i < model->rule_names.count; i++) {
    if (model->rules[i].window.set) {
      return 1;
    }
  }
  return 0;
}

static int ask(epi_model *model, size_t proxy, size_t port, epi_query *query,
               epi_decision *decision) {
  size_t from = (size_t)epi_model_proxy_port_from(model, proxy, port);
  epi_addr to;

  epi_model_proxy_port_to(model, proxy, port, &to);
  return epi_query_set_from_node(query, model->node_names.texts[from]) ||
         epi_query_set_to(query, &to) ||
         epi_model_decide(model, query, decision);
}

static void lint_flow(epi__lint *lint, size_t proxy, size_t port, int times,
                      const epi_decision *decision) {
  const epi_plan *plan = epi_decision_plan(decision);
  const char *name = lint->model->proxy_names.texts[proxy];

  if (!epi_decision_allowed(decision)) {
    if (!times) { /* else it may be allowed at others */
      begin(lint, "refused-port", proxy, port);
      epi__lint_say(lint, "its flows are refused: ");
      epi__lint_say(lint, epi_decision_reason(decision));
      epi__lint_end(lint);
    }
  } else if (epi_plan_hop_count(plan) &&
             strcmp(epi_plan_hop_proxy(plan, 0), name)) {
    begin(lint, "misplaced-port", proxy, port);
    epi__lint_say(lint, "its flows must pass \"");
    epi__lint_say(lint, epi_plan_hop_proxy(plan, 0));
    epi__lint_say(lint, "\" first: they are refused here");
    epi__lint_end(lint);
  }
}

static void lint_all(epi__lint *lint, epi_model *model, epi_query *query,
                     epi_decision *decision) {
  int times = has_times(model);
  places all = {0};

  take_endpoints(lint, &all);
  for (size_t i = 0; i < model->proxy_names.count; i++) {
    size_t count = model->proxies[i].port_count;

    for (size_t k = 0; k < count && !lint->text.failed; k++) {
      lint_place(lint, &all, i, k);
      if (ask(model, i, k, query, decision)) {
        lint->text.failed = 1;
      } else {
        lint_flow(lint, i, k, times, decision);
      }
    }
  }
  epi__names_clear(&all.addrs);
  epi__free(all.owners.items);
}

void epi__lint_ports(epi__lint *lint) {
  /* Only the count of references changes, which any thread may do. */
  epi_model *held = epi_model_ref((epi_model *)(uintptr_t)lint->model);
  epi_query *query = NULL;
  epi_decision *decision = NULL;

  if (epi_query_new(&query) || epi_decision_new(&decision)) {
    lint->text.failed = 1;
  } else {
    lint_all(lint, held, query, decision);
  }
  epi_query_free(query);
  epi_decision_free(decision);
  epi_model_free(held);
}
