/* warm.h: connections to hops that are there before a flow needs them.
 *
 * A worker keeps some to each address of a hop that its flows have used lately:
 * connected, and not a byte of a flow was sent; with TLS, if the hop has it,
 * its handshake is done. How many follows from use: a flow that
 * finds none makes it one more, one that nobody took makes it one less, and
 * once no flow has used the hop for some time, none is kept. What the hop
 * closes, or says unasked, ends a connection; nothing takes its place before
 * the next flow. */
#ifndef EPI__WARM_H
#define EPI__WARM_H

#include "engine/loop.h"
#include "epi/addr.h"
#include "tls/tls_session.h"

struct epi__hop;

typedef struct epi__warm epi__warm;

enum {
  EPI__WARM_HOPS = 64, /* addresses at once; the one not used longest goes */
};

/* What bounds them. */
typedef struct epi__warm_limits {
  int64_t per_hop; /* connections; 0: none are kept */
  int64_t in_all;
  int64_t idle_ms; /* none is older; its successor is there shortly before */
  uint32_t mark;   /* of their sockets, 0 for none */
} epi__warm_limits;

/* Returns 0 or EPI_ENOMEM. */
int epi__warm_new(epi__warm **out, epi__loop *loop,
                  const epi__warm_limits *limits);
void epi__warm_free(epi__warm *warm);

/* Take a connection to an address of a hop, which is the caller's then, with
 * *session if there is TLS; or -1: there is none. io goes on watching it:
 * epi__io_set() is to be called next. */
int epi__warm_take(epi__warm *warm, const epi_addr *addr,
                   const struct epi__hop *hop, epi__io *io, epi__tls **session);

/* A flow is connected to a hop at this address; missed is 1 if it had to
 * connect itself. Others will come: prepare for them, as far as it goes. */
void epi__warm_used(epi__warm *warm, const epi_addr *addr,
                    const struct epi__hop *hop, int missed);

/* Have other limits from now on: what there is is closed. */
void epi__warm_limit(epi__warm *warm, const epi__warm_limits *limits);

/* How many there are. */
int64_t epi__warm_count(const epi__warm *warm);

/* Close all, and forget what was used. */
void epi__warm_clear(epi__warm *warm);

#endif
