/* bind.c: what becomes of a BIND, from the request to the relay. */
#include "engine/bind.h"

#include "base/fail.h"
#include "base/memory.h"
#include "base/net.h"
#include "os/os.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
  ACCEPTS = 16, /* in a row, before others get their turn */
};

static int is_socks5(const epi_flow *flow) {
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
  } else if (to_socks5 && !is_socks5(flow) &&
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
  if (is_socks5(flow)) {
    find_hosts(flow);
  } else if (flow->dest.kind == EPI_ADDR_NAME) {
    epi__flow_refuse(flow, EPI_REPLY_NO_ADDRESS_TYPE,
                     "what to bind is an address, not a name");
  } else {
    go_on(flow);
  }
}

/* ---- wait ---- */

static void log_wait(const epi_flow *flow) {
  const epi__bind *bind = flow->bind;
  epi__addr_buf client, bound, host;

  epi__log(flow->worker->engine, EPI_LOG_NOTE,
           "flow %" PRId64 ": %s waits at %s for %s", flow->number,
           epi__addr_text(&bind->client, &client),
           epi__addr_text(&bind->bound, &bound),
           is_socks5(flow) && !epi__addr_is_any(&flow->dest)
               ? epi__addr_text(&flow->dest, &host)
               : "anybody");
}

void epi__bind_offered(epi_flow *flow, const epi_addr *bound) {
  flow->bind->bound = *bound;
  if (!epi__bind_may_wait(flow, epi__worker_policy(flow->worker))) {
    return;
  }
  if (flow->legs[EPI_FORWARD].eof) {
    epi__flow_end(flow, 0, "the client left before it was answered");
    return;
  }
  epi__flow_enter(flow, EPI__WAIT);
  if (flow->bind->backlog) {
    epi_session_bind_whole(flow->session);
  }
  log_wait(flow);
  epi__handshake_succeed(flow, bound);
}

void epi__bind_offered_by_hop(epi_flow *flow) {
  epi_addr bound = *epi_reply_bound(epi_session_result(flow->hop_session));
  const epi_addr *hop = &flow->route->hops[flow->hop].addr;

  if (epi__addr_is_any(&bound) && hop->kind == bound.kind) {
    uint16_t port = bound.port; /* it means: where you reached me */

    bound = *hop;
    bound.port = port;
  }
  epi__bind_offered(flow, &bound);
}

static int is_expected(const epi__bind *bind, const epi_addr *host) {
  size_t i = 0;

  while (i < bind->host_count && !epi__addr_same_host(&bind->hosts[i], host)) {
    i++;
  }
  return !bind->host_count || i < bind->host_count;
}

/* A backlog's own connection carries nothing (draft-11, "Listen Backlog
 * options"): whatever its client sends is dropped. */
static void drop(epi_flow *flow) {
  epi__worker *worker = flow->worker;
  epi__leg *client = &flow->legs[EPI_FORWARD];
  ptrdiff_t got = epi__sock_read(client->fd, worker->scratch, EPI__SCRATCH);

  client->eof = got == 0 || got == EPI_ECLOSED;
}

void epi__bind_read_client(epi_flow *flow) {
  if (flow->bind->backlog) {
    drop(flow);
  } else {
    epi__relay_keep_early(flow);
  }
  if (flow->phase == EPI__WAIT && flow->legs[EPI_FORWARD].eof) {
    epi__flow_end(flow, 0, "the client left while it waited");
  }
}

/* ---- a host connects ---- */

static void relay(epi_flow *flow, const epi_addr *host) {
  epi__bind_over(flow);
  epi__relay_begin(flow, host);
}

/* Returns 1 if the wait is over. The socket is the flow's then, or closed. */
static int take_host(epi_flow *flow, int fd, const epi_addr *host) {
  epi__leg *server = &flow->legs[EPI_BACKWARD];
  epi__addr_buf text;
  int admitted = 0;

  if (is_expected(flow->bind, host)) {
    admitted = epi__bind_admit(flow, host);
  } else {
    epi__log(flow->worker->engine, EPI_LOG_NOTE,
             "flow %" PRId64 ": %s connected, and is not expected",
             flow->number, epi__addr_text(host, &text));
  }
  if (admitted <= 0) {
    epi__sock_close(fd, 1);
    return admitted < 0;
  }
  epi__io_stop(flow->worker->loop, &server->io);
  epi__sock_close(server->fd, 0);
  server->fd = fd;
  epi__stack_apply(flow->request, EPI_LEG_REMOTE, fd);
  relay(flow, host);
  return 1;
}

void epi__bind_accept(epi_flow *flow) {
  for (int i = 0; i < ACCEPTS; i++) {
    epi_addr host;
    int fd = -1;
    int result = epi__sock_accept(flow->legs[EPI_BACKWARD].fd, &fd, &host);

    if (result == EPI_ENOENT) {
      return;
    }
    if (result && result != EPI_ESYS) {
      epi__flow_refuse(flow, EPI_REPLY_FAILURE, epi_error_detail());
      return;
    }
    if (!result && take_host(flow, fd, &host)) {
      return;
    }
  }
}

void epi__bind_connected_by_hop(epi_flow *flow, const epi_addr *host) {
  epi__addr_buf text;
  char why[EPI_ADDR_TEXT_MAX + 64];

  if (!is_expected(flow->bind, host)) {
    snprintf(why, sizeof why, "%s connected, and is not expected",
             epi__addr_text(host, &text));
    epi__flow_refuse(flow, EPI_REPLY_NOT_ALLOWED, why);
  } else if (epi__bind_admit(flow, host) > 0) {
    relay(flow, host);
  }
}

/* ---- end ---- */

void epi__bind_over(epi_flow *flow) {
  epi_engine *engine = flow->worker->engine;
  epi__bind *bind = flow->bind;

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
