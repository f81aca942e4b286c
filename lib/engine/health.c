/* health.c: probes of instances: a connection without a byte, but for those of
 * the TLS handshake where that is spoken.
 *
 * All that are due are probed in a row, some at a time, and a list that is not
 * through when the next would be due is finished first. */
#include "engine/health.h"

#include "base/fail.h"
#include "base/memory.h"
#include "base/net.h"
#include "engine/dial.h"
#include "engine/tls_sock.h"
#include "os/os.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum {
  AT_ONCE = 32,
};

typedef struct probe {
  epi__io io;
  epi__timer timer;
  epi__health *health;
  epi__instance *instance; /* NULL: this one is free */
  epi__node_lookup *lookup;
  epi__hop hop;      /* if TLS is spoken there; else all zero */
  epi__tls *session; /* NULL: it is not, or not connected yet */
  int fd;            /* -1: none */
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
  epi__tls_free(it->session);
  it->session = NULL;
  epi__hop_clear(&it->hop);
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

/* Whose certificate is not good, nor will be for flows, is not there. */
static void on_tls(epi__io *io, int events) {
  probe *it = EPI__OWNER(io, probe, io);
  epi__loop *loop = it->health->worker->loop;
  char why[400];
  int heard = 0;
  int result = epi__tls_sock_shake(it->session, it->fd, &heard);

  (void)events;
  if (!result) {
    epi__io_set(loop, io, it->fd,
                EPI__READ | (epi__tls_sock_waits(it->session) ? EPI__WRITE : 0),
                on_tls);
    return;
  }
  snprintf(why, sizeof why, "%s", epi_error_detail());
  if (result > 0) {
    epi__tls_end(it->session);
    epi__tls_sock_flush(it->session, it->fd);
  }
  finish(it, result < 0 ? why : NULL);
}

static void on_ready(epi__io *io, int events) {
  probe *it = EPI__OWNER(io, probe, io);
  int error = epi__sock_outcome(it->fd);

  if (error || !it->hop.tls) {
    finish(it, error ? epi__dial_error_text(error) : NULL);
  } else if (epi__hop_session(&it->hop, &it->session)) {
    stop(it); /* nothing is known of the instance */
    probe_more(it->health);
  } else {
    on_tls(io, events);
  }
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
  if (epi__url_parse(&url, epi__instance_url(instance)) ||
      (strstr(url.scheme, "+tls") &&
       epi__hop_read(&it->hop, worker->engine, epi__instance_url(instance),
                     1))) {
    epi_wipe(&url, sizeof url);
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
