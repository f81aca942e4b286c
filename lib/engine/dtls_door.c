/* dtls_door.c: a listener's DTLS port: set-up, and where datagrams come in. */
#include "engine/dtls_door.h"

#include "base/memory.h"
#include "base/net.h"
#include "os/os.h"
#include "os/udp.h"

#include <stddef.h>

enum {
  READS = 64,            /* in a row, before others get their turn */
  FILE_MAX = 256 * 1024, /* certificate or key */
};

static int read_server(epi__listener *listener, const char *chain_path,
                       const char *key_path) {
  char *chain = NULL, *key = NULL;
  size_t chain_len = 0, key_len = 0;
  int result = epi__file_read(chain_path, FILE_MAX, 0, &chain, &chain_len);

  if (!result) {
    result = epi__file_read(key_path, FILE_MAX, 1, &key, &key_len);
  }
  if (!result) {
    result =
        epi__dtls_server_new(&listener->dtls, chain, chain_len, key, key_len);
  }
  if (key) {
    epi_wipe(key, key_len);
  }
  epi__free(key);
  epi__free(chain);
  return result;
}

int epi__dtls_door_bind(epi__listener *listener, epi_engine *engine,
                        uint16_t port, const char *chain, const char *key) {
  int result;

  if (!chain || !key) {
    return epi__fail(EPI_EINVAL, "dtls= needs cert= and key=");
  }
  result = read_server(listener, chain, key);
  return result ? result
                : epi__udp_bind_all(&listener->dtls_port, engine,
                                    &listener->addr, port);
}

static void on_datagram(epi__io *io, int events) {
  epi__dtls_door *door = EPI__OWNER(io, epi__dtls_door, io);
  epi_addr from, local;

  (void)events;
  for (int i = 0; i < READS; i++) {
    ptrdiff_t got = epi__udp_receive(door->fd, door->worker->scratch,
                                     EPI__DTLS_PLAIN, &from, &local);

    if (got < 0) {
      return;
    }
    epi__dtls_clients_take(door, &from, &local, door->worker->scratch,
                           (size_t)got);
  }
}

int epi__dtls_door_open(epi__dtls_door **out, epi__worker *worker,
                        epi__listener *listener) {
  epi__dtls_door *door;
  epi_addr addr = listener->addr;
  epi__addr_buf text;

  if (!listener->dtls) {
    return 0;
  }
  door = epi__alloc(sizeof *door);
  if (!door) {
    return EPI_ENOMEM;
  }
  door->worker = worker;
  door->listener = listener;
  door->fd = listener->dtls_port.fds[worker->number];
  if (worker->number == 0) {
    addr.port = listener->dtls_port.port;
    epi__log(worker->engine, EPI_LOG_NOTE, "DTLS datagrams of %s come to %s",
             listener->name, epi__addr_text(&addr, &text));
  }
  epi__io_set(worker->loop, &door->io, door->fd, EPI__READ, on_datagram);
  *out = door;
  return 0;
}

void epi__dtls_door_close(epi__dtls_door *door) {
  if (!door) {
    return;
  }
  epi__io_stop(door->worker->loop, &door->io);
  epi__dtls_clients_end(door);
  epi__sock_close(door->fd, 0);
  door->listener->dtls_port.fds[door->worker->number] = -1;
  epi__free(door);
}
