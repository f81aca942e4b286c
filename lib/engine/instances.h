/* instances.h: where the functions of models run, and which place carries a
 * flow.
 *
 * One table for an engine, under a lock of its own, used by all workers. An
 * instance is known by its function's name and its URL, and outlives the models
 * that name it: how many flows it has, and whether it answers, stays known when
 * the model changes. The endpoints of a model are there as long as the model
 * has them; what was started besides comes and goes. */
#ifndef EPI__INSTANCES_H
#define EPI__INSTANCES_H

#include "base/bytes.h"
#include "epi/engine.h"

typedef struct epi__instances epi__instances;
typedef struct epi__instance epi__instance;

/* Make an empty table, whose changes the engine's log tells. Returns 0 or
 * EPI_ENOMEM. */
int epi__instances_new(epi__instances **out, epi_engine *engine);

/* End it; no instance may be held any more. */
void epi__instances_free(epi__instances *table);

/* A model takes force, NULL for none: its endpoints are there. Those of the
 * model before that it has not get no new flows, and are forgotten with their
 * last one. Returns 0; or EPI_ENOMEM, and all is as before. */
int epi__instances_set_model(epi__instances *table, const epi_model *model);

/* Append what epi_engine_instances() writes. */
void epi__instances_put(epi__text *out, epi__instances *table);

/* ---- instance_choice.c: which one carries a flow ---- */

/* Choose for one flow: of the function's instances that answer, or of which the
 * opposite is not known, and that have room, the one with the fewest flows; in
 * turn among equals. Those whose numbers are among `tried` are passed over. If
 * none of the others answers, the one that failed longest ago is chosen all the
 * same. It has one flow more then, until epi__instance_release().
 *
 * Returns 0; EPI_ELIMIT: those that answer have as many flows as they can
 * carry; or EPI_EFILTER: there is none, or none is left. The detail says
 * which. */
int epi__instance_take(epi__instances *table, const char *function,
                       const int64_t *tried, size_t tried_count,
                       epi__instance **out);
void epi__instance_release(epi__instance *instance);

/* 1 if the function has others that could carry flows instead. */
int epi__instance_has_others(epi__instance *instance);

/* ---- instance_state.c: of one that is held ---- */

/* Its URL as the model has it; the same without a password, for people; the
 * function's name; and a number that no other instance ever has. */
const char *epi__instance_url(const epi__instance *instance);
const char *epi__instance_shown(const epi__instance *instance);
const char *epi__instance_function(const epi__instance *instance);
int64_t epi__instance_number(const epi__instance *instance);

/* 1 if the model named it once, and the model in force does not. */
int epi__instance_is_gone(epi__instance *instance);

/* What flows saw of it: it answered, or it did not. A log line tells of each
 * change, why in words. */
void epi__instance_works(epi__instance *instance);
void epi__instance_failed(epi__instance *instance, const char *why);

/* The same of probes, which see less. One that fails flows again and again,
 * although it can be reached, is due again after a longer time each. */
void epi__instance_reached(epi__instance *instance);
void epi__instance_missed(epi__instance *instance, const char *why);

/* Those to be probed, each held until epi__instance_let_go(): of functions that
 * have several, and what did not answer; not what failed within the interval.
 * Free the list with epi__free(). NULL, with *count 0, if there are none, or
 * no memory. */
epi__instance **epi__instances_due(epi__instances *table, int64_t interval_ms,
                                   size_t *count);
void epi__instance_let_go(epi__instance *instance);

/* ---- what was started besides the model's endpoints ---- */

/* Add one, which has the capacity that the model gives its function, and hold
 * it. One that was there before, and still has
 * flows, is another one. Returns 0; EPI_EBUSY (it is there); EPI_ENOENT (the
 * model in force has no such function, or it runs in process); EPI_ELIMIT (too
 * many); or EPI_ENOMEM. */
int epi__instance_add(epi__instances *table, const char *function,
                      const char *url, epi__instance **out);

/* No new flows for it, and with gone 1 those that it has are to be cut; then
 * let go, and it is forgotten with its last flow. */
void epi__instance_close(epi__instance *instance, int gone);
void epi__instance_retire(epi__instance *instance);

/* Call back, from any worker, when one that was added does not answer or has
 * lost its last flow; NULL: not any more. No worker runs meanwhile. */
void epi__instances_on_change(epi__instances *table,
                              void (*callback)(void *user), void *user);

/* 1 if the last that was seen of it is that it does not answer. */
int epi__instance_fails(const epi__instance *instance);

/* How many flows it has; if none, *idle_since is when it lost the last one, or
 * was added, on the clock of epi__clock_steady(). */
int epi__instance_flows(epi__instance *instance, int64_t *idle_since);

#endif
