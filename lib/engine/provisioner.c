/* provisioner.c: the thread in which instances are started and stopped. */
#include "engine/provisioner.h"

#include "base/memory.h"
#include "engine/mailbox.h"
#include "engine/worker.h"
#include "os/os.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

enum {
  LOG_LINE = 1000, /* bytes; epi__log() takes no more */
};

int epi__provisioner_new(epi__provisioner **out, epi_engine *engine) {
  epi__provisioner *provisioner = epi__alloc(sizeof *provisioner);

  if (!provisioner) {
    return EPI_ENOMEM;
  }
  provisioner->engine = engine;
  pthread_mutex_init(&provisioner->lock, NULL);
  *out = provisioner;
  return 0;
}

void epi__provisioner_free(epi__provisioner *provisioner) {
  if (!provisioner) {
    return;
  }
  epi__supplies_settle(provisioner, 1); /* no model: all are gone */
  epi__free(provisioner->command);
  pthread_mutex_destroy(&provisioner->lock);
  epi__free(provisioner);
}

void epi__provisioner_wake(epi__provisioner *provisioner) {
  if (provisioner->running) {
    epi__wake_send(&provisioner->wake);
  }
}

void epi__provisioner_log(epi__provisioner *provisioner, int level,
                          const char *format, ...) {
  char line[LOG_LINE];
  va_list arguments;

  va_start(arguments, format);
  vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  pthread_mutex_unlock(&provisioner->lock);
  epi__log(provisioner->engine, level, "%s", line);
  pthread_mutex_lock(&provisioner->lock);
}

static void enter(epi__supplied *instance, int state) {
  instance->state = state;
  instance->since = epi__clock_steady();
}

/* ---- what a change brings: each step under the lock, which it may let go for
 * a while; returns 1 if others may have a next step now, too ---- */

static int ask_for(epi__provisioner *provisioner, epi__supplied *instance) {
  const epi__supply *supply = instance->supply;

  if (supply->gone || provisioner->stopping) {
    epi__supplied_free(instance);
    return 1;
  }
  enter(instance, EPI__ASKED);
  epi__provisioner_log(provisioner, EPI_LOG_NOTE,
                       "instance %" PRId64 " of \"%s\" is being started",
                       instance->number, supply->function);
  pthread_mutex_unlock(&provisioner->lock);
  if (provisioner->command) {
    epi__command_start(provisioner, instance);
  } else {
    provisioner->on_start(instance->number, supply->function, supply->image,
                          supply->options, provisioner->start_user);
  }
  pthread_mutex_lock(&provisioner->lock);
  return 1;
}

static int use(epi__provisioner *provisioner, epi__supplied *instance) {
  if (epi__instance_add(provisioner->engine->instances,
                        instance->supply->function, instance->url,
                        &instance->instance)) {
    epi__supply_failed(provisioner, instance, epi_error_detail());
    enter(instance, EPI__UNWANTED);
    return 1;
  }
  enter(instance, EPI__READY);
  epi__provisioner_log(provisioner, EPI_LOG_NOTE,
                       "instance %" PRId64 " of \"%s\" is ready at %s",
                       instance->number, instance->supply->function,
                       epi__instance_shown(instance->instance));
  return 1;
}

/* It was asked for: is it ready, has it failed, or is it too late? */
static int look_for(epi__provisioner *provisioner, epi__supplied *instance,
                    int64_t *left) {
  int64_t limit = provisioner->engine->settings[EPI_ENGINE_PROVISION_MS];
  char why[64];

  if (instance->why[0]) {
    epi__supply_failed(provisioner, instance, instance->why);
    if (instance->url || instance->unheard) { /* it was there */
      enter(instance, EPI__UNWANTED);
    } else {
      epi__supplied_free(instance);
    }
    return 1;
  }
  if (instance->supply->gone || provisioner->stopping) {
    enter(instance, EPI__UNWANTED);
    return 1;
  }
  if (instance->url) {
    return use(provisioner, instance);
  }
  *left = instance->since + limit - epi__clock_steady();
  if (*left > 0) {
    return 0;
  }
  snprintf(why, sizeof why, "it was not ready in %" PRId64 " ms", limit);
  epi__supply_failed(provisioner, instance, why);
  enter(instance, EPI__UNWANTED);
  return 1;
}

/* No new flows go there. */
static int retire(epi__supplied *instance) {
  epi__instance_close(instance->instance, 0);
  enter(instance, EPI__OVER);
  return 1;
}

/* It is ready: shall it stay so? Flows that wait may be on their way to it. */
static int keep(epi__provisioner *provisioner, epi__supplied *instance,
                int64_t *left) {
  int64_t limit = provisioner->engine->settings[EPI_ENGINE_INSTANCE_IDLE_MS];
  int64_t since, now = epi__clock_steady();
  int flows = epi__instance_flows(instance->instance, &since);
  int needed = flows || instance->supply->waiting;

  if (instance->why[0] || epi__instance_fails(instance->instance)) {
    epi__supply_failed(provisioner, instance,
                       instance->why[0] ? instance->why : "it does not answer");
    return retire(instance);
  }
  if (instance->supply->gone || provisioner->stopping) {
    return retire(instance);
  }
  if (limit) {
    *left = (needed ? now : since) + limit - now;
  }
  return limit && !needed && *left <= 0 ? retire(instance) : 0;
}

/* Its flows are over, or it is high time. */
static int let_go(epi__provisioner *provisioner, epi__supplied *instance) {
  int64_t since;

  if (epi__instance_flows(instance->instance, &since) &&
      !provisioner->stopping) {
    return 0;
  }
  epi__instance_retire(instance->instance);
  instance->instance = NULL;
  enter(instance, EPI__UNWANTED);
  return 1;
}

static int stop(epi__provisioner *provisioner, epi__supplied *instance) {
  enter(instance, EPI__STOPPING);
  epi__provisioner_log(provisioner, EPI_LOG_NOTE,
                       "instance %" PRId64 " of \"%s\" is being stopped",
                       instance->number, instance->supply->function);
  pthread_mutex_unlock(&provisioner->lock);
  if (provisioner->command) {
    epi__command_stop(provisioner, instance);
  } else if (provisioner->on_stop) {
    provisioner->on_stop(instance->number, instance->supply->function,
                         instance->url ? instance->url : "",
                         provisioner->stop_user);
  }
  pthread_mutex_lock(&provisioner->lock);
  if (!provisioner->command) {
    epi__supplied_free(instance);
  }
  return 1;
}

/* left is how long nothing more happens by itself, -1: for ever. */
static int step(epi__provisioner *provisioner, epi__supplied *instance,
                int64_t *left) {
  *left = -1;
  switch (instance->state) {
  case EPI__WANTED:
    return ask_for(provisioner, instance);
  case EPI__ASKED:
    return look_for(provisioner, instance, left);
  case EPI__READY:
    return keep(provisioner, instance, left);
  case EPI__OVER:
    return let_go(provisioner, instance);
  case EPI__UNWANTED:
    return stop(provisioner, instance);
  default:
    return 0;
  }
}

/* One step of the first that has one. Else *left is as for step(). */
static int step_any(epi__provisioner *provisioner, int64_t *left) {
  int64_t one_left;

  *left = -1;
  for (epi__supply *supply = provisioner->supplies; supply;
       supply = supply->next) {
    for (epi__supplied *one = supply->first; one; one = one->next) {
      if (step(provisioner, one, &one_left)) {
        return 1;
      }
      if (one_left >= 0 && (*left < 0 || one_left < *left)) {
        *left = one_left;
      }
    }
  }
  return 0;
}

static void on_timer(epi__timer *timer);

static int has_instances(const epi__provisioner *provisioner) {
  for (const epi__supply *supply = provisioner->supplies; supply;
       supply = supply->next) {
    if (supply->first) {
      return 1;
    }
  }
  return 0;
}

static void work(epi__provisioner *provisioner) {
  int64_t left;
  int changed = 0;

  pthread_mutex_lock(&provisioner->lock);
  while (step_any(provisioner, &left)) {
    changed = 1;
  }
  epi__supplies_tidy(provisioner);
  if (provisioner->stopping && !has_instances(provisioner)) {
    epi__loop_stop(provisioner->loop);
  }
  pthread_mutex_unlock(&provisioner->lock);
  if (left >= 0) {
    epi__timer_start(provisioner->loop, &provisioner->timer, left + 1,
                     on_timer);
  } else {
    epi__timer_stop(provisioner->loop, &provisioner->timer);
  }
  if (changed) {
    atomic_fetch_add(&provisioner->engine->provisioned, 1);
    epi__mailbox_wake_all(provisioner->engine);
  }
}

static void on_timer(epi__timer *timer) {
  work(EPI__OWNER(timer, epi__provisioner, timer));
}

static void on_wake(epi__wake *wake) {
  work(EPI__OWNER(wake, epi__provisioner, wake));
}

/* ---- the thread ---- */

static void *run(void *user) {
  epi__provisioner *provisioner = user;

  epi__loop_run(provisioner->loop);
  return NULL;
}

static void end_loop(epi__provisioner *provisioner) {
  epi__timer_stop(provisioner->loop, &provisioner->timer);
  epi__wake_stop(&provisioner->wake);
  epi__loop_free(provisioner->loop);
  provisioner->loop = NULL;
}

static void on_change(void *user) {
  epi__provisioner *provisioner = user;

  epi__wake_send(&provisioner->wake);
}

int epi__provisioner_start(epi__provisioner *provisioner) {
  int result;

  if (!provisioner->on_start && !provisioner->command) {
    return 0;
  }
  result = epi__loop_new(&provisioner->loop);
  if (result) {
    return result;
  }
  epi__wake_start(provisioner->loop, &provisioner->wake, on_wake);
  result = epi__thread_start(&provisioner->thread, run, provisioner);
  if (result) {
    end_loop(provisioner);
    return result;
  }
  epi__instances_on_change(provisioner->engine->instances, on_change,
                           provisioner);
  pthread_mutex_lock(&provisioner->lock);
  provisioner->running = 1;
  pthread_mutex_unlock(&provisioner->lock);
  return 0;
}

void epi__provisioner_stop(epi__provisioner *provisioner) {
  if (!provisioner || !provisioner->running) {
    return;
  }
  pthread_mutex_lock(&provisioner->lock);
  provisioner->stopping = 1;
  epi__provisioner_wake(provisioner);
  pthread_mutex_unlock(&provisioner->lock);
  pthread_join(provisioner->thread, NULL);
  epi__instances_on_change(provisioner->engine->instances, NULL, NULL);
  pthread_mutex_lock(&provisioner->lock);
  provisioner->running = 0;
  pthread_mutex_unlock(&provisioner->lock);
  end_loop(provisioner);
}
