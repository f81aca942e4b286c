/* worker.c: a thread with a loop, its doors and its flows. */
#include "engine/worker.h"
#include "engine/buffered.h"
#include "engine/flow_audit.h"

#include "base/memory.h"
#include "engine/flow_login.h"
#include "engine/health.h"
#include "engine/mailbox.h"
#include "os/os.h"
#include "tls/tls_session.h"

#include <stddef.h>

static const char stopping[] = "the proxy stops";

epi__policy *epi__worker_policy(epi__worker *worker) {
  epi_engine *engine = worker->engine;
  epi__policy *old = NULL;

  if (worker->generation != atomic_load(&engine->generation)) {
    pthread_mutex_lock(&engine->lock);
    old = worker->policy;
    worker->policy = epi__policy_ref(engine->policy);
    worker->generation = atomic_load(&engine->generation);
    pthread_mutex_unlock(&engine->lock);
    epi__policy_free(old); /* filters may call back as they end */
  }
  return worker->policy;
}

void epi__worker_cut(epi__worker *worker, const char *why) {
  while (worker->flows) {
    epi__flow_end(worker->flows, 1, why);
  }
}

static void on_wake(epi__wake *wake) {
  epi__worker *worker = EPI__OWNER(wake, epi__worker, wake);
  int retry = worker->provisioned != atomic_load(&worker->engine->provisioned);

  if (atomic_load(&worker->engine->stopping)) {
    epi__worker_cut(worker, stopping);
    epi__loop_stop(worker->loop);
    return;
  }
  if (worker->tuned != atomic_load(&worker->engine->tuned)) {
    epi__worker_tune(worker);
  }
  if (worker->listeners != atomic_load(&worker->engine->listeners)) {
    epi__doors_update(worker);
  }
  /* A new flow may have brought worker->generation up to date before. */
  if (worker->judged != atomic_load(&worker->engine->generation)) {
    epi__revoke(worker);
    retry = 1;
  }
  if (retry) {
    epi__await_retry(worker);
  }
  if (worker->drains != atomic_load(&worker->engine->drains)) {
    epi__drain_update(worker);
  }
  epi__logins_answer(worker);
  epi__logins_recheck(worker);
  epi__mailbox_open(worker);
}

static void before_wait(void *user) {
  epi__worker *worker = user;

  epi__replies_look(worker);
  epi__relay_tell_ends(worker);
  epi__flow_sweep(worker);
  epi__meter_set(worker->meter, EPI__METER_WARM_OPEN,
                 epi__warm_count(worker->warm));
  epi__log_settle(worker);
}

void epi__worker_probe(epi__worker *worker) {
  epi__health_stop(worker->health);
  worker->health = NULL;
  if (!worker->number && epi__health_start(&worker->health, worker)) {
    epi__log(worker->engine, EPI_LOG_ERROR, "no probes of instances: %s",
             epi_error_detail());
  }
}

static void *run(void *user) {
  epi__worker *worker = user;

  epi__mailbox_begin(worker);
  epi__doors_open(worker);
  epi__worker_probe(worker);
  epi__audit_heads_begin(worker);
  epi__loop_run(worker->loop);
  epi__audit_heads_end(worker);
  epi__log_settle_end(worker);
  epi__buffered_end(worker);
  epi__health_stop(worker->health);
  epi__mailbox_end(worker);
  epi__doors_close(worker);
  epi__worker_cut(worker, stopping); /* who came while the loop stopped */
  epi__flow_sweep(worker);
  epi__slack_stop(worker);
  epi__dtls_thread_end();
  epi__tls_thread_end();
  return NULL;
}

static void free_worker(epi__worker *worker) {
  epi__wake_stop(&worker->wake);
  epi__warm_free(worker->warm);
  epi__resolver_free(worker->resolver);
  epi__tubes_trim(&worker->tubes);
  epi__slab_clear(&worker->flow_slab);
  epi__loop_free(worker->loop);
  epi__policy_free(worker->policy);
  epi__listeners_free(worker->listeners);
  epi__free(worker->scratch);
  epi__free(worker->cipher);
  epi__free(worker);
}

static int make_warm(epi__worker *worker) {
  epi__warm_limits limits;

  epi__worker_warm_limits(worker, &limits);
  return epi__warm_new(&worker->warm, worker->loop, &limits);
}

/* The engine has it: it is read when the worker is no more, too. */
static int find_meter(epi__worker *worker) {
  _Atomic(epi__meter *) *place = &worker->engine->meters[worker->number];
  int result = 0;

  worker->meter = atomic_load(place);
  if (!worker->meter) {
    result = epi__meter_new(&worker->meter);
    atomic_store(place, worker->meter);
  }
  return result;
}

int epi__worker_start(epi__worker **out, epi_engine *engine, int number) {
  epi__worker *worker = epi__alloc(sizeof *worker);
  int result;

  if (!worker) {
    return EPI_ENOMEM;
  }
  worker->engine = engine;
  worker->number = number;
  worker->flow_slab.size = sizeof(epi_flow);
  worker->generation = -1;
  worker->judged = atomic_load(&engine->generation); /* it has no flows yet */
  worker->tuned = atomic_load(&engine->tuned);
  worker->listeners = epi__listeners_ref(engine->listeners);
  worker->tubes.size = (size_t)engine->settings[EPI_ENGINE_TUBE];
  worker->tubes.most = engine->tubes;
  worker->scratch = epi__alloc(EPI__SCRATCH);
  result = worker->scratch ? find_meter(worker) : EPI_ENOMEM;
  if (!result) {
    result = epi__loop_new(&worker->loop);
  }
  if (result) {
    epi__listeners_free(worker->listeners);
    epi__free(worker->scratch);
    epi__free(worker->cipher);
    epi__free(worker);
    return result;
  }
  epi__loop_before_wait(worker->loop, before_wait, worker);
  epi__wake_start(worker->loop, &worker->wake, on_wake);
  result = epi__resolver_new(&worker->resolver, worker->loop,
                             (uint32_t)engine->settings[EPI_ENGINE_MARK],
                             (size_t)engine->settings[EPI_ENGINE_NAMES]);
  if (!result) {
    epi__resolver_count(worker->resolver, worker->meter);
    result = make_warm(worker);
  }
  if (!result) {
    result = epi__thread_start(&worker->thread, run, worker);
  }
  if (result) {
    free_worker(worker);
    return result;
  }
  *out = worker;
  return 0;
}

void epi__workers_wake(const epi_engine *engine) {
  for (size_t i = 0; i < engine->worker_count; i++) {
    epi__wake_send(&engine->workers[i]->wake);
  }
}

void epi__worker_join(epi__worker *worker) {
  epi__wake_send(&worker->wake);
  pthread_join(worker->thread, NULL);
  free_worker(worker);
}
