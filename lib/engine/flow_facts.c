/* flow_facts.c: what is known about a flow, by who judges it and by filters. */
#include "engine/flow.h"

#include "base/memory.h"
#include "os/os.h"

#include <string.h>

int epi__flow_way(const epi_flow *flow, int lane) {
  return flow->bind ? !lane : lane;
}

int epi__is_own_key(int key) {
  return key >= EPI_META_SOURCE && key <= EPI__META_OWN_LAST;
}

/* ---- for judging ---- */

epi__said epi__flow_said(const epi_flow *flow) {
  epi__said said = {0};

  if (!flow->request) {
    return flow->said ? *flow->said : said;
  }
  if (!flow->trusted && !*flow->user) {
    return said;
  }
  said.user = flow->trusted ? epi_request_metadata(flow->request, EPI_META_USER)
                            : flow->user;
  said.user = said.user && *said.user ? said.user : NULL;
  said.application = epi_request_metadata(flow->request, EPI_META_APPLICATION);
  said.purpose = epi_request_metadata(flow->request, EPI_META_PURPOSE);
  said.dataset = epi_request_metadata(flow->request, EPI_META_DATASET);
  return said;
}

const char *epi__flow_application(const epi_flow *flow) {
  const char *name =
      flow->decision ? epi_decision_application(flow->decision) : "";

  return *name ? name : epi__flow_said(flow).application;
}

static size_t size_of(const char *text) {
  return text ? strlen(text) + 1 : 0;
}

static const char *put(char **at, const char *text) {
  char *copy = *at;

  if (!text) {
    return NULL;
  }
  *at += size_of(text);
  return memcpy(copy, text, size_of(text));
}

/* One block, which the texts are in. Returns 0 or EPI_ENOMEM. */
static int keep_said(epi_flow *flow) {
  epi__said from = epi__flow_said(flow);
  size_t len = size_of(from.user) + size_of(from.application) +
               size_of(from.purpose) + size_of(from.dataset);
  char *at;

  if (!len) {
    return 0;
  }
  flow->said = epi__alloc(sizeof *flow->said + len);
  if (!flow->said) {
    return EPI_ENOMEM;
  }
  at = (char *)(flow->said + 1);
  flow->said->user = put(&at, from.user);
  flow->said->application = put(&at, from.application);
  flow->said->purpose = put(&at, from.purpose);
  flow->said->dataset = put(&at, from.dataset);
  return 0;
}

int epi__flow_dialled(const epi_flow *flow, epi_addr *out) {
  int fd = flow->legs[EPI_BACKWARD].fd;

  return fd >= 0 && !(flow->route && flow->route->hop_count) &&
         !epi__sock_peer(fd, out);
}

static int has_more_to_send(const epi_session *session) {
  const void *data;

  return session && epi_session_peek(session, &data) > 0;
}

/* A route with hops goes on to be known: a new model may not have them. */
void epi__flow_settle(epi_flow *flow) {
  if (flow->chain || flow->bind || has_more_to_send(flow->session) ||
      has_more_to_send(flow->hop_session) || keep_said(flow)) {
    return;
  }
  epi_session_free(flow->session);
  epi_request_free(flow->own_request);
  epi_session_free(flow->hop_session);
  epi_request_free(flow->hop_request);
  flow->session = flow->hop_session = NULL;
  flow->own_request = flow->hop_request = NULL;
  flow->request = NULL;
  epi__free(flow->peer);
  flow->peer = NULL;
  flow->user = "";
  if (flow->route->hop_count) {
    epi__route_settle(flow->route);
  } else {
    epi__route_free(flow->route);
    flow->route = NULL;
  }
}

/* ---- for filters ---- */

const epi_addr *epi_flow_source(const epi_flow *flow) {
  return &flow->source;
}

const epi_addr *epi_flow_dest(const epi_flow *flow) {
  return &flow->dest;
}

const char *epi_flow_user(const epi_flow *flow) {
  return flow->user;
}

const char *epi_flow_metadata(const epi_flow *flow, int key) {
  if (!flow->request || (epi__is_own_key(key) && !flow->trusted)) {
    return NULL;
  }
  return epi_request_metadata(flow->request, key);
}

const epi_decision *epi_flow_decision(const epi_flow *flow) {
  return flow->decision;
}
