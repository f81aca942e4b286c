/* association_remote.c: datagrams to remotes, and from them. */
#include "engine/association.h"

#include "base/fail.h"
#include "engine/flow_limits.h"
#include "os/os.h"

#include <string.h>

enum {
  READS = 64, /* in a row from one socket, before others get their turn */
};

static void on_remote(epi__io *io, int events);

/* The socket for a family; that of the other one than the request's is opened
 * when it is needed. Returns its descriptor, or -1. */
static int socket_for(epi__association *association, int kind) {
  epi__udp_socket *socket =
      &association->remotes[kind == EPI_ADDR_IPV6 ? 1 : 0];
  epi_engine *engine = association->flow->worker->engine;
  epi_addr any = {.kind = (uint8_t)kind};

  if (socket->fd < 0 &&
      !epi__udp_open(&any, (uint32_t)engine->settings[EPI_ENGINE_MARK], 0,
                     &socket->fd)) {
    epi__associate_stack(association, socket, kind, NULL);
    epi__association_hear(association);
  }
  return socket->fd;
}

/* Datagrams cannot wait: what comes too fast is lost. Returns 1 if it may go
 * on; the one too many ends the flow. */
static int may_carry(epi_flow *flow, int way, size_t len) {
  int result;

  if (!flow->pace) {
    return 1;
  }
  if (!epi__pace_may(flow, way)) {
    return 0;
  }
  result = epi__pace_took(flow, way, len);
  if (result) {
    epi__flow_refuse_error(flow, result);
  }
  return !result;
}

void epi__association_send_on(epi__association *association, const epi_addr *to,
                              const void *data, size_t len) {
  epi_flow *flow = association->flow;
  int fd;

  /* One of several that waited may have ended the flow. */
  if (flow->phase != EPI__ASSOCIATED || !may_carry(flow, EPI_FORWARD, len)) {
    return;
  }
  fd = socket_for(association, to->kind);
  if (fd >= 0 && !epi__udp_send(fd, to, NULL, 0, data, len, NULL)) {
    epi__meter_bytes(flow, EPI_FORWARD, (int64_t)len);
    flow->moved_at = epi__loop_now(flow->worker->loop);
  }
}

/* An address that nothing can be sent to; Linux would take 0.0.0.0 for this
 * machine. */
static int is_nowhere(const epi_addr *to) {
  static const uint8_t zeros[16];

  return !to->port ||
         (to->kind != EPI_ADDR_NAME && !memcmp(to->ip, zeros, sizeof zeros));
}

void epi__association_send(epi__association *association, const epi_addr *to,
                           const void *data, size_t len) {
  const epi_addr *at =
      is_nowhere(to) ? NULL
                     : epi__association_may_send(association, to, data, len);

  if (at) {
    epi__association_send_on(association, at, data, len);
  }
}

/* ---- the way back ---- */

static void tell_errors(epi__association *association, int fd) {
  const epi_flow *flow = association->flow;
  epi__udp_error error;

  /* Once the flow has ended the descriptor may be another thread's. */
  for (int i = 0; i < READS && flow->phase == EPI__ASSOCIATED &&
                  !epi__udp_error_take(fd, &error);
       i++) {
    if (!error.code || !epi__association_knows(association, &error.remote) ||
        epi_datagram_set_error(association->datagram, error.code,
                               &error.reporter) ||
        epi_datagram_set_remote(association->datagram, &error.remote)) {
      continue;
    }
    epi_datagram_set_type(association->datagram, EPI_UDP_ERROR);
    epi__association_tell(association, 0);
  }
}

static void take_one(epi__association *association, const epi_addr *from,
                     const void *data, size_t len) {
  epi_flow *flow = association->flow;

  if (!epi__association_may_hear(association, from)) {
    return;
  }
  epi_datagram_set_type(association->datagram, EPI_UDP_DATAGRAM);
  if (epi_datagram_set_remote(association->datagram, from) ||
      epi_datagram_set_data(association->datagram, data, len)) {
    return; /* no IPv4 datagram is that long: it could not go on */
  }
  if (!may_carry(flow, EPI_BACKWARD, len)) {
    return;
  }
  epi__meter_bytes(flow, EPI_BACKWARD, (int64_t)len);
  flow->moved_at = epi__loop_now(flow->worker->loop);
  epi__association_tell(association, 0);
}

static void on_remote(epi__io *io, int events) {
  epi__udp_socket *socket = EPI__OWNER(io, epi__udp_socket, io);
  epi__association *association = socket->association;
  epi_flow *flow = association->flow;
  epi_addr from;

  (void)events;
  if (association->errors) {
    tell_errors(association, socket->fd);
  }
  for (int i = 0; i < READS && flow->phase == EPI__ASSOCIATED; i++) {
    ptrdiff_t got = epi__udp_receive(socket->fd, flow->worker->scratch,
                                     EPI__SCRATCH, &from, NULL);

    if (got < 0) {
      break;
    }
    take_one(association, &from, flow->worker->scratch, (size_t)got);
  }
  epi__flow_watch(flow);
}

void epi__association_hear(epi__association *association) {
  for (int i = 0; i < 2; i++) {
    epi__udp_socket *socket = &association->remotes[i];

    if (socket->fd >= 0 && association->origin.carrier != EPI__CARRIER_NONE) {
      epi__io_set(association->flow->worker->loop, &socket->io, socket->fd,
                  EPI__READ, on_remote);
    }
  }
}
