/* bind_wait.c: a BIND waits for a host to connect. */
#include "engine/bind.h"

#include "base/fail.h"
#include "base/net.h"
#include "os/os.h"

#include <inttypes.h>
#include <stdio.h>

enum {
  ACCEPTS = 16, /* in a row, before others get their turn */
};

static void log_wait(const epi_flow *flow) {
  const epi__bind *bind = flow->bind;
  epi__addr_buf client, bound, host;

  epi__log(flow->worker->engine, EPI_LOG_NOTE,
           "flow %" PRId64 ": %s waits at %s for %s", flow->number,
           epi__addr_text(&bind->client, &client),
           epi__addr_text(&bind->bound, &bound),
           epi__bind_is_socks5(flow) && !epi__addr_is_any(&flow->dest)
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
 * options"): what its client sends is dropped, and its end ends the backlog. */
static void hold_backlog(epi_flow *flow) {
  epi__worker *worker = flow->worker;
  ptrdiff_t got =
      epi__leg_read(&flow->legs[EPI_FORWARD], worker->scratch, EPI__SCRATCH);
  epi__addr_buf bound;

  if (got > 0 || got == EPI_ENOENT) {
    return;
  }
  epi__log(worker->engine, EPI_LOG_NOTE,
           "flow %" PRId64 ": listens no more at %s", flow->number,
           epi__addr_text(&flow->bind->bound, &bound));
  epi__flow_end(flow, 0, NULL);
}

void epi__bind_read_client(epi_flow *flow) {
  if (flow->bind->backlog) {
    hold_backlog(flow);
    return;
  }
  epi__relay_keep_early(flow);
  if (flow->phase == EPI__WAIT && flow->legs[EPI_FORWARD].eof) {
    epi__flow_end(flow, 0, "the client left while it waited");
  }
}

/* ---- a host connects ---- */

static void relay(epi_flow *flow, const epi_addr *host) {
  epi__bind_over(flow);
  epi__relay_begin(flow, host, 0);
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
    epi__bind_audit_stranger(flow, host, NULL, "it is not expected");
  }
  if (admitted <= 0) {
    epi__sock_close(fd, 1);
    return admitted < 0;
  }
  epi__leg_close(server, 0);
  server->fd = fd;
  server->writes = 2;
  epi__stack_apply(flow->request, EPI_LEG_REMOTE, fd);
  relay(flow, host);
  return 1;
}

void epi__bind_accept(epi_flow *flow) {
  for (int i = 0; i < ACCEPTS; i++) {
    epi_addr host;
    int fd = -1;
    int result = epi__sock_accept(epi__bind_listener(flow), &fd, &host);

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
