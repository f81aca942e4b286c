/* engine_tuning.c: settings that an engine works with in another form than they
 * were given: shares of the descriptors, and sizes that workers keep. */
#include "engine/health.h"
#include "engine/worker.h"
#include "os/os.h"

enum {
  RESERVED_FDS = 64, /* for the loops, resolvers, files */
  FDS_PER_FLOW = 2,
  WARM_SHARE = 16,     /* of the descriptors, for connections kept warm */
  FDS_FOR_A_TUBE = 64, /* so many allow each worker one */
};

static int tubes_for(const epi_engine *engine) {
  int64_t most = engine->fds / FDS_FOR_A_TUBE / epi__workers_sockets(engine);

  return engine->settings[EPI_ENGINE_TUBE] == 0 || most < 0 ? 0
         : most < EPI__TUBES_MAX                            ? (int)most
                                                            : EPI__TUBES_MAX;
}

/* Descriptors for connections that are kept warm, of all workers. */
static int64_t warm_for(const epi_engine *engine) {
  int64_t workers = epi__workers_sockets(engine);
  int64_t warm = engine->settings[EPI_ENGINE_WARM] * EPI__WARM_HOPS * workers;
  int64_t most = engine->fds > 0 ? engine->fds / WARM_SHARE : 0;

  return warm < most ? warm : most;
}

static void set_limit(epi_engine *engine) {
  int64_t asked = engine->settings[EPI_ENGINE_LIMIT];

  if (!asked || asked > engine->limit_most) {
    engine->settings[EPI_ENGINE_LIMIT] = engine->limit_most;
  }
}

static void share_the_rest(epi_engine *engine) {
  atomic_store(&engine->warm_most,
               warm_for(engine) / epi__workers_sockets(engine));
  atomic_store(&engine->tubes, tubes_for(engine));
}

void epi__engine_share_fds(epi_engine *engine) {
  int64_t workers = engine->settings[EPI_ENGINE_WORKERS];
  int64_t sockets = (int64_t)engine->listeners->count * workers;
  int64_t left;

  engine->fds = epi__fd_limit() - RESERVED_FDS - sockets;
  share_the_rest(engine);
  left = engine->fds - warm_for(engine) -
         2 * atomic_load(&engine->tubes) * workers;
  engine->limit_most = left > FDS_PER_FLOW ? left / FDS_PER_FLOW : 1;
  set_limit(engine);
}

static void retune_sessions(const epi_engine *engine) {
  const epi__listeners *list = engine->listeners;

  for (size_t i = 0; i < list->count; i++) {
    if (list->items[i]->sessions) {
      epi__sessions_retune(list->items[i]->sessions, engine);
    }
  }
}

void epi__engine_retune(epi_engine *engine, int parameter) {
  switch (parameter) {
  case EPI_ENGINE_LIMIT:
    set_limit(engine);
    atomic_store(&engine->was_full, 0); /* what the log says has changed */
    break;
  case EPI_ENGINE_SESSIONS:
  case EPI_ENGINE_SESSIONS_PER_OWNER:
  case EPI_ENGINE_SESSION_IDLE_MS:
  case EPI_ENGINE_TOKENS:
    retune_sessions(engine);
    break;
  case EPI_ENGINE_WORKERS:
  case EPI_ENGINE_WARM:
  case EPI_ENGINE_WARM_IDLE_MS:
  case EPI_ENGINE_TUBE:
  case EPI_ENGINE_NAMES:
  case EPI_ENGINE_HEALTH_MS:
    share_the_rest(engine);
    atomic_fetch_add(&engine->tuned, 1);
    epi__workers_wake(engine);
  }
}

/* ---- in a worker ---- */

void epi__worker_warm_limits(const epi__worker *worker, epi__warm_limits *out) {
  const epi_engine *engine = worker->engine;

  out->per_hop = engine->settings[EPI_ENGINE_WARM];
  out->in_all = atomic_load(&engine->warm_most);
  out->idle_ms = engine->settings[EPI_ENGINE_WARM_IDLE_MS];
  out->mark = (uint32_t)engine->settings[EPI_ENGINE_MARK];
}

void epi__worker_tune(epi__worker *worker) {
  const epi_engine *engine = worker->engine;
  epi__warm_limits limits;

  worker->tuned = atomic_load(&engine->tuned);
  worker->tubes.size = (size_t)engine->settings[EPI_ENGINE_TUBE];
  worker->tubes.most = atomic_load(&engine->tubes);
  epi__tubes_trim(&worker->tubes);
  epi__worker_warm_limits(worker, &limits);
  epi__warm_limit(worker->warm, &limits);
  epi__resolver_remember(worker->resolver,
                         (size_t)engine->settings[EPI_ENGINE_NAMES]);
  epi__worker_probe(worker);
}
