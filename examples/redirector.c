/* redirector.c: epi-redirector sends a node's connections through a proxy.
 *
 * It listens, puts interception rules in force, waits for a signal, cuts its
 * flows, removes the rules and ends. */
#include "redirector_control.h"
#include "redirector_lock.h"
#include "redirector_options.h"
#include "redirector_rules.h"
#include "redirector_sandbox.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void log_line(int level, const char *line, void *user) {
  struct timespec now;
  struct tm utc;
  char stamp[32];

  (void)level;
  (void)user;
  clock_gettime(CLOCK_REALTIME, &now);
  gmtime_r(&now.tv_sec, &utc);
  strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
  fprintf(stderr, "%s.%03dZ %s\n", stamp, (int)(now.tv_nsec / 1000000), line);
}

/* Listen on loopback. Returns 0, or the exit code after a message. */
static int listen_on(epi_engine *engine, int wanted, int *port) {
  char url[64];
  epi_addr addr;
  int error;

  snprintf(url, sizeof url, "redirect://127.0.0.1:%d", wanted);
  if (epi_engine_listen(engine, url) ||
      epi_engine_listener_addr(engine, 0, &addr)) {
    return say("%s", epi_error_detail());
  }
  snprintf(url, sizeof url, "redirect://[::1]:%d", addr.port);
  error = epi_engine_listen(engine, url);
  if (error && error != EPI_ESYS) {
    return say("%s", epi_error_detail());
  }
  if (error) { /* a system without ::1 */
    say("IPv6 connections will be refused: %s", epi_error_detail());
  }
  *port = addr.port;
  return 0;
}

static int send_along(epi_engine *engine, const char *option, int key,
                      const char *value) {
  return epi_engine_set_metadata(engine, key, value)
             ? say("--%s: %s", option, epi_error_detail())
             : 0;
}

static int set_up(epi_engine *engine, redirector_options *options) {
  int error;

  epi_engine_on_log(engine, log_line, NULL);
  if (epi_engine_set(engine, EPI_ENGINE_LOG_LEVEL, options->log_level) ||
      epi_engine_set(engine, EPI_ENGINE_MARK, EPI_MARK) ||
      (options->workers &&
       epi_engine_set(engine, EPI_ENGINE_WORKERS, options->workers)) ||
      (options->warm >= 0 &&
       epi_engine_set(engine, EPI_ENGINE_WARM, options->warm)) ||
      (options->warm_idle &&
       epi_engine_set(engine, EPI_ENGINE_WARM_IDLE_MS, options->warm_idle)) ||
      epi_engine_set(engine, EPI_ENGINE_FAST_OPEN, options->fast_open) ||
      epi_engine_add_hop(engine, options->proxy)) {
    return say("%s", epi_error_detail());
  }
  error = send_along(engine, "application", EPI_META_APPLICATION,
                     options->application);
  error =
      error ? error
            : send_along(engine, "purpose", EPI_META_PURPOSE, options->purpose);
  return error ? error
               : send_along(engine, "dataset", EPI_META_DATASET,
                            options->dataset);
}

/* Put the rules in force. Those of a killed redirector refuse connections
 * until then, and are replaced at once: nothing slips through in between. */
static int apply(const redirector_options *options,
                 const epi_redirect *redirect, const int *left) {
  if (epi_redirect_apply(redirect, options->backend)) {
    return say("%s", epi_error_detail());
  }
  for (int i = EPI_BACKEND_NFTABLES; i < BACKENDS_END; i++) {
    if (left[i] && i != options->backend && epi_redirect_remove(i) < 0) {
      say("%s", epi_error_detail());
      epi_redirect_remove(options->backend);
      return 2;
    }
    if (left[i]) {
      say("removed the %s rules that a killed redirector left",
          backend_names[i]);
    }
  }
  return 0;
}

/* Intercept until a signal comes. The flows are cut while the rules, which
 * translate addresses, still let the applications hear of it. */
static int intercept(epi_engine *engine, const redirector_options *options,
                     int lock, int port) {
  char what[600];
  int error = 0;

  rules_describe(options, what, sizeof what);
  say("%s goes to %s (%s, port %d)", what, options->proxy_shown,
      backend_names[options->backend], port);
  if (lock_hold(lock) < 0) {
    error = say("waiting for a signal: %s", strerror(errno));
  }
  epi_engine_stop(engine);
  if (epi_redirect_remove(options->backend) < 0) {
    return say("the rules stay in force: %s", epi_error_detail());
  }
  return error;
}

static int run(redirector_options *options, int lock) {
  epi_engine *engine = NULL;
  epi_redirect *redirect = NULL;
  int left[BACKENDS_END] = {0};
  int port = 0;
  int error;

  if (epi_engine_new(&engine)) {
    return say("%s", epi_error_detail());
  }
  error = set_up(engine, options);
  if (error) {
    goto done;
  }
  error = listen_on(engine, options->listen_port, &port);
  if (error) {
    goto done;
  }
  error = rules_make(options, port, &redirect);
  if (error) {
    goto done;
  }
  error = backends_find(left);
  if (error) {
    goto done;
  }
  error = sandbox_enter(options, engine,
                        options->backend == EPI_BACKEND_IPTABLES ||
                            left[EPI_BACKEND_IPTABLES]);
  if (error) {
    goto done;
  }
  if (epi_engine_start(engine)) {
    error = say("%s", epi_error_detail());
    goto done;
  }
  error = apply(options, redirect, left);
  if (!error) {
    error = intercept(engine, options, lock, port);
  }
done:
  epi_redirect_free(redirect);
  epi_engine_free(engine);
  return error;
}

static int run_alone(redirector_options *options) {
  lock_holder holder;
  sigset_t signals;
  int lock = lock_take();
  int error;

  if (lock < 0 && errno != EADDRINUSE) {
    return say("the lock of this network namespace: %s", strerror(errno));
  }
  if (lock < 0) {
    return lock_find(&holder) == 1
               ? say("another " REDIRECTOR
                     " runs in this network namespace (pid %ld)",
                     (long)holder.pid)
               : say("another " REDIRECTOR
                     " starts or ends in this network namespace");
  }
  /* Before any thread is there: they inherit it. */
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  if (signal(SIGHUP, SIG_IGN) != SIG_IGN) { /* else nohup started us */
    signal(SIGHUP, SIG_DFL);
    sigaddset(&signals, SIGHUP);
  }
  pthread_sigmask(SIG_BLOCK, &signals, NULL);
  signal(SIGPIPE, SIG_IGN); /* a log that nobody reads must not kill us */
  error = run(options, lock);
  close(lock);
  return error;
}

static int print_rules(const redirector_options *options) {
  static const int families[] = {4, 6};
  int iptables = options->backend == EPI_BACKEND_IPTABLES;
  epi_redirect *redirect;
  int error;

  if (!options->listen_port) {
    return say("--dry-run cannot know a port that is still to be chosen: "
               "give --listen-port");
  }
  error = rules_make(options, options->listen_port, &redirect);
  if (error) {
    return error;
  }
  for (int i = 0; i < 1 + iptables && !error; i++) {
    char *rules;

    if (epi_redirect_render(redirect, options->backend, families[i], &rules)) {
      error = say("%s", epi_error_detail());
      break;
    }
    if (iptables) {
      printf("# ip%stables-restore --noflush\n", i ? "6" : "");
    }
    fputs(rules, stdout);
    epi_free(rules);
  }
  epi_redirect_free(redirect);
  return error;
}

int main(int argc, char **argv) {
  redirector_options options;
  int error = options_read(&options, argc, argv);

  if (!error) {
    switch (options.command) {
    case COMMAND_STATUS:
      error = control_status();
      break;
    case COMMAND_STOP:
      error = control_stop();
      break;
    case COMMAND_RUN:
      error = options.dry_run ? print_rules(&options) : run_alone(&options);
      break;
    default:
      break;
    }
  }
  options_clear(&options);
  return error;
}
