/* doors.c: a worker's doors: it has those of the listeners that it knows. */
#include "engine/dtls_door.h"

/* Who has a listener closed may wait for that. */
static void count_open(epi_engine *engine, epi__listener *listener,
                       int change) {
  pthread_mutex_lock(&engine->lock);
  listener->open += change;
  pthread_cond_broadcast(&engine->closed);
  pthread_mutex_unlock(&engine->lock);
}

static void open_door(epi__worker *worker, epi__listener *listener) {
  epi__door *door = &listener->doors[worker->number];

  /* One that has retired since the list was taken may be closed already. */
  if (door->worker || atomic_load(&listener->retired)) {
    return;
  }
  count_open(worker->engine, listener, 1);
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
    count_open(worker->engine, listener, -1);
  }
}

/* The kernel resets who is left in the queue of a socket that is closed. */
static void empty_door(const epi__worker *worker, epi__listener *listener) {
  epi__door *door = &listener->doors[worker->number];

  if (door->worker) {
    epi__door_empty(door);
  }
}

void epi__doors_open(epi__worker *worker) {
  for (size_t i = 0; i < worker->listeners->count; i++) {
    open_door(worker, worker->listeners->items[i]);
  }
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
  epi__doors_open(worker);
  epi__listeners_free(old);
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
