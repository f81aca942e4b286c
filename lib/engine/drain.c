/* drain.c: an engine takes no more flows, and lets those finish that it has. */
#include "base/fail.h"
#include "engine/mailbox.h"

#include <inttypes.h>
#include <stddef.h>

enum {
  AGAIN_MS = 10,
};

/* Another worker that does not know yet may have given this one a connection
 * just now. Once all know, what is in the mailbox was the last. */
static void on_end(epi__timer *timer) {
  epi__worker *worker = EPI__OWNER(timer, epi__worker, drain);
  int all_know = !atomic_load(&worker->engine->undrained);

  epi__mailbox_open(worker);
  epi__worker_cut(worker, "the proxy drains, and the flow took too long");
  if (!all_know) {
    epi__timer_start(worker->loop, timer, AGAIN_MS, on_end);
  }
}

void epi__drain_update(epi__worker *worker) {
  epi_engine *engine = worker->engine;

  if (!worker->drains) { /* its doors were closed just before */
    atomic_fetch_sub(&engine->undrained, 1);
  }
  worker->drains = atomic_load(&engine->drains);
  epi__timer_start(worker->loop, &worker->drain, atomic_load(&engine->drain_ms),
                   on_end);
}

/* The sockets are let go, not shut: who else has them goes on to listen. */
static int leave_all(epi_engine *engine) {
  epi__listeners *list = epi__listeners_new(0);

  if (!list) {
    return EPI_ENOMEM;
  }
  pthread_mutex_lock(&engine->lock);
  list = epi__listeners_leave(engine, list);
  pthread_mutex_unlock(&engine->lock);
  epi__listeners_free(list);
  return 0;
}

static int drain(epi_engine *engine, int64_t ms) {
  if (!engine->worker_count) {
    return epi__fail(EPI_ESTATE, "an engine that does not run cannot drain");
  }
  if (!atomic_load(&engine->drains)) {
    if (leave_all(engine)) {
      return EPI_ENOMEM;
    }
    atomic_store(&engine->undrained, (int)engine->worker_count);
  }
  atomic_store(&engine->drain_ms, ms);
  atomic_fetch_add(&engine->drains, 1);
  epi__workers_wake(engine);
  epi__log(engine, EPI_LOG_NOTE,
           "draining: nobody can connect, %lld flows have %" PRId64
           " ms to finish",
           (long long)atomic_load(&engine->counts[EPI_COUNT_OPEN]), ms);
  return 0;
}

int epi_engine_drain(epi_engine *engine, int64_t ms) {
  int result;

  if (ms < 0 || ms > INT32_MAX) {
    return epi__fail(EPI_EINVAL, "drain: from 0 to %d ms, not %" PRId64,
                     INT32_MAX, ms);
  }
  pthread_mutex_lock(&engine->calls);
  result = drain(engine, ms);
  pthread_mutex_unlock(&engine->calls);
  return result;
}

int epi_engine_has_drained(const epi_engine *engine) {
  return atomic_load(&engine->drains) && !atomic_load(&engine->undrained) &&
         !atomic_load(&engine->counts[EPI_COUNT_OPEN]);
}
