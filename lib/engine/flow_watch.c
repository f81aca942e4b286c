/* flow_watch.c: what a flow's sockets are watched for, and who is called. */
#include "engine/association.h"

#include "engine/bind.h"
#include "engine/buffered.h"

#include <stddef.h>

static void on_client(epi__io *io, int events);
static void on_server(epi__io *io, int events);

static int waits_to_send(const epi_flow *flow, int direction) {
  const epi_session *session =
      direction == EPI_FORWARD ? flow->hop_session : flow->session;
  const epi__lane *lane = &flow->lanes[direction];
  const void *data;

  return (session && !(direction == EPI_BACKWARD && flow->held) &&
          epi_session_peek(session, &data) > 0) ||
         (lane->open && epi__lane_held(lane));
}

void epi__linger_flush(epi_flow *flow) {
  epi__relay_flush(flow, EPI_BACKWARD);
  if (flow->phase == EPI__LINGER && !waits_to_send(flow, EPI_BACKWARD)) {
    epi__leg_end(&flow->legs[EPI_FORWARD]);
  }
}

static size_t held(const epi__queue *queue) {
  return queue->end - queue->start;
}

static int client_events(const epi_flow *flow) {
  size_t limit = (size_t)flow->worker->engine->settings[EPI_ENGINE_BUFFER];
  int events = waits_to_send(flow, EPI_BACKWARD) ? EPI__WRITE : 0;

  switch (flow->phase) {
  case EPI__HANDSHAKE:
    return flow->login ? events : events | EPI__READ;
  case EPI__ASSOCIATED:
    return events | EPI__READ;
  case EPI__LINGER:
    return flow->legs[EPI_FORWARD].eof ? events : events | EPI__READ;
  default:
    if (flow->lanes[EPI_FORWARD].open) {
      return epi__relay_may_take(flow, EPI_FORWARD) ? events | EPI__READ
                                                    : events;
    }
    return flow->legs[EPI_FORWARD].eof ||
                   held(&flow->lanes[EPI_FORWARD].early) >= limit ||
                   epi__buffered_full(flow->worker->engine)
               ? events
               : events | EPI__READ;
  }
}

static int server_events(const epi_flow *flow) {
  int events = waits_to_send(flow, EPI_FORWARD) ? EPI__WRITE : 0;

  switch (flow->phase) {
  case EPI__SECURE:
  case EPI__HOPS:
  case EPI__WAIT:
    return events | EPI__READ;
  default:
    return epi__relay_may_take(flow, EPI_BACKWARD) ? events | EPI__READ
                                                   : events;
  }
}

void epi__flow_watch(epi_flow *flow) {
  epi__leg *client = &flow->legs[EPI_FORWARD];
  epi__leg *server = &flow->legs[EPI_BACKWARD];

  if (flow->phase == EPI__ENDED) {
    return;
  }
  epi__buffered_note(flow);
  epi__leg_watch(client, client_events(flow), on_client);
  if (server->fd >= 0) {
    epi__leg_watch(server, server_events(flow), on_server);
  }
  epi__filters_watch(flow);
  if (flow->phase >= EPI__AWAIT && flow->phase <= EPI__RELAY &&
      epi__buffered_full(flow->worker->engine)) {
    epi__buffered_wait(flow->worker);
  }
}

/* Read and drop what still comes, until the client closes. */
static void linger_read(epi_flow *flow) {
  epi__worker *worker = flow->worker;
  ptrdiff_t got =
      epi__leg_read(&flow->legs[EPI_FORWARD], worker->scratch, EPI__SCRATCH);

  if (got == 0 || got == EPI_ECLOSED) {
    epi__flow_end(flow, 0, NULL);
  }
}

static void on_client(epi__io *io, int events) {
  epi_flow *flow = EPI__OWNER(io, epi__leg, io)->flow;

  if (events & EPI__WRITE && flow->phase == EPI__LINGER) {
    epi__linger_flush(flow);
  } else if (events & EPI__WRITE) {
    epi__relay_flush(flow, EPI_BACKWARD);
  }
  if (events & EPI__READ) {
    switch (flow->phase) {
    case EPI__HANDSHAKE:
      epi__handshake_read(flow);
      break;
    case EPI__ASSOCIATED:
      epi__association_read_tcp(flow);
      break;
    case EPI__LINGER:
      linger_read(flow);
      break;
    case EPI__AWAIT:
      epi__await_read_client(flow);
      break;
    case EPI__WAIT:
      epi__bind_read_client(flow);
      break;
    case EPI__ENDED:
      break;
    default:
      if (flow->lanes[EPI_FORWARD].open) {
        epi__relay_read(flow, EPI_FORWARD);
      } else {
        epi__relay_keep_early(flow);
      }
    }
  }
  epi__flow_watch(flow);
}

static void on_server(epi__io *io, int events) {
  epi_flow *flow = EPI__OWNER(io, epi__leg, io)->flow;

  if (events & EPI__WRITE) {
    epi__relay_flush(flow, EPI_FORWARD);
  }
  if (events & EPI__READ && flow->phase == EPI__SECURE) {
    epi__secure_read(flow);
  } else if (events & EPI__READ && flow->phase == EPI__WAIT &&
             !flow->hop_session) {
    epi__bind_accept(flow);
  } else if (events & EPI__READ &&
             (flow->phase == EPI__HOPS || flow->phase == EPI__WAIT)) {
    epi__hops_read(flow);
  } else if (events & EPI__READ && flow->phase == EPI__RELAY) {
    epi__relay_read(flow, EPI_BACKWARD);
  }
  epi__flow_watch(flow);
}
