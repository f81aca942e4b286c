/* flow_limits.h: how many flows there may be at once of whom and of what, how
 * much each may carry, and how fast. */
#ifndef EPI__FLOW_LIMITS_H
#define EPI__FLOW_LIMITS_H

#include "engine/flow.h"

/* ---- flow_limits.c: how many ---- */

/* A connection was accepted: count it for its address. Returns 0, or an error,
 * and it is to be closed; this is logged, and audited. */
int epi__limits_connect(epi__worker *worker, const epi__listener *listener,
                        const epi_addr *peer, epi__quota_entry **out);

/* The flow may be: count it for its client, its user and its application, and
 * find out how much it may carry. Returns 0, EPI_EDENIED with the limit in the
 * detail, EPI_ELIMIT (flows hold as much memory as they may) or EPI_ENOMEM. */
int epi__limits_enter(epi_flow *flow);

/* It may go on by another decision, whose limits count from now on. It is not
 * cut for how many there are. Returns 0 or EPI_ENOMEM. */
int epi__limits_anew(epi_flow *flow);

/* It is over, but for its connection; and with that. */
void epi__limits_leave(epi_flow *flow);
void epi__limits_end(epi_flow *flow);

/* ---- flow_pace.c: how much, and how fast ---- */

/* Hold the flow to these, each 0 for none, by its direction. Returns 0 or
 * EPI_ENOMEM. */
int epi__pace_set(epi_flow *flow, const int64_t bytes[2],
                  const int64_t rates[2]);
void epi__pace_stop(epi_flow *flow);
void epi__pace_free(epi_flow *flow);

/* May a lane take something now? If not, the flow is watched again in time. */
int epi__pace_may(const epi_flow *flow, int lane);

/* How much of size bytes a lane that may take something shall read at most, at
 * least one: the one more than it may have ends the flow. */
size_t epi__pace_room(const epi_flow *flow, int lane, size_t size);

/* A lane took so many bytes, which its count does not have yet. Returns 0, or
 * EPI_EDENIED with the limit in the detail: they must not go on. */
int epi__pace_took(epi_flow *flow, int lane, size_t len);

#endif
