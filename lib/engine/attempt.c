/* attempt.c: one attempt to connect to one address. */
#include "engine/dial.h"

#include "base/net.h"
#include "os/os.h"

#include <errno.h>
#include <stddef.h>

static void on_ready(epi__io *io, int events) {
  epi__attempt *attempt = EPI__OWNER(io, epi__attempt, io);
  int error = epi__sock_outcome(attempt->fd);

  (void)events;
  if (error) {
    epi__dial_lost(attempt, error);
  } else {
    epi__dial_won(attempt);
  }
}

static void on_timeout(epi__timer *timer) {
  epi__dial_lost(EPI__OWNER(timer, epi__attempt, timer), ETIMEDOUT);
}

/* Nothing on the way to this machine itself could send one. */
static void keep_errors(int fd, const epi_addr *to, int keep) {
  if (!epi__addr_is_loopback(to)) {
    epi__sock_keep_errors(fd, to->kind, keep);
  }
}

static int wants(const epi_flow *flow, int option) {
  return epi_request_stack(flow->request, EPI_LEG_REMOTE, option);
}

/* A socket that treats IP and TCP as the client wants it. What Linux cannot set
 * for MPTCP counts more than MPTCP. */
static int make(epi_flow *flow, const epi_addr *addr, int *out) {
  uint32_t mark = (uint32_t)flow->worker->engine->settings[EPI_ENGINE_MARK];
  int direct = !flow->route->hop_count;
  int multipath = direct && wants(flow, EPI_STACK_MULTIPATH) == EPI_STACK_YES;

  if (epi__sock_new(addr, mark, multipath, out)) {
    return EPI_ESYS;
  }
  if (!direct || !epi__stack_apply(flow->request, EPI_LEG_REMOTE, *out) ||
      !multipath) {
    return 0;
  }
  epi__sock_close(*out, 0);
  *out = -1;
  if (epi__sock_new(addr, mark, 0, out)) {
    return EPI_ESYS;
  }
  epi__stack_apply(flow->request, EPI_LEG_REMOTE, *out);
  return 0;
}

/* Data may be in one SYN at a time: two hosts must not get it. Filters have yet
 * to see it, and proxies on the way their handshakes. */
static size_t early_data(epi_flow *flow, const uint8_t **data) {
  size_t most = (size_t)wants(flow, EPI_STACK_TFO);
  size_t len = epi__queue_peek(&flow->lanes[EPI_FORWARD].early, data);

  if (flow->chain || flow->pace || flow->listener->dest_tls ||
      flow->dial->running) {
    return 0;
  }
  return most && most < len ? most : len;
}

static int begin(epi_flow *flow, epi__attempt *attempt, const epi_addr *addr) {
  const uint8_t *data = NULL;
  size_t len;

  if (flow->route->hop_count || wants(flow, EPI_STACK_TFO) < 0) {
    return epi__sock_begin(attempt->fd, addr);
  }
  len = early_data(flow, &data);
  return epi__sock_begin_fast(attempt->fd, addr, data, len, &attempt->in_syn);
}

/* Within one machine a connection is there at once, most often, and the loop
 * need not be asked to wait for it. Returns as epi__sock_is_through(). */
static int is_through(epi_flow *flow, epi__attempt *attempt,
                      const epi_addr *addr) {
  const uint8_t *data = NULL;
  size_t len = flow->route->hop_count ? 0 : early_data(flow, &data);

  return epi__addr_is_loopback(addr) && wants(flow, EPI_STACK_TFO) < 0
             ? epi__sock_is_through(attempt->fd, data, len, &attempt->behind)
             : 0;
}

int epi__attempt_start(epi_flow *flow, size_t addr) {
  epi__worker *worker = flow->worker;
  epi__attempt *attempt = flow->dial->attempts;
  const epi_addr *to = &flow->dial->addrs[addr];
  int through, error;

  while (attempt->fd >= 0) {
    attempt++;
  }
  if (make(flow, to, &attempt->fd)) {
    return EPI_ESYS;
  }
  keep_errors(attempt->fd, to, 1);
  through = begin(flow, attempt, to);
  if (!through) {
    through = is_through(flow, attempt, to);
  }
  if (through < 0) {
    error = errno;
    epi__sock_close(attempt->fd, 0);
    attempt->fd = -1;
    errno = error;
    return EPI_ESYS;
  }
  attempt->flow = flow;
  attempt->addr = addr;
  flow->dial->running++;
  if (through) {
    epi__dial_won(attempt);
    return 1;
  }
  epi__io_set(worker->loop, &attempt->io, attempt->fd, EPI__WRITE, on_ready);
  epi__timer_start(worker->loop, &attempt->timer,
                   worker->engine->settings[EPI_ENGINE_CONNECT_MS], on_timeout);
  return 0;
}

/* Returns the socket of an attempt that is none any more. */
static int end(epi__attempt *attempt) {
  epi__loop *loop = attempt->flow->worker->loop;
  int fd = attempt->fd;

  epi__io_stop(loop, &attempt->io);
  epi__timer_stop(loop, &attempt->timer);
  attempt->fd = -1;
  attempt->in_syn = attempt->behind = 0;
  attempt->flow->dial->running--;
  return fd;
}

int epi__attempt_take(epi__attempt *attempt) {
  const epi_addr *to = &attempt->flow->dial->addrs[attempt->addr];

  keep_errors(attempt->fd, to, 0);
  return end(attempt);
}

void epi__attempt_stop(epi__attempt *attempt) {
  if (attempt->fd >= 0) {
    epi__sock_close(end(attempt), 1);
  }
}
