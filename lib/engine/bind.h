/* bind.h: a BIND on its way.
 *
 *     request -> listen or ask a hop -> first reply -> wait -> a host connects
 *     -> judge -> second reply -> relay
 *
 * The flow's legs stay as they are, the client's and the other one; but the
 * host that connects is the source, and the client the destination, for policy
 * and filters alike. */
#ifndef EPI__BIND_H
#define EPI__BIND_H

#include "engine/flow.h"

typedef struct epi__bind {
  epi_addr client;       /* who asked for it */
  epi_addr bound;        /* what the first reply says; kind NONE before */
  epi_addr *hosts;       /* who is expected */
  size_t host_count;     /* 0: anybody is */
  int counted;           /* among the client's BINDs that wait */
  int multipath;         /* 1 if multipath TCP is taken */
  int granted;           /* backlog: connections that may wait, or 0 */
  epi__backlog *backlog; /* that this flow holds; NULL for an ordinary BIND */
  int strangers;         /* that the audit log has */
  int shared; /* a descriptor of its session's backlog, or -1: the leg's own */
} epi__bind;

/* ---- bind.c ---- */

/* Begin: the request is a BIND, and it is known whom to believe. */
void epi__bind_begin(epi_flow *flow);

/* 1 if the client speaks SOCKS 5 and says whom to expect; one of SOCKS 6 says
 * what to bind. */
int epi__bind_is_socks5(const epi_flow *flow);

/* The socket that a flow accepts its host with; once it did, that host. */
int epi__bind_listener(const epi_flow *flow);

/* The wait is over, whatever way. May be called more than once. */
void epi__bind_over(epi_flow *flow);

void epi__bind_free(epi__bind *bind);

/* ---- bind_wait.c ---- */

/* The address is known where hosts connect to: send the first reply, wait. */
void epi__bind_offered(epi_flow *flow, const epi_addr *bound);

/* The next proxy gave its first reply, or its second. */
void epi__bind_offered_by_hop(epi_flow *flow);
void epi__bind_connected_by_hop(epi_flow *flow, const epi_addr *host);

/* The client is readable while the flow waits, or the listening socket is. */
void epi__bind_read_client(epi_flow *flow);
void epi__bind_accept(epi_flow *flow);

/* ---- bind_listen.c ---- */

/* Listen, or share in the backlog of the client's session. Goes on to
 * epi__bind_offered(), or refuses. */
void epi__bind_listen(epi_flow *flow);

/* May clients choose this port of the proxy's, of TCP or UDP? */
int epi__bind_may_have_port(const epi_engine *engine, uint16_t port);

/* Say in a reply what became of the client's stack options. Returns 0 or an
 * error. */
int epi__bind_answer_stack(epi_reply *out, const epi_flow *flow);

/* ---- bind_judge.c ---- */

/* May one of the hosts that are expected connect? Without a model, or when
 * anybody may be expected, yes. Returns 1, or 0 and the flow was refused. */
int epi__bind_may_wait(epi_flow *flow, epi__policy *policy);

/* The same, and nothing is refused. Returns 0, or EPI_EDENIED and why. */
int epi__bind_check(const epi_flow *flow, epi__policy *policy, char *why,
                    size_t size);

/* A host connected. Returns 1 if it is admitted and what it needs is set up;
 * 0 if it is a stranger that policy does not let in, and the wait may go on; or
 * -1, and the flow was refused. */
int epi__bind_admit(epi_flow *flow, const epi_addr *host);

/* A host connected that may not, and the wait goes on: have that audited. */
void epi__bind_audit_stranger(epi_flow *flow, const epi_addr *host,
                              const epi_decision *decision, const char *why);

/* ---- bind_backlog.c: the listening sockets of sessions ---- */

/* Have the flow's session listen at an address, with a socket that is closed
 * when that ends. Returns 0 or EPI_ENOMEM. */
int epi__backlog_new(epi__backlog **out, const epi_flow *flow,
                     const epi_addr *addr, int fd);

/* The socket that listens, which stays the backlog's. */
int epi__backlog_fd(const epi__backlog *backlog);

/* End it: nobody listens there any more. */
void epi__backlog_end(epi_engine *engine, epi__backlog *backlog);

/* Share in the socket that the flow's session listens with at an address, as
 * epi__sock_share() has it. Returns 0, EPI_ENOENT (no such backlog) or
 * EPI_ELIMIT. */
int epi__backlog_take(const epi_flow *flow, const epi_addr *addr, int *copy,
                      int *watch);

#endif
