/* route.c: filters and hops of a flow, from plan, settings and metadata. */
#include "engine/route.h"

#include "area/chain.h"
#include "base/fail.h"
#include "base/memory.h"
#include "base/net.h"
#include "engine/flow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int add_filter(epi__route *route, epi_filter *filter) {
  if (route->filter_count == EPI__FILTER_CHAIN_MAX) {
    return epi__fail(EPI_EFILTER, "over %d filters", EPI__FILTER_CHAIN_MAX);
  }
  route->filters[route->filter_count++] = epi_filter_ref(filter);
  return 0;
}

int epi__route_make_room(epi__route *route) {
  if (route->hop_count == EPI__HOPS_MAX) {
    return epi__fail(EPI_EDENIED, "over %d hops", EPI__HOPS_MAX);
  }
  if (!route->hops) { /* most routes have none */
    route->hops = epi__alloc_array(EPI__HOPS_MAX, sizeof *route->hops);
  }
  return route->hops ? 0 : EPI_ENOMEM;
}

/* ours is as epi__hop_read() has it. */
static int add_link(epi__route *route, const epi_flow *flow, const char *link,
                    int ours) {
  int result = epi__route_make_room(route);

  if (result) {
    return result;
  }
  if (epi__hop_read(&route->hops[route->hop_count], flow->worker->engine, link,
                    ours)) {
    char public[EPI__URL_MAX], why[400];

    snprintf(why, sizeof why, "%s", epi_error_detail());
    return epi__fail(EPI_EFILTER, "cannot go through %s: %s",
                     epi__url_public(link, public, sizeof public), why);
  }
  route->hop_count++;
  return 0;
}

static int add_own_hops(epi__route *route, const epi_engine *engine) {
  for (size_t i = 0; i < engine->hop_count; i++) {
    int result = epi__route_make_room(route);

    if (!result) {
      result = epi__hop_copy(&route->hops[route->hop_count], &engine->hops[i]);
    }
    if (result) {
      return result;
    }
    route->hop_count++;
  }
  return 0;
}

int epi__route_add_filter(epi__route *route, const epi__policy *policy,
                          const epi_plan *plan, size_t hop, size_t function) {
  const char *spec = epi_plan_function_filter(plan, hop, function);
  epi_filter *filter = epi__policy_filter(
      policy, spec, epi_plan_function_fails_open(plan, hop, function));

  return filter ? add_filter(route, filter)
                : epi__fail(EPI_EFILTER, "no filter %s", spec);
}

/* The plan's functions at one hop: filters here, then endpoints. */
static int add_functions(epi__route *route, epi_flow *flow,
                         const epi_plan *plan, size_t hop) {
  int result = 0, waits = 0;

  for (size_t i = 0; !result && i < epi_plan_function_count(plan, hop); i++) {
    result = epi_plan_function_filter(plan, hop, i)
                 ? epi__route_add_filter(route, flow->policy, plan, hop, i)
                 : epi__route_add_instance(route, flow, plan, hop, i);
    if (result == EPI_EBUSY) { /* others may be started meanwhile */
      waits = result;
      result = 0;
    }
  }
  return result ? result : waits;
}

/* What an authenticated proxy says is left of the plan, or NULL. */
static const char *given_plan(const epi_flow *flow) {
  return flow->trusted ? epi_request_metadata(flow->request, EPI_META_PLAN)
                       : NULL;
}

/* What a plan leaves for its hops from one on. NULL when out of memory. */
static char *plan_text(const epi_plan *plan, size_t from) {
  epi__text text = {0};

  epi__plan_put(&text, plan, from);
  return epi__text_take(&text);
}

static int other_plan(void) {
  return epi__fail(EPI_EDENIED, "the proxy before has another plan: do both "
                                "have the same model?");
}

/* Has the flow passed what comes before a hop of the plan, and did the proxy
 * before mean the same plan? */
static int check_place(const epi_flow *flow, const epi_plan *plan, size_t hop) {
  const char *given = given_plan(flow);
  char *mine;
  int same;

  if (!given) {
    return hop == 0 ? 0
                    : epi__fail(EPI_EDENIED,
                                "the flow must pass %s first, and nothing "
                                "authenticated says that it did",
                                epi_plan_hop_proxy(plan, 0));
  }
  mine = plan_text(plan, hop);
  if (!mine) {
    return EPI_ENOMEM;
  }
  same = !strcmp(mine, given);
  epi__free(mine);
  return same ? epi__route_check_proof(flow, plan, hop) : other_plan();
}

/* Which hop of the plan this proxy is, or an error: the flow is not for it. */
static int own_place(const epi_flow *flow, const epi_plan *plan, size_t *out) {
  const char *name = flow->worker->engine->name;
  size_t count = epi_plan_hop_count(plan);

  for (size_t hop = 0; hop < count; hop++) {
    const char *proxy = epi_plan_hop_proxy(plan, hop);

    if (!*proxy || (name && !strcmp(name, proxy))) {
      *out = hop;
      return check_place(flow, plan, hop);
    }
  }
  return epi__fail(EPI_EDENIED, "the flow must pass %s, and this is %s",
                   epi_plan_hop_proxy(plan, 0),
                   name ? name
                        : "none of the "
                          "model's proxies");
}

static int add_next_proxy(epi__route *route, const epi_flow *flow,
                          const epi_plan *plan, size_t hop) {
  const char *endpoint = epi_plan_hop_endpoint(plan, hop);

  return *endpoint ? add_link(route, flow, endpoint, 1)
                   : epi__fail(EPI_EFILTER, "the model has no endpoint for %s",
                               epi_plan_hop_proxy(plan, hop));
}

static int add_plan(epi__route *route, epi_flow *flow) {
  const epi_plan *plan = epi_decision_plan(flow->decision);
  size_t hop = 0;
  int result;

  if (!epi_plan_hop_count(plan)) {
    return given_plan(flow) ? other_plan()
                            : add_own_hops(route, flow->worker->engine);
  }
  result = own_place(flow, plan, &hop);
  route->place = hop;
  if (!result) {
    result = add_functions(route, flow, plan, hop);
  }
  if (!result) {
    result = add_own_hops(route, flow->worker->engine);
  }
  if (result || hop + 1 == epi_plan_hop_count(plan)) {
    return result;
  }
  route->plan = plan_text(plan, hop + 1);
  if (!route->plan) {
    return EPI_ENOMEM;
  }
  return add_next_proxy(route, flow, plan, hop + 1);
}

static int read_number(const char *text, int *out) {
  if (!text || !*text || strlen(text) > 4 ||
      strspn(text, "0123456789") != strlen(text)) {
    return epi__fail(EPI_EPROTO, "chain metadata without index or length");
  }
  *out = atoi(text);
  return 0;
}

/* A link that came as metadata. Whoever speaks socksx's dialect means hops that
 * do, too, unless the link says otherwise. */
static int add_metadata_link(epi__route *route, const epi_flow *flow,
                             const char *link) {
  int result = add_link(route, flow, link, 0);

  if (!result && flow->session &&
      epi_session_version(flow->session) == EPI_SOCKSX) {
    result = epi__hop_use_socksx(&route->hops[route->hop_count - 1], link);
  }
  return result;
}

/* May the chain that came be followed? Where flows are judged, or proxies know
 * each other, not one that nobody vouches for. */
static int may_follow(const epi_flow *flow) {
  return flow->trusted || (!flow->policy && !flow->worker->engine->chain_key);
}

/* Links that came as metadata (socksx-wire): those behind the index. */
static int add_metadata_links(epi__route *route, const epi_flow *flow) {
  const epi_request *request = flow->request;
  int index = 0, length = 0, result = 0;

  if (!epi_request_metadata(request, EPI_META_CHAIN_LENGTH)) {
    return 0;
  }
  if (read_number(epi_request_metadata(request, EPI_META_CHAIN_INDEX),
                  &index) ||
      read_number(epi_request_metadata(request, EPI_META_CHAIN_LENGTH),
                  &length)) {
    return EPI_EPROTO;
  }
  if (index >= length || length > EPI__HOPS_MAX + 1) {
    return epi__fail(EPI_EPROTO, "chain metadata with index %d of %d", index,
                     length);
  }
  if (index + 1 < length && given_plan(flow) && flow->decision) {
    /* Nobody signs the index: whoever turned it back would have this proxy
     * send what it opened to where it was sealed. */
    return epi__fail(EPI_EDENIED, "chain metadata goes on behind the plan");
  }
  if (index + 1 < length && !may_follow(flow)) {
    return epi__fail(EPI_EDENIED, "chain metadata that is not authenticated");
  }
  if (!route->hop_count) {
    route->first_link = index + 1;
  } else if (may_follow(flow)) {
    route->detour_at = index + 1;
    if (route->hop_count + (size_t)length > EPI__HOPS_MAX + 1) {
      return epi__fail(EPI_EDENIED, "over %d hops", EPI__HOPS_MAX);
    }
  }
  for (int i = index + 1; i < length && !result; i++) {
    const char *link = epi_request_metadata(request, EPI_META_CHAIN_LINK + i);

    result = link ? add_metadata_link(route, flow, link)
                  : epi__fail(EPI_EPROTO, "chain metadata without link %d", i);
  }
  return result;
}

/* Without a model nobody here can do what is left of a plan. */
static int check_plan_goes_on(const epi__route *route, const epi_flow *flow) {
  return flow->decision || route->hop_count || !given_plan(flow)
             ? 0
             : epi__fail(EPI_EDENIED, "a plan is left, and there is no model "
                                      "to follow it by");
}

/* Behind SOCKS 5, where no metadata goes, this is all that shows a loop. */
int epi__route_check_hop(const epi_flow *flow, const epi__hop *hop) {
  return epi__listeners_have(flow->worker->listeners, EPI__LISTEN_SOCKS,
                             &hop->addr, flow->legs[EPI_FORWARD].fd)
             ? epi__fail(EPI_EDENIED, "a loop: the hop %s is this proxy",
                         hop->link)
             : 0;
}

/* Nobody signs the index: whoever turned it on would have this function send
 * what others have yet to see to where they would. */
static int check_tickets_left(const epi__route *route, const epi_flow *flow) {
  return !flow->worker->engine->function || route->hop_count ||
                 epi__ticket_is_last(flow->request)
             ? 0
             : epi__fail(EPI_EDENIED, "the flow must pass other functions "
                                      "behind this one, and no link is left");
}

int epi__route_check_nesting(const epi__route *route) {
  const epi__hop *outer = NULL;

  for (size_t i = 0; i < route->hop_count; i++) {
    const epi__hop *hop = &route->hops[i];

    if (hop->tls && outer) {
      return epi__fail(EPI_EFILTER,
                       "cannot go through %s by TLS inside of the TLS with %s: "
                       "use socks6+tls:// there",
                       hop->link, outer->link);
    }
    outer = hop->tls ? hop : outer;
    if (hop->version != EPI_SOCKS5) {
      break;
    }
  }
  return 0;
}

static int check_hops(const epi__route *route, const epi_flow *flow) {
  int result = epi__route_check_nesting(route);

  for (size_t i = 0; i < route->hop_count && !result; i++) {
    result = epi__route_check_hop(flow, &route->hops[i]);
  }
  return result;
}

int epi__route_new(epi__route **out, epi_flow *flow) {
  const epi_engine *engine = flow->worker->engine;
  epi__route *route = epi__alloc(sizeof *route);
  int result = 0;

  if (!route) {
    return EPI_ENOMEM;
  }
  route->began_at = epi__loop_now(flow->worker->loop);
  for (size_t i = 0; i < engine->filter_count && !result; i++) {
    result = add_filter(route, engine->filters[i]);
  }
  if (!result) {
    result =
        flow->decision ? add_plan(route, flow) : add_own_hops(route, engine);
  }
  if (!result) {
    result = add_metadata_links(route, flow);
  }
  if (!result) {
    result = check_plan_goes_on(route, flow);
  }
  if (!result) {
    result = check_tickets_left(route, flow);
  }
  if (!result) {
    result = check_hops(route, flow);
  }
  if (result) {
    epi__route_free(route);
    return result;
  }
  *out = route;
  return 0;
}

void epi__route_settle(epi__route *route) {
  epi__hop *fewer =
      epi__realloc_array(route->hops, route->hop_count, sizeof *route->hops);

  if (fewer) {
    route->hops = fewer;
  }
  epi__text_clear(&route->failures);
  epi__free(route->plan);
  route->plan = NULL;
}

void epi__route_drop_hop(epi__route *route) {
  if (route->hops[0].instance) {
    epi__instance_release(route->hops[0].instance);
  }
  epi__hop_clear(&route->hops[0]);
  route->hop_count--;
  memmove(&route->hops[0], &route->hops[1],
          route->hop_count * sizeof *route->hops);
  memset(&route->hops[route->hop_count], 0, sizeof *route->hops);
}

void epi__route_free(epi__route *route) {
  if (!route) {
    return;
  }
  for (size_t i = 0; i < route->filter_count; i++) {
    epi_filter_free(route->filters[i]);
  }
  epi__route_leave(route);
  for (size_t i = 0; i < route->hop_count; i++) {
    epi__hop_clear(&route->hops[i]);
  }
  epi__free(route->hops);
  epi__text_clear(&route->failures);
  epi__free(route->plan);
  epi__free(route);
}
