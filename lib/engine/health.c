/* health.c: probes of instances: a connection without a byte.
 *
 * All that are due are probed in a row, some at a time, and a list that is not
 * through when the next would be due is finished first. */
#include "engine/health.h"

#include "base/fail.h"
#include "base/memory.h"
#include "base/net.h"
#include "engine/dial.h"
#include "os/os.h"

#include <errno.h>
#include <stddef.h>

enum {
  AT_ONCE = 32,
};

typedef struct probe {
  epi__io io;
  epi__timer timer;
  epi__health *health;
  epi__instance *instance; /* NULL: this one is free */
  epi__node_lookup *lookup;
  int fd; /* -1: none */
} probe;

struct epi__health {
  epi__worker *worker;
  epi__timer timer;
  epi__instance **due;
  size_t count, next;
  probe probes[AT_ONCE];
  int starting;
};

static void probe_more(epi__health *health);

static void stop(probe *it) {
  epi__loop *loop = it->health->worker->loop;

  epi__node_lookup_cancel(it->lookup);
  it->lookup = NULL;
  epi__timer_stop(loop, &it->timer);
  if (it->fd >= 0) {
    epi__io_stop(loop, &it->io);
    epi__sock_close(it->fd, 0);
    it->fd = -1;
  }
  epi__instance_let_go(it->instance);
  it->instance = NULL;
}

/* why is NULL if the instance is there. */
static void finish(probe *it, const char *why) {
  if (why) {
    epi__instance_missed(it->instance, why);
  } else {
    epi__instance_reached(it->instance);
  }
  stop(it);
  probe_more(it->health);
}

static void on_ready(epi__io *io, int events) {
  probe *it = EPI__OWNER(io, probe, io);
  int error = epi__sock_outcome(it->fd);

  (void)events;
  finish(it, error ? epi__dial_error_text(error) : NULL);
}

static void on_timeout(epi__timer *timer) {
  finish(EPI__OWNER(timer, probe, timer), epi__dial_error_text(ETIMEDOUT));
}

static void connect_to(probe *it, const epi_addr *addr) {
  epi__worker *worker = it->health->worker;
  uint32_t mark = (uint32_t)worker->engine->settings[EPI_ENGINE_MARK];

  if (epi__sock_connect(addr, mark, &it->fd)) {
    it->fd = -1;
    finish(it, epi__dial_error_text(errno));
    return;
  }
  epi__io_set(worker->loop, &it->io, it->fd, EPI__WRITE, on_ready);
}

static void on_addresses(void *user, const epi_addr *addrs, size_t count,
                         const char *why) {
  probe *it = user;

  it->lookup = NULL;
  if (count) {
    connect_to(it, &addrs[0]);
  } else {
    finish(it, why);
  }
}

static void begin(probe *it, epi__instance *instance) {
  epi__worker *worker = it->health->worker;
  epi__url url;

  it->instance = instance;
  if (epi__url_parse(&url, epi__instance_url(instance))) {
    stop(it); /* flows say what is wrong with it */
    return;
  }
  epi__timer_start(worker->loop, &it->timer,
                   worker->engine->settings[EPI_ENGINE_CONNECT_MS], on_timeout);
  if (url.addr.kind != EPI_ADDR_NAME) {
    connect_to(it, &url.addr);
  } else if (epi__node_lookup_start(worker->resolver, &url.addr, on_addresses,
                                    it, &it->lookup)) {
    stop(it);
  }
  epi_wipe(&url, sizeof url);
}

/* As many as may run at once. One may end while it begins: the loop goes on to
 * the next, instead of calling itself. */
static void probe_more(epi__health *health) {
  if (health->starting) {
    return;
  }
  health->starting = 1;
  for (size_t i = 0; i < AT_ONCE; i++) {
    while (!health->probes[i].instance && health->next < health->count) {
      begin(&health->probes[i], health->due[health->next++]);
    }
  }
  health->starting = 0;
}

static int is_through(const epi__health *health) {
  for (size_t i = 0; i < AT_ONCE; i++) {
    if (health->probes[i].instance) {
      return 0;
    }
  }
  return health->next == health->count;
}

static void on_turn(epi__timer *timer) {
  epi__health *health = EPI__OWNER(timer, epi__health, timer);
  epi_engine *engine = health->worker->engine;
  int64_t interval = engine->settings[EPI_ENGINE_HEALTH_MS];

  if (is_through(health)) {
    epi__free(health->due);
    health->next = 0;
    health->due =
        epi__instances_due(engine->instances, interval, &health->count);
    probe_more(health);
  }
  epi__timer_start(health->worker->loop, timer, interval, on_turn);
}

int epi__health_start(epi__health **out, epi__worker *worker) {
  int64_t interval = worker->engine->settings[EPI_ENGINE_HEALTH_MS];
  epi__health *health;

  if (!interval) {
    return 0;
  }
  health = epi__alloc(sizeof *health);
  if (!health) {
    return EPI_ENOMEM;
  }
  health->worker = worker;
  for (size_t i = 0; i < AT_ONCE; i++) {
    health->probes[i].health = health;
    health->probes[i].fd = -1;
  }
  epi__timer_start(worker->loop, &health->timer, interval, on_turn);
  *out = health;
  return 0;
}

void epi__health_stop(epi__health *health) {
  if (!health) {
    return;
  }
  epi__timer_stop(health->worker->loop, &health->timer);
  while (health->next < health->count) {
    epi__instance_let_go(health->due[health->next++]);
  }
  for (size_t i = 0; i < AT_ONCE; i++) {
    if (health->probes[i].instance) {
      stop(&health->probes[i]);
    }
  }
  epi__free(health->due);
  epi__free(health);
}
