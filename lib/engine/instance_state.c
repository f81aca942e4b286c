/* instance_state.c: what is known of an instance, and how that changes. */
#include "base/json.h"
#include "base/memory.h"
#include "engine/instance_table.h"
#include "engine/worker.h"
#include "os/os.h"

enum {
  WAIT_MAX_MS = 5 * 60 * 1000, /* of what fails again and again */
};

const char *epi__instance_url(const epi__instance *instance) {
  return instance->url;
}

const char *epi__instance_shown(const epi__instance *instance) {
  return instance->shown;
}

const char *epi__instance_function(const epi__instance *instance) {
  return instance->pool->function;
}

int64_t epi__instance_number(const epi__instance *instance) {
  return instance->number;
}

int epi__instance_is_gone(epi__instance *instance) {
  int gone;

  pthread_mutex_lock(&instance->table->lock);
  gone = instance->gone;
  pthread_mutex_unlock(&instance->table->lock);
  return gone;
}

int epi__instance_flows(epi__instance *instance, int64_t *idle_since) {
  int flows;

  pthread_mutex_lock(&instance->table->lock);
  flows = instance->flows;
  *idle_since = instance->idle_since;
  pthread_mutex_unlock(&instance->table->lock);
  return flows;
}

void epi__instance_reached(epi__instance *instance) {
  if (atomic_load(&instance->failures) &&
      atomic_exchange(&instance->failures, 0)) {
    epi__log(instance->table->engine, EPI_LOG_NOTE,
             "\"%s\" at %s answers again", instance->pool->function,
             instance->shown);
  }
}

void epi__instance_works(epi__instance *instance) {
  if (atomic_load(&instance->relapses)) {
    atomic_store(&instance->relapses, 0);
  }
  epi__instance_reached(instance);
}

/* by_flow is 1 for what a flow saw. */
static void fail(epi__instance *instance, int by_flow, const char *why) {
  epi__instances *table = instance->table;
  int before, tell;

  pthread_mutex_lock(&table->lock);
  tell = !instance->in_model && table->on_change;
  before = atomic_fetch_add(&instance->failures, 1);
  instance->failed_as = ++table->last_failure;
  if (by_flow) {
    instance->failed_at = epi__clock_steady();
    atomic_fetch_add(&instance->relapses, !before);
  } else {
    instance->failed_at = 0; /* the next probe may see somebody */
  }
  pthread_mutex_unlock(&table->lock);
  if (!before) {
    epi__log(table->engine, EPI_LOG_ERROR, "\"%s\" at %s does not answer: %s",
             instance->pool->function, instance->shown, why);
  }
  if (tell) {
    table->on_change(table->change_user);
  }
}

int epi__instance_fails(const epi__instance *instance) {
  return atomic_load(&instance->failures) > 0;
}

void epi__instance_failed(epi__instance *instance, const char *why) {
  fail(instance, 1, why);
}

void epi__instance_missed(epi__instance *instance, const char *why) {
  if (!atomic_load(&instance->failures)) {
    fail(instance, 0, why);
  }
}

/* ---- whom to probe ---- */

/* A failure counts for an interval; for twice as long each time that the
 * instance began to fail flows again. */
static int is_due(const epi__instance *instance, int64_t now,
                  int64_t interval_ms) {
  int doublings = atomic_load(&instance->relapses) - 1;
  int64_t wait = interval_ms;

  if (!epi__instance_is_open(instance)) {
    return 0;
  }
  if (!atomic_load(&instance->failures)) {
    return instance->pool->count > 1;
  }
  while (doublings-- > 0 && wait < WAIT_MAX_MS) {
    wait *= 2;
  }
  return now - instance->failed_at >= wait;
}

epi__instance **epi__instances_due(epi__instances *table, int64_t interval_ms,
                                   size_t *count) {
  int64_t now = epi__clock_steady();
  epi__instance **list = NULL;
  size_t room = 0;

  *count = 0;
  pthread_mutex_lock(&table->lock);
  for (size_t i = 0; i < table->count; i++) {
    for (size_t k = 0; k < table->pools[i]->count; k++) {
      epi__instance *instance = table->pools[i]->items[k];
      epi__instance **moved = is_due(instance, now, interval_ms)
                                  ? epi__grow(list, *count, &room, sizeof *list)
                                  : NULL;

      if (moved) {
        list = moved;
        list[(*count)++] = instance;
        instance->holds++;
      }
    }
  }
  pthread_mutex_unlock(&table->lock);
  return list;
}

void epi__instance_let_go(epi__instance *instance) {
  epi__instances *table = instance->table;

  pthread_mutex_lock(&table->lock);
  instance->holds--;
  epi__instance_tidy(instance);
  pthread_mutex_unlock(&table->lock);
}

/* ---- as JSON ---- */

static void put(epi__text *out, const epi__instance *instance) {
  epi__text_puts(out, "{\"function\":");
  epi__json_put_string(out, instance->pool->function);
  epi__text_puts(out, ",\"url\":");
  epi__json_put_string(out, instance->shown);
  epi__text_printf(out, ",\"answers\":%s,\"retired\":%s,\"flows\":%d}",
                   atomic_load(&instance->failures) ? "false" : "true",
                   epi__instance_is_open(instance) ? "false" : "true",
                   instance->flows);
}

void epi__instances_put(epi__text *out, epi__instances *table) {
  int first = 1;

  pthread_mutex_lock(&table->lock);
  epi__text_puts(out, "[");
  for (size_t i = 0; i < table->count; i++) {
    for (size_t k = 0; k < table->pools[i]->count; k++, first = 0) {
      epi__text_puts(out, first ? "" : ",");
      put(out, table->pools[i]->items[k]);
    }
  }
  epi__text_puts(out, "]");
  pthread_mutex_unlock(&table->lock);
}
