/* dtls_clients.c: the clients of a listener's DTLS port in one worker. */
#include "base/bytes.h"
#include "base/memory.h"
#include "engine/dtls_door.h"
#include "engine/mailbox.h"
#include "os/udp.h"

#include <stddef.h>

struct epi__dtls_client {
  epi__dtls_client *next; /* in its bucket */
  epi__dtls_door *door;
  epi_addr addr, local;
  int64_t number;
  epi__dtls *session;
  epi__timer timer;
  int64_t began_at, moved_at;
};

/* FNV-1a of address and port: whoever has a session got datagrams there. */
static epi__dtls_client **bucket_of(epi__dtls_door *door,
                                    const epi_addr *addr) {
  uint32_t hash = 2166136261u ^ addr->port;

  for (size_t i = 0; i < sizeof addr->ip; i++) {
    hash = (hash ^ addr->ip[i]) * 16777619u;
  }
  return &door->clients[(hash ^ hash >> 16) % EPI__DTLS_BUCKETS];
}

static epi__dtls_client *find(epi__dtls_door *door, const epi_addr *addr) {
  epi__dtls_client *client = *bucket_of(door, addr);

  while (client && !epi_addr_equal(&client->addr, addr)) {
    client = client->next;
  }
  return client;
}

static void drop(epi__dtls_client *client) {
  epi__dtls_door *door = client->door;
  epi__dtls_client **at = bucket_of(door, &client->addr);

  while (*at != client) {
    at = &(*at)->next;
  }
  *at = client->next;
  door->count--;
  epi__tally_remove(&door->hosts, &client->addr);
  epi__timer_stop(door->worker->loop, &client->timer);
  epi__dtls_free(client->session);
  epi__free(client);
}

static void send_out(void *user, const void *data, size_t len) {
  epi__dtls_client *client = user;
  epi__udp_way way = {&client->local, -1, -1};

  epi__udp_send(client->door->fd, &client->addr, NULL, 0, data, len, &way);
}

/* ---- time ---- */

static void watch_time(epi__dtls_client *client);

static void on_timer(epi__timer *timer) {
  epi__dtls_client *client = EPI__OWNER(timer, epi__dtls_client, timer);
  const epi__worker *worker = client->door->worker;
  const epi__setting *settings = worker->engine->settings;
  int64_t now = epi__loop_now(worker->loop);
  int over;

  if (epi__dtls_is_open(client->session)) {
    over = now - client->moved_at >= settings[EPI_ENGINE_UDP_IDLE_MS];
  } else {
    over = now - client->began_at >= settings[EPI_ENGINE_HANDSHAKE_MS] ||
           epi__dtls_again(client->session);
  }
  if (over) {
    drop(client);
  } else {
    watch_time(client);
  }
}

static void watch_time(epi__dtls_client *client) {
  const epi__worker *worker = client->door->worker;
  int64_t idle = worker->engine->settings[EPI_ENGINE_UDP_IDLE_MS];
  int64_t wait = epi__dtls_patience_ms(client->session);

  if (epi__dtls_is_open(client->session)) {
    wait = client->moved_at + idle - epi__loop_now(worker->loop);
    if (!idle) {
      epi__timer_stop(worker->loop, &client->timer);
      return;
    }
  }
  epi__timer_start(worker->loop, &client->timer, wait > 0 ? wait : 1, on_timer);
}

/* ---- datagrams ---- */

static int is_full(epi__dtls_door *door, const epi_addr *addr) {
  const epi__setting *settings = door->worker->engine->settings;

  return door->count >= (size_t)settings[EPI_ENGINE_ASSOCIATIONS] ||
         epi__tally_count(&door->hosts, addr) >=
             settings[EPI_ENGINE_CLIENT_ASSOCIATIONS];
}

/* The one that waits for a client. Returns NULL when out of memory. */
static epi__dtls_client *waiting(epi__dtls_door *door) {
  if (!door->waiting) {
    door->waiting = epi__alloc(sizeof *door->waiting);
    if (!door->waiting) {
      return NULL;
    }
    door->waiting->door = door;
    if (epi__dtls_new(&door->waiting->session, door->listener->dtls, send_out,
                      door->waiting)) {
      epi__free(door->waiting);
      door->waiting = NULL;
    }
  }
  return door->waiting;
}

static void free_waiting(epi__dtls_door *door) {
  if (door->waiting) {
    epi__dtls_free(door->waiting->session);
    epi__free(door->waiting);
    door->waiting = NULL;
  }
}

/* Somebody without a session says something. */
static void welcome(epi__dtls_door *door, const epi_addr *addr,
                    const epi_addr *local, const uint8_t *data, size_t len) {
  epi__dtls_client **bucket = bucket_of(door, addr);
  epi__dtls_client *client;
  int result;

  if (!epi__allow_has(door->listener->allow, addr)) {
    epi__allow_refused(door->worker->engine, door->listener, addr);
    return;
  }
  client = is_full(door, addr) ? NULL : waiting(door);
  if (!client) {
    return;
  }
  client->addr = *addr;
  client->local = *local;
  result = epi__dtls_hello(client->session, addr, data, len);
  if (result > 0 && epi__tally_add(&door->hosts, addr, INT64_MAX)) {
    result = EPI_ENOMEM;
  }
  if (result < 0) {
    free_waiting(door);
  }
  if (result != 1) {
    return;
  }
  door->waiting = NULL;
  client->number = ++door->next_number;
  client->began_at = client->moved_at = epi__loop_now(door->worker->loop);
  client->next = *bucket;
  *bucket = client;
  door->count++;
  watch_time(client);
}

/* The id of an association says which worker has it. */
static void hand_on(const epi__dtls_client *client, const uint8_t *data,
                    size_t len) {
  epi__worker *worker = client->door->worker;
  epi__letter letter = {.worker = worker->number,
                        .listener = client->door->listener->id,
                        .client = client->addr,
                        .number = client->number,
                        .len = len};
  epi__reader in = epi__reader_over(data, len);
  uint32_t low;

  epi__skip(&in, 8);
  low = epi__read_u32(&in);
  if (!in.missing) {
    epi__mailbox_post(worker, (int)(low % EPI__WORKERS_MAX), &letter, data);
  }
}

/* Everything that can be decrypted. Returns 0 or an error. */
static int read_all(epi__dtls_client *client) {
  uint8_t *plain = client->door->worker->scratch + EPI__DTLS_PLAIN;
  ptrdiff_t got;

  while ((got = epi__dtls_read(client->session, plain, EPI__DTLS_PLAIN)) > 0) {
    client->moved_at = epi__loop_now(client->door->worker->loop);
    hand_on(client, plain, (size_t)got);
  }
  return (int)got;
}

void epi__dtls_clients_take(epi__dtls_door *door, const epi_addr *from,
                            const epi_addr *local, const uint8_t *data,
                            size_t len) {
  epi__dtls_client *client = find(door, from);
  int was_open = client && epi__dtls_is_open(client->session);

  if (!client) {
    welcome(door, from, local, data, len);
    return;
  }
  if (epi__dtls_feed(client->session, data, len) || read_all(client)) {
    drop(client);
  } else if (!was_open) {
    watch_time(client);
  }
}

void epi__dtls_door_send(epi__dtls_door *door, const epi_addr *addr,
                         int64_t number, const void *data, size_t len) {
  epi__dtls_client *client = find(door, addr);

  if (client && client->number == number &&
      !epi__dtls_write(client->session, data, len)) {
    client->moved_at = epi__loop_now(door->worker->loop);
  }
}

void epi__dtls_clients_end(epi__dtls_door *door) {
  free_waiting(door);
  for (int i = 0; i < EPI__DTLS_BUCKETS; i++) {
    while (door->clients[i]) {
      drop(door->clients[i]);
    }
  }
}
