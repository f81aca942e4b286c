/* udp_peers.h: what an association knows of the hosts at the other end: a
 * bounded table, of which the one that was longest unused has to go. */
#ifndef EPI__UDP_PEERS_H
#define EPI__UDP_PEERS_H

#include "engine/resolve.h"
#include "epi/area.h"

typedef struct epi__association epi__association;

enum {
  EPI__UDP_PEERS = 256, /* of a table */
  EPI__UDP_BUCKETS = 64,
};

/* What is known of a peer. */
enum {
  EPI__PEER_NEW,
  EPI__PEER_ALLOWED,
  EPI__PEER_REFUSED,
  EPI__PEER_RESOLVING,
};

/* A datagram that waits for the address of its destination. */
typedef struct epi__udp_waiting {
  struct epi__udp_waiting *next;
  size_t len;
  uint8_t data[];
} epi__udp_waiting;

typedef struct epi__udp_peer {
  struct epi__udp_peer *next;          /* in its bucket */
  struct epi__udp_peer *older, *newer; /* by use */
  epi__association *association;
  epi_addr addr; /* as asked for */
  int state;
  int64_t judged_at;
  int logged;  /* that it was refused */
  int answers; /* a name's address: it may answer, nothing else is known */
  epi_addr to; /* where datagrams go */
  epi__node_lookup *lookup;
  epi_decision *decision; /* about a name that is being resolved */
  epi__udp_waiting *first, *last;
} epi__udp_peer;

typedef struct epi__udp_peers {
  epi__udp_peer *buckets[EPI__UDP_BUCKETS];
  epi__udp_peer *oldest, *newest;
  size_t count;
} epi__udp_peers;

/* The peer of an address, which counts as a use; or NULL. */
epi__udp_peer *epi__udp_peer_find(epi__udp_peers *peers, const epi_addr *addr);

/* The same; one that is not there is made, in the place of the oldest if the
 * table is full. NULL when out of memory. */
epi__udp_peer *epi__udp_peer_get(epi__association *association,
                                 epi__udp_peers *peers, const epi_addr *addr);

/* Drop what waits for a peer, and the question that it waits for. */
void epi__udp_peer_stop(epi__udp_peer *peer);

void epi__udp_peers_clear(epi__udp_peers *peers);

#endif
