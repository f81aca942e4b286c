/* flow_limits.c: how many flows there may be at once, of whom and of what.
 *
 * The engine's settings say how many of each client and user; the model, how
 * many of an application, and how much each of those may carry. Of what both
 * say the lower counts. */
#include "engine/flow_limits.h"

#include "area/decision.h"
#include "base/net.h"
#include "engine/bind.h"
#include "engine/buffered.h"
#include "engine/flow_audit.h"

#include <inttypes.h>
#include <string.h>

int epi__limits_connect(epi__worker *worker, const epi__listener *listener,
                        const epi_addr *peer, epi__quota_entry **out) {
  epi_engine *engine = worker->engine;
  int64_t most = engine->settings[EPI_ENGINE_CLIENT_CONNECTIONS];
  epi__addr_buf text;
  int first = 0, result;

  if (!most) {
    return 0;
  }
  result = epi__quota_take_addr(&engine->quotas, EPI__QUOTA_CONNECTIONS, peer,
                                most, out, &first);
  if (result != EPI_ELIMIT) {
    return result;
  }
  epi__fail(EPI_EDENIED,
            "its address has %" PRId64 " connections, as many as it may", most);
  epi__log(engine, EPI_LOG_NOTE, "%s: %s is turned away: %s", listener->name,
           epi__addr_text(peer, &text), epi_error_detail());
  if (first) { /* further ones say no more, and there may be very many */
    epi__audit_turned_away(engine, peer, epi_error_detail());
  }
  atomic_fetch_add(&engine->counts[EPI_COUNT_REFUSED], 1);
  return EPI_EDENIED;
}

/* Who it is for: of a BIND whoever asked for it, not the host that came. */
static const epi_addr *client_of(const epi_flow *flow) {
  return flow->bind ? &flow->bind->client : &flow->source;
}

/* Returns 0, EPI_EDENIED or EPI_ENOMEM. */
static int take_client(epi_flow *flow) {
  epi_engine *engine = flow->worker->engine;
  int64_t most = engine->settings[EPI_ENGINE_CLIENT_FLOWS];
  const epi_addr *client = client_of(flow);
  char host[EPI_ADDR_TEXT_MAX];
  int result;

  if (!most || flow->counted[EPI__QUOTA_CLIENT]) {
    return 0;
  }
  result = epi__quota_take_addr(&engine->quotas, EPI__QUOTA_CLIENT, client,
                                most, &flow->counted[EPI__QUOTA_CLIENT], NULL);
  if (result != EPI_ELIMIT) {
    return result;
  }
  epi_addr_format(client, 0, host, sizeof host);
  return epi__fail(EPI_EDENIED,
                   "the client %s has %" PRId64 " flows, as many as it may",
                   host, most);
}

/* Count for a name. Returns 0, EPI_EDENIED or EPI_ENOMEM. */
static int take_name(epi_flow *flow, int what, const char *shown,
                     const char *name, int64_t most) {
  int result = epi__quota_take(&flow->worker->engine->quotas, what, name,
                               strlen(name), most, &flow->counted[what], NULL);

  return result == EPI_ELIMIT
             ? epi__fail(EPI_EDENIED,
                         "%s %s has %" PRId64 " flows, as many as it may",
                         shown, name, most)
             : result;
}

static int take_user(epi_flow *flow) {
  int64_t most = flow->worker->engine->settings[EPI_ENGINE_USER_FLOWS];
  const char *user = most ? epi__flow_said(flow).user : NULL;

  return user && !flow->counted[EPI__QUOTA_USER]
             ? take_name(flow, EPI__QUOTA_USER, "the user", user, most)
             : 0;
}

/* The lower one of two limits, of which 0 is none. */
static int64_t lower(int64_t a, int64_t b) {
  return !a || (b && b < a) ? b : a;
}

static int hold_to(epi_flow *flow, const epi__limits *of) {
  const epi__setting *settings = flow->worker->engine->settings;
  const int64_t bytes[2] = {
      lower(settings[EPI_ENGINE_FLOW_BYTES_OUT], of->bytes[EPI_FORWARD]),
      lower(settings[EPI_ENGINE_FLOW_BYTES_BACK], of->bytes[EPI_BACKWARD])};
  const int64_t rates[2] = {
      lower(settings[EPI_ENGINE_FLOW_RATE_OUT], of->rates[EPI_FORWARD]),
      lower(settings[EPI_ENGINE_FLOW_RATE_BACK], of->rates[EPI_BACKWARD])};

  return epi__pace_set(flow, bytes, rates);
}

static const epi__limits *limits_of(const epi_flow *flow) {
  static const epi__limits none = {0};

  return flow->decision ? epi__decision_limits(flow->decision) : &none;
}

int epi__limits_enter(epi_flow *flow) {
  const epi__limits *limits = limits_of(flow);
  int result = epi__buffered_admit(flow->worker->engine);

  if (!result) {
    result = take_client(flow);
  }
  if (!result) {
    result = take_user(flow);
  }
  if (!result && limits->flows && !flow->counted[EPI__QUOTA_APPLICATION]) {
    result = take_name(flow, EPI__QUOTA_APPLICATION, "application",
                       epi_decision_application(flow->decision), limits->flows);
  }
  if (!result) {
    result = hold_to(flow, limits);
  }
  if (result) {
    epi__limits_leave(flow);
  }
  return result;
}

int epi__limits_anew(epi_flow *flow) {
  const epi__limits *limits = limits_of(flow);
  epi__quota_entry **counted = &flow->counted[EPI__QUOTA_APPLICATION];
  const char *name = epi_decision_application(flow->decision);

  if (flow->phase == EPI__AWAIT) {
    return 0; /* it is not counted yet */
  }
  if (*counted &&
      (!limits->flows || !epi__quota_is_of(*counted, name, strlen(name)))) {
    epi__quota_give(&flow->worker->engine->quotas, counted);
  }
  if (limits->flows && !*counted) {
    int result =
        take_name(flow, EPI__QUOTA_APPLICATION, "", name, EPI__QUOTA_NO_LIMIT);

    if (result) {
      return result;
    }
  }
  return hold_to(flow, limits);
}

void epi__limits_leave(epi_flow *flow) {
  for (int i = EPI__QUOTA_CLIENT; i < EPI__QUOTAS; i++) {
    epi__quota_give(&flow->worker->engine->quotas, &flow->counted[i]);
  }
}

void epi__limits_end(epi_flow *flow) {
  epi__limits_leave(flow);
  epi__quota_give(&flow->worker->engine->quotas,
                  &flow->counted[EPI__QUOTA_CONNECTIONS]);
  epi__pace_stop(flow);
}
