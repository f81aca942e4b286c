/* iptables_run.c: a child process, with files in memory for its input and
 * output: no pipe can fill up, or break and raise a signal. */
#include "os/iptables_run.h"

#include "base/fail.h"
#include "base/memory.h"
#include "os/os.h"
#include "os/redirect_apply.h"

#include <assert.h>
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
  ARGUMENTS = 12, /* with NULL */
};

static int memory_file(void) {
  int fd = memfd_create("epi-iptables", MFD_CLOEXEC);

  return fd >= 0
             ? fd
             : epi__fail(EPI_ESYS, "no file in memory: %s", strerror(errno));
}

static int write_all(int fd, const char *text) {
  size_t left = strlen(text);

  while (left) {
    ssize_t done = write(fd, text, left);

    if (done < 0 && errno == EINTR) {
      continue;
    }
    if (done <= 0) {
      return epi__fail(EPI_ESYS, "writing rules: %s", strerror(errno));
    }
    text += done;
    left -= (size_t)done;
  }
  lseek(fd, 0, SEEK_SET);
  return 0;
}

static int read_all(int fd, epi__text *out) {
  char block[4096];
  off_t at = 0;
  ssize_t len;

  while ((len = pread(fd, block, sizeof block, at)) > 0) {
    epi__text_add(out, block, (size_t)len);
    at += len;
  }
  if (out->failed) {
    epi__text_clear(out);
    return EPI_ENOMEM;
  }
  return 0;
}

/* In PATH, else where Debian has it: the PATH of a plain `su` lacks that
 * folder. Returns 0 or an errno. */
static int spawn_somewhere(pid_t *out,
                           const posix_spawn_file_actions_t *actions,
                           char *const *arguments) {
  static const char *const folders[] = {"", "/usr/sbin/", "/sbin/"};
  size_t count;
  const char **kept = epi__environment_without_secrets(0, &count);
  char **environment;
  int error = kept ? ENOENT : ENOMEM;

  memcpy(&environment, &kept, sizeof environment); /* spawn wants no const */
  for (size_t i = 0; i < sizeof folders / sizeof *folders && error == ENOENT;
       i++) {
    char path[64];

    snprintf(path, sizeof path, "%s%s", folders[i], arguments[0]);
    error = posix_spawnp(out, path, actions, NULL, arguments, environment);
  }
  epi__free(kept);
  return error;
}

/* Start the program. Returns 0 or an errno. */
static int start(pid_t *out, const char *const *arguments, const int fds[3]) {
  posix_spawn_file_actions_t actions;
  char *copy[ARGUMENTS] = {NULL}; /* spawn wants them without const */
  int error = posix_spawn_file_actions_init(&actions);

  if (error) {
    return error;
  }
  for (size_t i = 0; arguments[i]; i++) {
    assert(i + 1 < ARGUMENTS);
    memcpy(&copy[i], &arguments[i], sizeof copy[i]);
  }
  for (int i = 0; i < 3 && !error; i++) {
    error = posix_spawn_file_actions_adddup2(&actions, fds[i], i);
  }
  if (!error) {
    error = spawn_somewhere(out, &actions, copy);
  }
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

static int wait_for(pid_t pid, const char *name, int words) {
  epi__text text = {0};
  int status = 0;
  int error;

  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) {
      return epi__fail(EPI_ESYS, "waiting for %s: %s", name, strerror(errno));
    }
  }
  if (WIFSIGNALED(status)) {
    return epi__fail(EPI_ESYS, "%s was ended by signal %d", name,
                     WTERMSIG(status));
  }
  if (!WEXITSTATUS(status)) {
    return 0;
  }
  error = read_all(words, &text);
  if (!error) {
    error = epi__redirect_refused(name, text.block ? text.block : "");
  }
  epi__text_clear(&text);
  return error;
}

int epi__iptables_run(const char *const *arguments, const char *input,
                      epi__text *output) {
  int fds[3] = {-1, -1, -1};
  int error = 0;
  pid_t pid;

  for (int i = 0; i < 3; i++) {
    fds[i] = memory_file();
    if (fds[i] < 0) {
      error = fds[i];
      goto done;
    }
  }
  error = input ? write_all(fds[0], input) : 0;
  if (error) {
    goto done;
  }
  error = start(&pid, arguments, fds);
  if (error) {
    error = error == ENOMEM   ? EPI_ENOMEM
            : error == ENOENT ? epi__fail(EPI_ENOTSUP,
                                          "%s is not installed: install the "
                                          "package iptables",
                                          arguments[0])
                              : epi__fail(EPI_ESYS, "%s does not start: %s",
                                          arguments[0], strerror(error));
    goto done;
  }
  error = wait_for(pid, arguments[0], fds[2]);
  if (!error && output) {
    error = read_all(fds[1], output);
  }
done:
  for (int i = 0; i < 3; i++) {
    if (fds[i] >= 0) {
      close(fds[i]);
    }
  }
  return error;
}
