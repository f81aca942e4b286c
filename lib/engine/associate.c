/* associate.c: the beginning and the end of an association. */
#include "base/fail.h"
#include "base/memory.h"
#include "base/net.h"
#include "engine/association.h"
#include "engine/flow_audit.h"
#include "engine/flow_limits.h"
#include "os/os.h"

#include <inttypes.h>
#include <string.h>

/* ---- the worker's table, by id ---- */

static epi__association **bucket_of(epi__worker *worker, uint64_t id) {
  return &worker->associations[(id >> 32) % EPI__ASSOCIATION_BUCKETS];
}

epi__association *epi__association_find(const epi__worker *worker,
                                        uint64_t id) {
  epi__association *at =
      worker->associations[(id >> 32) % EPI__ASSOCIATION_BUCKETS];

  while (at && at->id != id) {
    at = at->next;
  }
  return at;
}

/* An id that nobody can guess, and by which the kernel finds the worker,
 * however many there are by now. */
static int pick_id(epi__association *association) {
  epi__worker *worker = association->flow->worker;
  const epi_engine *engine = worker->engine;
  epi__association **bucket;

  do {
    uint64_t low;
    int result =
        engine->crypto->random(&association->id, sizeof association->id);

    if (result) {
      return result;
    }
    low = association->id & (UINT32_MAX >> 1);
    low = low - low % EPI__WORKERS_MAX + (uint64_t)worker->number;
    association->id = (association->id & ~(uint64_t)UINT32_MAX) | low;
  } while (epi__association_find(worker, association->id));
  bucket = bucket_of(worker, association->id);
  association->next = *bucket;
  *bucket = association;
  return 0;
}

static void leave_table(epi__association *association) {
  epi__association **at = bucket_of(association->flow->worker, association->id);

  while (*at && *at != association) {
    at = &(*at)->next;
  }
  if (*at) {
    *at = association->next;
  }
}

/* ---- set-up ---- */

static int code_for(int error) {
  switch (error) {
  case EPI_EDENIED:
  case EPI_EPERM:
    return EPI_REPLY_NOT_ALLOWED;
  case EPI_ENOENT:
    return EPI_REPLY_HOST_UNREACHABLE;
  default:
    return EPI_REPLY_FAILURE;
  }
}

/* Why the proxy as it is set up carries no datagrams, or NULL: what is put in
 * between takes streams. */
static const char *why_not(const epi_flow *flow) {
  const epi_engine *engine = flow->worker->engine;

  if (engine->hop_count) {
    return "datagrams do not go through further proxies";
  }
  if (engine->filter_count) {
    return "datagrams do not go through functions";
  }
  if (epi_request_metadata(flow->request, EPI_META_CHAIN_LENGTH) ||
      (flow->trusted && epi_request_metadata(flow->request, EPI_META_PLAN))) {
    return "datagrams do not go through the rest of a chain";
  }
  return NULL;
}

static int is_any(const epi_addr *addr) {
  static const uint8_t zeros[16];

  return addr->kind == EPI_ADDR_NAME || !memcmp(addr->ip, zeros, sizeof zeros);
}

/* Where a client of SOCKS 5 will send from: the host that asks, for policy has
 * judged no other. What the request says of the port counts if it is about that
 * host; behind NAT clients say what they know of themselves. */
static epi_addr announced(const epi_flow *flow) {
  epi_addr client = *flow->peer;

  client.port = is_any(&flow->dest) || epi__addr_same_host(&flow->dest, &client)
                    ? flow->dest.port
                    : 0;
  return client;
}

/* SOCKS 5: a socket for the client, where it reached us. */
static int open_socks5(epi__association *association, epi_addr *bound) {
  epi_flow *flow = association->flow;
  const epi_engine *engine = flow->worker->engine;
  int result = epi__sock_local(flow->legs[EPI_FORWARD].fd, bound);

  bound->port = 0;
  if (!result) {
    result = epi__udp_open(bound, (uint32_t)engine->settings[EPI_ENGINE_MARK],
                           0, &association->own_socket.fd);
  }
  if (!result) {
    result = epi__sock_local(association->own_socket.fd, bound);
  }
  if (result) {
    return result;
  }
  association->origin.client = announced(flow);
  association->origin.fd = association->own_socket.fd;
  epi__io_set(flow->worker->loop, &association->own_socket.io,
              association->own_socket.fd, EPI__READ,
              epi__association_on_client);
  return 0;
}

/* SOCKS 6: the socket that remotes reach. One that has all addresses is told by
 * the one at which the client reached us. */
static int open_socks6(epi__association *association, epi_reply *reply,
                       epi_addr *bound) {
  epi_flow *flow = association->flow;
  int kind = flow->dest.kind;
  const epi__udp_socket *socket =
      &association->remotes[kind == EPI_ADDR_IPV6 ? 1 : 0];
  epi_addr local;
  int parity;
  int result = epi__associate_bind(association, &parity);

  if (!result) {
    result = epi__sock_local(socket->fd, bound);
  }
  if (!result && is_any(bound) &&
      !epi__sock_local(flow->legs[EPI_FORWARD].fd, &local) &&
      local.kind == bound->kind) {
    local.port = bound->port;
    *bound = local;
  }
  if (!result && parity >= 0) {
    result = epi_reply_set_stack(reply, EPI_LEG_REMOTE, EPI_STACK_PORT_PARITY,
                                 parity);
  }
  if (!result) {
    result = epi__associate_stack(association, socket, kind, reply);
  }
  if (!result) {
    result = pick_id(association);
  }
  association->way.local = &association->origin.reached;
  return result;
}

static int open_all(epi__association *association, epi_reply *reply) {
  epi_flow *flow = association->flow;
  epi_addr bound;
  int result = epi_datagram_new(&association->datagram);

  if (!result) {
    result = association->version == EPI_SOCKS5
                 ? open_socks5(association, &bound)
                 : open_socks6(association, reply, &bound);
  }
  if (result) {
    return result;
  }
  if (flow->listener->bnd.kind != EPI_ADDR_NONE) {
    uint16_t port = bound.port;

    bound = flow->listener->bnd;
    bound.port = port;
  }
  return epi_reply_set_bound(reply, &bound);
}

static int make(epi_flow *flow) {
  epi__association *association = epi__alloc(sizeof *association);
  int result;

  if (!association) {
    return EPI_ENOMEM;
  }
  association->flow = flow;
  association->version = epi_session_version(flow->session);
  association->own_socket.fd = association->origin.fd = -1;
  association->own_socket.association = association;
  for (int i = 0; i < 2; i++) {
    association->remotes[i].fd = -1;
    association->remotes[i].association = association;
  }
  association->way.tos = association->way.ttl = -1;
  association->generation = -1;
  flow->association = association;
  result = epi__udp_cap_take(flow);
  association->holds_cap = !result;
  return result;
}

/* The reply is on its way. */
static void begin(epi__association *association, const epi_reply *reply) {
  epi_flow *flow = association->flow;
  epi_engine *engine = flow->worker->engine;
  epi__addr_buf source, bound;

  epi__log(engine, EPI_LOG_NOTE, "flow %" PRId64 ": %s > datagrams, by %s",
           flow->number, epi__addr_text(&flow->source, &source),
           epi__addr_text(epi_reply_bound(reply), &bound));
  atomic_fetch_add(&engine->counts[EPI_COUNT_ALLOWED], 1);
  epi__meter_time(flow->worker->meter, EPI__METER_SETUP,
                  epi__loop_now(flow->worker->loop) - flow->opened_at);
  epi__flow_enter(flow, EPI__ASSOCIATED);
  flow->moved_at = flow->phase_at;
  flow->lanes[EPI_BACKWARD].open = 1;
  if (association->version != EPI_SOCKS5) {
    epi_datagram_set_type(association->datagram, EPI_UDP_INIT);
    epi__association_tell(association, 1);
  } else {
    epi__relay_flush(flow, EPI_BACKWARD);
  }
  if (flow->phase == EPI__ASSOCIATED) {
    epi__association_take_early(association);
  }
}

void epi__associate_begin(epi_flow *flow) {
  const char *why = why_not(flow);
  epi_reply *reply = NULL;
  int result;

  if (why) {
    epi__flow_refuse(flow, EPI_REPLY_NO_COMMAND, why);
    return;
  }
  if (flow->dest.kind == EPI_ADDR_NAME &&
      epi_session_version(flow->session) != EPI_SOCKS5) {
    epi__flow_refuse(flow, EPI_REPLY_NO_ADDRESS_TYPE,
                     "a name is no address to bind to");
    return;
  }
  result = epi__limits_enter(flow);
  if (!result) {
    result = make(flow);
  }
  if (!result) {
    result = epi_reply_new(&reply);
  }
  if (!result) {
    result = open_all(flow->association, reply);
  }
  if (!result) {
    result = epi__audit_allowed(flow);
  }
  if (!result) {
    result = epi_session_reply(flow->session, reply);
  }
  if (result) {
    epi__flow_refuse(flow, code_for(result), epi_error_detail());
  } else {
    begin(flow->association, reply);
  }
  epi_reply_free(reply);
}

/* ---- the end ---- */

static void close_socket(epi__association *association,
                         epi__udp_socket *socket) {
  epi__io_stop(association->flow->worker->loop, &socket->io);
  epi__sock_close(socket->fd, 0);
  socket->fd = -1;
}

void epi__associate_end(epi__association *association) {
  if (!association) {
    return;
  }
  close_socket(association, &association->own_socket);
  close_socket(association, &association->remotes[0]);
  close_socket(association, &association->remotes[1]);
  epi__udp_peers_clear(&association->sent);
  epi__udp_peers_clear(&association->heard);
  epi__associate_unreserve(association->flow);
  leave_table(association);
  if (association->holds_cap) {
    association->holds_cap = 0;
    epi__udp_cap_give(association->flow);
  }
}

void epi__association_free(epi__association *association) {
  if (association) {
    epi_datagram_free(association->datagram);
    epi__free(association);
  }
}
