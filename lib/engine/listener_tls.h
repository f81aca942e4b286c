/* listener_tls.h: TLS towards clients. */
#ifndef EPI__LISTENER_TLS_H
#define EPI__LISTENER_TLS_H

#include "base/net.h"
#include "engine/worker.h"

/* Read what a listener's URL says about TLS, if it has any. Returns 0 or an
 * error of epi__tls_table_server(). */
int epi__listener_read_tls(epi__listener *listener, epi_engine *engine,
                           const epi__url *url);

/* A flow's client has connected: it shall speak TLS, if the listener does.
 * Returns 0 or EPI_ENOMEM. */
int epi__listener_secure(epi_flow *flow);

/* The handshake with the client is done: who it is by its certificate becomes
 * the flow's user, until a login says otherwise. Returns 0 or EPI_ENOMEM. */
int epi__listener_know(epi_flow *flow);

#endif
