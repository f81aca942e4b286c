/* workers.c: more or fewer workers while the engine runs.
 *
 * One that is new gets sockets of its own on every listener. One that is not
 * wanted any more stays as a doorkeeper: the sockets that it has cannot be
 * closed without losing who is about to connect there, so that it gives away
 * whom it accepts, and ends the flows that it has. */
#include "base/fail.h"
#include "engine/worker.h"
#include "os/os.h"
#include "os/udp.h"

/* A socket on the port, or another's if this one is not to be shared: a single
 * worker's, or one that another program has made. */
static int add_tcp(epi__listener *listener) {
  int *fd = &listener->fds[listener->fd_count];
  int result = epi__sock_listen(&listener->addr, 1, fd);

  if (result) {
    result = epi__sock_copy(listener->fds[0], fd);
  }
  if (!result && listener->tfo) {
    epi__sock_accept_fast(*fd, listener->tfo);
  }
  listener->fd_count += !result;
  return result;
}

static int add_udp(epi__udp_port *port, const epi__listener *listener) {
  epi_addr addr = listener->addr;
  int result;

  if (!port->port) {
    return 0;
  }
  addr.port = port->port;
  result = epi__udp_open(&addr, 0, EPI__UDP_LOCAL | EPI__UDP_SHARED,
                         &port->fds[port->count]);
  port->count += !result;
  return result;
}

/* Nothing may wait in a socket that nobody watches. */
static void drop_from(int *fds, int *count, int number) {
  while (*count > number) {
    epi__sock_close(fds[--*count], 0);
  }
}

static void take_back(epi_engine *engine, int number) {
  const epi__listeners *list = engine->listeners;

  for (size_t i = 0; i < list->count; i++) {
    epi__listener *listener = list->items[i];

    drop_from(listener->fds, &listener->fd_count, number);
    drop_from(listener->udp_port.fds, &listener->udp_port.count, number);
    drop_from(listener->dtls_port.fds, &listener->dtls_port.count, number);
  }
}

static int add_sockets(epi_engine *engine) {
  const epi__listeners *list = engine->listeners;
  int result = 0;

  for (size_t i = 0; i < list->count && !result; i++) {
    epi__listener *listener = list->items[i];

    result = add_tcp(listener);
    if (!result) {
      result = add_udp(&listener->udp_port, listener);
    }
    if (!result) {
      result = add_udp(&listener->dtls_port, listener);
    }
  }
  return result;
}

static int add_worker(epi_engine *engine) {
  int number = (int)engine->worker_count;
  int result = add_sockets(engine);

  if (!result) {
    result = epi__worker_start(&engine->workers[number], engine, number);
  }
  if (result) {
    take_back(engine, number);
    return result;
  }
  engine->worker_count++;
  return 0;
}

int epi__workers_change(epi_engine *engine, int64_t count) {
  int result = 0;

  if (!engine->worker_count || atomic_load(&engine->drains)) {
    return epi__fail(EPI_ESTATE, "workers: the engine drains or was stopped");
  }
  while ((int64_t)engine->worker_count < count && !result) {
    result = add_worker(engine);
  }
  return result;
}

int epi__workers_sockets(const epi_engine *engine) {
  return engine->worker_count ? (int)engine->worker_count
                              : (int)engine->settings[EPI_ENGINE_WORKERS];
}
