/* audit_heads.c: what an audit log says from time to time: how far it goes, and
 * which model is in force.
 *
 * A head is a line like any other, and its MAC vouches for all before it. With
 * one in each minute in which something was written, what is cut off at the end
 * is at most a minute of it: whoever compares the clock with the last head
 * finds out. */
#include "area/decision.h"
#include "base/fail.h"
#include "engine/flow_audit.h"

#include <inttypes.h>
#include <stddef.h>

int epi__audit_head(epi_engine *engine) {
  epi__text line = {0};
  int result;

  epi__audit_line(&line, "head");
  epi__text_printf(&line, ",\"open\":%lld",
                   (long long)atomic_load(&engine->counts[EPI_COUNT_OPEN]));
  result = epi__audit_put(engine, &line, 0);
  epi__text_clear(&line);
  epi__audit_say_head(engine, 1);
  return result;
}

int epi_engine_audit_head(epi_engine *engine) {
  int result;

  pthread_mutex_lock(&engine->calls);
  result = engine->audit ? epi__audit_head(engine)
                         : epi__fail(EPI_ESTATE, "there is no audit log");
  pthread_mutex_unlock(&engine->calls);
  return result;
}

static void on_time(epi__timer *timer) {
  epi__worker *worker = EPI__OWNER(timer, epi__worker, heads);

  if (epi__audit_say_head(worker->engine, 0)) {
    epi__audit_head(worker->engine);
  }
  epi__audit_heads_begin(worker);
}

void epi__audit_heads_begin(epi__worker *worker) {
  epi_engine *engine = worker->engine;

  if (engine->audit && !worker->number) {
    epi__timer_start(worker->loop, &worker->heads,
                     engine->settings[EPI_ENGINE_AUDIT_HEAD_MS], on_time);
  }
}

void epi__audit_heads_end(epi__worker *worker) {
  epi__timer_stop(worker->loop, &worker->heads);
}

void epi__audit_model(epi_engine *engine, const epi_model *model) {
  epi__text line = {0};

  if (!engine->audit) {
    return;
  }
  epi__audit_line(&line, "model");
  if (model) {
    epi__text_printf(&line, ",\"model\":\"%s\"", epi_model_hash(model));
  }
  epi__audit_put(engine, &line, 0);
  epi__text_clear(&line);
}
