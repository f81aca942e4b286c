/* proxy_options.c: the command line of epi-proxy. */
#include "proxy_options.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What an option does with its value. */
enum {
  NUMBER, /* of the engine's parameter `of` */
  FLAG,   /* that parameter gets `value` */
  LEVEL,  /* the log's is `value` */
  SWITCH, /* the int at offset `of` of the options is `value` */
  TEXT,   /* kept at offset `of` of the options */
  LIST,   /* added to the list there */
  PORTS,
  DRAIN,
  HELP,
  VERSION,
};

static const struct entry {
  const char *name;
  int letter; /* socksx's, or 0 */
  int kind;
  size_t of;
  int value;
} entries[] = {
    {"listen", 0, LIST, offsetof(proxy_options, listens), 0},
    {"settings", 0, TEXT, offsetof(proxy_options, settings), 0},
    {"model", 0, TEXT, offsetof(proxy_options, model), 0},
    {"name", 0, TEXT, offsetof(proxy_options, name), 0},
    {"chain", 'c', LIST, offsetof(proxy_options, chain), 0},
    {"tls-ca", 0, TEXT, offsetof(proxy_options, tls_ca), 0},
    {"tls-cert", 0, TEXT, offsetof(proxy_options, tls_cert), 0},
    {"tls-key", 0, TEXT, offsetof(proxy_options, tls_key), 0},
    {"tls-crl", 0, TEXT, offsetof(proxy_options, tls_crl), 0},
    {"filter", 0, LIST, offsetof(proxy_options, filters), 0},
    {"filter-path", 0, TEXT, offsetof(proxy_options, filter_path), 0},
    {"chain-key", 0, TEXT, offsetof(proxy_options, chain_key), 0},
    {"function", 0, TEXT, offsetof(proxy_options, function), 0},
    {"function-key", 0, TEXT, offsetof(proxy_options, function_key), 0},
    {"admin", 0, TEXT, offsetof(proxy_options, admin), 0},
    {"audit", 0, TEXT, offsetof(proxy_options, audit), 0},
    {"audit-key", 0, TEXT, offsetof(proxy_options, audit_key), 0},
    {"audit-on-error", 0, TEXT, offsetof(proxy_options, audit_on_error), 0},
    {"audit-head-interval", 0, NUMBER, EPI_ENGINE_AUDIT_HEAD_MS, 0},
    {"status", 0, TEXT, offsetof(proxy_options, status), 0},
    {"provision-command", 0, TEXT, offsetof(proxy_options, provision), 0},
    {"provision-timeout", 0, NUMBER, EPI_ENGINE_PROVISION_MS, 0},
    {"provision-flows", 0, NUMBER, EPI_ENGINE_PROVISION_FLOWS, 0},
    {"instance-idle", 0, NUMBER, EPI_ENGINE_INSTANCE_IDLE_MS, 0},
    {"dns", 0, TEXT, offsetof(proxy_options, dns), 0},
    {"no-happy-eyeballs", 0, FLAG, EPI_ENGINE_HAPPY_EYEBALLS, 0},
    {"fast-open", 0, FLAG, EPI_ENGINE_FAST_OPEN, 1},
    {"dns-cache", 0, NUMBER, EPI_ENGINE_NAMES, 0},
    {"workers", 0, NUMBER, EPI_ENGINE_WORKERS, 0},
    {"limit", 'l', NUMBER, EPI_ENGINE_LIMIT, 0},
    {"client-connections", 0, NUMBER, EPI_ENGINE_CLIENT_CONNECTIONS, 0},
    {"client-flows", 0, NUMBER, EPI_ENGINE_CLIENT_FLOWS, 0},
    {"user-flows", 0, NUMBER, EPI_ENGINE_USER_FLOWS, 0},
    {"flow-bytes-out", 0, NUMBER, EPI_ENGINE_FLOW_BYTES_OUT, 0},
    {"flow-bytes-back", 0, NUMBER, EPI_ENGINE_FLOW_BYTES_BACK, 0},
    {"flow-rate-out", 0, NUMBER, EPI_ENGINE_FLOW_RATE_OUT, 0},
    {"flow-rate-back", 0, NUMBER, EPI_ENGINE_FLOW_RATE_BACK, 0},
    {"login-failures", 0, NUMBER, EPI_ENGINE_LOGIN_FAILURES, 0},
    {"login-window", 0, NUMBER, EPI_ENGINE_LOGIN_WINDOW_MS, 0},
    {"login-pause", 0, NUMBER, EPI_ENGINE_LOGIN_PAUSE_MS, 0},
    {"login-threads", 0, NUMBER, EPI_ENGINE_LOGIN_THREADS, 0},
    {"handshake-timeout", 0, NUMBER, EPI_ENGINE_HANDSHAKE_MS, 0},
    {"connect-timeout", 0, NUMBER, EPI_ENGINE_CONNECT_MS, 0},
    {"idle-timeout", 0, NUMBER, EPI_ENGINE_IDLE_MS, 0},
    {"half-closed-timeout", 0, NUMBER, EPI_ENGINE_HALF_CLOSED_MS, 0},
    {"health-interval", 0, NUMBER, EPI_ENGINE_HEALTH_MS, 0},
    {"bind-timeout", 0, NUMBER, EPI_ENGINE_BIND_MS, 0},
    {"client-binds", 0, NUMBER, EPI_ENGINE_CLIENT_BINDS, 0},
    {"bind-ports", 0, PORTS, 0, 0},
    {"udp-idle-timeout", 0, NUMBER, EPI_ENGINE_UDP_IDLE_MS, 0},
    {"associations", 0, NUMBER, EPI_ENGINE_ASSOCIATIONS, 0},
    {"client-associations", 0, NUMBER, EPI_ENGINE_CLIENT_ASSOCIATIONS, 0},
    {"sessions", 0, NUMBER, EPI_ENGINE_SESSIONS, 0},
    {"sessions-per-owner", 0, NUMBER, EPI_ENGINE_SESSIONS_PER_OWNER, 0},
    {"session-timeout", 0, NUMBER, EPI_ENGINE_SESSION_IDLE_MS, 0},
    {"tokens", 0, NUMBER, EPI_ENGINE_TOKENS, 0},
    {"drain", 0, DRAIN, 0, 0},
    {"user", 0, TEXT, offsetof(proxy_options, user), 0},
    {"sandbox", 0, TEXT, offsetof(proxy_options, sandbox), 0},
    {"sandbox-read", 0, LIST, offsetof(proxy_options, reads), 0},
    {"sandbox-write", 0, LIST, offsetof(proxy_options, writes), 0},
    {"no-sandbox", 0, SWITCH, offsetof(proxy_options, no_sandbox), 1},
    {"warm", 0, NUMBER, EPI_ENGINE_WARM, 0},
    {"warm-idle", 0, NUMBER, EPI_ENGINE_WARM_IDLE_MS, 0},
    {"host", 'h', TEXT, offsetof(proxy_options, host), 0},
    {"port", 'p', TEXT, offsetof(proxy_options, port), 0},
    {"socks", 's', TEXT, offsetof(proxy_options, socks), 0},
    {"debug", 'd', LEVEL, 0, EPI_LOG_DEBUG},
    {"memory", 0, NUMBER, EPI_ENGINE_MEMORY, 0},
    {"log-lines", 0, NUMBER, EPI_ENGINE_LOG_LINES, 0},
    {"quiet", 0, LEVEL, 0, EPI_LOG_ERROR},
    {"help", 0, HELP, 0, 0},
    {"version", 0, VERSION, 0, 0},
};

enum { ENTRIES = sizeof entries / sizeof *entries, FIRST = 256 };

int complain(const char *what, const char *about) {
  fprintf(stderr, "epi-proxy: %s%s%s\n", what, about ? ": " : "",
          about ? about : "");
  return EXIT_USAGE;
}

const char *status_path(const proxy_options *set) {
  static const char scheme[] = "unix:";

  return set->status && !strncmp(set->status, scheme, sizeof scheme - 1)
             ? set->status + sizeof scheme - 1
             : NULL;
}

int hide_password(char *url) {
  char *start = strstr(url, "://");
  char *at = strrchr(url, '@');

  if (!start || !at || at < start) {
    return 0;
  }
  memset(start + 3, '*', (size_t)(at - start) - 3);
  return 1;
}

void wipe_password(char *url) {
  if (hide_password(url)) {
    fprintf(stderr, "epi-proxy: a password in the arguments could be seen by "
                    "every user: use ?credentials=FILE\n");
  }
}

void wipe_secret(char *spec) {
  char *at = strchr(spec, ':');

  while (at && strncmp(at + 1, "secret=", 7)) {
    at = strchr(at + 1, ',');
  }
  if (at) {
    memset(at + 8, '*', strlen(at + 8));
    fprintf(stderr, "epi-proxy: a secret in the arguments could be seen by "
                    "every user: use key=FILE\n");
  }
}

static int add(many *list, char *item, const char *option) {
  if (list->count == MANY) {
    return complain("too many", option);
  }
  list->items[list->count++] = item;
  return 0;
}

static int read_number(int64_t *out, const char *text, const char *option) {
  char *end;

  errno = 0;
  *out = strtoll(text, &end, 10);
  if (errno || *end || end == text || *out < 0) {
    fprintf(stderr, "epi-proxy: %s needs a number, not '%s'\n", option, text);
    return EXIT_USAGE;
  }
  return 0;
}

static int number(proxy_options *set, int parameter, const char *text,
                  const char *option) {
  return read_number(&set->numbers[parameter], text, option);
}

/* An answer that did not get out is none. */
static int end_output(proxy_options *set) {
  set->done = 1;
  return fflush(stdout) || ferror(stdout)
             ? complain("standard output", strerror(errno))
             : 0;
}

/* LOW-HIGH, or one port. */
static int ports(proxy_options *set, char *text) {
  char *high = strchr(text, '-');
  int result;

  if (high) {
    *high++ = '\0';
  }
  result = number(set, EPI_ENGINE_BIND_PORT_MIN, text, "--bind-ports");
  return result ? result
                : number(set, EPI_ENGINE_BIND_PORT_MAX, high ? high : text,
                         "--bind-ports");
}

static int take_option(proxy_options *set, const struct entry *entry,
                       char *value) {
  char option[40];
  void *field = (char *)set + entry->of;

  snprintf(option, sizeof option, "--%s", entry->name);
  switch (entry->kind) {
  case NUMBER:
    return number(set, (int)entry->of, value, option);
  case FLAG:
    set->numbers[entry->of] = entry->value;
    return 0;
  case LEVEL:
    set->numbers[EPI_ENGINE_LOG_LEVEL] = entry->value;
    return 0;
  case SWITCH:
    *(int *)field = entry->value;
    return 0;
  case TEXT:
    *(const char **)field = value;
    return 0;
  case LIST:
    return add(field, value, option);
  case PORTS:
    return ports(set, value);
  case DRAIN:
    return read_number(&set->drain_ms, value, option);
  case HELP:
    for (size_t i = 0; proxy_help[i]; i++) {
      fputs(proxy_help[i], stdout);
    }
    return end_output(set);
  default:
    printf("epi-proxy %s (%s)\n", epi_version(), epi_tls_library());
    return end_output(set);
  }
}

/* yes or no; an option without a value means yes. */
static int set_flag(proxy_options *set, const struct entry *entry,
                    const char *value) {
  int is_yes = !strcmp(value, "yes");

  if (!is_yes && strcmp(value, "no")) {
    return complain(entry->name, "is yes or no");
  }
  set->numbers[entry->of] = is_yes ? entry->value : !entry->value;
  return 0;
}

static int set_level(proxy_options *set, const char *value) {
  static const char *const levels[] = {
      [EPI_LOG_ERROR] = "error",
      [EPI_LOG_NOTE] = "note",
      [EPI_LOG_DEBUG] = "debug",
  };

  for (int i = EPI_LOG_ERROR; i <= EPI_LOG_DEBUG; i++) {
    if (!strcmp(levels[i], value)) {
      set->numbers[EPI_ENGINE_LOG_LEVEL] = i;
      return 0;
    }
  }
  return complain("log-level", "is error, note or debug");
}

int proxy_options_set(proxy_options *out, const char *name, char *value) {
  if (!strcmp(name, "log-level")) {
    return set_level(out, value);
  }
  for (int i = 0; i < ENTRIES; i++) {
    const struct entry *entry = &entries[i];

    if (strcmp(entry->name, name)) {
      continue;
    }
    switch (entry->kind) {
    case FLAG:
      return set_flag(out, entry, value);
    case NUMBER:
    case PORTS:
    case DRAIN:
      return take_option(out, entry, value);
    case LIST:
      return entry->of == offsetof(proxy_options, listens)
                 ? take_option(out, entry, value)
                 : EXIT_UNKNOWN;
    default:
      return EXIT_UNKNOWN;
    }
  }
  return EXIT_UNKNOWN;
}

const char *proxy_options_name(int parameter) {
  if (parameter == EPI_ENGINE_LOG_LEVEL) {
    return "log-level";
  }
  for (int i = 0; i < ENTRIES; i++) {
    if ((entries[i].kind == NUMBER || entries[i].kind == FLAG) &&
        entries[i].of == (size_t)parameter) {
      return entries[i].name;
    }
    if (entries[i].kind == PORTS && (parameter == EPI_ENGINE_BIND_PORT_MIN ||
                                     parameter == EPI_ENGINE_BIND_PORT_MAX)) {
      return entries[i].name;
    }
  }
  return "";
}

/* As getopt_long() wants them: each has its number in entries, from FIRST. */
static void name_options(struct option *out) {
  for (int i = 0; i < ENTRIES; i++) {
    int kind = entries[i].kind;
    int alone = kind == FLAG || kind == LEVEL || kind == SWITCH || kind >= HELP;

    out[i] = (struct option){entries[i].name,
                             alone ? no_argument : required_argument, NULL,
                             FIRST + i};
  }
  out[ENTRIES] = (struct option){NULL, 0, NULL, 0};
}

/* By a name's number, or by a letter. */
static const struct entry *find_entry(int option) {
  int i = option - FIRST;

  if (option < FIRST) {
    for (i = 0; entries[i].letter != option; i++) {
    }
  }
  return &entries[i];
}

static int read_arguments(proxy_options *set, int argc, char **argv) {
  struct option options[ENTRIES + 1];
  int option;

  for (size_t i = 0; i < PARAMETERS; i++) {
    set->numbers[i] = -1;
  }
  set->numbers[EPI_ENGINE_LOG_LEVEL] = EPI_LOG_NOTE;
  if (argc > 1 && !strcmp(argv[1], "key")) {
    set->print_key = 1;
    argc--;
    argv++;
  }
  name_options(options);
  opterr = 0; /* one line for each mistake, and it is ours */
  while (!set->done && (option = getopt_long(
                            argc, argv, ":c:dh:l:p:s:", options, NULL)) != -1) {
    int result;

    if (option == '?' || option == ':') {
      return complain(option == ':' ? "an option needs a value (see --help)"
                                    : "no such option (see --help)",
                      argv[optind - 1]);
    }
    result = take_option(set, find_entry(option), optarg);
    if (result) {
      return result;
    }
  }
  return !set->done && optind < argc
             ? complain("only options are taken (see --help)", argv[optind])
             : 0;
}

/* What socksx takes from its environment, where no option said otherwise. */
static int read_environment(proxy_options *set) {
  const char *limit = getenv("LIMIT");
  char *chain = getenv("CHAIN");

  if (!set->host) {
    set->host = getenv("HOST");
  }
  if (!set->port) {
    set->port = getenv("PORT");
  }
  if (!set->socks) {
    set->socks = getenv("SOCKS");
  }
  if (!set->chain.count && chain) {
    for (char *link = strtok(chain, " ,"); link; link = strtok(NULL, " ,")) {
      if (add(&set->chain, link, "CHAIN")) {
        return EXIT_USAGE;
      }
    }
  }
  return limit && set->numbers[EPI_ENGINE_LIMIT] < 0
             ? number(set, EPI_ENGINE_LIMIT, limit, "LIMIT")
             : 0;
}

int proxy_options_read(proxy_options *out, int argc, char **argv) {
  int result = read_arguments(out, argc, argv);

  return result || out->listens.count ? result : read_environment(out);
}
