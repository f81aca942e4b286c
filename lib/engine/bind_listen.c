/* bind_listen.c: where the hosts of a BIND connect to. */
#include "engine/bind.h"

#include "base/fail.h"
#include "base/net.h"
#include "epi/stack.h"
#include "os/os.h"

#include <string.h>

enum {
  WAITING = 64,      /* connections to an ordinary BIND, which takes one */
  BACKLOG_MAX = 128, /* the kernel's limit is not lower, unless set so */
  PORT_TRIES = 1024,
};

/* The address of this machine that the client connected to, port 0; kind NONE
 * if it cannot be told. */
static epi_addr reached(const epi_flow *flow) {
  epi_addr addr = {0};

  if (!epi__sock_local(flow->legs[EPI_FORWARD].fd, &addr)) {
    addr.port = 0;
  }
  return addr;
}

static epi_addr any_of(int kind) {
  epi_addr addr = {.kind = (uint8_t)kind};

  return addr;
}

static int is_loopback(const epi_addr *addr) {
  static const uint8_t v6[16] = {[15] = 1};

  return addr->kind == EPI_ADDR_IPV4 ? addr->ip[0] == 127
                                     : !memcmp(addr->ip, v6, sizeof v6);
}

/* The address to listen on when the client leaves that to the proxy: the one
 * that it reached, unless the hosts that it expects cannot reach that. */
static epi_addr own_addr(const epi_flow *flow) {
  const epi__bind *bind = flow->bind;
  const epi_addr *host = bind->host_count ? &bind->hosts[0] : NULL;
  const epi_addr *bnd = &flow->listener->bnd;
  int socks5 = epi__bind_is_socks5(flow);
  epi_addr here = reached(flow), toward;
  int kind = host        ? host->kind
             : !socks5   ? flow->dest.kind
             : bnd->kind ? bnd->kind
                         : here.kind;

  if (bnd->kind == kind) {
    return *bnd;
  }
  if (here.kind == kind &&
      (!host || is_loopback(host) || !is_loopback(&here))) {
    return here;
  }
  return host && !epi__sock_toward(host, &toward) ? toward : any_of(kind);
}

/* What the client is told that it was bound. */
static epi_addr shown(const epi_flow *flow, const epi_addr *local) {
  const epi_addr *bnd = &flow->listener->bnd;
  epi_addr here = reached(flow);
  epi_addr out = !epi__addr_is_any(local)   ? *local
                 : bnd->kind == local->kind ? *bnd
                 : here.kind == local->kind ? here
                                            : *local;

  out.port = local->port;
  return out;
}

/* Listen on a port that clients may have. From a range that is not the
 * kernel's own choice, one is chosen that nobody can foresee. */
static int open_port(const epi_flow *flow, const epi_addr *addr,
                     const epi__offer *how, int *fd) {
  const epi_engine *engine = flow->worker->engine;
  unsigned low = (unsigned)engine->settings[EPI_ENGINE_BIND_PORT_MIN];
  unsigned high = (unsigned)engine->settings[EPI_ENGINE_BIND_PORT_MAX];
  unsigned count = high < low ? 1 : high - low + 1; /* both just changed */
  epi_addr attempt = *addr;
  int result = EPI_EBUSY;
  uint32_t start;

  if (addr->port || (low <= 1024 && low + count == 65536)) {
    return epi__sock_offer(addr, how, fd);
  }
  if (engine->crypto->random((uint8_t *)&start, sizeof start)) {
    return EPI_ECRYPTO;
  }
  for (unsigned i = 0; i < count && i < PORT_TRIES && result == EPI_EBUSY;
       i++) {
    attempt.port = (uint16_t)(low + (start + i) % count);
    result = epi__sock_offer(&attempt, how, fd);
  }
  return result;
}

static int open_socket(const epi_flow *flow, const epi__offer *how, int *fd) {
  const epi_addr *bnd = &flow->listener->bnd;
  int socks5 = epi__bind_is_socks5(flow);
  int own = socks5 || epi__addr_is_any(&flow->dest);
  epi_addr addr = own ? own_addr(flow) : flow->dest;
  int result;

  addr.port = socks5 ? 0 : flow->dest.port;
  result = open_port(flow, &addr, how, fd);
  if (result == EPI_ENOENT && own && epi__addr_same_host(&addr, bnd)) {
    epi_addr any = any_of(bnd->kind); /* NAT leads from there to here */

    any.port = addr.port;
    result = open_port(flow, &any, how, fd);
  }
  return result;
}

int epi__bind_may_have_port(const epi_engine *engine, uint16_t port) {
  return port >= engine->settings[EPI_ENGINE_BIND_PORT_MIN] &&
         port <= engine->settings[EPI_ENGINE_BIND_PORT_MAX];
}

static int may_have_port(const epi_flow *flow) {
  return epi__bind_is_socks5(flow) || !flow->dest.port ||
         epi__bind_may_have_port(flow->worker->engine, flow->dest.port);
}

static int asked(const epi_flow *flow, int option) {
  return epi_request_stack(flow->request, EPI_LEG_REMOTE, option);
}

/* Listen on a socket that treats IP as the client wants it. What Linux cannot
 * set for MPTCP counts more than MPTCP. */
static int open_as_asked(const epi_flow *flow, epi__offer *how, int *fd) {
  int result = open_socket(flow, how, fd);

  if (result || !epi__stack_apply(flow->request, EPI_LEG_REMOTE, *fd) ||
      !how->multipath) {
    return result;
  }
  epi__sock_close(*fd, 0);
  *fd = -1;
  how->multipath = 0;
  result = open_socket(flow, how, fd);
  if (!result) {
    epi__stack_apply(flow->request, EPI_LEG_REMOTE, *fd);
  }
  return result;
}

/* Listen for one connection, or with a backlog for those that further BINDs of
 * the session take. */
static int open_own(epi_flow *flow) {
  epi__bind *bind = flow->bind;
  int backlog = flow->member ? asked(flow, EPI_STACK_BACKLOG) : 0;
  epi__offer how = {
      .backlog = backlog <= 0            ? WAITING
                 : backlog < BACKLOG_MAX ? backlog
                                         : BACKLOG_MAX,
      .fastopen = asked(flow, EPI_STACK_TFO) >= 0,
      /* draft-11: a client that says nothing does not refuse it */
      .multipath = !epi__bind_is_socks5(flow) &&
                   asked(flow, EPI_STACK_MULTIPATH) != EPI_STACK_NO,
  };
  epi_addr bound;
  int fd = -1;
  int result = open_as_asked(flow, &how, &fd);

  if (!result) {
    result = epi__sock_local(fd, &bound);
  }
  if (!result) {
    bound = shown(flow, &bound);
    bind->multipath = epi__sock_is_multipath(fd);
  }
  if (!result && backlog > 0) {
    result = epi__backlog_new(&bind->backlog, flow, &bound, fd);
    bind->granted = how.backlog;
  }
  if (result) {
    epi__sock_close(fd, 0);
    return result;
  }
  if (!bind->backlog) {
    flow->legs[EPI_BACKWARD].fd = fd;
  }
  epi__bind_offered(flow, &bound);
  return 0;
}

void epi__bind_listen(epi_flow *flow) {
  int result = flow->member
                   ? epi__backlog_take(flow, &flow->dest, &flow->bind->shared,
                                       &flow->legs[EPI_BACKWARD].fd)
                   : EPI_ENOENT;

  if (!result) {
    flow->bind->multipath = epi__sock_is_multipath(flow->bind->shared);
    epi__bind_offered(flow, &flow->dest);
    return;
  }
  if (!may_have_port(flow)) {
    epi__flow_refuse(flow, EPI_REPLY_NOT_ALLOWED,
                     "clients may not have that port");
    return;
  }
  if (result == EPI_ENOENT) {
    result = open_own(flow);
  }
  if (result) {
    epi__flow_refuse(flow, EPI_REPLY_FAILURE, epi_error_detail());
  }
}

static int answer(epi_reply *out, const epi_flow *flow, int option, int value) {
  return asked(flow, option) >= 0
             ? epi_reply_set_stack(out, EPI_LEG_REMOTE, option, value)
             : 0;
}

static int answer_remote(epi_reply *out, const epi_flow *flow) {
  const epi__bind *bind = flow->bind;
  int fd =
      bind->backlog ? epi__backlog_fd(bind->backlog) : epi__bind_listener(flow);
  int is_first = flow->phase == EPI__WAIT;
  int multipath = is_first ? bind->multipath : epi__sock_is_multipath(fd);
  int result = answer(out, flow, EPI_STACK_MULTIPATH,
                      multipath ? EPI_STACK_YES : EPI_STACK_NO);

  if (!result && fd >= 0) {
    result = epi__stack_answer(out, flow->request, EPI_LEG_REMOTE, fd);
  }
  /* The option counts bytes in a SYN of the proxy's, which sends none. */
  return result ? result : answer(out, flow, EPI_STACK_TFO, 0);
}

int epi__bind_answer_stack(epi_reply *out, const epi_flow *flow) {
  int result = epi__stack_answer(out, flow->request, EPI_LEG_CLIENT,
                                 flow->legs[EPI_FORWARD].fd);

  if (!result) {
    result = flow->route->hop_count ? epi__stack_answer_by_hop(out, flow)
                                    : answer_remote(out, flow);
  }
  return !result && flow->phase == EPI__WAIT
             ? answer(out, flow, EPI_STACK_BACKLOG, flow->bind->granted)
             : result;
}
