/* slack.h: memory that a worker's flows no longer need goes back to the
 * system. */
#ifndef EPI__SLACK_H
#define EPI__SLACK_H

#include "engine/loop.h"

typedef struct epi__worker epi__worker;

/* All zero: no flows, and there were none. */
typedef struct epi__slack {
  epi__timer timer;
  int waits; /* for the timer */
  int flows; /* in memory now */
  int most;  /* since memory was given back */
} epi__slack;

/* A worker has a flow more, or one less. */
void epi__slack_more(epi__worker *worker);
void epi__slack_less(epi__worker *worker);

/* The worker's loop ends. */
void epi__slack_stop(epi__worker *worker);

#endif
