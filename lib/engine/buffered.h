/* buffered.h: how many bytes flows hold, all together, and what is done when it
 * is too much: new flows are refused, those that run are not read. */
#ifndef EPI__BUFFERED_H
#define EPI__BUFFERED_H

#include "engine/flow.h"

/* A flow did something, or ended: count what it holds now. */
void epi__buffered_note(epi_flow *flow);

/* 1 if as much is held as may be. */
int epi__buffered_full(const epi_engine *engine);

/* How much of size bytes a flow shall read at a time: the less, the less is
 * left, so that those whose peers are quick, and hold nothing, go on for long.
 */
size_t epi__buffered_room(const epi_engine *engine, size_t size);

/* 0, or EPI_ELIMIT for a flow that is new, with the limit in the detail. */
int epi__buffered_admit(const epi_engine *engine);

/* A flow of the worker is not read for want of memory: look again in time. And
 * the worker ends. */
void epi__buffered_wait(epi__worker *worker);
void epi__buffered_end(epi__worker *worker);

#endif
