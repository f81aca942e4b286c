/* secure.c: the TLS handshake with a hop, before it is asked for anything, or
 * with the destination of a listener that says so.
 *
 * Until it is done nothing of the flow went to the hop: who fails in it, or
 * does not finish in time, is as good as dead, and another may take over. */
#include "engine/flow.h"

#include "base/fail.h"
#include "base/net.h"
#include "engine/leg_tls.h"
#include "engine/tls_files.h"

#include <inttypes.h>
#include <stdio.h>

/* Is it the destination's turn, and not a hop's? */
static int is_dest(const epi_flow *flow) {
  return flow->hop >= flow->route->hop_count;
}

int epi__hop_session(const epi__hop *hop, epi__tls **out) {
  epi__tls_context *context = epi__tls_files_context(hop->tls);
  char host[EPI_ADDR_TEXT_MAX];
  const char *name = hop->tls_name;
  int result;

  if (!name) {
    epi_addr_format(&hop->addr, 0, host, sizeof host);
    name = host;
  }
  result = epi__tls_new(out, context, name, hop->addr.port);
  epi__tls_context_free(context);
  return result;
}

static int dest_session(const epi_flow *flow, epi__tls **out) {
  const epi__listener *listener = flow->listener;
  const epi__hop as_hop = {.tls = listener->dest_tls,
                           .tls_name = listener->dest_name,
                           .addr = flow->dest};

  return epi__hop_session(&as_hop, out);
}

static void fail_dest(epi_flow *flow, int code, const char *what) {
  epi__addr_buf dest;
  char why[700];

  snprintf(why, sizeof why, "the destination %s: %s",
           epi__addr_text(&flow->dest, &dest), what);
  epi__flow_refuse(flow, code, why);
}

static void fail(epi_flow *flow, int code, const char *what) {
  size_t hop = flow->hop;
  epi__leg *server = &flow->legs[EPI_BACKWARD];
  char why[700], shown[600];

  snprintf(shown, sizeof shown, "%s", what);
  if (is_dest(flow)) {
    fail_dest(flow, code, shown);
    return;
  }
  snprintf(why, sizeof why, "%s: %s", flow->route->hops[hop].link, shown);
  epi__leg_close(server, 0);
  server->eof = server->shut = 0;
  if (!epi__fail_over(flow, hop, shown) &&
      (hop || !epi__dial_leave_out(flow, why))) {
    epi__refuse_failed(flow, hop, code, why);
  }
}

void epi__secure_begin(epi_flow *flow) {
  epi__tls *session = NULL;
  int result = is_dest(flow)
                   ? dest_session(flow, &session)
                   : epi__hop_session(&flow->route->hops[flow->hop], &session);

  if (!result) {
    result = epi__leg_secure(&flow->legs[EPI_BACKWARD], session);
  }
  if (result) {
    fail(flow, EPI_REPLY_FAILURE, epi_error_detail());
    return;
  }
  epi__flow_enter(flow, EPI__SECURE);
  epi__secure_read(flow);
}

static void say_done(const epi_flow *flow) {
  const epi__tls *session = flow->legs[EPI_BACKWARD].tls->session;

  epi__log(
      flow->worker->engine, EPI_LOG_DEBUG,
      "flow %" PRId64 ": %s by %s, %s, is %s%s", flow->number,
      is_dest(flow) ? "the destination" : flow->route->hops[flow->hop].link,
      epi__tls_version(session), epi__tls_cipher(session),
      epi__tls_peer(session), epi__tls_is_resumed(session) ? ", resumed" : "");
}

void epi__secure_read(epi_flow *flow) {
  static const epi_addr none = {0}; /* no client of this waits for a reply */
  int result = epi__leg_shake(&flow->legs[EPI_BACKWARD]);

  if (result < 0) {
    fail(flow, EPI_REPLY_FAILURE, epi_error_detail());
  } else if (result) {
    say_done(flow);
    if (is_dest(flow)) {
      epi__relay_begin(flow, &none, 0);
    } else {
      epi__hops_go_on(flow);
    }
  }
}

void epi__secure_timeout(epi_flow *flow) {
  fail(flow, EPI_REPLY_TIMED_OUT, "did not finish the TLS handshake in time");
}
