/* udp_door.c: a listener's UDP port, for datagrams of SOCKS 6.
 *
 * Each worker has a socket on it. The kernel gives a datagram to the worker
 * whose number the association's id has, so that it never has to be handed
 * over. */
#include "base/net.h"
#include "engine/association.h"
#include "os/os.h"

enum {
  READS = 64,        /* in a row, before others get their turn */
  ID_LOW_OFFSET = 8, /* of the last half of the id in a message */
};

static int bind_all(epi__udp_port *out, const epi_addr *at, int workers) {
  epi_addr addr = *at;
  int fd = -1, result;

  /* The first one is bound alone, to see whether another process has the port:
   * sharing would succeed silently. */
  result = epi__udp_open(&addr, 0, EPI__UDP_LOCAL, &fd);
  if (!result) {
    result = epi__sock_local(fd, &addr);
  }
  epi__sock_close(fd, 0);
  for (int i = 0; i < workers && !result; i++) {
    result =
        epi__udp_open(&addr, 0, EPI__UDP_LOCAL | EPI__UDP_SHARED, &out->fds[i]);
    out->count += !result;
  }
  out->port = addr.port;
  return result;
}

int epi__udp_bind_all(epi__udp_port *out, epi_engine *engine,
                      const epi_addr *at, uint16_t port) {
  epi_addr addr = *at;
  int result;

  addr.port = port;
  result = epi__adopted_take(engine, 1, &addr, out->fds, &out->count);
  if (result || !out->count) {
    return result ? result : bind_all(out, &addr, epi__workers_sockets(engine));
  }
  result = epi__sock_local(out->fds[0], &addr);
  out->port = addr.port;
  return result;
}

void epi__udp_close_all(epi__udp_port *port) {
  while (port->count) {
    epi__sock_close(port->fds[--port->count], 0);
  }
}

int epi__udp_door_bind(epi__listener *listener, epi_engine *engine,
                       uint16_t port) {
  int result =
      epi__udp_bind_all(&listener->udp_port, engine, &listener->addr, port);

  return result ? result
                : epi__udp_steer(listener->udp_port.fds[0], ID_LOW_OFFSET,
                                 EPI__WORKERS_MAX);
}

int epi__udp_same_port(const epi__listener *a, const epi__listener *b) {
  return a == b || (a->udp_port.port && a->udp_port.port == b->udp_port.port &&
                    epi__addr_same_host(&a->addr, &b->addr));
}

int epi__udp_door_fd(const epi__worker *worker, const epi__listener *listener) {
  const epi__udp_door *door = &listener->doors[worker->number].udp;
  const epi__listeners *list = worker->listeners;

  for (size_t i = 0; !door->worker && i < list->count; i++) {
    if (epi__udp_same_port(listener, list->items[i])) {
      door = &list->items[i]->doors[worker->number].udp;
    }
  }
  return door->worker ? door->fd : -1;
}

/* Those of strangers count in the log as their connections do. */
static int may_come(epi__udp_door *door, const epi_addr *from) {
  if (epi__allow_has(door->listener->allow, from)) {
    return 1;
  }
  epi__allow_refused(door->worker->engine, door->listener, from);
  return 0;
}

static void take(epi__udp_door *door, const uint8_t *data, size_t len,
                 const epi_addr *from, const epi_addr *local) {
  epi__association *association =
      epi__association_of(door->worker, door->listener, data, len);
  epi__udp_origin origin = {.carrier = EPI__CARRIER_UDP,
                            .client = *from,
                            .reached = *local,
                            .fd = -1};

  if (association) { /* what follows the message is padding */
    epi__association_take(association, &origin);
    epi__flow_watch(association->flow);
  }
}

static void on_datagram(epi__io *io, int events) {
  epi__udp_door *door = EPI__OWNER(io, epi__udp_door, io);
  epi_addr from, local;

  (void)events;
  for (int i = 0; i < READS; i++) {
    ptrdiff_t got = epi__udp_receive(door->fd, door->worker->scratch,
                                     EPI__SCRATCH, &from, &local);

    if (got < 0) {
      return;
    }
    if (may_come(door, &from)) {
      take(door, door->worker->scratch, (size_t)got, &from, &local);
    }
  }
}

void epi__udp_door_open(epi__udp_door *door, epi__worker *worker,
                        epi__listener *listener) {
  epi_addr addr = listener->addr;
  epi__addr_buf text;

  if (!listener->udp_port.port) {
    return;
  }
  door->worker = worker;
  door->listener = listener;
  door->fd = listener->udp_port.fds[worker->number];
  if (worker->number == 0) {
    addr.port = listener->udp_port.port;
    epi__log(worker->engine, EPI_LOG_NOTE, "datagrams of %s come to %s",
             listener->name, epi__addr_text(&addr, &text));
  }
  epi__io_set(worker->loop, &door->io, door->fd, EPI__READ, on_datagram);
}

void epi__udp_door_close(epi__udp_door *door) {
  epi__worker *worker = door->worker;

  if (worker) {
    epi__io_stop(worker->loop, &door->io);
    epi__sock_close(door->fd, 0);
    door->listener->udp_port.fds[worker->number] = -1;
    door->worker = NULL;
  }
}
