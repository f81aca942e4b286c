/* doors.c: a worker's doors: it has those of the listeners that it knows. */
#include "engine/dtls_door.h"

/* Who has a listener closed may wait for that. */
static void settle(epi__worker *worker) {
  pthread_mutex_lock(&worker->engine->lock);
  worker->settled = worker->listeners->number;
  pthread_cond_broadcast(&worker->engine->settled);
  pthread_mutex_unlock(&worker->engine->lock);
}

/* One that this worker has closed stays so: the list that it took next may have
 * the listener still, which a later one has retired meanwhile. */
static void open_door(epi__worker *worker, epi__listener *listener) {
  epi__door *door = &listener->doors[worker->number];

  if (door->worker || listener->fds[worker->number] < 0) {
    return;
  }
  epi__door_open(door, worker, listener);
  epi__udp_door_open(&door->udp, worker, listener);
  if (epi__dtls_door_open(&door->dtls, worker, listener)) {
    epi__log(worker->engine, EPI_LOG_ERROR, "%s: no DTLS in worker %d: %s",
             listener->name, worker->number, epi_error_detail());
  }
}

static void close_door(const epi__worker *worker, epi__listener *listener) {
  epi__door *door = &listener->doors[worker->number];

  if (door->worker) {
    epi__door_close(door);
    epi__udp_door_close(&door->udp);
    epi__dtls_door_close(door->dtls);
    door->dtls = NULL;
  }
}

/* The kernel resets who is left in the queue of a socket that is closed. */
static void empty_door(const epi__worker *worker, epi__listener *listener) {
  epi__door *door = &listener->doors[worker->number];

  if (door->worker) {
    epi__door_empty(door);
  }
}

/* Even one that has retired since the list was taken: only who has opened its
 * socket closes it. */
static void open_all(epi__worker *worker) {
  for (size_t i = 0; i < worker->listeners->count; i++) {
    open_door(worker, worker->listeners->items[i]);
  }
}

void epi__doors_open(epi__worker *worker) {
  open_all(worker);
  settle(worker);
}

void epi__doors_update(epi__worker *worker) {
  epi_engine *engine = worker->engine;
  epi__listeners *old = worker->listeners;

  pthread_mutex_lock(&engine->lock);
  worker->listeners = epi__listeners_ref(engine->listeners);
  pthread_mutex_unlock(&engine->lock);
  for (size_t i = 0; i < old->count; i++) {
    if (atomic_load(&old->items[i]->retired)) {
      empty_door(worker, old->items[i]);
      close_door(worker, old->items[i]);
    }
  }
  open_all(worker);
  epi__listeners_free(old); /* it may close sockets, which is waited for */
  settle(worker);
}

int epi__doors_are_settled(const epi_engine *engine) {
  const epi__listeners *list = atomic_load(&engine->listeners);

  for (size_t i = 0; i < engine->worker_count; i++) {
    if (engine->workers[i]->settled != list->number) {
      return 0;
    }
  }
  return 1;
}

void epi__doors_close(epi__worker *worker) {
  for (size_t i = 0; i < worker->listeners->count; i++) {
    close_door(worker, worker->listeners->items[i]);
  }
}

epi__door *epi__door_find(const epi__worker *worker, int64_t listener) {
  for (size_t i = 0; i < worker->listeners->count; i++) {
    if (worker->listeners->items[i]->id == listener) {
      return &worker->listeners->items[i]->doors[worker->number];
    }
  }
  return NULL;
}
