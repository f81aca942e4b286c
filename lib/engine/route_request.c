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

static int carry_on(epi_request *out, const epi_request *from, int trusted,
                    int has_key) {
  int result = 0;
  int key;

  for (size_t i = 0; !result && (key = epi_request_metadata_key(from, i)) >= 0;
       i++) {
    /* What nobody vouches for must not be signed as if it were true. */
    int doubtful = has_key && !trusted && key != EPI_META_PASSED &&
                   (key >= EPI_META_SOURCE || key == EPI_META_APPLICATION);

    if (!is_chain_key(key) && !doubtful && !epi_request_metadata(out, key)) {
      result =
          epi_request_set_metadata(out, key, epi_request_metadata(from, key));
    }
  }
  return result;
}

static int put_number(epi_request *out, int key, size_t number) {
  char text[16];

  snprintf(text, sizeof text, "%zu", number);
  return epi_request_set_metadata(out, key, text);
}

/* The chain as the hop shall see it (socksx-wire): the links up to this proxy,
 * this proxy's own behind them, then those that were there before. Without a
 * detour it is the list that came: what was signed over it still holds. */
static int put_links(epi_request *out, const epi_flow *flow, size_t hop) {
  const epi__route *route = flow->route;
  size_t given = route->hop_count - route->link_count;
  size_t at = 0; /* links up to this proxy */
  int result = 0;

  if (route->links_length) {
    for (; at <= route->links_index && !result; at++) {
      result = epi_request_set_metadata(
          out, EPI_META_CHAIN_LINK + (int)at,
          epi_request_metadata(flow->request, EPI_META_CHAIN_LINK + (int)at));
    }
  } else if (route->hop_count - hop > 1) {
    /* Link 0 is the proxy that makes the chain. */
    at = 1;
    result = epi_request_set_metadata(out, EPI_META_CHAIN_LINK,
                                      "socks6://root:1080");
  } else {
    return 0; /* the hop is the last, and there was no chain */
  }
  for (size_t i = 0; i < route->hop_count && !result; i++) {
    const char *came =
        i < given
            ? NULL
            : epi_request_metadata(flow->request,
                                   EPI_META_CHAIN_LINK + 1 +
                                       (int)(route->links_index + i - given));

    result = epi_request_set_metadata(out, EPI_META_CHAIN_LINK + (int)(at + i),
                                      came ? came : route->hops[i].link);
  }
  if (at + route->hop_count > EPI__HOPS_MAX + 1) {
    return epi__fail(EPI_EDENIED, "over %d hops", EPI__HOPS_MAX);
  }
  if (!result) {
    result = put_number(out, EPI_META_CHAIN_LENGTH, at + route->hop_count);
  }
  return result ? result : put_number(out, EPI_META_CHAIN_INDEX, at + hop);
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
static int put_claims(epi_request *out, const epi_flow *flow) {
  const epi_engine *engine = flow->worker->engine;
  const epi_decision *decision = flow->decision;
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
  if (!result) {
    result = epi_request_set_metadata(out, EPI_META_PLAN, flow->route->plan);
  }
  if (!result) {
    result = epi__claims_sign(out, engine->crypto, engine->claims_key,
                              epi__clock_wall());
  }
  return result;
}

int epi__route_request(const epi_flow *flow, size_t hop, epi_request *out) {
  const epi_engine *engine = flow->worker->engine;
  const epi__route *route = flow->route;
  const epi__hop *to = &route->hops[hop];
  int socks5 = to->version == EPI_SOCKS5;
  int result;

  /* Behind a SOCKS 5 hop this proxy speaks to the next through the tunnel;
   * a SOCKS 6 hop is told the rest, and the destination. */
  result = epi_request_set_dest(out, socks5 && hop + 1 < route->hop_count
                                         ? &route->hops[hop + 1].addr
                                         : &flow->dest);
  if (!result && to->user) {
    result = epi_request_set_login(out, to->user, to->password);
  }
  if (result || socks5) {
    return result;
  }
  result = carry_on(out, flow->request, flow->trusted || *flow->user,
                    engine->chain_key != NULL);
  if (!result) {
    result = carry_on(out, engine->metadata, 1, 0);
  }
  if (!result) {
    result = put_links(out, flow, hop);
  }
  if (!result) {
    result = put_passed(out, engine);
  }
  if (!result && engine->chain_key) {
    result = put_claims(out, flow);
  }
  return result;
}
