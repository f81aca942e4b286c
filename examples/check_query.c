/* check_query.c: what epi-check is asked about one flow. */
#include "check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Seconds since 1970, or a date and time in UTC. */
static int read_time(const char *text, int64_t *out) {
  static const char *const forms[] = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M",
                                      "%Y-%m-%d %H:%M", "%Y-%m-%d"};
  char *end;

  errno = 0;
  *out = strtoll(text, &end, 10);
  if (*text && !*end && !errno) {
    return 1;
  }
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
    struct tm when = {0};
    const char *rest = strptime(text, forms[i], &when);
    int day = when.tm_mday;

    if (rest && (!*rest || !strcmp(rest, "Z"))) {
      *out = timegm(&when); /* which makes 2 March of 30 February */
      return when.tm_mday == day;
    }
  }
  return 0;
}

/* ---- one flow ---- */

/* Cut "FROM:TO[:PORT]" at its colons, but not within brackets. Returns the
 * number of parts, 4 for too many. */
static int cut_flow(char *text, char *parts[3]) {
  int count = 1, depth = 0;

  parts[0] = text;
  for (; *text; text++) {
    depth += (*text == '[') - (*text == ']');
    if (*text == ':' && !depth) {
      *text = '\0';
      if (count == 3) {
        return 4;
      }
      parts[count++] = text + 1;
    }
  }
  return count;
}

/* An address; or a host name, if a node has it or it has a dot. What looks like
 * the name of a node is none. */
static int read_addr(const epi_model *model, const char *text, int port,
                     epi_addr *out) {
  if (epi_addr_parse(out, text, 0)) {
    return 0;
  }
  out->port = (uint16_t)(port < 0 ? 0 : port);
  return out->kind != EPI_ADDR_NAME || strchr(text, '.') ||
         epi_model_node_at(model, out) >= 0;
}

static int set_end(const epi_model *model, epi_query *query, int is_to,
                   const char *text, int port) {
  epi_addr addr;

  if (epi_model_node_find(model, text) < 0 &&
      read_addr(model, text, port, &addr)) {
    return is_to ? epi_query_set_to(query, &addr)
                 : epi_query_set_from(query, &addr);
  }
  return is_to ? epi_query_set_to_node(query, text, port)
               : epi_query_set_from_node(query, text);
}

int read_port(const char *text) {
  char *end;
  long port = strtol(text, &end, 10);

  return *text < '0' || *text > '9' || *end || port < 1 || port > 65535
             ? -1
             : (int)port;
}

int check_facts(epi_query *query, const check_options *opts) {
  int64_t when;

  for (int key = EPI_QUERY_APPLICATION; key <= EPI_QUERY_AUTHENTICATED; key++) {
    if (epi_query_set(query, key, opts->facts[key])) {
      return complain("", epi_error_detail());
    }
  }
  if (opts->at) {
    if (!read_time(opts->at, &when)) {
      return complain("--at", "must be a time as 2026-01-31T09:30, in UTC");
    }
    epi_query_set_time(query, when);
  }
  return FINE;
}

static int fill_query(epi_query *query, const epi_model *model,
                      const check_options *opts, char *flow) {
  char *parts[3] = {0};
  int count = cut_flow(flow, parts);
  int port = -1;

  if (count < 2 || count > 3 || !*parts[0] || !*parts[1]) {
    return complain("--flow", "must be FROM:TO or FROM:TO:PORT, "
                              "IPv6 addresses in brackets");
  }
  if (count == 3 && (port = read_port(parts[2])) < 0) {
    return complain("--flow", "a port is a number from 1 to 65535");
  }
  if (set_end(model, query, 0, parts[0], port) ||
      set_end(model, query, 1, parts[1], port)) {
    return complain("--flow", epi_error_detail());
  }
  return check_facts(query, opts);
}

int check_query(epi_query *query, const epi_model *model,
                const check_options *opts) {
  char *flow = strdup(opts->flow);
  int result = flow ? fill_query(query, model, opts, flow)
                    : complain("--flow", "out of memory");

  free(flow);
  return result;
}

void print_end(const char *name, const char *flow, int end) {
  char *text = flow && !strcmp(name, "unknown") ? strdup(flow) : NULL;
  char *parts[3];

  printf("%s", name); /* `unknown` is no name of a node */
  if (text) {
    cut_flow(text, parts);
    printf(" (%s)", parts[end]);
  }
  free(text);
}

int check_port(const char *flow) {
  return read_port(strrchr(flow, ':') + 1);
}

int decide_application_flow(epi_model *model, size_t application, size_t index,
                            epi_query *query, epi_decision *decision,
                            int *port) {
  const char *name = epi_model_application_name(model, application);
  size_t from, to;
  int result =
      epi_model_application_flow(model, application, index, &from, &to, port);

  if (!result) {
    result = epi_query_set(query, EPI_QUERY_APPLICATION, name);
  }
  if (!result) {
    result = epi_query_set_from_node(query, epi_model_node_name(model, from));
  }
  if (!result) {
    result =
        epi_query_set_to_node(query, epi_model_node_name(model, to), *port);
  }
  return result ? result : epi_model_decide(model, query, decision);
}
