/* route_instance.c: instances of functions as hops of a route. */
#include "base/fail.h"
#include "engine/flow.h"
#include "engine/route.h"

#include <inttypes.h>
#include <stdio.h>

void epi__route_note_failure(epi__route *route, epi__instance *instance,
                             const char *why) {
  epi__instance_failed(instance, why);
  if (route->tried_count < EPI__TRIES_MAX) {
    route->tried[route->tried_count++] = epi__instance_number(instance);
  }
  route->failed_count++;
  epi__text_printf(&route->failures, "%s%s: %s",
                   route->failures.len ? "; " : "",
                   epi__instance_shown(instance), why);
}

/* What was tried, where nothing is left to try. */
static int say_none_left(const epi__route *route, const char *function) {
  return epi__fail(EPI_EFILTER, "no instance of \"%s\" can be had: %s",
                   function,
                   route->failures.failed ? "" : route->failures.block);
}

/* Take an instance, and make a hop of it. One whose URL is of no use now, as
 * for its credentials, is passed over. */
static int take(epi__route *route, epi_flow *flow, const char *function,
                epi__hop *out) {
  epi__instances *table = flow->worker->engine->instances;
  epi__instance *instance = NULL;
  char why[400];

  while (route->tried_count < EPI__TRIES_MAX) {
    int result = epi__instance_take(table, function, route->tried,
                                    route->tried_count, &instance);

    if (result) {
      return result == EPI_EFILTER && route->tried_count
                 ? say_none_left(route, function)
                 : result;
    }
    result = epi__hop_read(out, flow->worker->engine,
                           epi__instance_url(instance), 1);
    if (!result) {
      out->instance = instance;
      return 0;
    }
    if (result == EPI_ENOMEM) {
      epi__instance_release(instance);
      return result;
    }
    snprintf(why, sizeof why, "%s", epi_error_detail());
    epi__route_note_failure(route, instance, why);
    epi__instance_release(instance);
  }
  return say_none_left(route, function);
}

static void say_left_out(const epi_flow *flow, const char *function) {
  epi__log(flow->worker->engine, EPI_LOG_ERROR,
           "flow %" PRId64 ": goes on WITHOUT %s, which may fail open: %s",
           flow->number, function, epi_error_detail());
}

int epi__route_add_instance(epi__route *route, epi_flow *flow,
                            const epi_plan *plan, size_t hop, size_t function) {
  const char *name = epi_plan_function_name(plan, hop, function);
  int fails_open = epi_plan_function_fails_open(plan, hop, function);
  int result = epi__route_make_room(route);
  epi__hop *to;

  if (result) {
    return result;
  }
  to = &route->hops[route->hop_count];
  result = take(route, flow, name, to);
  if ((result == EPI_ELIMIT || result == EPI_EFILTER) &&
      !epi_plan_function_endpoint(plan, hop, function)) {
    result = epi__flow_await(flow, name);
  }
  if (!result) {
    to->fails_open = fails_open;
    to->function =
        epi_plan_function_proves(plan, hop, function) ? function + 1 : 0;
    route->hop_count++;
  } else if (result == EPI_EFILTER && fails_open) {
    say_left_out(flow, name);
    result = 0;
  } else if (result == EPI_ELIMIT && epi__names_add(&flow->crowded, name) < 0) {
    result = EPI_ENOMEM;
  }
  return result;
}

/* Would the route do with another hop in the place of one? */
static int check(epi_flow *flow, size_t hop, const epi__hop *new) {
  epi__hop *place = &flow->route->hops[hop], old = *place;
  int result = epi__route_check_hop(flow, new);

  if (!result) {
    *place = *new;
    result = epi__route_check_nesting(flow->route);
    *place = old;
  }
  return result;
}

int epi__route_replace(epi_flow *flow, size_t hop) {
  epi__hop *old = &flow->route->hops[hop];
  epi__hop new = {0};
  int result =
      take(flow->route, flow, epi__instance_function(old->instance), &new);

  if (!result) {
    result = check(flow, hop, &new);
  }
  if (result) {
    if (new.instance) {
      epi__instance_release(new.instance);
      epi__hop_clear(&new);
    }
    return result;
  }
  new.fails_open = old->fails_open;
  new.function = old->function;
  epi__instance_release(old->instance);
  epi__hop_clear(old);
  *old = new;
  return 0;
}

void epi__route_leave(epi__route *route) {
  for (size_t i = 0; route && i < route->hop_count; i++) {
    if (route->hops[i].instance) {
      epi__instance_release(route->hops[i].instance);
      route->hops[i].instance = NULL;
    }
  }
}
