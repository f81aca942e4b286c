/* admin_engine.c: what admins ask about the engine itself, and how they change
 * it. */
#include "engine/admin_serve.h"

#include "base/fail.h"
#include "base/memory.h"
#include "base/net.h"
#include "epi/sight.h"
#include "os/os.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const levels[] = {"none", "error", "note", "debug"};

static void put(epi__text *out, const char *key, const char *value) {
  epi__text_printf(out, ",\"%s\":", key);
  if (value) {
    epi__json_put_string(out, value);
  } else {
    epi__text_puts(out, "null");
  }
}

/* ---- how it is ---- */

static const char *state_of(const epi_engine *engine) {
  return atomic_load(&engine->stopping)     ? "stopped"
         : epi_engine_has_drained(engine)   ? "drained"
         : atomic_load(&engine->drains)     ? "draining"
         : atomic_load(&engine->runs_since) ? "running"
                                            : "not started";
}

static size_t count_listeners(const epi_engine *engine) {
  size_t count = 0;
  epi_addr addr;

  while (!epi_engine_listener_addr(engine, count, &addr)) {
    count++;
  }
  return count;
}

static void put_counts(epi__text *out, const epi_engine *engine) {
  static const char *const names[] = {
      [EPI_COUNT_OPEN] = "open",
      [EPI_COUNT_ALLOWED] = "allowed",
      [EPI_COUNT_REFUSED] = "refused",
      [EPI_COUNT_FAILED] = "failed",
  };

  epi__text_puts(out, ",\"flows\":{");
  for (int i = EPI_COUNT_OPEN; i <= EPI_COUNT_FAILED; i++) {
    epi__text_printf(out, "%s\"%s\":%" PRId64, i > EPI_COUNT_OPEN ? "," : "",
                     names[i], epi_engine_count(engine, i));
  }
  epi__text_puts(out, "}");
}

static void put_model(epi__text *out, epi_engine *engine) {
  epi_model *model = epi_engine_model(engine);

  put(out, "model", model ? epi_model_hash(model) : NULL);
  put(out, "model_by",
      !model                                 ? NULL
      : atomic_load(&engine->model_by_admin) ? "admin"
                                             : "program");
  epi_model_free(model);
}

int epi__admin_status(const epi__admin_task *task) {
  epi_engine *engine = task->engine;
  epi__text *out = task->out;
  int64_t since = atomic_load(&engine->runs_since);
  int64_t level = engine->settings[EPI_ENGINE_LOG_LEVEL];

  epi__text_printf(out, "{\"version\":\"%s\",\"pid\":%lld", epi_version(),
                   (long long)getpid());
  put(out, "state", state_of(engine));
  epi__text_printf(out, ",\"uptime_ms\":%" PRId64,
                   since ? epi__clock_steady() - since : 0);
  put(out, "name", since ? engine->name : NULL);
  epi__text_printf(out, ",\"workers\":%" PRId64 ",\"listeners\":%zu",
                   (int64_t)engine->settings[EPI_ENGINE_WORKERS],
                   count_listeners(engine));
  put(out, "log", levels[level]);
  put_model(out, engine);
  put_counts(out, engine);
  epi__text_puts(out, "}");
  return 0;
}

int epi__admin_instances(const epi__admin_task *task) {
  char *text = NULL;
  int result = epi_engine_instances(task->engine, &text);

  if (!result) {
    epi__text_puts(task->out, text);
    epi__free(text);
  }
  return result;
}

/* The text of doc/sight.md, as a JSON string. */
int epi__admin_metrics(const epi__admin_task *task) {
  char *text = NULL;
  int result = epi_engine_metrics(task->engine, EPI_METRICS_PROMETHEUS, &text);

  if (!result) {
    epi__text_puts(task->out, "{\"text\":");
    epi__json_put_string(task->out, text);
    epi__text_puts(task->out, "}");
    epi__free(text);
  }
  return result;
}

/* ---- settings ---- */

/* Blanks, '-' and '_' are alike, and so are small and capital letters. */
static int same_word(char a, char b) {
  a = (char)(a == '-' || a == '_' ? ' ' : tolower((unsigned char)a));
  b = (char)(b == '-' || b == '_' ? ' ' : tolower((unsigned char)b));
  return a == b;
}

static int same_name(const char *a, const char *b) {
  while (*a && *b && same_word(*a, *b)) {
    a++;
    b++;
  }
  return !*a && !*b;
}

/* By number or by name. Returns the number or EPI_EINVAL. */
static int find_parameter(const char *text) {
  const char *name;
  char *end;
  long number = strtol(text, &end, 10);

  if (end != text && !*end && number > 0 && number < EPI__ENGINE_SETTINGS) {
    return (int)number;
  }
  for (int i = EPI_ENGINE_WORKERS; (name = epi__engine_parameter_name(i));
       i++) {
    if (same_name(name, text)) {
      return i;
    }
  }
  return epi__fail(EPI_EINVAL, "no parameter \"%.60s\"", text);
}

static void put_parameter(epi__text *out, const epi_engine *engine,
                          int parameter) {
  int64_t value = 0, lowest = 0, highest = 0;

  epi_engine_bounds(engine, parameter, &value, &lowest, &highest);
  epi__text_printf(out, "{\"parameter\":%d", parameter);
  put(out, "name", epi__engine_parameter_name(parameter));
  epi__text_printf(out,
                   ",\"value\":%" PRId64 ",\"lowest\":%" PRId64
                   ",\"highest\":%" PRId64 "}",
                   value, lowest, highest);
}

int epi__admin_settings(const epi__admin_task *task) {
  epi__text_puts(task->out, "[");
  for (int i = EPI_ENGINE_WORKERS; i < EPI__ENGINE_SETTINGS; i++) {
    epi__text_puts(task->out, i > EPI_ENGINE_WORKERS ? "," : "");
    put_parameter(task->out, task->engine, i);
  }
  epi__text_puts(task->out, "]");
  return 0;
}

int epi__admin_set(const epi__admin_task *task) {
  int parameter = find_parameter(task->request->texts[EPI__ARG_PARAMETER]);
  int result = parameter < 0
                   ? parameter
                   : epi_engine_set(task->engine, parameter,
                                    task->request->numbers[EPI__ARG_VALUE]);

  if (!result) {
    put_parameter(task->out, task->engine, parameter);
  }
  return result;
}

int epi__admin_log(const epi__admin_task *task) {
  const char *wanted = task->request->texts[EPI__ARG_LEVEL];
  int64_t level = 0;
  int result = 0;

  if (wanted) {
    while (level <= EPI_LOG_DEBUG && strcmp(levels[level], wanted) != 0) {
      level++;
    }
    result =
        level > EPI_LOG_DEBUG
            ? epi__fail(EPI_EINVAL, "log: level is none, error, note or debug")
            : epi_engine_set(task->engine, EPI_ENGINE_LOG_LEVEL, level);
  }
  if (!result) {
    epi_engine_bounds(task->engine, EPI_ENGINE_LOG_LEVEL, &level, NULL, NULL);
    epi__text_printf(task->out, "{\"level\":\"%s\"}", levels[level]);
  }
  return result;
}

/* ---- its life ---- */

int epi__admin_drain(const epi__admin_task *task) {
  int result =
      epi_engine_drain(task->engine, task->request->numbers[EPI__ARG_MS]);

  if (!result) {
    epi__text_printf(task->out, "{\"open\":%" PRId64 "}",
                     epi_engine_count(task->engine, EPI_COUNT_OPEN));
  }
  return result;
}

int epi__admin_reload(const epi__admin_task *task) {
  if (!task->engine->on_reload) {
    return epi__fail(EPI_ENOTSUP, "this program has nothing to read again");
  }
  task->engine->on_reload(task->engine->reload_user);
  epi__text_puts(task->out, "{\"asked\":true}");
  return 0;
}

/* ---- listeners ---- */

int epi__admin_listeners(const epi__admin_task *task) {
  epi__addr_buf text;
  epi_addr addr;
  char *url;

  epi__text_puts(task->out, "[");
  for (size_t i = 0; !epi_engine_listener_url(task->engine, i, &url); i++) {
    char shown[EPI__URL_MAX];

    if (epi_engine_listener_addr(task->engine, i, &addr)) {
      addr.kind = EPI_ADDR_NONE; /* it went just now */
    }
    epi__text_printf(task->out, "%s{\"index\":%zu,\"url\":", i ? "," : "", i);
    epi__json_put_string(task->out, epi__url_public(url, shown, sizeof shown));
    put(task->out, "at", epi__addr_text(&addr, &text));
    epi__text_puts(task->out, "}");
    epi__free(url);
  }
  epi__text_puts(task->out, "]");
  return 0;
}

/* The listener that came last. */
static int put_last(const epi__admin_task *task) {
  size_t count = count_listeners(task->engine);
  epi__addr_buf text;
  epi_addr addr;

  if (count && !epi_engine_listener_addr(task->engine, count - 1, &addr)) {
    epi__text_printf(task->out, "{\"at\":\"%s\"}",
                     epi__addr_text(&addr, &text));
  } else {
    epi__text_puts(task->out, "{\"at\":null}");
  }
  return 0;
}

int epi__admin_listen(const epi__admin_task *task) {
  int result =
      epi_engine_listen(task->engine, task->request->texts[EPI__ARG_URL]);

  return result ? result : put_last(task);
}

int epi__admin_unlisten(const epi__admin_task *task) {
  int result =
      epi_engine_unlisten(task->engine, task->request->texts[EPI__ARG_URL]);

  if (!result) {
    epi__text_puts(task->out, "{\"gone\":true}");
  }
  return result;
}

int epi__admin_relisten(const epi__admin_task *task) {
  int result =
      epi_engine_relisten(task->engine, task->request->texts[EPI__ARG_URL],
                          task->request->texts[EPI__ARG_BY]);

  if (!result) {
    epi__text_puts(task->out, "{\"replaced\":true}");
  }
  return result;
}
