/* health.h: are the instances there that flows do not ask? */
#ifndef EPI__HEALTH_H
#define EPI__HEALTH_H

#include "engine/worker.h"

/* In a worker's loop, from its thread: connect now and then to the instances
 * that are due, and close at once. Does nothing if the engine shall not.
 * Returns 0, or EPI_ENOMEM and nothing runs. */
int epi__health_start(epi__health **out, epi__worker *worker);

/* End it, with what is under way. NULL is fine. */
void epi__health_stop(epi__health *health);

#endif
