/* plan.h: what a decision puts in between, hop by hop.
 *
 * A hop is a proxy with the functions that the flow passes there, in order:
 * the source domain's proxy, then the destination domain's. Where the first
 * cannot connect to the second, hops without functions lie between them. In a
 * model without proxies a plan with functions has one hop, whose proxy is "":
 * the proxy that judges runs them. */
#ifndef EPI_PLAN_H
#define EPI_PLAN_H

#include "area.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Texts live as long as the decision that holds the plan is not filled again
 * or freed. Indices count from 0; past the end there is NULL or 0. */

/* Hops, in the order in which the flow passes them. */
EPI_API size_t epi_plan_hop_count(const epi_plan *plan);

/* The name of a hop's proxy, and where it listens, as a URL. The endpoint is
 * "" if the model has no proxies. */
EPI_API const char *epi_plan_hop_proxy(const epi_plan *plan, size_t hop);
EPI_API const char *epi_plan_hop_endpoint(const epi_plan *plan, size_t hop);

/* The functions of a hop, in the order in which data passes them on its way to
 * the destination. */
EPI_API size_t epi_plan_function_count(const epi_plan *plan, size_t hop);
EPI_API const char *epi_plan_function_name(const epi_plan *plan, size_t hop,
                                           size_t function);

/* How a function runs: in process as `NAME[:ARGS]`, or at endpoints, of which
 * this is the first, as a URL. One of the two is NULL; both are of a function
 * of which instances are started when flows need them (instance.h). */
EPI_API const char *epi_plan_function_filter(const epi_plan *plan, size_t hop,
                                             size_t function);
EPI_API const char *epi_plan_function_endpoint(const epi_plan *plan, size_t hop,
                                               size_t function);

/* All endpoints of a function, one for each of its instances: a flow passes one
 * of them. None for a function in process. */
EPI_API size_t epi_plan_function_endpoint_count(const epi_plan *plan,
                                                size_t hop, size_t function);
EPI_API const char *epi_plan_function_endpoint_at(const epi_plan *plan,
                                                  size_t hop, size_t function,
                                                  size_t endpoint);

/* 1 if flows go on without a function when it fails; what it provides is then
 * not enforced. */
EPI_API int epi_plan_function_fails_open(const epi_plan *plan, size_t hop,
                                         size_t function);

/* 1 if a function that runs elsewhere must show that it saw a flow, where the
 * proxies share a chain key (doc/chains.md); 0 of a filter, for whose work its
 * proxy vouches. */
EPI_API int epi_plan_function_proves(const epi_plan *plan, size_t hop,
                                     size_t function);

/* What the functions cost together, in the weighting of doc/model.md, as
 * milliseconds for one flow of 1 MiB. */
EPI_API double epi_plan_cost_ms(const epi_plan *plan);

/* The round trips from proxy to proxy together, as far as the model has them;
 * one that it does not have counts 0. For estimate.h. */
EPI_API double epi_plan_rtt_ms(const epi_plan *plan);

/* 1 if no cheaper chain exists, 0 if the search was bounded. */
EPI_API int epi_plan_optimal(const epi_plan *plan);

#ifdef __cplusplus
}
#endif

#endif
