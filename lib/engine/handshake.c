/* handshake.c: what the client asks for: by SOCKS, by the port it came to, or
 * by the address that the kernel redirected it from. */
#include "engine/association.h"

#include "base/fail.h"
#include "base/net.h"
#include "engine/bind.h"
#include "engine/flow_login.h"
#include "engine/leg_tls.h"
#include "engine/listener_tls.h"
#include "engine/own_ports.h"
#include "os/os.h"

#include <inttypes.h>
#include <string.h>

enum {
  DNS_PORT = 53,
};

/* A flow without a handshake asks for a destination all the same. */
static int ask_for(epi_flow *flow, const epi_addr *dest) {
  epi_request *request = NULL;
  int result = epi_request_new(&request);

  if (result) {
    return result;
  }
  result = epi_request_set_dest(request, dest);
  if (!result && flow->worker->engine->settings[EPI_ENGINE_FAST_OPEN]) {
    result = epi_request_set_stack(request, EPI_LEG_REMOTE, EPI_STACK_TFO, 0);
  }
  flow->own_request = request;
  flow->request = request;
  flow->dest = *dest;
  return result;
}

static void begin_to(epi_flow *flow, const epi_addr *dest) {
  if (ask_for(flow, dest)) {
    epi__flow_end(flow, 1, epi_error_detail());
    return;
  }
  epi__relay_keep_early(flow); /* it is often there already */
  if (flow->phase != EPI__ENDED) {
    epi__flow_judge(flow);
  }
}

static void begin_redirected(epi_flow *flow) {
  epi_addr dest;

  if (epi__sock_original(flow->legs[EPI_FORWARD].fd, &dest)) {
    epi__flow_end(flow, 1, epi_error_detail());
    return;
  }
  begin_to(flow, &dest);
}

static void begin_at_port(epi_flow *flow) {
  epi_addr dest;

  if (epi__port_dest(flow, &dest)) {
    epi__flow_end(flow, 1, epi_error_detail());
    return;
  }
  begin_to(flow, &dest);
}

static void begin(epi_flow *flow) {
  const epi__listener *listener = flow->listener;

  switch (listener->kind) {
  case EPI__LISTEN_REDIRECT:
    begin_redirected(flow);
    return;
  case EPI__LISTEN_REVERSE:
    begin_to(flow, &listener->dest);
    return;
  case EPI__LISTEN_PORT:
    begin_at_port(flow);
    return;
  default:
    if (epi_session_new_server(&flow->session, listener->accept,
                               listener->draft, listener->users != NULL) ||
        epi__sessions_offer(flow)) {
      epi__flow_end(flow, 1, epi_error_detail());
      return;
    }
    epi__handshake_read(flow); /* the request is often there already */
  }
}

/* draft-11: answered, then closed. */
static void finish_noop(epi_flow *flow) {
  epi_addr none = {0};

  epi__handshake_succeed(flow, &none);
  epi__flow_linger(flow, NULL);
}

/* Does a client ask for the name server that this proxy has (draft-11, "DNS
 * provided by SOCKS")? */
static int asks_for_dns(const epi_addr *dest) {
  static const uint8_t unspecified[sizeof dest->ip] = {0};

  return (dest->kind == EPI_ADDR_IPV4 || dest->kind == EPI_ADDR_IPV6) &&
         dest->port == DNS_PORT &&
         !memcmp(dest->ip, unspecified, sizeof dest->ip);
}

/* Where it wants to connect to. Returns 0, or it was refused. */
static int find_dest(epi_flow *flow) {
  const epi_addr *dns = &flow->worker->engine->dns;

  flow->is_dns = asks_for_dns(&flow->dest);
  if (flow->is_dns) {
    if (dns->kind == EPI_ADDR_NONE) {
      epi__flow_refuse(flow, EPI_REPLY_REFUSED, "no name server is offered");
      return EPI_EDENIED;
    }
    flow->dest = *dns;
  }
  if (flow->dest.kind == EPI_ADDR_NONE || !flow->dest.port) {
    epi__flow_refuse(flow, EPI_REPLY_FAILURE, "no destination port");
    return EPI_EDENIED;
  }
  return 0;
}

/* The version has no other commands. */
static void begin_command(epi_flow *flow) {
  switch (epi_request_command(flow->request)) {
  case EPI_CONNECT:
    if (!find_dest(flow)) {
      epi__flow_judge(flow);
    }
    break;
  case EPI_BIND:
    if (epi__flow_believe(flow)) {
      epi__bind_begin(flow);
    }
    break;
  case EPI_UDP_ASSOCIATE:
    if (epi__flow_believe(flow)) {
      epi__associate_begin(flow);
    }
    break;
  default:
    finish_noop(flow);
  }
}

/* The request is complete; what the session left over is early data. */
static void take_request(epi_flow *flow, const uint8_t *rest, size_t len) {
  epi__queue *early = &flow->lanes[EPI_FORWARD].early;
  const void *initial;
  ptrdiff_t initial_len = epi_session_initial_data(flow->session, &initial);

  flow->request = epi_session_request(flow->session);
  flow->dest = *epi_request_dest(flow->request);
  epi__meter_time(flow->worker->meter, EPI__METER_HANDSHAKE,
                  epi__loop_now(flow->worker->loop) - flow->opened_at);
  epi__sessions_enter(flow);
  if (flow->listener->users) {
    flow->user = epi_request_user(flow->request);
    flow->user = flow->user ? flow->user : "";
    flow->authenticated |= EPI__AUTH_PASSWORD;
    if (!epi__users_have(flow->listener->users, flow->user)) {
      epi__flow_refuse(flow, EPI_REPLY_NOT_ALLOWED, /* of a session, mostly */
                       "its user was taken out of the users file");
      return;
    }
  }
  if ((initial_len > 0 &&
       epi__queue_append(early, initial, (size_t)initial_len)) ||
      epi__queue_append(early, rest, len)) {
    epi__flow_refuse(flow, EPI_REPLY_FAILURE, epi_error_detail());
    return;
  }
  begin_command(flow);
  /* The authentication reply of SOCKS 6, if the other could not go along. */
  epi__relay_flush(flow, EPI_BACKWARD);
}

/* Returns 1 if the handshake goes on. */
static int answer_login(epi_flow *flow, int right) {
  if (epi_session_login(flow->session, right == 1)) {
    epi__flow_end(flow, 1, epi_error_detail());
    return 0;
  }
  if (epi_session_next(flow->session) != EPI_NEXT_REFUSED) {
    return 1;
  }
  if (right == EPI_ELIMIT) {
    epi__login_hush(flow);
  } else {
    epi__flow_linger(flow, right ? "the login was not checked"
                                 : "the login is wrong");
  }
  return 0;
}

static void feed(epi_flow *flow, const uint8_t *data, size_t len) {
  int right;

  for (;;) {
    ptrdiff_t used = epi_session_feed(flow->session, data, len);

    if (used < 0) {
      epi__flow_linger(flow, epi_error_detail());
      return;
    }
    data += used;
    len -= (size_t)used;
    switch (epi_session_next(flow->session)) {
    case EPI_NEXT_LOGIN:
      right = epi__login_check(flow, data, len);
      if (right == EPI_EBUSY || !answer_login(flow, right)) {
        return;
      }
      continue;
    case EPI_NEXT_REPLY:
      take_request(flow, data, len);
      return;
    case EPI_NEXT_READ:
      epi__relay_flush(flow, EPI_BACKWARD);
      if (flow->phase == EPI__ENDED || !used || !len) {
        return;
      }
      continue;
    default:
      epi__flow_linger(flow, "the handshake was refused");
      return;
    }
  }
}

void epi__handshake_go_on(epi_flow *flow, int right, const uint8_t *rest,
                          size_t len) {
  if (answer_login(flow, right)) {
    feed(flow, rest, len);
  }
}

/* A connection that never carried a byte is no failure: a proxy before may have
 * kept it in case of need, or somebody looked whether this one is there. */
static void end_left(epi_flow *flow, const char *why) {
  epi__addr_buf peer;

  if (flow->spoke) {
    epi__flow_end(flow, 0, why);
    return;
  }
  epi__log(flow->worker->engine, EPI_LOG_DEBUG,
           "flow %" PRId64 " from %s: closed unused", flow->number,
           epi__addr_text(flow->peer, &peer));
  epi__flow_end(flow, 0, NULL);
}

/* With TLS, who the client is comes before what it wants. */
static void shake(epi_flow *flow) {
  int result = epi__leg_shake(&flow->legs[EPI_FORWARD]);

  flow->spoke = flow->legs[EPI_FORWARD].tls->heard;
  if (!result) {
    return;
  }
  if (result > 0 && !epi__listener_know(flow)) {
    flow->spoke = 0; /* nothing of its own yet */
    begin(flow);
  } else if (flow->spoke) {
    epi__flow_linger(flow, epi_error_detail());
  } else {
    end_left(flow, NULL);
  }
}

void epi__handshake_begin(epi_flow *flow) {
  if (flow->legs[EPI_FORWARD].tls) {
    shake(flow);
  } else {
    begin(flow);
  }
}

void epi__handshake_read(epi_flow *flow) {
  epi__worker *worker = flow->worker;
  ptrdiff_t got;

  if (!flow->session) {
    shake(flow);
    return;
  }
  got = epi__leg_read(&flow->legs[EPI_FORWARD], worker->scratch,
                      (size_t)worker->engine->settings[EPI_ENGINE_BUFFER]);
  if (got == EPI_ENOENT) {
    return;
  }
  if (got <= 0) {
    end_left(flow,
             got ? epi_error_detail() : "the client left during its handshake");
    return;
  }
  flow->spoke = 1;
  feed(flow, worker->scratch, (size_t)got);
}

void epi__handshake_succeed(epi_flow *flow, const epi_addr *bound) {
  epi_reply *reply = NULL;
  int error;

  if (!flow->session) {
    return;
  }
  error = epi_reply_new(&reply);
  if (!error && bound->kind != EPI_ADDR_NONE && !flow->is_dns) {
    error = epi_reply_set_bound(reply, bound);
  }
  if (!error) {
    error = flow->bind ? epi__bind_answer_stack(reply, flow)
                       : epi__stack_answer_connect(reply, flow);
  }
  if (!error) {
    error = epi__hops_answer(reply, flow);
  }
  if (!error) {
    error = epi_session_reply(flow->session, reply);
  }
  epi_reply_free(reply);
  if (error) {
    epi__flow_refuse(flow, EPI_REPLY_FAILURE, epi_error_detail());
    return;
  }
  epi__relay_flush(flow, EPI_BACKWARD);
}
