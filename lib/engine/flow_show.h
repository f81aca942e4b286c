/* flow_show.h: what is told of a flow to an operator. */
#ifndef EPI__FLOW_SHOW_H
#define EPI__FLOW_SHOW_H

#include "engine/flow.h"
#include "epi/control.h"

/* Append a flow as a JSON object (doc/admin.md), up to its last brace; in its
 * worker. */
void epi__flow_show(epi__text *out, const epi_flow *flow);

/* Append what it goes through, as a JSON object. */
void epi__flow_show_route(epi__text *out, const epi_flow *flow);

/* ---- flow_list.c ---- */

/* As epi_engine_flows(), that waits for so long. */
int epi__flows_list(epi_engine *engine, const epi_match *match, int64_t from,
                    size_t most, int64_t wait_ms, char **out);

#endif
