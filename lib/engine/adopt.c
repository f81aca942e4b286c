/* adopt.c: sockets that are there before the engine is: a service manager has
 * made them, or the program that this one takes over from. */
#include "base/net.h"
#include "engine/status.h"
#include "os/os.h"

int epi_engine_adopt_socket(epi_engine *engine, int fd) {
  epi__adopted *adopted = &engine->adopted;
  int result = epi__engine_not_started(engine);
  int copy = -1, datagrams = 0;

  if (result) {
    return result;
  }
  if (adopted->count == EPI__ADOPTED_MAX) {
    return epi__fail(EPI_ELIMIT, "over %d sockets", EPI__ADOPTED_MAX);
  }
  result = epi__sock_inherit(fd, &datagrams, &copy);
  if (!result) {
    adopted->items[adopted->count++] =
        (epi__adopted_socket){.fd = copy, .datagrams = datagrams};
  }
  return result;
}

/* Is a socket at an address? Port 0 is any port. */
static int is_at(const epi__adopted_socket *socket, int datagrams,
                 const epi_addr *addr) {
  epi_addr local;

  return socket->datagrams == datagrams &&
         !epi__sock_local(socket->fd, &local) &&
         epi__addr_same_host(&local, addr) &&
         (!addr->port || local.port == addr->port);
}

/* Take out the sockets that are at the address of the first that is found.
 * Returns how many, EPI__WORKERS_MAX at most. */
static int take_out(epi__adopted *adopted, int datagrams, const epi_addr *addr,
                    int *out) {
  epi_addr at = *addr;
  size_t left = 0;
  int count = 0;

  for (size_t i = 0; i < adopted->count; i++) {
    if (count == EPI__WORKERS_MAX ||
        !is_at(&adopted->items[i], datagrams, &at)) {
      adopted->items[left++] = adopted->items[i];
      continue;
    }
    out[count++] = adopted->items[i].fd;
    epi__sock_local(adopted->items[i].fd, &at);
  }
  adopted->count = left;
  return count;
}

/* Have as many descriptors as workers. Sockets that are too few are shared, and
 * those that are too many let go: who made them has them still. */
static int share(int *fds, int count, int workers, int *shared) {
  int result = 0;

  for (int i = workers; i < count; i++) {
    epi__sock_close(fds[i], 0);
  }
  *shared = count < workers ? count : workers;
  while (*shared < workers && !result) {
    result = epi__sock_copy(fds[*shared % count], &fds[*shared]);
    *shared += !result;
  }
  return result;
}

int epi__adopted_take(epi_engine *engine, int datagrams, const epi_addr *addr,
                      int *fds, int *count) {
  int workers = epi__workers_sockets(engine);
  int found = take_out(&engine->adopted, datagrams, addr, fds);
  epi__addr_buf text;

  if (!found) {
    return 0;
  }
  *count = found;
  if (datagrams && found != workers) {
    return epi__fail(EPI_EINVAL,
                     "%d UDP sockets at %s for %d workers: each needs its own",
                     found, epi__addr_text(addr, &text), workers);
  }
  return share(fds, found, workers, count);
}

void epi__adopted_drop(epi_engine *engine, int tell) {
  epi__adopted *adopted = &engine->adopted;
  epi__addr_buf text;
  epi_addr addr;

  while (adopted->count) {
    int fd = adopted->items[--adopted->count].fd;

    if (tell && !epi__sock_local(fd, &addr)) {
      epi__log(engine, EPI_LOG_ERROR,
               "a socket at %s was inherited, and no listener is there: let go",
               epi__addr_text(&addr, &text));
    }
    epi__sock_close(fd, 0);
  }
}

static int find_socket(const epi_engine *engine, size_t index) {
  const epi__listeners *list = engine->listeners;
  size_t left = index;

  for (size_t i = 0; i < list->count; i++) {
    const epi__listener *listener = list->items[i];
    const int *const fds[] = {listener->fds, listener->udp_port.fds,
                              listener->dtls_port.fds};
    const int counts[] = {listener->fd_count, listener->udp_port.count,
                          listener->dtls_port.count};

    for (size_t k = 0; k < sizeof fds / sizeof *fds; k++) {
      if (left < (size_t)counts[k]) {
        return fds[k][left];
      }
      left -= (size_t)counts[k];
    }
  }
  return !left && epi__status_socket(engine) >= 0
             ? epi__status_socket(engine)
             : epi__fail(EPI_EINVAL, "no socket %zu", index);
}

int epi_engine_socket(const epi_engine *engine, size_t index) {
  int result;

  pthread_mutex_lock(&engine->self->calls);
  result = find_socket(engine, index);
  pthread_mutex_unlock(&engine->self->calls);
  return result;
}
