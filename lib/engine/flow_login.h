/* flow_login.h: a client logs in. */
#ifndef EPI__FLOW_LOGIN_H
#define EPI__FLOW_LOGIN_H

#include "engine/flow.h"
#include "engine/login_pool.h"

/* Check the login that the client's session asks about. rest is what it sent
 * behind it.
 *
 * Returns 1 if it is right; 0 if it is wrong; EPI_ELIMIT: too many of the
 * client's were wrong; another error: it was not checked; or EPI_EBUSY: rest
 * was taken, and epi__handshake_go_on() follows with one of these. */
int epi__login_check(epi_flow *flow, const uint8_t *rest, size_t len);

/* A login of too many was refused, which the log says once for all of them. */
void epi__login_hush(epi_flow *flow);

/* A login from there was wrong: count it, and say so once it was one too many.
 * Threads: any. */
void epi__login_wrong(epi_engine *engine, const epi_addr *client);

/* The flow ends: nobody waits for the answer any more. */
void epi__login_over(epi_flow *flow);

/* Cut the flows of a worker whose users are in no users file any more, if one
 * has changed. */
void epi__logins_recheck(epi__worker *worker);

/* Go on with the flows of a worker whose logins were checked. */
void epi__logins_answer(epi__worker *worker);

#endif
