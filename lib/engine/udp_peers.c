/* udp_peers.c: the hosts that an association has to do with. */
#include "engine/udp_peers.h"

#include "base/memory.h"
#include "engine/association.h"

#include <string.h>

/* FNV-1a. Whoever finds collisions slows down his own association. */
static size_t bucket_of(const epi_addr *addr) {
  const uint8_t *bytes =
      addr->kind == EPI_ADDR_NAME ? (const uint8_t *)addr->name : addr->ip;
  size_t len = addr->kind == EPI_ADDR_NAME ? addr->name_len : sizeof addr->ip;
  uint32_t hash = 2166136261u ^ addr->port;

  for (size_t i = 0; i < len; i++) {
    hash = (hash ^ bytes[i]) * 16777619u;
  }
  return (hash ^ hash >> 16) % EPI__UDP_BUCKETS;
}

static void unlink_use(epi__udp_peers *peers, epi__udp_peer *peer) {
  *(peer->older ? &peer->older->newer : &peers->oldest) = peer->newer;
  *(peer->newer ? &peer->newer->older : &peers->newest) = peer->older;
  peer->older = peer->newer = NULL;
}

static void link_use(epi__udp_peers *peers, epi__udp_peer *peer) {
  peer->older = peers->newest;
  *(peer->older ? &peer->older->newer : &peers->oldest) = peer;
  peers->newest = peer;
}

void epi__udp_peer_stop(epi__udp_peer *peer) {
  epi__association *association = peer->association;

  if (peer->lookup) {
    association->lookups--;
  }
  epi__node_lookup_cancel(peer->lookup);
  peer->lookup = NULL;
  epi_decision_free(peer->decision);
  peer->decision = NULL;
  while (peer->first) {
    epi__udp_waiting *waiting = peer->first;

    peer->first = waiting->next;
    association->waiting--;
    association->waiting_bytes -= waiting->len;
    epi__free(waiting);
  }
  peer->last = NULL;
}

static void drop_peer(epi__udp_peers *peers, epi__udp_peer *peer) {
  epi__udp_peer **at = &peers->buckets[bucket_of(&peer->addr)];

  while (*at != peer) {
    at = &(*at)->next;
  }
  *at = peer->next;
  unlink_use(peers, peer);
  peers->count--;
  epi__udp_peer_stop(peer);
  epi__free(peer);
}

epi__udp_peer *epi__udp_peer_find(epi__udp_peers *peers, const epi_addr *addr) {
  epi__udp_peer *peer = peers->buckets[bucket_of(addr)];

  while (peer && !epi_addr_equal(&peer->addr, addr)) {
    peer = peer->next;
  }
  if (peer && peer != peers->newest) {
    unlink_use(peers, peer);
    link_use(peers, peer);
  }
  return peer;
}

epi__udp_peer *epi__udp_peer_get(epi__association *association,
                                 epi__udp_peers *peers, const epi_addr *addr) {
  epi__udp_peer *peer = epi__udp_peer_find(peers, addr);
  size_t bucket = bucket_of(addr);

  if (peer) {
    return peer;
  }
  if (peers->count == EPI__UDP_PEERS) {
    drop_peer(peers, peers->oldest);
  }
  peer = epi__alloc(sizeof *peer);
  if (!peer) {
    return NULL;
  }
  peer->association = association;
  peer->addr = peer->to = *addr;
  peer->next = peers->buckets[bucket];
  peers->buckets[bucket] = peer;
  link_use(peers, peer);
  peers->count++;
  return peer;
}

void epi__udp_peers_clear(epi__udp_peers *peers) {
  while (peers->oldest) {
    drop_peer(peers, peers->oldest);
  }
}
