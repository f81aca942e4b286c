/* check_ports.c: the redirection table of a reverse proxy, which tells flows
 * apart by the port that they come to: one port for each flow of an
 * application. A flow keeps its number when others are refused or allowed. */
#include "check.h"

#include <stdio.h>
#include <string.h>

enum {
  BASE_PORT = 20000,
  LAST_PORT = 65535,
};

typedef struct row {
  const char *from, *to, *proxy;
  char host[EPI_ADDR_TEXT_MAX]; /* what the proxy listens on */
  char dest[EPI_ADDR_TEXT_MAX]; /* with its port */
  int port;                     /* -1: any */
  size_t listen;
  const char *reason; /* why the row has no listener, or NULL */
} row;

/* The address in a proxy's URL; all addresses if that has a name, which cannot
 * be listened on, or if the model does not say. */
static void find_host(const char *endpoint, row *out) {
  const char *start = strstr(endpoint, "://");
  epi_addr addr;

  if (!start || epi_addr_parse(&addr, start + 3, 0) ||
      addr.kind == EPI_ADDR_NAME) {
    epi_addr_parse(&addr, "0.0.0.0", 0);
  }
  addr.port = (uint16_t)out->listen;
  epi_addr_format(&addr, 1, out->host, sizeof out->host);
}

/* Fill in what a listener needs, or the reason why there is none. */
static void find_listener(const epi_model *model, const epi_decision *decision,
                          size_t to, row *out) {
  const epi_plan *plan = epi_decision_plan(decision);
  epi_addr dest;

  out->reason = NULL;
  if (!epi_decision_allowed(decision)) {
    out->reason = epi_decision_reason(decision);
  } else if (out->port < 0) {
    out->reason = "the application does not say which port";
  } else if (epi_model_proxy_count(model) && !epi_plan_hop_count(plan)) {
    out->reason = "it passes no proxy";
  } else if (epi_model_node_host(model, to, &dest)) {
    out->reason = "the destination has no address of one host";
  }
  if (out->reason) {
    return;
  }
  out->proxy = epi_plan_hop_count(plan) ? epi_plan_hop_proxy(plan, 0) : "";
  find_host(epi_plan_hop_count(plan) ? epi_plan_hop_endpoint(plan, 0) : "",
            out);
  dest.port = (uint16_t)out->port;
  epi_addr_format(&dest, 1, out->dest, sizeof out->dest);
}

static void print_member(const char *key, const char *text) {
  printf(",\"%s\":", key);
  print_quoted(text);
}

/* What the model says to have the proxy listen. */
static void print_entry(const row *at) {
  char to[EPI_NAME_MAX + 8];

  snprintf(to, sizeof to, "%s:%d", at->to, at->port);
  printf("{\"port\":%zu", at->listen);
  print_member("from", at->from);
  print_member("to", to);
  printf("}");
}

static void print_row(const row *at) {
  char port[16] = "any";

  if (at->port > 0) {
    snprintf(port, sizeof port, "%d", at->port);
  }
  if (at->reason) {
    printf("%5s  %s -> %s, port %s: %s\n", "-", at->from, at->to, port,
           at->reason);
    return;
  }
  printf("%5zu  %s -> %s at %s\n"
         "       %s%s--listen tcp://%s=%s\n",
         at->listen, at->from, at->to, at->dest, at->proxy,
         *at->proxy ? ": " : "", at->host, at->dest);
  if (*at->proxy) {
    printf("       %s: ports: ", at->proxy);
    print_entry(at);
    printf("\n");
  }
}

static void print_row_json(const row *at) {
  printf("{\"from\":");
  print_quoted(at->from);
  print_member("to", at->to);
  if (at->port > 0) {
    printf(",\"port\":%d", at->port);
  } else {
    printf(",\"port\":null");
  }
  if (at->reason) {
    print_member("reason", at->reason);
  } else {
    char listen[2 * EPI_ADDR_TEXT_MAX + 16];

    snprintf(listen, sizeof listen, "tcp://%s=%s", at->host, at->dest);
    print_member("proxy", at->proxy);
    printf(",\"listening\":%zu", at->listen);
    print_member("destination", at->dest);
    print_member("listen", listen);
    if (*at->proxy) {
      printf(",\"entry\":");
      print_entry(at);
    }
  }
  printf("}");
}

static int find_row(epi_model *model, size_t application, size_t index,
                    epi_query *query, epi_decision *decision, row *out) {
  size_t from, to;

  if (epi_model_application_flow(model, application, index, &from, &to,
                                 &out->port)) {
    return BAD_INPUT;
  }
  out->from = epi_model_node_name(model, from);
  out->to = epi_model_node_name(model, to);
  if (epi_query_set_from_node(query, out->from) ||
      epi_query_set_to_node(query, out->to, out->port) ||
      epi_model_decide(model, query, decision)) {
    return BAD_INPUT;
  }
  find_listener(model, decision, to, out);
  return FINE;
}

/* The application that is asked for, or the only one; or -1. */
static ptrdiff_t find_application(const epi_model *model,
                                  const check_options *opts) {
  const char *name = opts->facts[EPI_QUERY_APPLICATION];
  ptrdiff_t found = name ? epi_model_application_find(model, name) : 0;

  if (!name && epi_model_application_count(model) != 1) {
    complain("--ports", "--application says of which one");
    return -1;
  }
  if (found < 0) {
    complain("--ports", epi_error_detail());
  }
  return found;
}

static int print_table(epi_model *model, size_t application, size_t base,
                       int json, epi_query *query, epi_decision *decision) {
  size_t count = epi_model_application_flow_count(model, application);

  for (size_t i = 0; i < count; i++) {
    row at = {.listen = base + i};

    if (find_row(model, application, i, query, decision, &at)) {
      return complain("--ports", epi_error_detail());
    }
    if (json) {
      printf(i ? "," : "");
      print_row_json(&at);
    } else {
      print_row(&at);
    }
  }
  return FINE;
}

int print_ports(epi_model *model, const check_options *opts, epi_query *query,
                epi_decision *decision) {
  int base = opts->base_port ? read_port(opts->base_port) : BASE_PORT;
  ptrdiff_t application = find_application(model, opts);
  const char *name;
  int result;

  if (application < 0) {
    return BAD_INPUT;
  }
  if (base < 0) {
    return complain("--base-port", "a port is a number from 1 to 65535");
  }
  if (epi_model_application_flow_count(model, (size_t)application) >
      (size_t)(LAST_PORT - base + 1)) {
    return complain("--ports", "the application has more flows than there are "
                               "ports from --base-port on");
  }
  name = epi_model_application_name(model, (size_t)application);
  if (check_facts(query, opts) ||
      epi_query_set(query, EPI_QUERY_APPLICATION, name)) {
    return BAD_INPUT;
  }
  if (!opts->json) {
    return print_table(model, (size_t)application, (size_t)base, 0, query,
                       decision);
  }
  printf("{\"model\":\"%s\"", epi_model_hash(model));
  print_member("application", name);
  printf(",\"ports\":[");
  result =
      print_table(model, (size_t)application, (size_t)base, 1, query, decision);
  printf("]}\n");
  return result;
}
