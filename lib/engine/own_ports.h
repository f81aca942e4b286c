/* own_ports.h: the ports that the model gives this proxy. */
#ifndef EPI__OWN_PORTS_H
#define EPI__OWN_PORTS_H

#include "engine/flow.h"

/* List what the engine listens with, and what it would listen with by a model,
 * or NULL: ports that it has keep their sockets, the others are bound. Nothing
 * is in force before epi__listeners_swap().
 *
 * Returns 0; EPI_EBUSY, EPI_EPERM or EPI_ESYS (a port cannot be bound),
 * EPI_EINVAL (it leads to this proxy), and the detail names it; or EPI_ENOMEM.
 */
int epi__ports_listen(epi__listeners **out, epi_engine *engine,
                      const epi_model *model);

/* A port that a model gives this proxy; from is the model's. */
typedef struct epi__own_port {
  epi_addr listen, to;
  const char *from;
} epi__own_port;

/* Call back for each that "opens", "closes" or "changes" from one model to the
 * next, either of which may be NULL. */
void epi__ports_compare(const epi_engine *engine, const epi_model *was,
                        const epi_model *is,
                        void (*callback)(void *user, const char *change,
                                         const epi__own_port *port),
                        void *user);

/* Log which ports open, close and change from one model to the next. */
void epi__ports_tell(epi_engine *engine, const epi_model *was,
                     const epi_model *is);

/* Where the port leads that a flow came to. Returns 0, or EPI_EDENIED if the
 * model does not have it any more. */
int epi__port_dest(const epi_flow *flow, epi_addr *out);

/* May a flow be, by a policy, at the port that it came to: is the port there,
 * for this node, to this destination? One that came by no such port may.
 * Returns 0 or EPI_EDENIED. */
int epi__port_check(const epi_flow *flow, const epi__policy *policy);

/* Would a flow that came to a plain port, of the model or of a reverse
 * listener, come back to one if it connected to this address? */
int epi__port_is_loop(const epi_flow *flow, const epi_addr *addr);

#endif
