/* proxy.c: epi-proxy, which takes connections, decides, and carries them. */
#include "proxy_audit.h"
#include "proxy_ctl.h"
#include "proxy_keys.h"
#include "proxy_passwd.h"
#include "proxy_sandbox.h"
#include "proxy_settings.h"
#include "proxy_upgrade.h"
#include "proxy_watch.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum {
  DNS_PORT = 53,
  WATCH_MS = 250, /* how often files are looked at */
  DRAIN_LOOK_MS = 20,
  UPGRADE_DRAIN_MS = 600000, /* unless --drain says otherwise */
};

/* Files that are read again. */
enum { MODEL, SETTINGS, WATCHED };

static void on_log(int level, const char *line, void *user) {
  time_t now = time(NULL);
  char stamp[32] = "";
  struct tm utc;

  (void)level;
  (void)user;
  if (gmtime_r(&now, &utc)) {
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &utc);
  }
  fprintf(stderr, "%s %s\n", stamp, line);
}

static int fail(const char *about) {
  return complain(about, epi_error_detail());
}

static int listen_on(epi_engine *engine, char *url) {
  if (!epi_engine_listen(engine, url)) {
    return 0;
  }
  hide_password(url); /* no listener has one */
  return fail(url);
}

static int listen_each(epi_engine *engine, const many *urls) {
  for (size_t i = 0; i < urls->count; i++) {
    if (listen_on(engine, urls->items[i])) {
      return EXIT_USAGE;
    }
  }
  return 0;
}

static int listen_all(epi_engine *engine, const proxy_options *set,
                      const proxy_settings *file) {
  char url[512];

  if (set->listens.count || file->listens.count) {
    return listen_each(engine, &set->listens)
               ? EXIT_USAGE
               : listen_each(engine, &file->listens);
  }
  /* SOCKS 6 as socksx has it, too. */
  snprintf(url, sizeof url, "socks://%s:%s%s%s%s",
           set->host ? set->host : "0.0.0.0", set->port ? set->port : "1080",
           set->socks ? "?version=" : "?dialect=auto",
           set->socks ? set->socks : "",
           set->socks && strcmp(set->socks, "5") ? "&dialect=auto" : "");
  return listen_on(engine, url);
}

static int set_model(epi_engine *engine, const char *path) {
  epi_report *problems = NULL;
  epi_model *model = NULL;
  int result = epi_report_new(&problems);

  if (!result) {
    result = epi_model_read_file(&model, problems, path);
  }
  for (size_t i = 0; problems && i < epi_report_count(problems); i++) {
    complain(path, epi_report_line(problems, i));
  }
  if (result && !(problems && epi_report_count(problems))) {
    complain(epi_error_detail(), NULL);
  }
  if (!result && epi_engine_set_model(engine, model)) {
    result = complain(path, epi_error_detail());
  }
  epi_model_free(model);
  epi_report_free(problems);
  return result ? EXIT_USAGE : 0;
}

/* What has a / in its name is a file: no built-in filter has. */
static int new_filter(epi_filter **out, const char *spec, const char *key,
                      size_t len) {
  return memchr(spec, '/', strcspn(spec, ":"))
             ? epi_filter_new_from_file(out, spec)
             : epi_filter_new_builtin(out, spec, key, len);
}

/* The key goes to the filters that need one, too. */
static int set_key(epi_engine *engine, const proxy_options *set, char *key,
                   size_t *len) {
  if (set->chain_key && !(*len = read_chain_key(set->chain_key, key))) {
    return EXIT_USAGE;
  }
  if (set->function || set->function_key) {
    return set_function(engine, set, key, *len);
  }
  return *len && epi_engine_set_chain_key(engine, key, *len)
             ? fail(set->chain_key)
             : 0;
}

/* The chain key comes first: filters of model and command line may need it. */
static int set_key_and_filters(epi_engine *engine, const proxy_options *set) {
  char key[KEY_MAX];
  size_t len = 0;
  int result = set_key(engine, set, key, &len);

  for (size_t i = 0; i < set->filters.count && !result; i++) {
    epi_filter *filter = NULL;
    int made =
        new_filter(&filter, set->filters.items[i], len ? key : NULL, len);

    wipe_secret(set->filters.items[i]);
    if (made || epi_engine_add_filter(engine, filter)) {
      result = fail(set->filters.items[i]);
    }
    epi_filter_free(filter);
  }
  epi_wipe(key, sizeof key);
  if (!result && set->filter_path &&
      epi_engine_set_filter_path(engine, set->filter_path)) {
    result = fail("--filter-path");
  }
  return result;
}

static int set_dns(epi_engine *engine, const char *text) {
  epi_addr server;

  return epi_addr_parse(&server, text, DNS_PORT) ||
                 epi_engine_set_dns(engine, &server)
             ? fail("--dns")
             : 0;
}

/* What hops over TLS use where their URLs do not say. */
static int set_tls(epi_engine *engine, const proxy_options *set) {
  return epi_engine_set_tls(engine, "ca", set->tls_ca) ||
                 epi_engine_set_tls(engine, "cert", set->tls_cert) ||
                 epi_engine_set_tls(engine, "key", set->tls_key) ||
                 epi_engine_set_tls(engine, "crl", set->tls_crl)
             ? fail("--tls-...")
             : 0;
}

static int set_up(epi_engine *engine, proxy_options *set,
                  proxy_settings *file) {
  if (settings_begin(file, engine, set)) {
    return EXIT_USAGE;
  }
  epi_engine_on_log(engine, on_log, NULL);
  /* A redirector on the same machine leaves marked connections alone. */
  epi_engine_set(engine, EPI_ENGINE_MARK, EPI_MARK);
  if (set_tls(engine, set)) {
    return EXIT_USAGE;
  }
  for (size_t i = 0; i < set->chain.count; i++) {
    int result = epi_engine_add_hop(engine, set->chain.items[i]);

    wipe_password(set->chain.items[i]);
    if (result) {
      return fail(set->chain.items[i]);
    }
  }
  if (set->name && !set->model) {
    return complain("--name", "is a proxy of a model: it needs --model");
  }
  if (epi_engine_set_name(engine, set->name)) {
    return fail("--name");
  }
  if (epi_engine_set_provision_command(engine, set->provision)) {
    return fail("--provision-command");
  }
  if (set->dns && set_dns(engine, set->dns)) {
    return EXIT_USAGE;
  }
  if (set_key_and_filters(engine, set)) {
    return EXIT_USAGE;
  }
  if (set->model && set_model(engine, set->model)) {
    return EXIT_USAGE;
  }
  return set_audit(engine, set) ? EXIT_USAGE : listen_all(engine, set, file);
}

/* From here on there are threads, all of them in the sandbox. Status comes
 * behind the listeners, so that it inherits none of their sockets. */
static int start(epi_engine *engine, epi_sandbox *sandbox,
                 const proxy_options *set) {
  if (sandbox_enter(sandbox, engine, set)) {
    return EXIT_USAGE;
  }
  if (set->status && epi_engine_serve_status(engine, set->status)) {
    return fail("--status");
  }
  if (ctl_serve(engine, set->admin)) {
    return EXIT_USAGE;
  }
  return epi_engine_start(engine) ? fail("cannot start") : 0;
}

static void say_where(const epi_engine *engine, const epi_sandbox *sandbox,
                      const proxy_options *set) {
  char text[EPI_ADDR_TEXT_MAX];
  epi_addr addr;

  fprintf(stderr, "epi-proxy: sandbox: %s\n", epi_sandbox_text(sandbox));
  if (!set->model && !set->function) {
    fputs("epi-proxy: WARNING: no --model: every connection is allowed\n",
          stderr);
  }
  for (size_t i = 0; !epi_engine_listener_addr(engine, i, &addr); i++) {
    char *url = NULL;

    epi_addr_format(&addr, 1, text, sizeof text);
    if (!epi_engine_listener_url(engine, i, &url)) {
      fprintf(stderr, "epi-proxy: listening on %.*s://%s\n",
              (int)strcspn(url, ":"), url, text);
    }
    epi_free(url);
  }
  if (!epi_engine_status_addr(engine, &addr)) {
    epi_addr_format(&addr, 1, text, sizeof text);
    fprintf(stderr, "epi-proxy: status at http://%s/\n", text);
  } else if (set->status) {
    fprintf(stderr, "epi-proxy: status at %s\n", set->status);
  }
}

/* Only a file can be read again: a pipe would block and keep its end from
 * signals. */
static int set_model_again(epi_engine *engine, const char *path) {
  struct stat info;

  if (!strcmp(path, "-") || (!stat(path, &info) && !S_ISREG(info.st_mode))) {
    return complain(path, "not a regular file: its model is not read again");
  }
  return set_model(engine, path);
}

static void tell_manager(int state) {
  if (epi_service_tell(state) < 0) {
    fail("service");
  }
}

static void model_again(epi_engine *engine, const proxy_options *set) {
  if (!set_model_again(engine, set->model)) {
    fprintf(stderr, "epi-proxy: the model in %s is in force\n", set->model);
  }
}

/* A changed file, or SIGHUP, sets the model or the settings anew; a bad one is
 * reported and changes nothing. */
static void read_again(epi_engine *engine, const proxy_options *set,
                       proxy_settings *file, watch *files, int got) {
  int settings = watch_has_changed(&files[SETTINGS], got == SIGIO) ||
                 (set->settings && got == SIGHUP);
  int model = watch_has_changed(&files[MODEL], got == SIGIO) ||
              (set->model && got == SIGHUP);

  epi_engine_reload_tls(engine, got == SIGHUP); /* the log has the rest */
  if (!settings && !model) {
    return;
  }
  tell_manager(EPI_SERVICE_RELOADING);
  if (settings) {
    settings_again(file, engine);
  }
  if (model) {
    model_again(engine, set);
  }
  tell_manager(EPI_SERVICE_READY);
}

/* What may cut a flow goes on to count for those that are to finish. */
static void judge_again(epi_engine *engine, const proxy_options *set,
                        watch *files, int got) {
  epi_engine_reload_users(engine);
  if (watch_has_changed(&files[MODEL], got == SIGIO) ||
      (set->model && got == SIGHUP)) {
    model_again(engine, set);
  }
}

/* Let connections finish for a while; a second signal ends it at once. */
static void drain(epi_engine *engine, const proxy_options *set, int64_t ms,
                  const sigset_t *signals, watch *files) {
  static const struct timespec interval = {0, DRAIN_LOOK_MS * 1000000L};

  if (!ms) {
    return;
  }
  if (epi_engine_drain(engine, ms)) {
    fail("--drain");
    return;
  }
  for (int looks = 1; !epi_engine_has_drained(engine); looks++) {
    int got = sigtimedwait(signals, NULL, &interval);

    if (got == SIGTERM || got == SIGINT) {
      return;
    }
    if (got == SIGIO) {
      watch_took_note();
    }
    if (got == SIGIO || got == SIGHUP ||
        looks % (WATCH_MS / DRAIN_LOOK_MS) == 0) {
      judge_again(engine, set, files, got);
    }
  }
}

/* A path is to be left before another process can have it. */
static void status_leave_path(epi_engine *engine, const proxy_options *set) {
  if (status_path(set)) {
    epi_engine_serve_status(engine, NULL);
  }
}

static void status_have_path(epi_engine *engine, const proxy_options *set) {
  if (status_path(set) && epi_engine_serve_status(engine, set->status)) {
    fail("--status");
  }
}

/* Have another process take over, and let connections finish here. Returns 0
 * if this one is to go on. */
static int give_way(epi_engine *engine, const proxy_options *set,
                    const upgrade *how, const sigset_t *signals, watch *files) {
  pid_t next;

  if (audit_leave(engine, set)) {
    return 0;
  }
  epi_engine_serve_admin(engine, NULL); /* the next one has the path */
  status_leave_path(engine, set);
  next = upgrade_start(how, engine);
  if (!next) {
    audit_have(engine, set);
    status_have_path(engine, set);
    ctl_serve(engine, set->admin);
    return 0;
  }
  if (epi_service_pass_on(next) < 0) {
    fail("service");
  }
  fprintf(stderr, "epi-proxy: upgrade: process %d took over\n", (int)next);
  epi_engine_serve_status(engine, NULL); /* who asks now asks about that */
  drain(engine, set, set->drain_ms ? set->drain_ms : UPGRADE_DRAIN_MS, signals,
        files);
  return 1;
}

/* Until a signal ends it. */
static void serve(epi_engine *engine, const proxy_options *set,
                  proxy_settings *file, const upgrade *how,
                  const sigset_t *signals, watch *files) {
  static const struct timespec interval = {0, WATCH_MS * 1000000L};

  for (;;) {
    int got = sigtimedwait(signals, NULL, &interval);

    if (got == SIGTERM || got == SIGINT) {
      tell_manager(EPI_SERVICE_STOPPING);
      drain(engine, set, got == SIGTERM ? set->drain_ms : 0, signals, files);
      return;
    }
    if (got == SIGUSR2 && give_way(engine, set, how, signals, files)) {
      return;
    }
    if (got == SIGIO) {
      watch_took_note();
    }
    epi_engine_reload_users(engine); /* the log says what came of it */
    if (got == SIGHUP && set->audit && epi_engine_audit_head(engine)) {
      fail("--audit"); /* else its file is the one at its path again */
    }
    read_again(engine, set, file, files, got);
  }
}

int main(int argc, char **argv) {
  proxy_options set = {0};
  epi_engine *engine = NULL;
  epi_sandbox *sandbox = NULL;
  watch files[WATCHED] = {{0}};
  proxy_settings file = {0};
  sigset_t signals;
  static upgrade how; /* what it remembers lives as long as the program */
  int result;

  if (argc > 1 && !strcmp(argv[1], "passwd")) {
    return proxy_passwd(argc - 1, argv + 1);
  }
  if (argc > 1 && !strcmp(argv[1], "ctl")) {
    return proxy_ctl(argc - 1, argv + 1);
  }
  result = upgrade_remember(&how, argv);
  if (!result) {
    result = proxy_options_read(&set, argc, argv);
  }
  if (!result && set.print_key) {
    return print_function_key(&set);
  }
  if (result || set.done) {
    return result;
  }
  signal(SIGPIPE, SIG_IGN); /* a log that nobody reads must not kill us */
  sigemptyset(&signals);
  sigaddset(&signals, SIGHUP);
  sigaddset(&signals, SIGUSR2);
  sigaddset(&signals, SIGIO);
  sigprocmask(SIG_BLOCK, &signals, NULL);
  if (sandbox_make(&sandbox, &set) ||
      (!set.no_sandbox && upgrade_before_sandbox(&how))) {
    return EXIT_USAGE;
  }
  if (epi_engine_new(&engine)) {
    return fail("cannot start");
  }
  watch_begin(&files[MODEL], set.model);
  watch_begin(&files[SETTINGS], set.settings);
  watch_folders(files, WATCHED);
  result = upgrade_inherit(&how, engine);
  if (!result) {
    result = set_up(engine, &set, &file);
  }
  /* Not before: reading a file may take for ever, and must end by a signal. */
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, NULL);
  if (!result) {
    result = start(engine, sandbox, &set);
  }
  if (!result) {
    say_where(engine, sandbox, &set);
    upgrade_ready(&how);
    tell_manager(EPI_SERVICE_READY);
    serve(engine, &set, &file, &how, &signals, files);
  }
  epi_engine_free(engine);
  epi_sandbox_free(sandbox);
  upgrade_end(&how);
  settings_free(&file);
  return result;
}
