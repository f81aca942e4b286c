/* route.h: what a flow goes through from here on. */
#ifndef EPI__ROUTE_H
#define EPI__ROUTE_H

#include "engine/worker.h"
#include "epi/plan.h"
#include "filter/filter_chain.h"

enum {
  EPI__TRIES_MAX = 8, /* instances that one flow tries */
};

typedef struct epi__route {
  epi_filter *filters[EPI__FILTER_CHAIN_MAX]; /* referenced */
  size_t filter_count;
  epi__hop *hops; /* NULL: no hop was added; else room for all there may be */
  size_t hop_count;
  int first_link; /* the link that hops[0] is, if all hops are links that came
                     as chain metadata; else 0 */
  int detour_at;  /* hops[0] is to be inserted as this link of the chain that
                     came; 0: no chain goes on, or it does as it came */
  size_t place;   /* of this proxy among the plan's hops */
  char *plan; /* what is left for the next proxies, as JSON; NULL: nothing */
  int64_t began_at;
  int64_t tried[EPI__TRIES_MAX]; /* instances to pass over, by number */
  size_t tried_count;
  epi__text failures; /* of those that failed, in words */
  int failed_count;
  int tried_behind; /* all functions behind a hop were tried elsewhere */
} epi__route;

/* Put together, in this order: the engine's own filters and the plan's of this
 * proxy; the plan's functions at endpoints, the engine's own hops, the next
 * proxy of the plan, and the links that came as chain metadata. What comes
 * before those is a detour: the chain [1, 2*, 3] becomes [1, 2, 4, 5, 3].
 *
 * Returns 0; EPI_EDENIED: this proxy may not carry the flow, the detail says
 * why; EPI_ELIMIT: a function, which is added to flow->crowded, has no room;
 * EPI_EBUSY: the flow waits for an instance, see epi__flow_await();
 * EPI_EFILTER: a function cannot be had; EPI_EPROTO: bad chain metadata; or
 * EPI_ENOMEM. */
int epi__route_new(epi__route **out, epi_flow *flow);
void epi__route_free(epi__route *route);

/* Append the filter of a plan's function. Returns 0 or EPI_EFILTER. */
int epi__route_add_filter(epi__route *route, const epi__policy *policy,
                          const epi_plan *plan, size_t hop, size_t function);

/* Make room for one more hop. Returns 0, EPI_EDENIED or EPI_ENOMEM. */
int epi__route_make_room(epi__route *route);

/* The hops are connected: let go of what is not needed any more. */
void epi__route_settle(epi__route *route);

/* Leave the first hop out. */
void epi__route_drop_hop(epi__route *route);

/* A hop that is this proxy would ask it for ever. Returns 0, or EPI_EDENIED. */
int epi__route_check_hop(const epi_flow *flow, const epi__hop *hop);

/* Behind SOCKS 5 hops this proxy speaks to the next one through them, and TLS
 * inside of TLS it does not. Returns 0, or EPI_EFILTER: a hop would need it. */
int epi__route_check_nesting(const epi__route *route);

/* ---- route_instance.c: functions at endpoints ---- */

/* Append an instance of a plan's function. Returns 0, EPI_EDENIED, EPI_ELIMIT,
 * EPI_EBUSY or EPI_EFILTER. */
int epi__route_add_instance(epi__route *route, epi_flow *flow,
                            const epi_plan *plan, size_t hop, size_t function);

/* An instance failed: the flow does not come back to it. */
void epi__route_note_failure(epi__route *route, epi__instance *instance,
                             const char *why);

/* Put another instance, none of those tried, in the place of one. Returns as
 * epi__route_add_instance(); on failure the hop is as before. */
int epi__route_replace(epi_flow *flow, size_t hop);

/* The flow has left its instances, and counts there no more. */
void epi__route_leave(epi__route *route);

/* ---- route_bind.c ---- */

/* Can a BIND have what the decision on its host and client needs? Returns 0, or
 * EPI_EDENIED and the detail says why not. */
int epi__route_can_bind(const epi_flow *flow, const epi_decision *decision);

/* Add to a BIND's route what its decision needs. Returns 0, EPI_EDENIED or
 * EPI_EFILTER. */
int epi__route_bind(epi_flow *flow);

/* ---- route_proof.c ---- */

/* Did the flow pass the functions at endpoints that lie between the proxy
 * before and the plan's hop that this proxy is? Returns 0, EPI_EDENIED and the
 * detail says which it did not, or another error. */
int epi__route_check_proof(const epi_flow *flow, const epi_plan *plan,
                           size_t hop);

/* Put into the request for a hop the tickets of the functions that it passes
 * from there on. Returns 0 or an error. */
int epi__route_put_tickets(epi_request *out, const epi_flow *flow, size_t hop);

/* ---- route_request.c ---- */

/* Fill the request for a hop of the flow's route: where to, login, metadata.
 *
 * Returns 0, EPI_ELIMIT or another error. */
int epi__route_request(const epi_flow *flow, size_t hop, epi_request *out);

#endif
