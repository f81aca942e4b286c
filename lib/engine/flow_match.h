/* flow_match.h: is a flow one of those that are meant. */
#ifndef EPI__FLOW_MATCH_H
#define EPI__FLOW_MATCH_H

#include "engine/flow.h"
#include "epi/control.h"

/* A copy; of NULL, one without criteria. Returns 0 or EPI_ENOMEM. */
int epi__match_copy(epi_match **out, const epi_match *match);

/* Does the flow meet all criteria? In its worker. */
int epi__match_has(const epi_match *match, const epi_flow *flow);

#endif
