/* ask.c: questions to all workers. Who asked may be gone when the last one
 * answers: whoever lets go of it last frees it. */
#include "engine/ask.h"

#include "base/memory.h"
#include "engine/flow_match.h"
#include "engine/mailbox.h"

#include <errno.h>
#include <time.h>

int epi__ask_new(epi__ask **out, const epi_match *match,
                 void (*answer)(epi__worker *worker, const epi__ask *ask,
                                epi__ask_part *part)) {
  epi__ask *ask = epi__alloc(sizeof *ask);
  pthread_condattr_t steady;

  if (!ask) {
    return EPI_ENOMEM;
  }
  if (epi__match_copy(&ask->match, match)) {
    epi__free(ask);
    return EPI_ENOMEM;
  }
  ask->answer = answer;
  ask->wait_ms = EPI_CONTROL_MS;
  ask->references = 1;
  pthread_mutex_init(&ask->lock, NULL);
  pthread_condattr_init(&steady);
  pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
  pthread_cond_init(&ask->changed, &steady);
  pthread_condattr_destroy(&steady);
  *out = ask;
  return 0;
}

static void clear(epi__ask_part *part) {
  epi__text_clear(&part->text);
  epi__free(part->rows);
  epi_query_free(part->query);
  epi_model_free(part->model);
}

void epi__ask_free(epi__ask *ask) {
  int last;

  if (!ask) {
    return;
  }
  pthread_mutex_lock(&ask->lock);
  last = !--ask->references;
  pthread_mutex_unlock(&ask->lock);
  if (!last) {
    return;
  }
  for (int i = 0; i < EPI__WORKERS_MAX; i++) {
    clear(&ask->parts[i]);
  }
  epi_match_free(ask->match);
  epi__policy_free(ask->policy);
  pthread_cond_destroy(&ask->changed);
  pthread_mutex_destroy(&ask->lock);
  epi__free(ask);
}

static void over(epi__ask *ask, int worker, int answered) {
  pthread_mutex_lock(&ask->lock);
  if (answered && !ask->closed) { /* else who asked may look at it */
    ask->answered[worker] = 1;
  }
  ask->left--;
  pthread_cond_signal(&ask->changed);
  pthread_mutex_unlock(&ask->lock);
  epi__ask_free(ask);
}

/* Returns 1 if the worker will not answer although it runs. */
static int post(epi__ask *ask, epi_engine *engine, int worker) {
  int result;

  pthread_mutex_lock(&ask->lock);
  ask->references++;
  ask->left++;
  pthread_mutex_unlock(&ask->lock);
  result = epi__mailbox_ask(engine, worker, ask);
  if (result <= 0) {
    over(ask, worker, 0);
  }
  return result < 0;
}

int epi__ask_all(epi__ask *ask, epi_engine *engine) {
  int missing = 0, failed = 0;
  struct timespec until;

  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_sec += (time_t)(ask->wait_ms / 1000);
  until.tv_nsec += (long)(ask->wait_ms % 1000 * 1000000);
  if (until.tv_nsec >= 1000000000) {
    until.tv_sec++;
    until.tv_nsec -= 1000000000;
  }
  for (int i = 0; i < EPI__WORKERS_MAX; i++) {
    missing += post(ask, engine, i);
  }
  ask->unasked = missing;
  pthread_mutex_lock(&ask->lock);
  while (ask->left && pthread_cond_timedwait(&ask->changed, &ask->lock,
                                             &until) != ETIMEDOUT) {
  }
  ask->closed = 1; /* what comes later is not looked at */
  missing += ask->left;
  pthread_mutex_unlock(&ask->lock);
  for (int i = 0; i < EPI__WORKERS_MAX; i++) {
    failed |=
        ask->answered[i] && (ask->parts[i].failed || ask->parts[i].text.failed);
  }
  return failed ? EPI_ENOMEM : missing;
}

epi__ask_part *epi__ask_part_of(epi__ask *ask, int worker) {
  return ask->answered[worker] ? &ask->parts[worker] : NULL;
}

/* ---- in workers ---- */

void epi__ask_answer(epi__ask *ask, epi__worker *worker) {
  ask->answer(worker, ask, &ask->parts[worker->number]);
  over(ask, worker->number, 1);
}

void epi__ask_drop(epi__ask *ask, int worker) {
  over(ask, worker, 0);
}

int epi__ask_keep(epi__ask_part *part, int64_t flow, size_t start) {
  epi__ask_row *moved = epi__grow(part->rows, part->row_count, &part->row_room,
                                  sizeof *part->rows);

  if (!moved) {
    part->failed = 1;
    return 0;
  }
  part->rows = moved;
  part->rows[part->row_count++] =
      (epi__ask_row){flow, start, part->text.len - start};
  return 1;
}

/* ---- all answers together ---- */

/* The part with the lowest number that is next, or NULL. */
static epi__ask_part *lowest(epi__ask *ask, const size_t *at, int *worker) {
  epi__ask_part *best = NULL;

  for (int i = 0; i < EPI__WORKERS_MAX; i++) {
    epi__ask_part *part = epi__ask_part_of(ask, i);

    if (part && at[i] < part->row_count &&
        (!best || part->rows[at[i]].flow < best->rows[at[*worker]].flow)) {
      best = part;
      *worker = i;
    }
  }
  return best;
}

int64_t epi__ask_put_rows(epi__text *out, epi__ask *ask) {
  size_t at[EPI__WORKERS_MAX] = {0}, count = 0;
  epi__ask_part *part;
  int64_t next = 0;
  int worker = 0;

  epi__text_puts(out, "[");
  while (!next && (part = lowest(ask, at, &worker)) != NULL) {
    const epi__ask_row *row = &part->rows[at[worker]++];

    if (count == ask->most) {
      next = row->flow;
      break;
    }
    epi__text_puts(out, count++ ? "," : "");
    epi__text_add(out, part->text.block + row->start, row->len);
  }
  epi__text_puts(out, "]");
  return next;
}
