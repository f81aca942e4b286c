/* associate_port.c: which port remotes reach an association at: the one that
 * was asked for, its parity, and the counterpart that is reserved with it
 * (draft-11 section 8.1.9). */
#include "base/fail.h"
#include "base/memory.h"
#include "base/net.h"
#include "engine/association.h"
#include "engine/bind.h"
#include "os/os.h"

enum {
  TRIES = 64, /* for a port with the parity, whose counterpart is free */
};

/* A port that is bound and unused; the engine's lock guards the list. */
struct epi__udp_reserved {
  epi__udp_reserved *next;
  epi_addr addr;
  int fd;
  int64_t flow;   /* whose it is */
  int64_t member; /* the session that may claim it, or 0: its client may */
  const epi__sessions *sessions; /* whose it is */
  epi_addr client;               /* without port */
};

static int open_port(const epi__association *association, const epi_addr *addr,
                     int *out) {
  const epi_engine *engine = association->flow->worker->engine;

  return epi__udp_open(addr, (uint32_t)engine->settings[EPI_ENGINE_MARK], 0,
                       out);
}

/* ---- reservations ---- */

static epi_addr client_of(const epi_flow *flow) {
  epi_addr client = *flow->peer;

  client.port = 0;
  return client;
}

static int may_claim(const epi__udp_reserved *reserved, const epi_flow *flow) {
  epi_addr client = client_of(flow);

  return reserved->member ? reserved->member == flow->member &&
                                reserved->sessions == flow->listener->sessions
                          : epi_addr_equal(&reserved->client, &client);
}

/* Take over a port that is reserved. Returns 0; EPI_ENOENT: it is not;
 * EPI_EDENIED. */
static int claim(const epi_flow *flow, const epi_addr *addr, int *out) {
  epi_engine *engine = flow->worker->engine;
  epi__udp_reserved **at = &engine->udp_reserved, *found = NULL;
  int result = EPI_ENOENT;

  pthread_mutex_lock(&engine->lock);
  while (*at && !epi_addr_equal(&(*at)->addr, addr)) {
    at = &(*at)->next;
  }
  if (*at && !may_claim(*at, flow)) {
    result = epi__fail(EPI_EDENIED, "port %u is reserved for another client",
                       addr->port);
  } else if (*at) {
    found = *at;
    *at = found->next;
    *out = found->fd;
    result = 0;
  }
  pthread_mutex_unlock(&engine->lock);
  epi__free(found);
  return result;
}

static int keep(const epi_flow *flow, const epi_addr *addr, int fd) {
  epi_engine *engine = flow->worker->engine;
  epi__udp_reserved *reserved = epi__alloc(sizeof *reserved);

  if (!reserved) {
    return EPI_ENOMEM;
  }
  reserved->addr = *addr;
  reserved->fd = fd;
  reserved->flow = flow->number;
  reserved->member = flow->member;
  reserved->sessions = flow->listener->sessions;
  reserved->client = client_of(flow);
  pthread_mutex_lock(&engine->lock);
  reserved->next = engine->udp_reserved;
  engine->udp_reserved = reserved;
  pthread_mutex_unlock(&engine->lock);
  return 0;
}

void epi__associate_unreserve(epi_flow *flow) {
  epi_engine *engine = flow->worker->engine;
  epi__udp_reserved **at = &engine->udp_reserved;

  pthread_mutex_lock(&engine->lock);
  while (*at) {
    epi__udp_reserved *reserved = *at;

    if (reserved->flow == flow->number) {
      *at = reserved->next;
      epi__sock_close(reserved->fd, 0);
      epi__free(reserved);
    } else {
      at = &reserved->next;
    }
  }
  pthread_mutex_unlock(&engine->lock);
}

/* ---- parity ---- */

static int has_parity(unsigned port, int wanted) {
  return wanted == EPI_PARITY_ANY || (wanted == EPI_PARITY_ODD) == (port & 1);
}

/* A port of the kernel's choice, or its counterpart: one of both has the
 * parity. Returns 0 or an error. */
static int try_parity(const epi__association *association, const epi_addr *want,
                      int parity, int *out, epi_addr *bound) {
  int result = open_port(association, want, out);

  if (!result) {
    result = epi__sock_local(*out, bound);
  }
  if (result || has_parity(bound->port, parity)) {
    return result;
  }
  epi__sock_close(*out, 0);
  *out = -1;
  bound->port ^= 1;
  return open_port(association, bound, out);
}

static int reserve(const epi__association *association, const epi_addr *bound) {
  epi_addr other = *bound;
  int fd = -1;

  other.port ^= 1;
  if (!epi__bind_may_have_port(association->flow->worker->engine, other.port) ||
      open_port(association, &other, &fd)) {
    return EPI_EBUSY;
  }
  if (keep(association->flow, &other, fd)) {
    epi__sock_close(fd, 0);
    return EPI_ENOMEM;
  }
  return 0;
}

/* As was asked for, or less: *parity says what became of it. */
static int bind_parity(const epi__association *association,
                       const epi_addr *want, int *parity, int *out) {
  int wanted = *parity;
  epi_addr bound;

  for (int i = 0; i < TRIES; i++) {
    if (try_parity(association, want, wanted & ~EPI_PARITY_RESERVE, out,
                   &bound)) {
      continue;
    }
    if (!(wanted & EPI_PARITY_RESERVE) || !reserve(association, &bound)) {
      return 0;
    }
    epi__sock_close(*out, 0);
    *out = -1;
  }
  *parity = EPI_PARITY_ANY;
  return open_port(association, want, out);
}

static int bind_port(const epi__association *association, const epi_addr *want,
                     int *parity, int *out) {
  int result;

  if (!want->port) {
    return *parity > 0 ? bind_parity(association, want, parity, out)
                       : open_port(association, want, out);
  }
  if (!epi__bind_may_have_port(association->flow->worker->engine, want->port)) {
    return epi__fail(EPI_EDENIED, "clients may not have port %u", want->port);
  }
  result = claim(association->flow, want, out);
  if (result == EPI_ENOENT) {
    result = open_port(association, want, out);
  }
  if (!result && *parity >= 0) { /* the draft: ignore the parity */
    *parity = *parity & EPI_PARITY_RESERVE && !reserve(association, want)
                  ? EPI_PARITY_RESERVE
                  : EPI_PARITY_ANY;
  }
  return result;
}

int epi__associate_bind(epi__association *association, int *parity) {
  const epi_addr *want = &association->flow->dest;
  int index = want->kind == EPI_ADDR_IPV6;

  *parity = epi_request_stack(association->flow->request, EPI_LEG_REMOTE,
                              EPI_STACK_PORT_PARITY);
  return bind_port(association, want, parity, &association->remotes[index].fd);
}
