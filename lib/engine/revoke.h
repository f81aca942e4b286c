/* revoke.h: a new model takes force on the flows that are there. */
#ifndef EPI__REVOKE_H
#define EPI__REVOKE_H

#include "epi/engine.h"

typedef struct epi__worker epi__worker;

/* What became of the flows since a model was swapped in; guarded by the
 * engine's lock. Times are of a clock that never steps, in milliseconds. */
typedef struct epi__revocation {
  int generation;     /* of the policy */
  int workers;        /* that have not judged their flows yet */
  int64_t began_at;   /* it was swapped in */
  int64_t last_at;    /* the last flow was cut; began_at: none was */
  int64_t flows, cut; /* that were judged, and of these */
  int64_t ever;       /* that any model has cut */
  char model[65];     /* its hash, or "none" */
} epi__revocation;

/* Another policy was put in force just now, with the engine's lock. */
void epi__revoke_begin(epi_engine *engine, const epi_model *model);

/* Judge a worker's flows by it. What it forbids is cut at once: its connections
 * are closed, all of them before the first is told of in log and audit log. The
 * last worker says how long that took. */
void epi__revoke(epi__worker *worker);

#endif
