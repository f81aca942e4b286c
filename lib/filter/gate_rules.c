/* gate_rules.c: what a gate was told: who may talk to whom, when, how much. */
#include "filter/gate_rules.h"

#include "base/fail.h"
#include "filter/byte_rate.h"
#include "filter/filter_args.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char takes[] =
    "from, to, port, hours, days, flows, per_source, new, rate, rate_out, "
    "rate_in and volume";

/* Read "N" or "N-M". */
static int read_ports(epi__gate_rules *rules, epi__filter_args *args) {
  char *dash = strchr(args->value, '-');
  char last[sizeof args->value] = "";
  int64_t from, to;

  if (rules->port_count == EPI__GATE_PORTS) {
    return epi__fail(EPI_ELIMIT, "over %d ports", EPI__GATE_PORTS);
  }
  if (dash) {
    *dash = '\0';
    memcpy(last, dash + 1, strlen(dash + 1) + 1);
  }
  if (epi__filter_args_number(args, 1, 65535, &from)) {
    return EPI_EINVAL;
  }
  to = from;
  if (dash) {
    memcpy(args->value, last, strlen(last) + 1);
    if (epi__filter_args_number(args, from, 65535, &to)) {
      return EPI_EINVAL;
    }
  }
  rules->ports[rules->port_count].first = from;
  rules->ports[rules->port_count++].last = to;
  return 0;
}

/* Keep what a window was made of, for people. */
static void keep_words(epi__gate_rules *rules, const char *text) {
  size_t used = strlen(rules->hours);

  snprintf(rules->hours + used, sizeof rules->hours - used, " %.11s", text);
}

/* What is a list of its own. Returns 1 if the key is none of these. */
static int read_list(epi__gate_rules *rules, epi__filter_args *args) {
  int result;

  if (!strcmp(args->key, "from")) {
    return epi__host_list_add(&rules->from, args->value, 0);
  }
  if (!strcmp(args->key, "to")) {
    return epi__host_list_add(&rules->to, args->value, 1);
  }
  if (!strcmp(args->key, "port")) {
    return read_ports(rules, args);
  }
  if (!strcmp(args->key, "hours")) {
    result = epi__week_add_hours(&rules->week, args->value);
  } else if (!strcmp(args->key, "days")) {
    result = epi__week_add_days(&rules->week, args->value);
  } else {
    return 1;
  }
  if (!result) {
    keep_words(rules, args->value);
  }
  return result;
}

static int read_limit(epi__gate_rules *rules, epi__filter_args *args) {
  const struct {
    const char *key;
    int64_t *out, highest;
    int per_second; /* "/s" may stand behind it */
  } limits[] = {
      {"flows", &rules->limits.flows, EPI__FLOWS_MAX, 0},
      {"per_source", &rules->limits.per_source, EPI__FLOWS_MAX, 0},
      {"new", &rules->limits.per_second, EPI__FLOWS_MAX, 1},
      {"rate", &rules->rate, EPI__BYTE_RATE_MAX, 1},
      {"rate_out", &rules->rates[EPI_FORWARD], EPI__BYTE_RATE_MAX, 1},
      {"rate_in", &rules->rates[EPI_BACKWARD], EPI__BYTE_RATE_MAX, 1},
      {"volume", &rules->volume, INT64_MAX / 2, 0},
  };
  size_t len = strlen(args->value);

  for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
    if (strcmp(args->key, limits[i].key)) {
      continue;
    }
    if (limits[i].per_second && len > 2 &&
        !strcmp(args->value + len - 2, "/s")) {
      args->value[len - 2] = '\0';
    }
    return epi__filter_args_number(args, 1, limits[i].highest, limits[i].out);
  }
  return epi__filter_args_unknown(args, "gate", takes);
}

int epi__gate_rules_read(epi__gate_rules *out, const char *text) {
  epi__gate_rules rules = {0};
  epi__filter_args args;
  int result;

  epi__filter_args_begin(&args, text);
  while ((result = epi__filter_args_next(&args)) == 1) {
    result = read_list(&rules, &args);
    if (result == 1) {
      result = read_limit(&rules, &args);
    }
    if (result) {
      break;
    }
  }
  if (result) {
    epi__gate_rules_clear(&rules);
    return result;
  }
  epi__week_settle(&rules.week);
  *out = rules;
  return 0;
}

void epi__gate_rules_clear(epi__gate_rules *rules) {
  epi__host_list_clear(&rules->from);
  epi__host_list_clear(&rules->to);
}

static int has_port(const epi__gate_rules *rules, unsigned port) {
  for (size_t i = 0; i < rules->port_count; i++) {
    if (port >= rules->ports[i].first && port <= rules->ports[i].last) {
      return 1;
    }
  }
  return !rules->port_count;
}

int epi__gate_rules_admit(const epi__gate_rules *rules, const epi_addr *source,
                          const epi_addr *dest, char *why, size_t size) {
  const epi_addr *wrong = NULL;
  const char *role = "source";
  char host[EPI_ADDR_TEXT_MAX];

  if (rules->from.count && !epi__host_list_has(&rules->from, source)) {
    wrong = source;
  } else if (rules->to.count && !epi__host_list_has(&rules->to, dest)) {
    wrong = dest;
    role = "destination";
  }
  if (wrong) {
    if (epi_addr_format(wrong, 0, host, sizeof host) < 0) {
      snprintf(host, sizeof host, "-");
    }
    snprintf(why, size, "the gate lets no %s %s through", role, host);
    return 0;
  }
  if (!has_port(rules, dest->port)) {
    snprintf(why, size, "the gate lets no port %u through", dest->port);
    return 0;
  }
  return 1;
}
