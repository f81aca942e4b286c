/* flow_show.h: what is told of a flow to an operator. */
#ifndef EPI__FLOW_SHOW_H
#define EPI__FLOW_SHOW_H

#include "engine/flow.h"

/* Append a flow as a JSON object (doc/admin.md), up to its last brace; in its
 * worker. */
void epi__flow_show(epi__text *out, const epi_flow *flow);

/* Append what it goes through, as a JSON object. */
void epi__flow_show_route(epi__text *out, const epi_flow *flow);

#endif
