/* listen.c: where an engine listens: calls that add and remove listeners, also
 * while it runs. */
#include "base/fail.h"
#include "base/memory.h"
#include "engine/worker.h"
#include "os/os.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
  CLOSE_S = 1, /* for workers to close what they do not listen with any more */
};

/* Ports of the model are not among them. */
static size_t count_own(const epi__listeners *list) {
  size_t count = 0;

  for (size_t i = 0; i < list->count; i++) {
    count += list->items[i]->kind != EPI__LISTEN_PORT;
  }
  return count;
}

static int may_change(const epi_engine *engine) {
  if (engine->started && !engine->worker_count) {
    return epi__fail(EPI_ESTATE, "the engine was stopped");
  }
  return atomic_load(&engine->drains)
             ? epi__fail(EPI_ESTATE, "the engine drains")
             : 0;
}

/* The list without one listener, NULL for none, and with another, which may be
 * NULL, in its place or at the end. NULL when out of memory. */
static epi__listeners *changed(const epi__listeners *old,
                               const epi__listener *without,
                               epi__listener *with) {
  epi__listeners *list = epi__listeners_new(old->count + 1);

  for (size_t i = 0; list && i < old->count; i++) {
    if (old->items[i] != without) {
      epi__listeners_add(list, old->items[i]);
    } else if (with) {
      epi__listeners_add(list, with);
    }
  }
  if (list && with && !without) {
    epi__listeners_add(list, with);
  }
  return list;
}

/* Listen with a list from now on; its reference is taken over. */
static void put_in_force(epi_engine *engine, epi__listeners *list) {
  epi__listeners *old;

  pthread_mutex_lock(&engine->lock);
  old = epi__listeners_leave(engine, list);
  pthread_mutex_unlock(&engine->lock);
  epi__workers_wake(engine);
  epi__listeners_free(old);
}

static void say(epi_engine *engine, const epi__listener *listener,
                const char *what) {
  if (engine->started) {
    epi__log(engine, EPI_LOG_NOTE, "%s %s", listener->name, what);
  }
}

/* Take a new listener in, in place of another, or of NULL. */
static int take_in(epi_engine *engine, const epi__listener *before,
                   epi__listener *listener) {
  epi__listeners *list = changed(engine->listeners, before, listener);
  int result = list ? 0 : EPI_ENOMEM;

  if (!result && engine->started) {
    result = epi__listeners_check_loops(list, engine);
    if (!result) {
      result = epi__sessions_join(listener, engine->listeners, engine);
    }
  }
  if (result) {
    epi__listeners_free(list);
    return result;
  }
  listener->id = ++engine->next_listener;
  put_in_force(engine, list);
  return 0;
}

static int add(epi_engine *engine, const char *url) {
  epi__listener *listener = NULL;
  int result = may_change(engine);

  if (!result && count_own(engine->listeners) == EPI__LISTENERS_MAX) {
    result = epi__fail(EPI_ELIMIT, "over %d listeners", EPI__LISTENERS_MAX);
  }
  if (!result) {
    result = epi__listener_new(&listener, engine, url);
  }
  if (!result) {
    result = take_in(engine, NULL, listener);
  }
  if (!result) {
    say(engine, listener, "opens");
  }
  epi__listener_free(listener);
  return result;
}

int epi_engine_listen(epi_engine *engine, const char *url) {
  int result;

  pthread_mutex_lock(&engine->calls);
  result = add(engine, url);
  pthread_mutex_unlock(&engine->calls);
  return result;
}

/* ---- those that are there ---- */

/* By the URL as it was given, or as log lines have it; or NULL. */
static epi__listener *find(const epi_engine *engine, const char *url) {
  const epi__listeners *list = engine->listeners;

  for (size_t i = 0; i < list->count; i++) {
    epi__listener *listener = list->items[i];

    if (listener->kind != EPI__LISTEN_PORT &&
        (!strcmp(listener->url, url) || !strcmp(listener->name, url))) {
      return listener;
    }
  }
  epi__fail(EPI_ENOENT, "no listener %s", url);
  return NULL;
}

/* Wait until no worker has sockets that are closed, within limits. */
static void await_closed(epi_engine *engine) {
  struct timespec until;

  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_sec += CLOSE_S;
  pthread_mutex_lock(&engine->lock);
  while (!epi__doors_are_settled(engine) &&
         !pthread_cond_timedwait(&engine->settled, &engine->lock, &until)) {
  }
  pthread_mutex_unlock(&engine->lock);
}

static int take_away(epi_engine *engine, const char *url) {
  epi__listeners *list;
  epi__listener *listener;
  int result = may_change(engine);

  if (result) {
    return result;
  }
  listener = find(engine, url);
  if (!listener) {
    return EPI_ENOENT;
  }
  list = changed(engine->listeners, listener, NULL);
  if (!list) {
    return EPI_ENOMEM;
  }
  if (engine->started && !list->count) {
    epi__listeners_free(list);
    return epi__fail(EPI_ESTATE, "%s is the last: stop or drain the engine",
                     listener->name);
  }
  epi__listener_ref(listener);
  put_in_force(engine, list);
  say(engine, listener, "closes");
  await_closed(engine);
  epi__listener_free(listener);
  return 0;
}

int epi_engine_unlisten(epi_engine *engine, const char *url) {
  int result;

  pthread_mutex_lock(&engine->calls);
  result = take_away(engine, url);
  pthread_mutex_unlock(&engine->calls);
  return result;
}

/* ---- another URL, and the same sockets ---- */

/* Have a new listener at the same address find the sockets of this one. */
static int offer_sockets(epi_engine *engine, const epi__listener *listener) {
  const int *const fds[] = {listener->fds, listener->udp_port.fds,
                            listener->dtls_port.fds};
  const int counts[] = {listener->fd_count, listener->udp_port.count,
                        listener->dtls_port.count};
  epi__adopted *adopted = &engine->adopted;
  int result = 0;

  for (int k = 0; k < 3; k++) {
    for (int i = 0; i < counts[k] && !result; i++) {
      epi__adopted_socket *copy = &adopted->items[adopted->count];

      if (adopted->count == EPI__ADOPTED_MAX) {
        return epi__fail(EPI_ELIMIT, "over %d sockets", EPI__ADOPTED_MAX);
      }
      copy->datagrams = k > 0;
      result = epi__sock_copy(fds[k][i], &copy->fd);
      adopted->count += !result;
    }
  }
  return result;
}

static int exchange(epi_engine *engine, const char *url, const char *by) {
  epi__listener *before, *listener = NULL;
  int result = may_change(engine);

  if (!result && !engine->started) {
    result = epi__fail(EPI_ESTATE, "an engine that does not run can unlisten");
  }
  if (result) {
    return result;
  }
  before = find(engine, url);
  if (!before) {
    return EPI_ENOENT;
  }
  result = offer_sockets(engine, before);
  if (!result) {
    result = epi__listener_new(&listener, engine, by);
  }
  epi__adopted_drop(engine, 0);
  if (result) {
    return result;
  }
  epi__listener_ref(before);
  result = take_in(engine, before, listener);
  if (!result) {
    say(engine, before, "closes, another takes its place");
    say(engine, listener, "opens");
    await_closed(engine);
  }
  epi__listener_free(before);
  epi__listener_free(listener);
  return result;
}

int epi_engine_relisten(epi_engine *engine, const char *url, const char *by) {
  int result;

  pthread_mutex_lock(&engine->calls);
  result = exchange(engine, url, by);
  pthread_mutex_unlock(&engine->calls);
  return result;
}

/* ---- asking ---- */

/* The caller lets go of it. Returns NULL if there is none with that index. */
static epi__listener *at(const epi_engine *engine, size_t index) {
  epi__listener *found = NULL;
  const epi__listeners *list;

  pthread_mutex_lock(&engine->self->lock);
  list = engine->listeners;
  for (size_t i = 0; i < list->count && !found; i++) {
    if (list->items[i]->kind != EPI__LISTEN_PORT && !index--) {
      found = epi__listener_ref(list->items[i]);
    }
  }
  pthread_mutex_unlock(&engine->self->lock);
  return found;
}

int epi_engine_listener_addr(const epi_engine *engine, size_t index,
                             epi_addr *out) {
  epi__listener *listener = at(engine, index);

  if (!listener) {
    return epi__fail(EPI_EINVAL, "no listener %zu", index);
  }
  *out = listener->addr;
  epi__listener_free(listener);
  return 0;
}

int epi_engine_listener_url(const epi_engine *engine, size_t index,
                            char **out) {
  epi__listener *listener = at(engine, index);
  char *copy;

  if (!listener) {
    return epi__fail(EPI_EINVAL, "no listener %zu", index);
  }
  copy = epi__strdup(listener->url);
  epi__listener_free(listener);
  if (!copy) {
    return EPI_ENOMEM;
  }
  *out = copy;
  return 0;
}
