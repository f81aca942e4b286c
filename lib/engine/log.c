/* log.c: log lines of an engine. */
#include "base/fail.h"
#include "engine/worker.h"

#include <stdarg.h>
#include <stdio.h>

enum {
  LINE_MAX_BYTES = 1000,
};

int epi__logs(const epi_engine *engine, int level) {
  return engine->on_log && level <= engine->settings[EPI_ENGINE_LOG_LEVEL];
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
  engine->on_log(level, clean, engine->log_user);
  pthread_mutex_unlock(&engine->lock);
}
