/* flow_filters.c: a flow's filters: what they are told, and their time. */
#include "engine/flow.h"

#include "base/fail.h"
#include "base/net.h"
#include "os/os.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

/* What a filter set before counts, then what came with the flow. */
static const char *metadata(int key, void *user) {
  const epi_flow *flow = user;
  const char *added =
      flow->added ? epi_request_metadata(flow->added, key) : NULL;

  if (added) {
    return *added ? added : NULL;
  }
  return epi_flow_metadata(flow, key);
}

/* "" stands for what is not to go on. */
static int set_metadata(int key, const char *value, void *user) {
  epi_flow *flow = user;

  if (!flow->added && epi_request_new(&flow->added)) {
    return EPI_ENOMEM;
  }
  return epi_request_set_metadata(flow->added, key, value ? value : "");
}

static int64_t now_ms(void *user) {
  return epi__loop_now(((const epi_flow *)user)->worker->loop);
}

static int64_t now_ns(void *user) {
  (void)user;
  return epi__clock_fine();
}

static int64_t wall_time(void *user) {
  (void)user;
  return epi__clock_wall();
}

static void warn(const char *line, void *user) {
  const epi_flow *flow = user;

  epi__log(flow->worker->engine, EPI_LOG_ERROR, "flow %" PRId64 ": %s",
           flow->number, line);
}

/* Those of a plan that spans proxies are bound to the flow's two ends, which
 * both proxies know and no other flow has. */
int epi__filters_open(epi_flow *flow) {
  const epi__route *route = flow->route;
  int spans =
      route->plan || (flow->decision && flow->trusted &&
                      epi_request_metadata(flow->request, EPI_META_PLAN));
  char text[2 * EPI_ADDR_TEXT_MAX + 4];
  epi__addr_buf source, dest;
  epi__binding binding = {text, flow->worker->engine->filter_count};
  epi__filter_host host = {
      .flow = flow,
      .source = &flow->source,
      .dest = &flow->dest,
      .login = flow->user,
      .user = flow,
      .metadata = metadata,
      .set_metadata = set_metadata,
      .now_ms = now_ms,
      .now_ns = now_ns,
      .wall_time = wall_time,
      .warn = warn,
  };

  snprintf(text, sizeof text, "%s > %s", epi__addr_text(&flow->source, &source),
           epi__addr_text(&flow->dest, &dest));
  flow->filters_at = -1;
  return epi__filter_chain_new(
      &flow->chain, route->filters, route->filter_count, &host,
      (epi__queue *[2]){
          &flow->lanes[epi__flow_way(flow, EPI_FORWARD)].pending,
          &flow->lanes[epi__flow_way(flow, EPI_BACKWARD)].pending},
      spans ? &binding : NULL);
}

static void on_timer(epi__timer *timer) {
  epi_flow *flow = EPI__OWNER(timer, epi_flow, filters_timer);

  flow->filters_at = -1;
  epi__relay_tick(flow);
  epi__flow_watch(flow);
}

/* While a leg takes no more, filters have no time: what they write then would
 * be without bound, and that they hold data back is not their doing. */
static int64_t next_time(const epi_flow *flow) {
  size_t limit = (size_t)flow->worker->engine->settings[EPI_ENGINE_BUFFER];

  if (flow->phase < EPI__DIAL || flow->phase > EPI__RELAY) {
    return -1;
  }
  for (int i = 0; i < 2; i++) {
    if (flow->lanes[i].pending.end - flow->lanes[i].pending.start > limit) {
      return -1;
    }
  }
  return epi__filter_chain_next_ms(flow->chain);
}

void epi__filters_watch(epi_flow *flow) {
  epi__loop *loop = flow->worker->loop;
  int64_t next = flow->chain ? next_time(flow) : -1;
  int64_t left;

  if (!flow->chain || next == flow->filters_at) {
    return;
  }
  flow->filters_at = next;
  if (next < 0) {
    epi__timer_stop(loop, &flow->filters_timer);
    return;
  }
  left = next - epi__loop_now(loop);
  epi__timer_start(loop, &flow->filters_timer, left > 1 ? left : 1, on_timer);
}
