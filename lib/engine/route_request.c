/* route_request.c: what a proxy asks of the next, and tells it. */
#include "base/fail.h"
#include "base/net.h"
#include "engine/flow.h"
#include "engine/route.h"
#include "os/os.h"

#include <stdio.h>
#include <string.h>

/* Keys of the chain: each proxy writes its own. */
static int is_chain_key(int key) {
  return key >= EPI_META_CHAIN_INDEX &&
         key <= EPI_META_CHAIN_LINK + EPI__HOPS_MAX;
}

/* May what came with the flow go on to a hop? Where this proxy vouches for what
 * it says, by the chain key or by a login, nothing may that nobody vouches for;
 * a user may say what his flow is for. */
static int may_go_on(const epi_flow *flow, const epi__hop *to, int key) {
  if (is_chain_key(key)) {
    return flow->route->first_link != 0;
  }
  if (key == EPI_META_TICKETS || key == EPI_META_PROOF) {
    return !flow->worker->engine->chain_key; /* this proxy makes its own */
  }
  if (flow->trusted || key == EPI_META_PASSED ||
      (!flow->worker->engine->chain_key && !to->user)) {
    return 1;
  }
  switch (key) {
  case EPI_META_APPLICATION:
  case EPI_META_PURPOSE:
  case EPI_META_DATASET:
    return *flow->user != '\0';
  default:
    return !epi__is_own_key(key);
  }
}

/* What the flow brought does not replace what is there already. */
static int carry_on(epi_request *out, const epi_flow *flow,
                    const epi__hop *to) {
  int result = 0;
  int key;

  for (size_t i = 0;
       !result && (key = epi_request_metadata_key(flow->request, i)) >= 0;
       i++) {
    if (may_go_on(flow, to, key) && !epi_request_metadata(out, key)) {
      result = epi_request_set_metadata(
          out, key, epi_request_metadata(flow->request, key));
    }
  }
  return result;
}

static int put_own(epi_request *out, const epi_request *own, int replace) {
  int result = 0;
  int key;

  for (size_t i = 0; !result && (key = epi_request_metadata_key(own, i)) >= 0;
       i++) {
    if (replace || !epi_request_metadata(out, key)) {
      result =
          epi_request_set_metadata(out, key, epi_request_metadata(own, key));
    }
  }
  return result;
}

/* What filters set counts, whatever else there is. */
static int put_added(epi_request *out, const epi_request *added) {
  int result = 0;
  int key;

  for (size_t i = 0;
       added && !result && (key = epi_request_metadata_key(added, i)) >= 0;
       i++) {
    const char *value = epi_request_metadata(added, key);

    result = epi_request_set_metadata(out, key, *value ? value : NULL);
  }
  return result;
}

/* A link as a hop is told it. Whoever speaks socksx's dialect assumes it of
 * others, and knows of no settings. */
static int put_link(epi_request *out, int key, const char *link, int socksx) {
  char text[EPI__URL_MAX];

  snprintf(text, sizeof text, "%.*s",
           (int)(socksx ? strcspn(link, "?") : strlen(link)), link);
  return epi_request_set_metadata(out, key, text);
}

static int put_number(epi_request *out, int key, size_t number) {
  char text[16];

  snprintf(text, sizeof text, "%zu", number);
  return epi_request_set_metadata(out, key, text);
}

/* The chain that came, with this proxy's hops behind the index. */
static int put_detour(epi_request *out, const epi_flow *flow, size_t hop) {
  const epi__route *route = flow->route;
  int socksx = route->hops[hop].version == EPI_SOCKSX;
  size_t before = (size_t)route->detour_at;
  int result = put_number(out, EPI_META_CHAIN_INDEX, before + hop);

  if (!result) {
    result = put_number(out, EPI_META_CHAIN_LENGTH, before + route->hop_count);
  }
  for (size_t i = 0; i < before && !result; i++) {
    int key = EPI_META_CHAIN_LINK + (int)i;
    const char *link = epi_request_metadata(flow->request, key);

    result = link ? put_link(out, key, link, socksx) : 0;
  }
  for (size_t i = 0; i < route->hop_count && !result; i++) {
    result = put_link(out, EPI_META_CHAIN_LINK + (int)(before + i),
                      route->hops[i].link, socksx);
  }
  return result;
}

static int put_links(epi_request *out, const epi_flow *flow, size_t hop) {
  const epi__route *route = flow->route;
  int socksx = route->hops[hop].version == EPI_SOCKSX;
  size_t count = route->hop_count - hop;
  int result;

  if (route->first_link) { /* links and length go on as they came: signed */
    return put_number(out, EPI_META_CHAIN_INDEX,
                      (size_t)route->first_link + hop);
  }
  if (route->detour_at) {
    return put_detour(out, flow, hop);
  }
  if (count < 2 && !socksx) {
    return 0; /* the hop is the last; socksx is told so by a chain */
  }
  /* As socksx has it: link 0 is the proxy that made the chain. */
  result = put_number(out, EPI_META_CHAIN_INDEX, 1);
  if (!result) {
    result = put_number(out, EPI_META_CHAIN_LENGTH, count + 1);
  }
  if (!result) {
    result = epi_request_set_metadata(out, EPI_META_CHAIN_LINK,
                                      "socks6://root:1080");
  }
  for (size_t i = 0; i < count && !result; i++) {
    result = put_link(out, EPI_META_CHAIN_LINK + 1 + (int)i,
                      route->hops[hop + i].link, socksx);
  }
  return result;
}

static int put_passed(epi_request *out, const epi_engine *engine) {
  const char *passed = epi_request_metadata(out, EPI_META_PASSED);
  char text[EPI_METADATA_VALUE_MAX];
  int len = snprintf(text, sizeof text, "%s%s%s", passed ? passed : "",
                     passed ? "," : "", engine->id);

  return len < (int)sizeof text
             ? epi_request_set_metadata(out, EPI_META_PASSED, text)
             : epi__fail(EPI_ELIMIT, "too many proxies passed");
}

static int put(epi_request *out, int key, const char *value) {
  return value && *value ? epi_request_set_metadata(out, key, value) : 0;
}

/* Vouch for the flow: where it came from, what for, why it may live. */
static int put_claims(epi_request *out, const epi_flow *flow, size_t hop) {
  const epi_engine *engine = flow->worker->engine;
  const epi_decision *decision = flow->decision;
  char means[EPI__AUTH_TEXT];
  epi__addr_buf source;
  int result;

  result = put(out, EPI_META_SOURCE, epi__addr_text(&flow->source, &source));
  if (!result && decision) {
    result = put(out, EPI_META_SOURCE_NODE, epi_decision_from(decision));
  }
  if (!result && decision) {
    result = put(out, EPI_META_APPLICATION, epi_decision_application(decision));
  }
  if (!result && decision) {
    result = put(out, EPI_META_RULE, epi_decision_rule(decision));
  }
  if (!result && decision) {
    result =
        put(out, EPI_META_MODEL, epi_model_hash(epi_decision_model(decision)));
  }
  if (!result && !flow->trusted) {
    result = put(out, EPI_META_USER, flow->user);
  }
  if (!result && !flow->trusted) {
    result = put(out, EPI_META_AUTHENTICATED,
                 epi__auth_text(means, flow->authenticated));
  }
  if (!result && decision) { /* without a model, what is left is left */
    result = epi_request_set_metadata(out, EPI_META_PLAN, flow->route->plan);
  }
  if (!result) {
    result = epi__claims_issue(out, engine->crypto, epi__clock_wall());
  }
  if (!result && decision) {
    result = epi__route_put_tickets(out, flow, hop);
  }
  if (!result) {
    result = epi__claims_sign(out, engine->crypto, engine->claims_key);
  }
  return result;
}

/* What the flow wants of a hop, which is asked for that and not for the way to
 * the next. Of a BIND, versions say different things: what the client said of
 * the other one, the flow sees to itself. */
static int put_wish(epi_request *out, const epi_flow *flow, int socks5) {
  epi_addr any = {.kind = EPI_ADDR_IPV4};
  int same = flow->bind &&
             socks5 == (epi_session_version(flow->session) == EPI_SOCKS5);
  int result =
      epi_request_set_command(out, flow->bind ? EPI_BIND : EPI_CONNECT);

  return result ? result
                : epi_request_set_dest(out, flow->bind && !same ? &any
                                                                : &flow->dest);
}

/* Show that this function saw the flow. What the proxy before signed goes on as
 * it came, or the next one would not believe it. */
static int put_stamp(epi_request *out, const epi_flow *flow) {
  const epi_engine *engine = flow->worker->engine;

  return flow->added || epi_request_metadata_key(engine->metadata, 0) >= 0
             ? epi__fail(EPI_EFILTER,
                         "the function %s sets metadata, and proxies alone may",
                         engine->function)
             : epi__proof_stamp(out, flow->request, engine->crypto,
                                engine->function_key);
}

int epi__route_request(const epi_flow *flow, size_t hop, epi_request *out) {
  const epi_engine *engine = flow->worker->engine;
  const epi__route *route = flow->route;
  const epi__hop *to = &route->hops[hop];
  int socks5 = to->version == EPI_SOCKS5;
  int result;

  /* Behind a SOCKS 5 hop this proxy speaks to the next through the tunnel;
   * a SOCKS 6 hop is told the rest, and the destination. */
  result = socks5 && hop + 1 < route->hop_count
               ? epi_request_set_dest(out, &route->hops[hop + 1].addr)
               : put_wish(out, flow, socks5);
  if (!result && to->user) {
    result = epi_request_set_login(out, to->user, to->password);
  }
  if (result || socks5) {
    return result;
  }
  result = epi__stack_pass_on(out, to, flow->request);
  if (!result && flow->bind) { /* no session of ours is at the hop */
    result = epi_request_set_stack(out, EPI_LEG_REMOTE, EPI_STACK_BACKLOG, -1);
  }
  if (!result) {
    result = carry_on(out, flow, to);
  }
  if (!result) {
    result = put_own(out, engine->metadata, !flow->trusted && !*flow->user);
  }
  if (!result) {
    result = put_added(out, flow->added);
  }
  if (!result) {
    result = put_links(out, flow, hop);
  }
  if (!result) {
    result = put_passed(out, engine);
  }
  if (!result && engine->chain_key) {
    result = put_claims(out, flow, hop);
  }
  if (!result && engine->function) {
    result = put_stamp(out, flow);
  }
  return result;
}
