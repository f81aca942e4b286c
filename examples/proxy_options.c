/* proxy_options.c: the command line of epi-proxy. */
#include "proxy_options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: epi-proxy [OPTION]...\n"
    "       epi-proxy key --chain-key FILE --function NAME\n"
    "Take connections, judge them by a model, send them through what they "
    "need.\n"
    "\n"
    "  --listen URL        listen, any number of times:\n"
    "                        socks://HOST:PORT         SOCKS 5 and 6\n"
    "                        tcp://HOST:PORT=DEST:PORT one port, one "
    "destination\n"
    "                        redirect://HOST:PORT      redirected by the "
    "kernel\n"
    "                      with ?users=FILE, version=5|6, draft=11|12,\n"
    "                      dialect=draft|socksx|auto, tfo=N, udp=PORT,\n"
    "                      dtls=PORT&cert=FILE&key=FILE, bnd=ADDRESS (socks)\n"
    "  --model FILE        judge by this document; a change counts at once\n"
    "  --name NAME         which of the model's proxies this is\n"
    "  --chain URL         go on through socks5:// or "
    "socks6://[USER:PASS@]HOST:PORT\n"
    "                      with ?credentials=FILE, draft=11|12, "
    "dialect=socksx;\n"
    "                      any number of times\n"
    "  --filter SPEC       run a function in process: count, seal[:key=FILE],\n"
    "                      open[:key=FILE], gate[:ARGS], inspect[:ARGS],\n"
    "                      compress[:level=N], expand, or a shared object\n"
    "                      ./FILE.so[:ARGS]; any number of times\n"
    "  --filter-path DIR   where the model may take shared objects from "
    "[nowhere]\n"
    "  --chain-key FILE    the key by which proxies believe each other\n"
    "  --function NAME     be this function of the proxies' models, with its "
    "key:\n"
    "  --function-key FILE what `epi-proxy key` printed, or that of "
    "--chain-key\n"
    "  --audit FILE, --audit-key FILE   append a chained line for each "
    "decision\n"
    "                      and end (epi-check --audit)\n"
    "  --audit-on-error refuse|ignore   flows that cannot be audited "
    "[refuse]\n"
    "  --provision-command FILE   starts and stops instances of functions\n"
    "  --provision-timeout MS, --provision-flows N, --instance-idle MS\n"
    "                      for one to be ready, flows that wait, one without\n"
    "                      flows                   [30000, 1024, 60000]\n"
    "  --dns HOST:PORT     serve DNS to who connects to 0.0.0.0:53, from "
    "there\n"
    "  --no-happy-eyeballs one address of a name after another\n"
    "  --dns-cache N       names that each event loop remembers [1024]\n"
    "  --fast-open         TCP Fast Open to destinations of tcp:// and "
    "redirect://\n"
    "  --workers N         event loops [processors]\n"
    "  --limit N           connections at once [what descriptors allow]\n"
    "  --handshake-timeout MS, --connect-timeout MS, --idle-timeout MS,\n"
    "  --half-closed-timeout MS          [10000, 10000, 3600000, 120000]\n"
    "  --health-interval MS between probes of functions' instances [5000]\n"
    "  --bind-timeout MS   for a BIND until its host connects [120000]\n"
    "  --client-binds N    BINDs of a client that wait [256]\n"
    "  --bind-ports LOW-HIGH   that clients may choose [1024-65535]\n"
    "  --udp-idle-timeout MS, --associations N, --client-associations N\n"
    "                      UDP associations [300000, 1024, 64]\n"
    "  --sessions N        of SOCKS 6, at once; 0: none [10000]\n"
    "  --sessions-per-owner N, --session-timeout MS, --tokens N\n"
    "                                    [16, 600000, 1024]\n"
    "  --warm N, --warm-idle MS   connections that each event loop keeps to "
    "a hop\n"
    "                      that it uses, and how long [8, 8000]\n"
    "  --drain MS          for connections to finish after TERM [0], or after "
    "USR2,\n"
    "                      which starts the program anew [600000]\n"
    "  --quiet             say only what goes wrong\n"
    "  --help, --version\n"
    "\n"
    "Without --listen, socksx's options count, and its environment (CHAIN "
    "DEBUG\n"
    "HOST LIMIT PORT SOCKS): -c URL -d -h HOST -l N -p PORT -s 5|6.\n"
    "\n"
    "Exit codes: 0 fine, 2 usage or bad input.\n";

enum {
  OPT_LISTEN = 256,
  OPT_MODEL,
  OPT_NAME,
  OPT_FILTER,
  OPT_FILTER_PATH,
  OPT_CHAIN_KEY,
  OPT_FUNCTION,
  OPT_FUNCTION_KEY,
  OPT_AUDIT,
  OPT_AUDIT_KEY,
  OPT_AUDIT_ERROR,
  OPT_PROVISION,
  OPT_PROVISION_TIMEOUT,
  OPT_PROVISION_FLOWS,
  OPT_INSTANCE_IDLE,
  OPT_DNS,
  OPT_ONE_BY_ONE,
  OPT_FAST_OPEN,
  OPT_NAMES,
  OPT_WORKERS,
  OPT_HANDSHAKE,
  OPT_CONNECT,
  OPT_IDLE,
  OPT_HALF_CLOSED,
  OPT_BIND_TIMEOUT,
  OPT_CLIENT_BINDS,
  OPT_BIND_PORTS,
  OPT_HEALTH,
  OPT_UDP_IDLE,
  OPT_ASSOCIATIONS,
  OPT_CLIENT_ASSOCIATIONS,
  OPT_SESSIONS,
  OPT_PER_OWNER,
  OPT_SESSION_TIMEOUT,
  OPT_TOKENS,
  OPT_DRAIN,
  OPT_WARM,
  OPT_WARM_IDLE,
  OPT_QUIET,
  OPT_HELP,
  OPT_VERSION,
};

int complain(const char *what, const char *about) {
  fprintf(stderr, "epi-proxy: %s%s%s\n", what, about ? ": " : "",
          about ? about : "");
  return EXIT_USAGE;
}

void wipe_password(char *url) {
  char *start = strstr(url, "://");
  char *at = strrchr(url, '@');

  if (start && at && at > start) {
    memset(start + 3, '*', (size_t)(at - start) - 3);
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

static int take_option(proxy_options *set, int option) {
  switch (option) {
  case OPT_LISTEN:
    return add(&set->listens, optarg, "--listen");
  case 'c':
    return add(&set->chain, optarg, "--chain");
  case OPT_FILTER:
    return add(&set->filters, optarg, "--filter");
  case OPT_FILTER_PATH:
    set->filter_path = optarg;
    return 0;
  case OPT_MODEL:
    set->model = optarg;
    return 0;
  case OPT_NAME:
    set->name = optarg;
    return 0;
  case OPT_CHAIN_KEY:
    set->chain_key = optarg;
    return 0;
  case OPT_FUNCTION:
    set->function = optarg;
    return 0;
  case OPT_FUNCTION_KEY:
    set->function_key = optarg;
    return 0;
  case OPT_AUDIT:
    set->audit = optarg;
    return 0;
  case OPT_AUDIT_KEY:
    set->audit_key = optarg;
    return 0;
  case OPT_AUDIT_ERROR:
    set->audit_on_error = optarg;
    return 0;
  case OPT_PROVISION:
    set->provision = optarg;
    return 0;
  case OPT_PROVISION_TIMEOUT:
    return number(set, EPI_ENGINE_PROVISION_MS, optarg, "--provision-timeout");
  case OPT_PROVISION_FLOWS:
    return number(set, EPI_ENGINE_PROVISION_FLOWS, optarg, "--provision-flows");
  case OPT_INSTANCE_IDLE:
    return number(set, EPI_ENGINE_INSTANCE_IDLE_MS, optarg, "--instance-idle");
  case OPT_DNS:
    set->dns = optarg;
    return 0;
  case OPT_ONE_BY_ONE:
    set->numbers[EPI_ENGINE_HAPPY_EYEBALLS] = 0;
    return 0;
  case OPT_NAMES:
    return number(set, EPI_ENGINE_NAMES, optarg, "--dns-cache");
  case OPT_FAST_OPEN:
    set->numbers[EPI_ENGINE_FAST_OPEN] = 1;
    return 0;
  case OPT_WORKERS:
    return number(set, EPI_ENGINE_WORKERS, optarg, "--workers");
  case 'l':
    return number(set, EPI_ENGINE_LIMIT, optarg, "--limit");
  case OPT_HANDSHAKE:
    return number(set, EPI_ENGINE_HANDSHAKE_MS, optarg, "--handshake-timeout");
  case OPT_CONNECT:
    return number(set, EPI_ENGINE_CONNECT_MS, optarg, "--connect-timeout");
  case OPT_IDLE:
    return number(set, EPI_ENGINE_IDLE_MS, optarg, "--idle-timeout");
  case OPT_HALF_CLOSED:
    return number(set, EPI_ENGINE_HALF_CLOSED_MS, optarg,
                  "--half-closed-timeout");
  case OPT_HEALTH:
    return number(set, EPI_ENGINE_HEALTH_MS, optarg, "--health-interval");
  case OPT_BIND_TIMEOUT:
    return number(set, EPI_ENGINE_BIND_MS, optarg, "--bind-timeout");
  case OPT_CLIENT_BINDS:
    return number(set, EPI_ENGINE_CLIENT_BINDS, optarg, "--client-binds");
  case OPT_BIND_PORTS:
    return ports(set, optarg);
  case OPT_UDP_IDLE:
    return number(set, EPI_ENGINE_UDP_IDLE_MS, optarg, "--udp-idle-timeout");
  case OPT_ASSOCIATIONS:
    return number(set, EPI_ENGINE_ASSOCIATIONS, optarg, "--associations");
  case OPT_CLIENT_ASSOCIATIONS:
    return number(set, EPI_ENGINE_CLIENT_ASSOCIATIONS, optarg,
                  "--client-associations");
  case OPT_SESSIONS:
    return number(set, EPI_ENGINE_SESSIONS, optarg, "--sessions");
  case OPT_PER_OWNER:
    return number(set, EPI_ENGINE_SESSIONS_PER_OWNER, optarg,
                  "--sessions-per-owner");
  case OPT_SESSION_TIMEOUT:
    return number(set, EPI_ENGINE_SESSION_IDLE_MS, optarg, "--session-timeout");
  case OPT_TOKENS:
    return number(set, EPI_ENGINE_TOKENS, optarg, "--tokens");
  case OPT_DRAIN:
    return read_number(&set->drain_ms, optarg, "--drain");
  case OPT_WARM:
    return number(set, EPI_ENGINE_WARM, optarg, "--warm");
  case OPT_WARM_IDLE:
    return number(set, EPI_ENGINE_WARM_IDLE_MS, optarg, "--warm-idle");
  case 'h':
    set->host = optarg;
    return 0;
  case 'p':
    set->port = optarg;
    return 0;
  case 's':
    set->socks = optarg;
    return 0;
  case 'd':
    set->log_level = EPI_LOG_DEBUG;
    return 0;
  case OPT_QUIET:
    set->log_level = EPI_LOG_ERROR;
    return 0;
  case OPT_HELP:
    fputs(help, stdout);
    return end_output(set);
  default:
    printf("epi-proxy %s (%s)\n", epi_version(), epi_tls_library());
    return end_output(set);
  }
}

static int read_arguments(proxy_options *set, int argc, char **argv) {
  static const struct option options[] = {
      {"listen", required_argument, NULL, OPT_LISTEN},
      {"model", required_argument, NULL, OPT_MODEL},
      {"name", required_argument, NULL, OPT_NAME},
      {"chain", required_argument, NULL, 'c'},
      {"filter", required_argument, NULL, OPT_FILTER},
      {"filter-path", required_argument, NULL, OPT_FILTER_PATH},
      {"chain-key", required_argument, NULL, OPT_CHAIN_KEY},
      {"function", required_argument, NULL, OPT_FUNCTION},
      {"function-key", required_argument, NULL, OPT_FUNCTION_KEY},
      {"audit", required_argument, NULL, OPT_AUDIT},
      {"audit-key", required_argument, NULL, OPT_AUDIT_KEY},
      {"audit-on-error", required_argument, NULL, OPT_AUDIT_ERROR},
      {"provision-command", required_argument, NULL, OPT_PROVISION},
      {"provision-timeout", required_argument, NULL, OPT_PROVISION_TIMEOUT},
      {"provision-flows", required_argument, NULL, OPT_PROVISION_FLOWS},
      {"instance-idle", required_argument, NULL, OPT_INSTANCE_IDLE},
      {"dns", required_argument, NULL, OPT_DNS},
      {"no-happy-eyeballs", no_argument, NULL, OPT_ONE_BY_ONE},
      {"fast-open", no_argument, NULL, OPT_FAST_OPEN},
      {"dns-cache", required_argument, NULL, OPT_NAMES},
      {"workers", required_argument, NULL, OPT_WORKERS},
      {"limit", required_argument, NULL, 'l'},
      {"handshake-timeout", required_argument, NULL, OPT_HANDSHAKE},
      {"connect-timeout", required_argument, NULL, OPT_CONNECT},
      {"idle-timeout", required_argument, NULL, OPT_IDLE},
      {"half-closed-timeout", required_argument, NULL, OPT_HALF_CLOSED},
      {"health-interval", required_argument, NULL, OPT_HEALTH},
      {"bind-timeout", required_argument, NULL, OPT_BIND_TIMEOUT},
      {"client-binds", required_argument, NULL, OPT_CLIENT_BINDS},
      {"bind-ports", required_argument, NULL, OPT_BIND_PORTS},
      {"udp-idle-timeout", required_argument, NULL, OPT_UDP_IDLE},
      {"associations", required_argument, NULL, OPT_ASSOCIATIONS},
      {"client-associations", required_argument, NULL, OPT_CLIENT_ASSOCIATIONS},
      {"sessions", required_argument, NULL, OPT_SESSIONS},
      {"sessions-per-owner", required_argument, NULL, OPT_PER_OWNER},
      {"session-timeout", required_argument, NULL, OPT_SESSION_TIMEOUT},
      {"tokens", required_argument, NULL, OPT_TOKENS},
      {"drain", required_argument, NULL, OPT_DRAIN},
      {"warm", required_argument, NULL, OPT_WARM},
      {"warm-idle", required_argument, NULL, OPT_WARM_IDLE},
      {"host", required_argument, NULL, 'h'},
      {"port", required_argument, NULL, 'p'},
      {"socks", required_argument, NULL, 's'},
      {"debug", no_argument, NULL, 'd'},
      {"quiet", no_argument, NULL, OPT_QUIET},
      {"help", no_argument, NULL, OPT_HELP},
      {"version", no_argument, NULL, OPT_VERSION},
      {NULL, 0, NULL, 0},
  };
  int option;

  set->log_level = EPI_LOG_NOTE;
  for (size_t i = 0; i < PARAMETERS; i++) {
    set->numbers[i] = -1;
  }
  if (argc > 1 && !strcmp(argv[1], "key")) {
    set->print_key = 1;
    argc--;
    argv++;
  }
  opterr = 0; /* one line for each mistake, and it is ours */
  while (!set->done && (option = getopt_long(
                            argc, argv, ":c:dh:l:p:s:", options, NULL)) != -1) {
    int result;

    if (option == '?' || option == ':') {
      return complain(option == ':' ? "an option needs a value (see --help)"
                                    : "no such option (see --help)",
                      argv[optind - 1]);
    }
    result = take_option(set, option);
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
