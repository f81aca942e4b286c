/* log.c: log lines of an engine, and how many were too many. */
#include "base/fail.h"
#include "engine/worker.h"
#include "os/os.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

enum {
  LINE_MAX_BYTES = 1000,
  SETTLE_MS = 2500, /* looks whether it is time */
};

int epi__logs(const epi_engine *engine, int level) {
  return engine->on_log && level <= engine->settings[EPI_ENGINE_LOG_LEVEL];
}

/* Under the lock. */
static void say_counted(epi_engine *engine, int64_t now, int anyhow) {
  char line[EPI__FLOOD_LINE];
  int level;

  while ((level = epi__log_flood_due(engine->flood, now, anyhow, line)) != 0) {
    engine->on_log(level, line, engine->log_user);
  }
}

/* Under the lock. Returns 1 if a line may go out, else it was counted. */
static int may_go_out(epi_engine *engine, int level, const char *format,
                      const char *line) {
  int64_t most = engine->settings[EPI_ENGINE_LOG_LINES];
  int64_t now;

  if (!most) {
    return 1;
  }
  now = epi__clock_steady();
  say_counted(engine, now, 0);
  if (epi__log_flood_take(engine->flood, level, format, line, now, most)) {
    return 1;
  }
  atomic_store(&engine->flooded, 1);
  atomic_fetch_add(&engine->suppressed, 1);
  return 0;
}

void epi__log(epi_engine *engine, int level, const char *format, ...) {
  char line[LINE_MAX_BYTES + 1], clean[LINE_MAX_BYTES + 1];
  va_list args;

  if (!epi__logs(engine, level)) {
    return;
  }
  va_start(args, format);
  vsnprintf(line, sizeof line, format, args);
  va_end(args);
  epi__printable(clean, sizeof clean, line);
  pthread_mutex_lock(&engine->lock);
  if (may_go_out(engine, level, format, clean)) {
    engine->on_log(level, clean, engine->log_user);
  }
  pthread_mutex_unlock(&engine->lock);
}

/* ---- what was counted ---- */

static void settle(epi_engine *engine, int anyhow) {
  pthread_mutex_lock(&engine->lock);
  say_counted(engine, epi__clock_steady(), anyhow);
  if (epi__log_flood_waits(engine->flood)) {
    atomic_store(&engine->flooded, 1);
  }
  pthread_mutex_unlock(&engine->lock);
}

static void on_time(epi__timer *timer) {
  epi__worker *worker = EPI__OWNER(timer, epi__worker, flood);

  settle(worker->engine, 0);
  epi__log_settle(worker);
}

void epi__log_settle(epi__worker *worker) {
  atomic_int *flooded = &worker->engine->flooded;

  if (atomic_load_explicit(flooded, memory_order_relaxed) &&
      atomic_exchange(flooded, 0)) {
    epi__timer_start(worker->loop, &worker->flood, SETTLE_MS, on_time);
  }
}

void epi__log_settle_end(epi__worker *worker) {
  epi__timer_stop(worker->loop, &worker->flood);
}

void epi__log_settle_all(epi_engine *engine) {
  if (engine->on_log) {
    settle(engine, 1);
  }
}
