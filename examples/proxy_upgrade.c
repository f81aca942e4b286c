/* proxy_upgrade.c: epi-proxy takes over from another process, and lets another
 * one take over.
 *
 * Both have the same sockets for a while, each of them a descriptor of its own,
 * so that the queue of those who connect is there all the time. */
#include "proxy_upgrade.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define READY "EPI_READY_FD" /* what a process that takes over says it by */

enum {
  FIRST_FD = 3, /* as sd_listen_fds(3) has it */
  SOCKETS_MAX = HEIR_SOCKETS_MAX,
  MORE = 3, /* variables */
  LOOK_MS = 20,
  PATIENCE_MS = 60000,
};

static const char *const ours[] = {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES",
                                   READY};

/* Is a variable one of those that say what a process was started with? */
static int is_ours(const char *variable) {
  size_t len = strcspn(variable, "=");

  for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
    if (strlen(ours[i]) == len && !strncmp(variable, ours[i], len)) {
      return 1;
    }
  }
  return 0;
}

/* Copy texts, but for variables of ours. */
static char **copy(char **texts, int variables, size_t *count) {
  size_t all = 0;
  char **out;

  while (texts[all]) {
    all++;
  }
  out = calloc(all + MORE + 1, sizeof *out);
  *count = 0;
  for (size_t i = 0; out && i < all; i++) {
    if (!(variables && is_ours(texts[i])) &&
        !(out[(*count)++] = strdup(texts[i]))) {
      return NULL;
    }
  }
  return out;
}

int upgrade_remember(upgrade *out, char **argv) {
  size_t arguments;

  out->ready = -1;
  out->maker.fd = -1;
  out->own = argv;
  out->argv = copy(argv, 0, &arguments);
  out->envp = copy(environ, 1, &out->variables);
  return out->argv && out->envp ? 0 : complain("out of memory", NULL);
}

/* ---- taking over ---- */

/* A variable's number, from 0; or -1. */
static int number_of(const char *variable) {
  const char *text = getenv(variable);
  char *end = NULL;
  long value = text ? strtol(text, &end, 10) : -1;

  return text && *text && !*end && value >= 0 && value <= 0x7fffffff
             ? (int)value
             : -1;
}

static int adopt(epi_engine *engine, int count) {
  int result = 0;

  for (int fd = FIRST_FD; fd < FIRST_FD + count && !result; fd++) {
    if (epi_engine_adopt_socket(engine, fd)) {
      result = complain("LISTEN_FDS", epi_error_detail());
    }
    close(fd);
  }
  return result;
}

/* The variables are for this process alone: they name it, but for READY. */
int upgrade_inherit(upgrade *how, epi_engine *engine) {
  int is_for_us = number_of("LISTEN_PID") == getpid();
  int count = is_for_us ? number_of("LISTEN_FDS") : 0;

  if (is_for_us) {
    how->ready = number_of(READY);
  }
  for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
    unsetenv(ours[i]);
  }
  if (count < 0 || count > SOCKETS_MAX) {
    return complain("LISTEN_FDS", "is a number of sockets, at most 2048");
  }
  if (how->ready >= 0) {
    fcntl(how->ready, F_SETFD, FD_CLOEXEC);
  }
  return adopt(engine, count);
}

void upgrade_end(upgrade *how) {
  heir_maker_end(&how->maker);
}

void upgrade_ready(upgrade *how) {
  if (how->ready >= 0) {
    if (write(how->ready, "", 1) != 1) {
      complain("upgrade: the process before is gone", strerror(errno));
    }
    close(how->ready);
    how->ready = -1;
  }
}

/* ---- letting another take over ---- */

/* All that an heir has but descriptors. */
static void settle(heir *next, const upgrade *how) {
  next->argv = how->argv;
  next->envp = how->envp;
  next->own = how->own;
  next->variables = how->variables;
  sigprocmask(SIG_SETMASK, NULL, &next->mask);
}

int upgrade_before_sandbox(upgrade *how) {
  static heir next;

  settle(&next, how);
  return heir_maker_start(&how->maker, &next)
             ? complain("cannot fork the process for upgrades", strerror(errno))
             : 0;
}

/* The descriptors, and what the process starts with. */
static void prepare(heir *next, const upgrade *how, const epi_engine *engine,
                    int ready) {
  int fd;

  while (next->count < SOCKETS_MAX &&
         (fd = epi_engine_socket(engine, (size_t)next->count)) >= 0) {
    next->fds[next->count++] = fd;
  }
  next->fds[next->count++] = ready;
  settle(next, how);
  sigdelset(&next->mask, SIGTERM);
  sigdelset(&next->mask, SIGINT);
}

/* Why a process is not ready and never will be; NULL: it is ready. */
static const char *await(int pipe) {
  static const struct timespec interval = {0, LOOK_MS * 1000000L};
  sigset_t pending;
  char byte;

  for (int ms = 0; ms < PATIENCE_MS; ms += LOOK_MS) {
    ssize_t got = read(pipe, &byte, 1);

    if (got >= 0 || errno != EAGAIN) {
      return got == 1 ? NULL : "the new one ended before it was ready";
    }
    sigpending(&pending);
    if (sigismember(&pending, SIGTERM) || sigismember(&pending, SIGINT)) {
      return "it is to end";
    }
    nanosleep(&interval, NULL);
  }
  return "the new one was not ready within a minute";
}

static pid_t give_up(const char *why) {
  complain("upgrade FAILED, the old process goes on", why);
  return 0;
}

static void end_heir(const upgrade *how, pid_t pid) {
  if (how->maker.fd >= 0) {
    heir_maker_kill(&how->maker);
  } else {
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
  }
}

pid_t upgrade_start(const upgrade *how, const epi_engine *engine) {
  static heir next; /* large */
  const char *why;
  int ends[2];
  pid_t pid;

  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK)) {
    return give_up(strerror(errno));
  }
  next.count = 0;
  prepare(&next, how, engine, ends[1]);
  pid = how->maker.fd < 0 ? heir_start(&next)
                          : heir_maker_ask(&how->maker, &next);
  why = pid < 0 ? strerror(errno) : NULL;
  close(ends[1]);
  if (!why) {
    why = await(ends[0]);
  }
  close(ends[0]);
  if (why && pid > 0) { /* it has no connections that could be lost */
    end_heir(how, pid);
  }
  return why ? give_up(why) : pid;
}
