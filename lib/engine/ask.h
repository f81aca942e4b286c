/* ask.h: a question to all workers, which alone may look at their flows.
 *
 * It comes to them as a letter. Each answers in its own part, when it comes to
 * it; who asked waits for a while, and takes what is there. */
#ifndef EPI__ASK_H
#define EPI__ASK_H

#include "engine/flow.h"
#include "epi/control.h"

typedef struct epi__ask epi__ask;

/* A flow in an answer: its number, and its object in the part's text. */
typedef struct epi__ask_row {
  int64_t flow;
  size_t start, len;
} epi__ask_row;

/* One worker's answer. */
typedef struct epi__ask_part {
  epi__text text;
  epi__ask_row *rows; /* by number */
  size_t row_count, row_room;
  size_t matched, judged, later; /* flows */
  epi_model *model; /* that decided the flow to be explained; or NULL */
  epi_query *query; /* about it */
  int failed;       /* no memory */
} epi__ask_part;

/* What is asked, and what for. */
struct epi__ask {
  void (*answer)(epi__worker *worker, const epi__ask *ask, epi__ask_part *part);
  epi_match *match; /* owned */
  int64_t from;
  size_t most;
  int64_t wait_ms; /* for answers; EPI_CONTROL_MS unless it is changed */
  char reason[EPI_REASON_MAX + 1];
  epi__policy *policy; /* held; NULL: none */

  /* ---- ask.c's own ---- */
  pthread_mutex_t lock;
  pthread_cond_t changed;
  int references; /* who asks, and letters */
  int left;       /* letters that were not answered */
  int unasked;    /* workers that took none, and will never answer */
  int closed;     /* who asked does not wait any more */
  int answered[EPI__WORKERS_MAX];
  epi__ask_part parts[EPI__WORKERS_MAX];
};

/* Make a question about flows; match is copied, and may be NULL. Returns 0 or
 * EPI_ENOMEM. */
int epi__ask_new(epi__ask **out, const epi_match *match,
                 void (*answer)(epi__worker *worker, const epi__ask *ask,
                                epi__ask_part *part));

/* Ask all workers that run, and wait for wait_ms at most. Returns how
 * many did not answer, or EPI_ENOMEM. */
int epi__ask_all(epi__ask *ask, epi_engine *engine);

/* A worker's answer, or NULL: it has none. Only after epi__ask_all(). */
epi__ask_part *epi__ask_part_of(epi__ask *ask, int worker);

/* Let go of it. */
void epi__ask_free(epi__ask *ask);

/* Keep in a part the flow whose object is what stands behind start. Returns 1,
 * or 0 if there is no memory. */
int epi__ask_keep(epi__ask_part *part, int64_t flow, size_t start);

/* Write the rows of all parts as a JSON list, by number, `most` at most.
 * Returns the number of the first that is left out, or 0. */
int64_t epi__ask_put_rows(epi__text *out, epi__ask *ask);

/* ---- for mailbox.c ---- */

/* A worker opened the letter; or dropped it, for it ends. */
void epi__ask_answer(epi__ask *ask, epi__worker *worker);
void epi__ask_drop(epi__ask *ask, int worker);

#endif
