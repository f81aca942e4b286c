/* admin_serve.c: a thread that takes admins' connections.
 *
 * It has a loop of its own: what an admin asks for may wait for workers, and
 * must not wait in one. It is stopped before any call takes the engine's lock
 * for calls, which a request may be waiting for. */
#include "engine/admin_serve.h"

#include "base/fail.h"
#include "base/memory.h"
#include "os/os.h"

#include <stddef.h>

enum {
  PAUSE_MS = 200, /* while there are no descriptors */
};

struct epi__admin {
  epi_engine *engine;
  char *path;
  epi__unix_door door;
  pthread_t thread;
  atomic_int stopping;
  epi__wake wake;
  epi__io io;
  epi__timer pause;
  epi__admin_peers peers;
};

static void watch(epi__admin *admin);

static void on_pause(epi__timer *timer) {
  watch(EPI__OWNER(timer, epi__admin, pause));
}

static void turn_away(epi__admin *admin, int fd, const epi__unix_peer *who) {
  epi__log(admin->engine, EPI_LOG_ERROR,
           "admin: process %lld of user %lld may not ask", (long long)who->pid,
           (long long)who->uid);
  epi__sock_close(fd, 0);
}

static void on_door(epi__io *io, int events) {
  epi__admin *admin = EPI__OWNER(io, epi__admin, io);
  epi__unix_peer who;
  int fd, result;

  (void)events;
  result = epi__unix_accept(admin->door.fd, &fd, &who);
  if (result == EPI_ELIMIT) {
    epi__io_set(admin->peers.loop, &admin->io, admin->door.fd, 0, on_door);
    epi__timer_start(admin->peers.loop, &admin->pause, PAUSE_MS, on_pause);
  } else if (!result && !epi__unix_is_own(&who)) {
    turn_away(admin, fd, &who);
  } else if (!result) {
    epi__admin_welcome(&admin->peers, fd, &who);
  }
}

static void watch(epi__admin *admin) {
  epi__io_set(admin->peers.loop, &admin->io, admin->door.fd, EPI__READ,
              on_door);
}

static void on_wake(epi__wake *wake) {
  epi__admin *admin = EPI__OWNER(wake, epi__admin, wake);

  if (atomic_load(&admin->stopping)) {
    epi__loop_stop(admin->peers.loop);
  }
}

static void *run(void *user) {
  epi__admin *admin = user;

  watch(admin);
  epi__loop_run(admin->peers.loop);
  epi__admin_dismiss(&admin->peers);
  epi__io_stop(admin->peers.loop, &admin->io);
  epi__timer_stop(admin->peers.loop, &admin->pause);
  return NULL;
}

static void free_admin(epi__admin *admin) {
  if (admin->peers.loop) {
    epi__wake_stop(&admin->wake);
  }
  epi__loop_free(admin->peers.loop);
  if (admin->path) {
    epi__unix_close(&admin->door, admin->path);
  }
  epi__free(admin->path);
  epi__free(admin);
}

static int new_admin(epi__admin **out, epi_engine *engine, const char *path) {
  epi__admin *admin = epi__alloc(sizeof *admin);
  int result;

  if (!admin) {
    return EPI_ENOMEM;
  }
  admin->engine = admin->peers.engine = engine;
  admin->door.fd = -1;
  admin->path = epi__strdup(path);
  result = admin->path ? epi__loop_new(&admin->peers.loop) : EPI_ENOMEM;
  if (!result) {
    epi__wake_start(admin->peers.loop, &admin->wake, on_wake);
    result = epi__unix_listen(&admin->door, path);
  }
  if (!result) {
    result = epi__thread_start(&admin->thread, run, admin);
  }
  if (result) {
    free_admin(admin);
    return result;
  }
  *out = admin;
  return 0;
}

/* Under the lock. */
static void stop(epi_engine *engine) {
  epi__admin *admin = engine->admin;

  if (admin) {
    atomic_store(&admin->stopping, 1);
    epi__wake_send(&admin->wake);
    pthread_join(admin->thread, NULL);
    free_admin(admin);
    engine->admin = NULL;
  }
}

void epi__admin_stop(epi_engine *engine) {
  pthread_mutex_lock(&engine->admin_lock);
  stop(engine);
  engine->admin_over = 1;
  pthread_mutex_unlock(&engine->admin_lock);
}

int epi_engine_serve_admin(epi_engine *engine, const char *path) {
  int result = 0;

  pthread_mutex_lock(&engine->admin_lock);
  if (!path) {
    stop(engine);
  } else if (engine->admin) {
    result = epi__fail(EPI_ESTATE, "the engine serves admins already, at %s",
                       engine->admin->path);
  } else if (engine->admin_over) {
    result = epi__fail(EPI_ESTATE, "the engine was stopped");
  } else {
    result = new_admin(&engine->admin, engine, path);
  }
  pthread_mutex_unlock(&engine->admin_lock);
  return result;
}

void epi_engine_on_reload(epi_engine *engine, void (*callback)(void *user),
                          void *user) {
  engine->on_reload = callback;
  engine->reload_user = user;
}
