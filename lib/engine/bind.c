/* bind.c: a BIND begins: who is expected, and who listens; and its end. */
#include "engine/bind.h"

#include "base/fail.h"
#include "base/memory.h"
#include "base/net.h"
#include "os/os.h"

#include <stdio.h>
#include <string.h>

int epi__bind_is_socks5(const epi_flow *flow) {
  return epi_session_version(flow->session) == EPI_SOCKS5;
}

/* ---- begin ---- */

/* Which of the hops is asked: one of SOCKS 6 passes it on itself. */
static int asked_version(const epi_flow *flow) {
  const epi__route *route = flow->route;

  for (size_t i = 0; i + 1 < route->hop_count; i++) {
    if (route->hops[i].version != EPI_SOCKS5) {
      return route->hops[i].version;
    }
  }
  return route->hops[route->hop_count - 1].version;
}

/* SOCKS 5 says who is expected, SOCKS 6 where to listen: neither can say the
 * other. */
static void ask_hop(epi_flow *flow) {
  int to_socks5 = asked_version(flow) == EPI_SOCKS5;

  if (asked_version(flow) == EPI_SOCKSX) {
    epi__flow_refuse(flow, EPI_REPLY_NO_COMMAND,
                     "a proxy on the way has no BIND");
  } else if (to_socks5 && !epi__bind_is_socks5(flow) &&
             (flow->dest.port || !epi__addr_is_any(&flow->dest))) {
    epi__flow_refuse(flow, EPI_REPLY_FAILURE,
                     "a proxy on the way cannot be told what to bind");
  } else if (!to_socks5 && flow->dest.kind == EPI_ADDR_NAME) {
    epi__flow_refuse(flow, EPI_REPLY_NO_ADDRESS_TYPE,
                     "a proxy on the way cannot be told whom to expect");
  } else {
    epi__dial_begin(flow);
  }
}

/* It is known who is expected. */
static void go_on(epi_flow *flow) {
  if (flow->route->hop_count) {
    ask_hop(flow);
  } else {
    epi__bind_listen(flow);
  }
}

static int expect(epi__bind *bind, const epi_addr *hosts, size_t count) {
  bind->hosts = epi__alloc_array(count, sizeof *hosts);
  if (!bind->hosts) {
    return EPI_ENOMEM;
  }
  memcpy(bind->hosts, hosts, count * sizeof *hosts);
  bind->host_count = count;
  return 0;
}

static void on_hosts(void *user, const epi_addr *addrs, size_t count,
                     const char *why) {
  epi_flow *flow = user;
  epi__addr_buf host;
  char text[512];

  flow->lookup = NULL;
  if (!count) {
    snprintf(text, sizeof text, "cannot resolve %s: %s",
             epi__addr_text(&flow->dest, &host), why);
    epi__flow_refuse(flow, EPI_REPLY_HOST_UNREACHABLE, text);
  } else if (expect(flow->bind, addrs, count)) {
    epi__flow_refuse(flow, EPI_REPLY_FAILURE, epi_error_detail());
  } else {
    go_on(flow);
  }
  epi__flow_watch(flow);
}

/* SOCKS 5: the destination is who is expected. Its port plays no part: clients
 * put there what they connected to before, and that host connects from another
 * one. */
static void find_hosts(epi_flow *flow) {
  int result = 0;

  if (flow->dest.kind == EPI_ADDR_NAME) {
    if (!flow->route->hop_count) {
      if (epi__node_lookup_start(flow->worker->resolver, &flow->dest, on_hosts,
                                 flow, &flow->lookup)) {
        epi__flow_refuse(flow, EPI_REPLY_FAILURE, epi_error_detail());
      }
      return;
    }
  } else if (!epi__addr_is_any(&flow->dest)) {
    result = expect(flow->bind, &flow->dest, 1);
  }
  if (result) {
    epi__flow_refuse(flow, EPI_REPLY_FAILURE, epi_error_detail());
    return;
  }
  go_on(flow);
}

/* Count it among those of its client that wait. */
static int count(epi_flow *flow) {
  epi_engine *engine = flow->worker->engine;
  int result;

  pthread_mutex_lock(&engine->lock);
  result = epi__tally_add(&engine->binds, &flow->bind->client,
                          engine->settings[EPI_ENGINE_CLIENT_BINDS]);
  pthread_mutex_unlock(&engine->lock);
  flow->bind->counted = !result;
  return result;
}

static int prepare(epi_flow *flow) {
  flow->bind = epi__alloc(sizeof *flow->bind);
  if (!flow->bind) {
    return EPI_ENOMEM;
  }
  flow->bind->client = flow->source;
  flow->bind->shared = -1;
  flow->policy = epi__policy_ref(epi__worker_policy(flow->worker));
  if (flow->trusted && epi_request_metadata(flow->request, EPI_META_PLAN)) {
    return epi__fail(EPI_EDENIED, "a plan leads to where a flow goes, and a "
                                  "BIND goes the other way");
  }
  return epi__route_new(&flow->route, flow);
}

void epi__bind_begin(epi_flow *flow) {
  int result = prepare(flow);

  if (!result) {
    result = count(flow);
  }
  if (result) {
    epi__flow_refuse_error(flow, result);
    return;
  }
  epi__stack_apply(flow->request, EPI_LEG_CLIENT, flow->legs[EPI_FORWARD].fd);
  epi__flow_enter(flow, EPI__WAIT);
  if (epi__bind_is_socks5(flow)) {
    find_hosts(flow);
  } else if (flow->dest.kind == EPI_ADDR_NAME) {
    epi__flow_refuse(flow, EPI_REPLY_NO_ADDRESS_TYPE,
                     "what to bind is an address, not a name");
  } else {
    go_on(flow);
  }
}

/* ---- end ---- */

int epi__bind_listener(const epi_flow *flow) {
  return flow->bind->shared >= 0 ? flow->bind->shared
                                 : flow->legs[EPI_BACKWARD].fd;
}

void epi__bind_over(epi_flow *flow) {
  epi_engine *engine = flow->worker->engine;
  epi__bind *bind = flow->bind;

  if (bind) {
    epi__sock_close(bind->shared, 0);
    bind->shared = -1;
  }
  if (bind && bind->backlog) {
    epi__backlog_end(engine, bind->backlog);
    bind->backlog = NULL;
  }
  if (bind && bind->counted) {
    pthread_mutex_lock(&engine->lock);
    epi__tally_remove(&engine->binds, &bind->client);
    pthread_mutex_unlock(&engine->lock);
    bind->counted = 0;
  }
}

void epi__bind_free(epi__bind *bind) {
  if (bind) {
    epi__free(bind->hosts);
    epi__free(bind);
  }
}
