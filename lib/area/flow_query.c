/* flow_query.c: what is asked about a flow. */
#include "area/flow_query.h"

#include "base/fail.h"
#include "base/memory.h"

int epi_query_new(epi_query **out) {
  epi_query *query = epi__alloc(sizeof *query);

  if (!query) {
    return EPI_ENOMEM;
  }
  *out = query;
  return 0;
}

void epi_query_free(epi_query *query) {
  if (!query) {
    return;
  }
  epi__free(query->from.node);
  epi__free(query->to.node);
  for (size_t i = 0; i < EPI__QUERY_TEXTS; i++) {
    epi__free(query->texts[i]);
  }
  epi__names_clear(&query->choice.used);
  epi__free(query->choice.flows);
  epi__free(query);
}

static int set_addr(epi__query_end *end, const epi_addr *addr) {
  if (addr->kind != EPI_ADDR_IPV4 && addr->kind != EPI_ADDR_IPV6 &&
      addr->kind != EPI_ADDR_NAME) {
    return epi__fail(EPI_EINVAL, "the address of a flow's end is empty");
  }
  epi__free(end->node);
  end->node = NULL;
  end->addr = *addr;
  return 0;
}

static int set_text(char **to, const char *text) {
  char *copy = text ? epi__strdup(text) : NULL;

  if (text && !copy) {
    return EPI_ENOMEM;
  }
  epi__free(*to);
  *to = copy;
  return 0;
}

static int set_node(epi__query_end *end, const char *node) {
  int result = node ? set_text(&end->node, node)
                    : epi__fail(EPI_EINVAL, "the name of a node is missing");

  if (!result) {
    end->addr.kind = EPI_ADDR_NONE;
  }
  return result;
}

int epi_query_set_from(epi_query *query, const epi_addr *from) {
  return set_addr(&query->from, from);
}

int epi_query_set_to(epi_query *query, const epi_addr *to) {
  int result = set_addr(&query->to, to);

  if (!result) {
    query->port = to->port;
  }
  return result;
}

int epi_query_set_from_node(epi_query *query, const char *node) {
  return set_node(&query->from, node);
}

int epi_query_set_to_node(epi_query *query, const char *node, int port) {
  int result;

  if (port < -1 || port > 65535) {
    return epi__fail(EPI_EINVAL, "%d is no port", port);
  }
  result = set_node(&query->to, node);
  if (!result) {
    query->port = port < 0 ? 0 : port;
  }
  return result;
}

void epi__query_set_authenticated(epi_query *query, unsigned set) {
  query->authenticated = set ? set : EPI__AUTH_NONE;
}

static int set_authenticated(epi_query *query, const char *words) {
  unsigned set = words ? epi__auth_read(words) : 0;

  if (words && !set) {
    return epi__fail(EPI_EINVAL,
                     "authenticated is by password, certificate, "
                     "key or address, with commas between, or none");
  }
  query->authenticated = set;
  return 0;
}

void epi__query_set_named(epi_query *query) {
  query->to_named = 1;
}

int epi_query_set(epi_query *query, int key, const char *value) {
  if (key == EPI_QUERY_AUTHENTICATED) {
    return set_authenticated(query, value);
  }
  if (key < EPI_QUERY_APPLICATION || key > EPI_QUERY_CONSENT) {
    return epi__fail(EPI_EINVAL, "a query has no key %d", key);
  }
  return set_text(&query->texts[key], value);
}

void epi_query_set_time(epi_query *query, int64_t seconds) {
  query->has_time = 1;
  query->time = seconds;
}
