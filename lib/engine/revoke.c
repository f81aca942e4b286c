/* revoke.c: cut the flows that a new model forbids, and then say so: a log that
 * is slow must not hold up the next cut. */
#include "engine/revoke.h"

#include "base/bytes.h"
#include "engine/flow.h"
#include "engine/flow_audit.h"
#include "os/os.h"

#include <inttypes.h>
#include <stdio.h>

enum {
  SHOWN = 12,        /* digits of a model's hash in log lines */
  SAID_AT_ONCE = 64, /* ends of flows, before the disk may catch up */
};

void epi__revoke_begin(epi_engine *engine, const epi_model *model) {
  epi__revocation *now = &engine->revocation;

  now->generation = atomic_load(&engine->generation);
  now->workers = (int)engine->worker_count;
  now->began_at = now->last_at = epi__clock_steady();
  now->flows = now->cut = 0;
  snprintf(now->model, sizeof now->model, "%s",
           model ? epi_model_hash(model) : "none");
}

/* Count what a worker did. Returns 1, and a copy, if it was the last. One whose
 * model has been replaced meanwhile counts with the next. */
static int count(epi__worker *worker, int64_t flows, int64_t cut, int64_t at,
                 epi__revocation *out) {
  epi_engine *engine = worker->engine;
  epi__revocation *now = &engine->revocation;
  int is_last = 0;

  pthread_mutex_lock(&engine->lock);
  now->ever += cut;
  if (now->generation == worker->judged) {
    now->flows += flows;
    now->cut += cut;
    if (cut && at > now->last_at) {
      now->last_at = at;
    }
    is_last = !--now->workers;
    *out = *now;
  }
  pthread_mutex_unlock(&engine->lock);
  return is_last;
}

/* How many flows end is what matters; a model that cuts none is no news. */
static void say(epi_engine *engine, const epi__revocation *done) {
  epi__log(engine, done->cut ? EPI_LOG_NOTE : EPI_LOG_DEBUG,
           "model %.*s: %" PRId64 " of %" PRId64 " flows cut in %" PRId64 " ms",
           SHOWN, done->model, done->cut, done->flows,
           done->last_at - done->began_at);
}

/* Tell log, audit log and filters of those whose connections are closed. */
static void end_cut(epi__worker *worker) {
  epi_flow *next;
  int said = 0;

  for (epi_flow *flow = worker->flows; flow; flow = next) {
    next = flow->next;
    if (flow->cut) {
      epi__meter_cut(flow, flow->cut);
      epi__flow_end(flow, 1, flow->cut);
      if (++said % SAID_AT_ONCE == 0) {
        epi__audit_catch_up(worker->engine);
      }
    }
  }
}

void epi__revoke(epi__worker *worker) {
  epi__policy *policy = epi__worker_policy(worker);
  int64_t flows = 0, cut = 0, at;
  epi__revocation done;
  epi_flow *next;
  int is_last;

  worker->judged = worker->generation;
  epi__warm_clear(worker->warm); /* other hops may count now */
  for (epi_flow *flow = worker->flows; flow; flow = next) {
    next = flow->next; /* a refused flow moves to another list */
    flows++;
    cut += !epi__flow_rejudge(flow, policy);
  }
  at = epi__clock_steady();
  is_last = count(worker, flows, cut, at, &done);
  end_cut(worker);
  if (is_last) {
    say(worker->engine, &done);
  }
}
