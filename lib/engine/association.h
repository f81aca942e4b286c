/* association.h: UDP ASSOCIATE: datagrams between a client and many remotes.
 *
 *     client -- carrier --> judge, resolve --> a socket towards remotes
 *     client <-- carrier -- judge          <-- (one for each family)
 *
 * The carrier is a UDP socket of its own (SOCKS 5), the TCP connection or the
 * listener's UDP port (SOCKS 6). An association is a flow: it lives as long as
 * its TCP connection, in the worker that has that. Every function may end the
 * flow; its memory stays until the loop waits again. */
#ifndef EPI__ASSOCIATION_H
#define EPI__ASSOCIATION_H

#include "engine/flow.h"
#include "engine/udp_peers.h"
#include "epi/datagram.h"
#include "os/udp.h"

/* How the client's datagrams come. */
enum {
  EPI__CARRIER_NONE, /* none came yet */
  EPI__CARRIER_TCP,
  EPI__CARRIER_UDP, /* a socket of its own, or the listener's */
  EPI__CARRIER_DTLS,
};

typedef struct epi__udp_socket {
  epi__io io;
  epi__association *association;
  int fd; /* -1: none */
} epi__udp_socket;

/* Where the client's datagrams come from, and what is sent to it goes to. All 0
 * but carrier where it does not matter. */
typedef struct epi__udp_origin {
  int carrier;
  epi_addr client;
  epi_addr reached; /* at which of our addresses */
  int fd;           /* of SOCKS 5: the association's own socket; else -1 */
  int worker;       /* that has the DTLS session */
  int64_t number;   /* of the session */
  int64_t listener; /* by whose door */
} epi__udp_origin;

struct epi__association {
  epi__association *next; /* in the worker's table */
  epi_flow *flow;
  int version; /* of its messages: EPI_SOCKS5, EPI_SOCKS6 or EPI_SOCKS6_12 */
  uint64_t id; /* of SOCKS 6 */
  epi_datagram *datagram; /* the one at hand */

  epi__udp_origin origin;     /* of SOCKS 5: with port 0 until it is known */
  epi__udp_socket own_socket; /* for the client, of SOCKS 5 */
  epi__udp_way way;           /* how they leave */

  epi__udp_socket remotes[2]; /* IPv4, IPv6 */
  int errors;                 /* the client wants to know of ICMP errors */
  int holds_cap;

  epi__udp_peers sent;  /* destinations that the client asked for */
  epi__udp_peers heard; /* remotes that sent without being asked */
  size_t waiting, waiting_bytes, lookups; /* for names to be resolved */
  int generation;                         /* of the policy that judged them */
  int refusals;                           /* that the log has */
};

/* ---- associate.c ---- */

/* Carry out the flow's request: refuse it, or make its association. */
void epi__associate_begin(epi_flow *flow);

/* The flow ends: close everything, or give the memory back. NULL is fine. */
void epi__associate_end(epi__association *association);
void epi__association_free(epi__association *association);

/* The association of a worker with an id, or NULL. */
epi__association *epi__association_find(const epi__worker *worker, uint64_t id);

/* ---- associate_port.c ---- */

/* Bind the socket towards remotes that a request of SOCKS 6 asks for: address,
 * port and parity, which *parity is set to as it became (-1: not asked for).
 * Returns 0 or an error as epi__udp_open() has them, or EPI_EDENIED: the port
 * is reserved for somebody else. */
int epi__associate_bind(epi__association *association, int *parity);

/* Let go of the ports that the flow reserved. */
void epi__associate_unreserve(epi_flow *flow);

/* ---- associate_stack.c ---- */

/* Act on the stack options of the request; with a reply, say in it what was
 * done. socket is one towards remotes, of a family. Returns 0 or an error of
 * the reply. */
int epi__associate_stack(epi__association *association,
                         const epi__udp_socket *socket, int kind,
                         epi_reply *reply);

/* ---- udp_caps.c ---- */

/* Count an association of the flow's client. Returns 0, EPI_ELIMIT (the client,
 * or the engine, has as many as it may) or EPI_ENOMEM. */
int epi__udp_cap_take(epi_flow *flow);
void epi__udp_cap_give(epi_flow *flow);

/* ---- association_client.c ---- */

/* Something came from the client over the TCP connection. */
void epi__association_read_tcp(epi_flow *flow);

/* What it sent behind its request. */
void epi__association_take_early(epi__association *association);

/* The client's own socket of SOCKS 5 is readable. */
void epi__association_on_client(epi__io *io, int events);

/* A message of SOCKS 6, association->datagram, came from somewhere. Drops what
 * does not belong. */
void epi__association_take(epi__association *association,
                           const epi__udp_origin *origin);

/* Send association->datagram to the client; it is lost if the client cannot
 * take it now, unless must is 1. */
void epi__association_tell(epi__association *association, int must);

/* ---- association_dtls.c ---- */

/* The association that a message in a datagram is for, which is then its
 * datagram; or NULL. */
epi__association *epi__association_of(epi__worker *worker,
                                      const epi__listener *listener,
                                      const uint8_t *data, size_t len);

/* A message came over DTLS. */
void epi__association_take_dtls(epi__worker *worker, const epi__letter *head,
                                const uint8_t *data);

/* Send a message in two parts to the client over DTLS. */
void epi__association_tell_dtls(epi__association *association,
                                const uint8_t *head, size_t head_len,
                                const void *data, size_t len);

/* ---- association_remote.c ---- */

/* Send data to a destination, if it may go there. */
void epi__association_send(epi__association *association, const epi_addr *to,
                           const void *data, size_t len);

/* Send to an address that was judged. */
void epi__association_send_on(epi__association *association, const epi_addr *to,
                              const void *data, size_t len);

/* Read what comes from remotes, from now on. */
void epi__association_hear(epi__association *association);

/* ---- association_judge.c ---- */

/* May the client send to this destination? Returns the address to send to, or
 * NULL: no, or not before its name is resolved; the data waits then. */
const epi_addr *epi__association_may_send(epi__association *association,
                                          const epi_addr *to, const void *data,
                                          size_t len);

/* May what this remote sent go to the client? 1 or 0. */
int epi__association_may_hear(epi__association *association,
                              const epi_addr *from);

/* 1 if the client may send to this address, and did. */
int epi__association_knows(epi__association *association, const epi_addr *addr);

/* There is a new model: whatever was judged counts no more. */
void epi__association_forget(epi__association *association);

#endif
