/* proxy.c: epi-proxy, which takes connections, decides, and carries them. */
#include <epi/epi.h>

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char help[] =
    "usage: epi-proxy [OPTION]...\n"
    "\n"
    "Take connections, judge them by a model, send them through what they "
    "need.\n"
    "\n"
    "  --listen URL        listen, any number of times:\n"
    "                        socks://HOST:PORT         SOCKS 5 and 6\n"
    "                        tcp://HOST:PORT=DEST:PORT one port, one "
    "destination\n"
    "                        redirect://HOST:PORT      redirected by the "
    "kernel\n"
    "                      with ?users=FILE, version=5|6, draft=11|12 (socks)\n"
    "  --model FILE        judge by this document; SIGHUP reads it again\n"
    "  --name NAME         which of the model's proxies this is\n"
    "  --chain URL         go on through socks5:// or "
    "socks6://[USER:PASS@]HOST:PORT\n"
    "                      with ?credentials=FILE, draft=11|12; any number of "
    "times\n"
    "  --filter SPEC       run a function in process: count, seal[:key=FILE],\n"
    "                      open[:key=FILE]; any number of times\n"
    "  --chain-key FILE    the key by which proxies believe each other\n"
    "  --workers N         event loops [processors]\n"
    "  --limit N           connections at once [what descriptors allow]\n"
    "  --handshake-timeout MS, --connect-timeout MS, --idle-timeout MS,\n"
    "  --half-closed-timeout MS          [10000, 10000, 3600000, 120000]\n"
    "  --quiet             say only what goes wrong\n"
    "  --help, --version\n"
    "\n"
    "Without --listen, socksx's options count, and its environment (CHAIN "
    "DEBUG\n"
    "HOST LIMIT PORT SOCKS): -c URL -d -h HOST -l N -p PORT -s 5|6.\n";

enum {
  EXIT_USAGE = 2,
  MANY = 64,
  KEY_MAX = 1024,
};

enum {
  OPT_LISTEN = 256,
  OPT_MODEL,
  OPT_NAME,
  OPT_FILTER,
  OPT_CHAIN_KEY,
  OPT_WORKERS,
  OPT_HANDSHAKE,
  OPT_CONNECT,
  OPT_IDLE,
  OPT_HALF_CLOSED,
  OPT_QUIET,
  OPT_HELP,
  OPT_VERSION,
};

typedef struct many {
  char *items[MANY];
  size_t count;
} many;

typedef struct settings {
  many listens, chain, filters;
  const char *model, *name, *chain_key;
  const char *host, *port, *socks;      /* socksx's */
  int64_t numbers[EPI_ENGINE_MARK + 1]; /* -1: not given */
  int quiet;
} settings;

static int complain(const char *what, const char *about) {
  fprintf(stderr, "epi-proxy: %s%s%s\n", what, about ? ": " : "",
          about ? about : "");
  return EXIT_USAGE;
}

static void on_log(int level, const char *line, void *user) {
  const settings *set = user;
  time_t now = time(NULL);
  char stamp[32] = "";
  struct tm utc;

  if (set->quiet && level > EPI_LOG_ERROR) {
    return;
  }
  if (gmtime_r(&now, &utc)) {
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &utc);
  }
  fprintf(stderr, "%s %s\n", stamp, line);
}

/* The whole of a file, or NULL with a complaint; len is its length. */
static char *read_file(const char *path, size_t max, size_t *len) {
  FILE *file = fopen(path, "rb");
  size_t size = 0, used = 0, got = 0;
  char *text = NULL;

  if (!file) {
    complain(path, strerror(errno));
    return NULL;
  }
  do {
    char *moved;

    used += got;
    size = size ? size * 2 : 65536;
    moved = realloc(text, size);
    if (!moved) {
      break;
    }
    text = moved;
    got = fread(text + used, 1, size - used, file);
  } while (used + got == size && used + got <= max);
  used += got;
  if (ferror(file) || used > max || !text) {
    complain(path, ferror(file) ? strerror(errno) : "the file is too large");
    free(text);
    text = NULL;
  }
  fclose(file);
  *len = used;
  return text;
}

/* A password must not stay where every user of the machine can read it. */
static void wipe_password(char *url) {
  char *start = strstr(url, "://");
  char *at = strrchr(url, '@');

  if (start && at && at > start) {
    memset(start + 3, '*', (size_t)(at - start) - 3);
    fprintf(stderr, "epi-proxy: a password in the arguments could be seen by "
                    "every user: use ?credentials=FILE\n");
  }
}

static int add(many *list, char *item, const char *option) {
  if (list->count == MANY) {
    return complain("too many", option);
  }
  list->items[list->count++] = item;
  return 0;
}

static int number(settings *set, int parameter, const char *text,
                  const char *option) {
  char *end;

  errno = 0;
  set->numbers[parameter] = strtoll(text, &end, 10);
  if (errno || *end || end == text || set->numbers[parameter] < 0) {
    fprintf(stderr, "epi-proxy: %s needs a number, not '%s'\n", option, text);
    return EXIT_USAGE;
  }
  return 0;
}

static int take_option(settings *set, int option) {
  switch (option) {
  case OPT_LISTEN:
    return add(&set->listens, optarg, "--listen");
  case 'c':
    return add(&set->chain, optarg, "--chain");
  case OPT_FILTER:
    return add(&set->filters, optarg, "--filter");
  case OPT_MODEL:
    set->model = optarg;
    return 0;
  case OPT_NAME:
    set->name = optarg;
    return 0;
  case OPT_CHAIN_KEY:
    set->chain_key = optarg;
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
    set->quiet = 0;
    return 0;
  case OPT_QUIET:
    set->quiet = 1;
    return 0;
  case OPT_HELP:
    fputs(help, stdout);
    exit(EXIT_SUCCESS);
  case OPT_VERSION:
    printf("epi-proxy %s (%s)\n", epi_version(), epi_tls_library());
    exit(EXIT_SUCCESS);
  default: /* getopt has said why */
    fputs("epi-proxy: --help lists the options\n", stderr);
    return EXIT_USAGE;
  }
}

static int read_options(settings *set, int argc, char **argv) {
  static const struct option options[] = {
      {"listen", required_argument, NULL, OPT_LISTEN},
      {"model", required_argument, NULL, OPT_MODEL},
      {"name", required_argument, NULL, OPT_NAME},
      {"chain", required_argument, NULL, 'c'},
      {"filter", required_argument, NULL, OPT_FILTER},
      {"chain-key", required_argument, NULL, OPT_CHAIN_KEY},
      {"workers", required_argument, NULL, OPT_WORKERS},
      {"limit", required_argument, NULL, 'l'},
      {"handshake-timeout", required_argument, NULL, OPT_HANDSHAKE},
      {"connect-timeout", required_argument, NULL, OPT_CONNECT},
      {"idle-timeout", required_argument, NULL, OPT_IDLE},
      {"half-closed-timeout", required_argument, NULL, OPT_HALF_CLOSED},
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

  for (size_t i = 0; i <= EPI_ENGINE_MARK; i++) {
    set->numbers[i] = -1;
  }
  while ((option = getopt_long(argc, argv, "c:dh:l:p:s:", options, NULL)) !=
         -1) {
    int result = take_option(set, option);

    if (result) {
      return result;
    }
  }
  return optind < argc ? complain("what is this", argv[optind]) : 0;
}

/* What socksx takes from its environment, where no option said otherwise. */
static int read_environment(settings *set) {
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

static int fail(const char *about) {
  return complain(about, epi_error_detail());
}

static int listen_on(epi_engine *engine, const char *url) {
  return epi_engine_listen(engine, url) ? fail(url) : 0;
}

static int listen_all(epi_engine *engine, const settings *set) {
  char url[512];

  for (size_t i = 0; i < set->listens.count; i++) {
    if (listen_on(engine, set->listens.items[i])) {
      return EXIT_USAGE;
    }
  }
  if (set->listens.count) {
    return 0;
  }
  snprintf(url, sizeof url, "socks://%s:%s%s%s",
           set->host ? set->host : "0.0.0.0", set->port ? set->port : "1080",
           set->socks ? "?version=" : "", set->socks ? set->socks : "");
  return listen_on(engine, url);
}

static int set_model(epi_engine *engine, const char *path) {
  epi_report *problems = NULL;
  epi_model *model = NULL;
  size_t len = 0;
  char *text = read_file(path, EPI_MODEL_MAX, &len);
  int result;

  if (!text) {
    return EXIT_USAGE;
  }
  result = epi_report_new(&problems);
  if (!result) {
    result = epi_model_read(&model, problems, text, len);
  }
  for (size_t i = 0; problems && i < epi_report_count(problems); i++) {
    complain(path, epi_report_line(problems, i));
  }
  if (result && !(problems && epi_report_count(problems))) {
    complain(path, epi_error_detail());
  }
  if (!result && epi_engine_set_model(engine, model)) {
    result = complain(path, epi_error_detail());
  }
  epi_model_free(model);
  epi_report_free(problems);
  free(text);
  return result ? EXIT_USAGE : 0;
}

/* The chain key comes first: filters of model and command line may need it. */
static int set_key_and_filters(epi_engine *engine, const settings *set) {
  size_t len = 0;
  char *key = NULL;
  int result = 0;

  if (set->chain_key) {
    key = read_file(set->chain_key, KEY_MAX, &len);
    if (!key) {
      return EXIT_USAGE;
    }
    result =
        epi_engine_set_chain_key(engine, key, len) ? fail(set->chain_key) : 0;
  }
  for (size_t i = 0; i < set->filters.count && !result; i++) {
    epi_filter *filter = NULL;

    result = epi_filter_make(&filter, set->filters.items[i], key, len) ||
             epi_engine_add_filter(engine, filter);
    if (result) {
      result = fail(set->filters.items[i]);
    }
    epi_filter_free(filter);
  }
  if (key) {
    epi_wipe(key, len);
    free(key);
  }
  return result;
}

static int set_up(epi_engine *engine, settings *set) {
  for (int i = EPI_ENGINE_WORKERS; i <= EPI_ENGINE_MARK; i++) {
    if (set->numbers[i] >= 0 && epi_engine_set(engine, i, set->numbers[i])) {
      return fail("an option is out of bounds");
    }
  }
  epi_engine_on_log(engine, on_log, set);
  /* A redirector on the same machine leaves marked connections alone. */
  epi_engine_set(engine, EPI_ENGINE_MARK, EPI_MARK);
  for (size_t i = 0; i < set->chain.count; i++) {
    int result = epi_engine_add_hop(engine, set->chain.items[i]);

    wipe_password(set->chain.items[i]);
    if (result) {
      return fail(set->chain.items[i]);
    }
  }
  if (epi_engine_set_name(engine, set->name)) {
    return fail("--name");
  }
  if (set_key_and_filters(engine, set)) {
    return EXIT_USAGE;
  }
  if (set->model && set_model(engine, set->model)) {
    return EXIT_USAGE;
  }
  return listen_all(engine, set);
}

static void say_where(const epi_engine *engine, const settings *set) {
  char text[EPI_ADDR_TEXT_MAX];
  epi_addr addr;

  if (!set->model) {
    fputs("epi-proxy: WARNING: no --model: every connection is allowed\n",
          stderr);
  }
  for (size_t i = 0; !epi_engine_listener(engine, i, &addr); i++) {
    const char *url = set->listens.count ? set->listens.items[i] : "socks://";
    const char *end = strstr(url, "://");

    epi_addr_format(&addr, 1, text, sizeof text);
    fprintf(stderr, "epi-proxy: listening on %.*s://%s\n", (int)(end - url),
            url, text);
  }
}

/* Until a signal ends it. SIGHUP reads the model again; a bad one is reported
 * and changes nothing. */
static void serve(epi_engine *engine, const settings *set,
                  const sigset_t *signals) {
  int got = 0;

  while (!sigwait(signals, &got) && got == SIGHUP) {
    if (set->model && !set_model(engine, set->model)) {
      fprintf(stderr, "epi-proxy: %s was read again\n", set->model);
    }
  }
}

int main(int argc, char **argv) {
  settings set = {0};
  epi_engine *engine = NULL;
  sigset_t signals;
  int result = read_options(&set, argc, argv);

  if (!result && !set.listens.count) {
    result = read_environment(&set);
  }
  if (result) {
    return result;
  }
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  sigprocmask(SIG_BLOCK, &signals, NULL);
  if (epi_engine_new(&engine)) {
    return fail("cannot start");
  }
  result = set_up(engine, &set);
  if (!result && epi_engine_start(engine)) {
    result = fail("cannot start");
  }
  if (!result) {
    say_where(engine, &set);
    serve(engine, &set, &signals);
  }
  epi_engine_free(engine);
  return result;
}
