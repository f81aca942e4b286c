/* dial.c: resolving and connecting. */
#include "engine/flow.h"

#include "base/fail.h"
#include "base/memory.h"
#include "base/net.h"
#include "os/os.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* RFC 1928 section 6, draft-11 section 7. */
static int code_of(int error) {
  switch (error) {
  case ENETUNREACH:
  case ENETDOWN:
    return EPI_REPLY_NETWORK_UNREACHABLE;
  case EHOSTUNREACH:
  case EHOSTDOWN:
  case EADDRNOTAVAIL:
    return EPI_REPLY_HOST_UNREACHABLE;
  case ECONNREFUSED:
    return EPI_REPLY_REFUSED;
  case ETIMEDOUT:
    return EPI_REPLY_TIMED_OUT;
  default:
    return EPI_REPLY_FAILURE;
  }
}

/* What to connect to first: a hop, or the destination. */
static const epi_addr *first_target(const epi_flow *flow) {
  return flow->route->hop_count ? &flow->route->hops[0].addr : &flow->dest;
}

static void refuse_dial(epi_flow *flow) {
  int elsewhere = flow->tried.kind == EPI_ADDR_NONE && flow->dial_error == 0;
  const epi__route *route = flow->route;
  epi__addr_buf target;
  char why[512];

  snprintf(why, sizeof why, "cannot connect to %s%s: %s",
           route->hop_count ? "the proxy " : "",
           route->hop_count ? route->hops[0].link
                            : epi__addr_text(&flow->dest, &target),
           elsewhere ? "all its addresses are other nodes'"
                     : strerror(flow->dial_error));
  epi__flow_refuse(
      flow, elsewhere ? EPI_REPLY_NOT_ALLOWED : code_of(flow->dial_error), why);
}

int epi__dial_may_use(const epi_flow *flow, const epi_decision *decision,
                      const epi_addr *addr) {
  const epi_model *model;
  ptrdiff_t node;

  if (!decision || (flow->route && flow->route->hop_count)) {
    return 1;
  }
  model = epi_decision_model(decision);
  node = epi_model_node_at(model, addr);
  return node < 0 || !strcmp(epi_model_node_name(model, (size_t)node),
                             epi_decision_to(decision));
}

static void try_next(epi_flow *flow) {
  epi__leg *server = &flow->legs[EPI_BACKWARD];
  uint32_t mark = (uint32_t)flow->worker->engine->settings[EPI_ENGINE_MARK];

  while (flow->next_addr < flow->addr_count) {
    const epi_addr *addr = &flow->addrs[flow->next_addr++];
    epi__addr_buf text;

    if (!epi__dial_may_use(flow, flow->decision, addr)) {
      epi__log(flow->worker->engine, EPI_LOG_NOTE,
               "flow %" PRId64 ": skipping %s, which is another node's",
               flow->number, epi__addr_text(addr, &text));
      continue;
    }
    flow->tried = *addr;
    if (!epi__sock_connect(addr, mark, &server->fd)) {
      epi__flow_enter(flow, EPI__DIAL);
      return;
    }
    flow->dial_error = errno;
  }
  refuse_dial(flow);
}

static void on_addresses(void *user, const epi_addr *addrs, size_t count,
                         const char *why) {
  epi_flow *flow = user;
  epi__addr_buf target;
  char text[512];

  flow->lookup = NULL;
  if (!count) {
    snprintf(text, sizeof text, "cannot resolve %s: %s",
             epi__addr_text(first_target(flow), &target), why);
    epi__flow_refuse(flow, EPI_REPLY_HOST_UNREACHABLE, text);
    epi__flow_watch(flow);
    return;
  }
  flow->addrs = epi__alloc_array(count, sizeof *flow->addrs);
  if (!flow->addrs) {
    epi__flow_refuse(flow, EPI_REPLY_FAILURE, epi_error_detail());
    epi__flow_watch(flow);
    return;
  }
  memcpy(flow->addrs, addrs, count * sizeof *addrs);
  flow->addr_count = count;
  try_next(flow);
  epi__flow_watch(flow);
}

void epi__dial_begin(epi_flow *flow) {
  const epi_addr *target = first_target(flow);

  epi__flow_enter(flow, EPI__DIAL);
  if (target->kind == EPI_ADDR_NAME) {
    if (epi__node_lookup_start(flow->worker->resolver, target, on_addresses,
                               flow, &flow->lookup)) {
      epi__flow_refuse(flow, EPI_REPLY_FAILURE, epi_error_detail());
    }
    return;
  }
  flow->addrs = epi__alloc(sizeof *flow->addrs);
  if (!flow->addrs) {
    epi__flow_refuse(flow, EPI_REPLY_FAILURE, epi_error_detail());
    return;
  }
  flow->addrs[0] = *target;
  flow->addr_count = 1;
  try_next(flow);
}

void epi__dial_outcome(epi_flow *flow, int timed_out) {
  epi__leg *server = &flow->legs[EPI_BACKWARD];

  if (server->fd < 0) { /* the name took too long */
    flow->dial_error = ETIMEDOUT;
    epi__node_lookup_cancel(flow->lookup);
    flow->lookup = NULL;
    refuse_dial(flow);
    return;
  }
  flow->dial_error = timed_out ? ETIMEDOUT : epi__sock_outcome(server->fd);
  if (flow->dial_error) {
    epi__io_stop(flow->worker->loop, &server->io);
    epi__sock_close(server->fd, 1);
    server->fd = -1;
    try_next(flow);
    return;
  }
  epi__free(flow->addrs);
  flow->addrs = NULL;
  flow->addr_count = flow->next_addr = 0;
  epi__hops_begin(flow);
}
