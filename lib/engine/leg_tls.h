/* leg_tls.h: legs that speak TLS. A leg without it does not come here. */
#ifndef EPI__LEG_TLS_H
#define EPI__LEG_TLS_H

#include "engine/leg.h"
#include "tls/tls_session.h"

typedef struct epi__leg_tls {
  epi__tls *session;
  epi__leg *leg;
  void (*callback)(epi__io *io, int events); /* the flow's */
  epi__timer timer; /* runs while the session has what the socket has not */
  int wanted;       /* what the flow watches for */
  int heard;        /* the peer has said something */
  int failed;       /* the session, and it was said so */
  int broken;       /* the socket takes no more */
} epi__leg_tls;

/* A leg, whose socket is open, speaks TLS from here on, by a session that is
 * the leg's then, whatever happens. Returns 0 or EPI_ENOMEM. */
int epi__leg_secure(epi__leg *leg, epi__tls *session);

/* End it; the leg is plain. Without TLS it does nothing. */
void epi__leg_secure_free(epi__leg *leg);

/* As the functions of leg.h without TLS. */
ptrdiff_t epi__leg_tls_read(epi__leg *leg, void *buf, size_t size);
ptrdiff_t epi__leg_tls_write(epi__leg *leg, const void *data, size_t len);
void epi__leg_tls_watch(epi__leg *leg, int events,
                        void (*callback)(epi__io *io, int events));
void epi__leg_tls_end(epi__leg *leg);
void epi__leg_tls_close(epi__leg *leg, int reset);

/* Go on with the handshake. Returns 1: it is done; 0; or an error, the detail
 * says why. */
int epi__leg_shake(epi__leg *leg);

#endif
