/* flow_match.c: which flows a call of an operator means. */
#include "engine/flow_match.h"

#include "base/fail.h"
#include "base/memory.h"
#include "base/net.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
  LAST = EPI_MATCH_APPLICATION,
  VALUE_MAX = 1024,
};

struct epi_match {
  char *values[LAST + 1]; /* by EPI_MATCH_*; NULL: anything */
  int64_t flow;
  epi__range ranges[LAST + 1]; /* of addresses; kind 0: none */
  epi_addr hosts[LAST + 1];    /* a name instead of one */
};

int epi_match_new(epi_match **out) {
  epi_match *match = epi__alloc(sizeof *match);

  if (!match) {
    return EPI_ENOMEM;
  }
  *out = match;
  return 0;
}

void epi_match_free(epi_match *match) {
  for (int i = 0; match && i <= LAST; i++) {
    epi__free(match->values[i]);
  }
  epi__free(match);
}

static int read_flow(int64_t *out, const char *value) {
  char *end;
  long long number;

  errno = 0;
  number = strtoll(value, &end, 10);
  if (errno || *end || *value < '0' || *value > '9' || number < 1) {
    return epi__fail(EPI_EINVAL, "a flow has a number, not '%s'", value);
  }
  *out = number;
  return 0;
}

/* A range, or the name of a host. */
static int read_host(epi_match *match, int criterion, const char *value) {
  epi__range range = {0};
  epi_addr host = {0};

  if (!strchr(value, '/') && criterion != EPI_MATCH_SOURCE &&
      epi_addr_set_name(&host, value, strlen(value), 0)) {
    host.kind = EPI_ADDR_NONE;
  }
  if (host.kind != EPI_ADDR_NAME) {
    host.kind = EPI_ADDR_NONE;
    if (epi__range_parse(&range, value)) {
      return epi__fail(EPI_EINVAL, "'%s' is no IP address%s, nor a range",
                       value, criterion == EPI_MATCH_SOURCE ? "" : " or name");
    }
  }
  match->ranges[criterion] = range;
  match->hosts[criterion] = host;
  return 0;
}

static int is_host(int criterion) {
  return criterion >= EPI_MATCH_SOURCE && criterion <= EPI_MATCH_ADDRESS;
}

int epi_match_set(epi_match *match, int criterion, const char *value) {
  char *copy = NULL;
  int result = 0;

  if (criterion < EPI_MATCH_FLOW || criterion > LAST) {
    return epi__fail(EPI_EINVAL, "no criterion %d", criterion);
  }
  if (value && (!*value || strlen(value) > VALUE_MAX)) {
    return epi__fail(EPI_EINVAL, "a criterion has 1 to %d bytes", VALUE_MAX);
  }
  if (value && criterion == EPI_MATCH_FLOW) {
    result = read_flow(&match->flow, value);
  } else if (value && is_host(criterion)) {
    result = read_host(match, criterion, value);
  }
  if (!result && value && !(copy = epi__strdup(value))) {
    result = EPI_ENOMEM;
  }
  if (result) {
    return result;
  }
  epi__free(match->values[criterion]);
  match->values[criterion] = copy;
  return 0;
}

int epi__match_copy(epi_match **out, const epi_match *match) {
  epi_match *copy = NULL;
  int result = epi_match_new(&copy);

  for (int i = EPI_MATCH_FLOW; match && !result && i <= LAST; i++) {
    if (match->values[i]) {
      result = epi_match_set(copy, i, match->values[i]);
    }
  }
  if (result) {
    epi_match_free(copy);
    return result;
  }
  *out = copy;
  return 0;
}

/* ---- of a flow ---- */

static int at(const epi_match *match, int criterion, const epi_addr *addr) {
  const epi_addr *host = &match->hosts[criterion];

  return host->kind == EPI_ADDR_NAME
             ? addr->kind == EPI_ADDR_NAME && !strcmp(host->name, addr->name)
             : epi__range_has(&match->ranges[criterion], addr);
}

/* What it asked for, or the address that a name became: behind hops, others
 * know that. */
static int goes_to(const epi_match *match, int criterion,
                   const epi_flow *flow) {
  epi_addr addr;

  return at(match, criterion, &flow->dest) ||
         (flow->dest.kind == EPI_ADDR_NAME && epi__flow_dialled(flow, &addr) &&
          at(match, criterion, &addr));
}

static int meets(const epi_match *match, int criterion, const epi_flow *flow) {
  const char *value = match->values[criterion];
  const char *found = NULL;

  switch (criterion) {
  case EPI_MATCH_FLOW:
    return flow->number == match->flow;
  case EPI_MATCH_SOURCE:
    return at(match, criterion, &flow->source);
  case EPI_MATCH_DEST:
    return goes_to(match, criterion, flow);
  case EPI_MATCH_ADDRESS:
    return at(match, criterion, &flow->source) ||
           goes_to(match, criterion, flow);
  case EPI_MATCH_RULE:
    found = flow->decision ? epi_decision_rule(flow->decision) : NULL;
    break;
  case EPI_MATCH_USER:
    found = epi__flow_said(flow).user;
    break;
  default:
    found = epi__flow_application(flow);
  }
  return found && !strcmp(found, value);
}

int epi__match_has(const epi_match *match, const epi_flow *flow) {
  for (int i = EPI_MATCH_FLOW; i <= LAST; i++) {
    if (match->values[i] && !meets(match, i, flow)) {
      return 0;
    }
  }
  return 1;
}
