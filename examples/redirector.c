/* redirector.c: epi-redirector sends a node's connections through a proxy.
 *
 * It listens, puts interception rules in force, waits for a signal, removes
 * the rules and ends. */
#include "redirector_lock.h"
#include "redirector_options.h"

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const struct {
  int number;
  const char *name;
} backends[] = {
    {EPI_BACKEND_NFTABLES, "nftables"},
    {EPI_BACKEND_IPTABLES, "iptables"},
};

enum {
  BACKENDS = sizeof backends / sizeof *backends,
  STOP_MS = 30000, /* what a redirector may take to end */
};

static const char *backend_name(int number) {
  return backends[number == EPI_BACKEND_IPTABLES].name;
}

static void log_line(int level, const char *line, void *user) {
  const redirector_options *options = user;
  struct timespec now;
  struct tm utc;
  char stamp[32];

  if (level >= EPI_LOG_DEBUG && !options->verbose) {
    return;
  }
  clock_gettime(CLOCK_REALTIME, &now);
  gmtime_r(&now.tv_sec, &utc);
  strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
  fprintf(stderr, "%s.%03dZ %s\n", stamp, (int)(now.tv_nsec / 1000000), line);
}

/* What rules there are; a backend that this system has not got has none.
 * Returns 0, or the exit code after a message. */
static int find_rules(int found[BACKENDS]) {
  for (int i = 0; i < BACKENDS; i++) {
    found[i] = epi_redirect_present(backends[i].number);
    if (found[i] == EPI_ENOTSUP) {
      found[i] = 0;
    } else if (found[i] < 0) {
      return say("%s", epi_error_detail());
    }
  }
  return 0;
}

static int has_ipv6_loopback(void) {
  struct sockaddr_in6 address = {.sin6_family = AF_INET6,
                                 .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int result = -1;

  if (fd >= 0) {
    result = bind(fd, (struct sockaddr *)&address, sizeof address);
    close(fd);
  }
  return !result;
}

/* Listen on loopback. Returns the port, or -1 after a message. */
static int listen_on(epi_engine *engine, int wanted_port) {
  char url[64];
  epi_addr addr;

  snprintf(url, sizeof url, "redirect://127.0.0.1:%d", wanted_port);
  if (epi_engine_listen(engine, url) || epi_engine_listener(engine, 0, &addr)) {
    say("%s", epi_error_detail());
    return -1;
  }
  if (!has_ipv6_loopback()) {
    say("there is no ::1 here: IPv6 connections will be refused");
    return addr.port;
  }
  snprintf(url, sizeof url, "redirect://[::1]:%d", addr.port);
  if (epi_engine_listen(engine, url)) {
    say("%s", epi_error_detail());
    return -1;
  }
  return addr.port;
}

static int set_up(epi_engine *engine, redirector_options *options) {
  epi_engine_on_log(engine, log_line, options);
  if (epi_engine_set(engine, EPI_ENGINE_MARK, EPI_MARK) ||
      (options->workers &&
       epi_engine_set(engine, EPI_ENGINE_WORKERS, options->workers)) ||
      epi_engine_add_hop(engine, options->proxy) ||
      epi_engine_set_metadata(engine, EPI_META_APPLICATION,
                              options->application) ||
      epi_engine_set_metadata(engine, EPI_META_PURPOSE, options->purpose) ||
      epi_engine_set_metadata(engine, EPI_META_DATASET, options->dataset)) {
    return say("%s", epi_error_detail());
  }
  return 0;
}

/* Put the rules in force. Those of a killed redirector refuse connections
 * until then, and are replaced at once: nothing slips through in between. */
static int apply(const redirector_options *options,
                 const epi_redirect *redirect, const int left[BACKENDS]) {
  if (epi_redirect_apply(redirect, options->backend)) {
    return say("%s", epi_error_detail());
  }
  for (int i = 0; i < BACKENDS; i++) {
    if (!left[i]) {
      continue;
    }
    if (backends[i].number != options->backend &&
        epi_redirect_remove(backends[i].number) < 0) {
      say("%s", epi_error_detail());
      epi_redirect_remove(options->backend);
      return 2;
    }
    say("removed the %s rules that a killed redirector left", backends[i].name);
  }
  return 0;
}

/* Intercept until a signal comes; the rules go first, then the engine. */
static int intercept(const redirector_options *options, int lock, int port) {
  char what[600];
  int error = 0;

  options_describe(options, what, sizeof what);
  say("%s goes to %s (%s, port %d)", what, options->proxy_shown,
      backend_name(options->backend), port);
  if (lock_hold(lock) < 0) {
    error = say("waiting for a signal: %s", strerror(errno));
  }
  if (epi_redirect_remove(options->backend) < 0) {
    return say("the rules stay in force: %s", epi_error_detail());
  }
  return error;
}

static int run(redirector_options *options, int lock) {
  epi_engine *engine = NULL;
  epi_redirect *redirect = NULL;
  int left[BACKENDS];
  int error = find_rules(left);
  int port;

  if (error) {
    return error;
  }
  if (epi_engine_new(&engine)) {
    return say("%s", epi_error_detail());
  }
  error = set_up(engine, options);
  if (error) {
    goto done;
  }
  port = listen_on(engine, options->listen_port);
  if (port < 0) {
    error = 2;
    goto done;
  }
  error = options_redirect(options, port, &redirect);
  if (error) {
    goto done;
  }
  if (epi_engine_start(engine)) {
    error = say("%s", epi_error_detail());
    goto done;
  }
  error = apply(options, redirect, left);
  if (!error) {
    error = intercept(options, lock, port);
  }
  epi_engine_stop(engine);
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
  sigaddset(&signals, SIGHUP);
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
  error = options_redirect(options, options->listen_port, &redirect);
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

static int status(void) {
  lock_holder holder;
  int runs = lock_find(&holder);
  int any = 0;

  if (runs < 0) {
    return say("the lock of this network namespace: %s", strerror(errno));
  }
  if (runs) {
    printf("redirector: running, pid %ld\n", (long)holder.pid);
  } else {
    printf("redirector: not running\n");
  }
  for (int i = 0; i < BACKENDS; i++) {
    int found = epi_redirect_present(backends[i].number);

    if (found > 0) {
      printf("rules: %s%s\n", backends[i].name,
             runs ? ""
                  : ", left by a killed redirector: connections are refused "
                    "('" REDIRECTOR " stop' removes them)");
    } else if (found < 0 && found != EPI_ENOTSUP) {
      printf("rules: unknown: %s\n", epi_error_detail());
      any = 1;
      break;
    }
    any |= found > 0;
  }
  if (!any) {
    printf("rules: none\n");
  }
  return runs ? 0 : 1;
}

/* End the redirector that runs. The lock is anyone's to take: what a stranger
 * says there must not choose whom root kills. */
static int stop_running(int *stopped) {
  lock_holder holder;
  int runs = lock_find(&holder);

  if (runs <= 0) {
    return runs ? say("the lock of this network namespace: %s", strerror(errno))
                : 0;
  }
  if (!holder.pid) {
    return say("the redirector is in another PID namespace: stop it "
               "there");
  }
  if (holder.uid && holder.uid != geteuid()) {
    return say("pid %ld, which runs, is of user %lu: stop it as that "
               "user",
               (long)holder.pid, (unsigned long)holder.uid);
  }
  if (kill(holder.pid, SIGTERM) && errno != ESRCH) {
    return say("pid %ld: %s", (long)holder.pid, strerror(errno));
  }
  if (lock_wait(STOP_MS)) {
    say("pid %ld does not end", (long)holder.pid);
    return 1;
  }
  printf("stopped pid %ld\n", (long)holder.pid);
  *stopped = 1;
  return 0;
}

static int stop(void) {
  int found[BACKENDS];
  int stopped = 0;
  int error = stop_running(&stopped);

  error = error ? error : find_rules(found);
  for (int i = 0; i < BACKENDS && !error; i++) {
    if (!found[i]) {
      continue;
    }
    if (epi_redirect_remove(backends[i].number) < 0) {
      return say("%s", epi_error_detail());
    }
    printf("removed the %s rules that a killed redirector left\n",
           backends[i].name);
    stopped = 1;
  }
  if (!error && !stopped) {
    printf("nothing to stop\n");
  }
  return error;
}

int main(int argc, char **argv) {
  redirector_options options;
  int error = options_read(&options, argc, argv);

  if (!error) {
    switch (options.command) {
    case COMMAND_STATUS:
      error = status();
      break;
    case COMMAND_STOP:
      error = stop();
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
