/* association_client.c: datagrams from the client, and to it, by the carrier
 * that its first one came by. */
#include "engine/association.h"

#include "base/fail.h"
#include "base/net.h"

#include <string.h>

enum {
  READS = 64, /* in a row from one socket, before others get their turn */
};

/* The first datagram came: from here on nothing else is taken. */
static void settle(epi__association *association, int carrier) {
  epi_flow *flow = association->flow;

  association->origin.carrier = carrier;
  flow->moved_at = epi__loop_now(flow->worker->loop);
  epi__flow_enter(flow, EPI__ASSOCIATED); /* the idle time counts now */
  epi__association_hear(association);
}

/* Is this the client? The first datagram decides about the port. */
static int is_client(const epi__association *association,
                     const epi_addr *from) {
  return epi__addr_same_host(&association->origin.client, from) &&
         (!association->origin.client.port ||
          association->origin.client.port == from->port);
}

/* ---- to the client ---- */

static void tell_tcp(epi__association *association, const uint8_t *head,
                     size_t head_len, const void *data, size_t len, int must) {
  epi_flow *flow = association->flow;
  epi__queue *queue = &flow->lanes[EPI_BACKWARD].pending;
  size_t held = queue->end - queue->start;
  size_t limit = (size_t)flow->worker->engine->settings[EPI_ENGINE_BUFFER];

  if (!must && held && held + head_len + len > limit) {
    return;
  }
  if (epi__queue_append(queue, head, head_len) ||
      epi__queue_append(queue, data, len)) {
    /* Half a message would make no sense of all that follows. */
    epi__flow_end(flow, 1, epi_error_detail());
    return;
  }
  epi__relay_flush(flow, EPI_BACKWARD);
}

/* A listener's is closed with its door, and its number may be another socket's
 * then: it is looked for each time. Returns -1 if there is none any more. */
static int client_socket(const epi__association *association) {
  const epi_flow *flow = association->flow;

  return association->version == EPI_SOCKS5
             ? association->origin.fd
             : epi__udp_door_fd(flow->worker, flow->listener);
}

void epi__association_tell(epi__association *association, int must) {
  const epi__udp_origin *origin = &association->origin;
  epi_datagram *datagram = association->datagram;
  uint8_t head[EPI_UDP_HEADER_MAX];
  const void *data = NULL;
  size_t len = epi_datagram_type(datagram) == EPI_UDP_DATAGRAM
                   ? epi_datagram_data(datagram, &data)
                   : 0;
  ptrdiff_t head_len;

  epi_datagram_set_association(datagram, association->id);
  head_len = epi_datagram_write_header(datagram, association->version, head,
                                       sizeof head);
  if (head_len < 0) {
    return; /* longer than a message can be */
  }
  if (epi_datagram_type(datagram) < EPI_UDP_DATAGRAM ||
      origin->carrier == EPI__CARRIER_TCP) {
    tell_tcp(association, head, (size_t)head_len, data, len, must);
  } else if (origin->carrier == EPI__CARRIER_DTLS) {
    epi__association_tell_dtls(association, head, (size_t)head_len, data, len);
  } else {
    epi__udp_send(client_socket(association), &origin->client, head,
                  (size_t)head_len, data, len, &association->way);
  }
}

/* ---- SOCKS 5 ---- */

static void take_socks5(epi__association *association, const epi_addr *from,
                        const void *data, size_t len) {
  epi_datagram *datagram = association->datagram;
  epi_addr to;

  if (!is_client(association, from) ||
      epi_datagram_read(datagram, EPI_SOCKS5, data, len) <= 0 ||
      epi_datagram_fragment(datagram) != 0) {
    return;
  }
  association->origin.client.port = from->port;
  if (association->origin.carrier == EPI__CARRIER_NONE) {
    settle(association, EPI__CARRIER_UDP);
  }
  to = *epi_datagram_remote(datagram);
  len = epi_datagram_data(datagram, &data);
  epi__association_send(association, &to, data, len);
}

void epi__association_on_client(epi__io *io, int events) {
  epi__udp_socket *socket = EPI__OWNER(io, epi__udp_socket, io);
  epi__association *association = socket->association;
  epi_flow *flow = association->flow;
  epi_addr from;

  (void)events;
  for (int i = 0; i < READS && flow->phase == EPI__ASSOCIATED; i++) {
    ptrdiff_t got = epi__udp_receive(socket->fd, flow->worker->scratch,
                                     EPI__SCRATCH, &from, NULL);

    if (got < 0) {
      break;
    }
    take_socks5(association, &from, flow->worker->scratch, (size_t)got);
  }
}

/* ---- SOCKS 6 ---- */

static void confirm(epi__association *association) {
  epi_datagram_set_type(association->datagram, EPI_UDP_CONFIRM);
  epi__association_tell(association, 1);
}

/* Policy judges the host at the other end of the TCP connection: whoever it
 * gave the id to is not that. */
static int is_owner(const epi__association *association,
                    const epi__udp_origin *origin) {
  return origin->carrier == EPI__CARRIER_TCP ||
         epi__addr_same_host(association->flow->peer, &origin->client);
}

static int is_same(const epi__udp_origin *a, const epi__udp_origin *b) {
  return a->carrier == b->carrier && epi_addr_equal(&a->client, &b->client) &&
         epi_addr_equal(&a->reached, &b->reached) && a->worker == b->worker &&
         a->number == b->number;
}

void epi__association_take(epi__association *association,
                           const epi__udp_origin *origin) {
  epi_datagram *datagram = association->datagram;
  const void *data;
  size_t len = epi_datagram_data(datagram, &data);
  epi_addr to = *epi_datagram_remote(datagram);

  if (association->origin.carrier == EPI__CARRIER_NONE) {
    if (!is_owner(association, origin)) {
      return;
    }
    association->origin = *origin;
    settle(association, origin->carrier);
    confirm(association);
  } else if (!is_same(origin, &association->origin)) {
    return;
  }
  if (association->flow->phase == EPI__ASSOCIATED) {
    epi__association_send(association, &to, data, len);
  }
}

/* Take the messages in front. Returns the bytes used, or an error. */
static ptrdiff_t take_messages(epi__association *association,
                               const uint8_t *data, size_t len) {
  const epi__udp_origin origin = {.carrier = EPI__CARRIER_TCP};
  epi_datagram *datagram = association->datagram;
  size_t used = 0;

  while (association->flow->phase == EPI__ASSOCIATED) {
    ptrdiff_t n = epi_datagram_read(datagram, association->version, data + used,
                                    len - used);

    if (n <= 0) {
      return n ? n : (ptrdiff_t)used;
    }
    used += (size_t)n;
    if (epi_datagram_type(datagram) != EPI_UDP_DATAGRAM) {
      return epi__fail(EPI_EPROTO, "a client sends datagrams alone");
    }
    if (epi_datagram_association(datagram) == association->id) {
      epi__association_take(association, &origin);
    }
  }
  return (ptrdiff_t)used;
}

/* Part of a message stays in the lane until the rest of it comes. */
static void take_tcp(epi__association *association, const uint8_t *data,
                     size_t len) {
  epi_flow *flow = association->flow;
  epi__queue *early = &flow->lanes[EPI_FORWARD].early;
  int kept = early->end > early->start;
  ptrdiff_t used;

  if (association->version == EPI_SOCKS5) {
    return; /* nothing belongs there */
  }
  if (kept) {
    if (epi__queue_append(early, data, len)) {
      epi__flow_end(flow, 1, epi_error_detail());
      return;
    }
    len = epi__queue_peek(early, &data);
  }
  used = take_messages(association, data, len);
  if (used >= 0 && kept) {
    epi__queue_ack(early, (size_t)used);
  } else if (used >= 0 &&
             epi__queue_append(early, data + used, len - (size_t)used)) {
    used = EPI_ENOMEM;
  }
  if (used < 0) {
    epi__flow_end(flow, 1, epi_error_detail());
  }
}

void epi__association_take_early(epi__association *association) {
  epi__queue early = association->flow->lanes[EPI_FORWARD].early;
  const uint8_t *data;
  size_t len = epi__queue_peek(&early, &data);

  memset(&association->flow->lanes[EPI_FORWARD].early, 0, sizeof early);
  if (len) {
    take_tcp(association, data, len);
  }
  epi__queue_clear(&early, 0);
}

void epi__association_read_tcp(epi_flow *flow) {
  epi__worker *worker = flow->worker;
  ptrdiff_t got =
      epi__leg_read(&flow->legs[EPI_FORWARD], worker->scratch, EPI__SCRATCH);

  if (got == EPI_ENOENT) {
    return;
  }
  if (got <= 0) {
    epi__flow_end(flow, 0, "the client closed its connection");
    return;
  }
  take_tcp(flow->association, worker->scratch, (size_t)got);
}
