/* child.c: a program of its own, by posix_spawn() and a descriptor of it. The
 * signal SIGCHLD and other children are the embedding program's business. */
#include "os/child.h"

#include "base/fail.h"
#include "base/memory.h"
#include "os/os.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
  ARGUMENTS = 8, /* with NULL */
};

int epi__child_check(const char *path) {
  struct stat info;

  if (stat(path, &info)) {
    return epi__fail(errno == ENOENT   ? EPI_ENOENT
                     : errno == EACCES ? EPI_EPERM
                                       : EPI_ESYS,
                     "cannot run %s: %s", path, strerror(errno));
  }
  if (!S_ISREG(info.st_mode)) {
    return epi__fail(EPI_ESYS, "cannot run %s: it is not a file", path);
  }
  if (info.st_mode & S_IWOTH) {
    return epi__fail(EPI_EPERM, "everybody can change %s: chmod o-w it", path);
  }
  return access(path, X_OK)
             ? epi__fail(EPI_EPERM, "cannot run %s: %s", path, strerror(errno))
             : 0;
}

/* Does an entry of the environment have the name of one of the settings? */
static int is_set(const char *entry, const char *const *settings) {
  size_t len = strcspn(entry, "=");

  for (size_t i = 0; settings[i]; i++) {
    if (!strncmp(settings[i], entry, len) && settings[i][len] == '=') {
      return 1;
    }
  }
  return 0;
}

/* This process's environment without its secrets and what the settings replace,
 * then the settings. NULL when out of memory. */
static const char **join_environment(const char *const *settings) {
  size_t more = 0, count = 0, used = 0;
  const char **joined;

  while (settings[more]) {
    more++;
  }
  joined = epi__environment_without_secrets(more, &count);
  for (size_t i = 0; joined && i < count; i++) {
    if (!is_set(joined[i], settings)) {
      joined[used++] = joined[i];
    }
  }
  for (size_t i = 0; joined && i <= more; i++) {
    joined[used++] = settings[i];
  }
  return joined;
}

/* Put the ends of the pipes in their places. Returns 0 or an errno. */
static int set_files(posix_spawn_file_actions_t *files, int out, int err) {
  int error =
      posix_spawn_file_actions_addopen(files, 0, "/dev/null", O_RDONLY, 0);

  if (!error) {
    error = posix_spawn_file_actions_adddup2(files, out, 1);
  }
  if (!error) {
    error = posix_spawn_file_actions_adddup2(files, err, 2);
  }
  return error ? error : posix_spawn_file_actions_addclosefrom_np(files, 3);
}

/* The threads of an engine block all signals, and programs ignore some. */
static int set_signals(posix_spawnattr_t *how) {
  short flags =
      POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP;
  sigset_t signals;
  int error;

  sigfillset(&signals);
  error = posix_spawnattr_setsigdefault(how, &signals);
  sigemptyset(&signals);
  if (!error) {
    error = posix_spawnattr_setsigmask(how, &signals);
  }
  return error ? error : posix_spawnattr_setflags(how, flags);
}

/* Returns 0 or an errno. */
static int spawn(pid_t *out, const char *path, const char *const *arguments,
                 const char **environment, int out_end, int err_end) {
  char *copy[ARGUMENTS] = {NULL}; /* spawn wants them without const */
  posix_spawn_file_actions_t files;
  posix_spawnattr_t how;
  int error = posix_spawn_file_actions_init(&files);

  if (error) {
    return error;
  }
  error = posix_spawnattr_init(&how);
  if (error) {
    posix_spawn_file_actions_destroy(&files);
    return error;
  }
  for (size_t i = 0; arguments[i]; i++) {
    assert(i + 1 < ARGUMENTS);
    memcpy(&copy[i], &arguments[i], sizeof copy[i]);
  }
  error = set_files(&files, out_end, err_end);
  if (!error) {
    error = set_signals(&how);
  }
  if (!error) {
    char **plain;

    memcpy(&plain, &environment, sizeof plain);
    error = posix_spawn(out, path, &files, &how, copy, plain);
  }
  posix_spawnattr_destroy(&how);
  posix_spawn_file_actions_destroy(&files);
  return error;
}

static void close_all(int *fds, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (fds[i] >= 0) {
      close(fds[i]);
    }
  }
}

/* Two pipes, of which the reading ends, 0 and 2, do not block. Ends with the
 * numbers of the standard files would be closed by being put in place. */
static int open_pipes(int fds[4]) {
  for (int i = 0; i < 4; i += 2) {
    if (pipe2(&fds[i], O_CLOEXEC)) {
      return errno;
    }
    for (int k = i; k < i + 2; k++) {
      int high = fds[k] > 2 ? fds[k] : fcntl(fds[k], F_DUPFD_CLOEXEC, 3);

      if (high < 0) {
        return errno;
      }
      if (high != fds[k]) {
        close(fds[k]);
        fds[k] = high;
      }
    }
    if (fcntl(fds[i], F_SETFL, O_NONBLOCK)) {
      return errno;
    }
  }
  return 0;
}

static int lost_status(void) {
  return epi__fail(EPI_ESYS, "its exit status is lost: this program must not "
                             "ignore SIGCHLD");
}

int epi__child_start(epi__child *out, const char *path,
                     const char *const *arguments,
                     const char *const *settings) {
  const char **environment = join_environment(settings);
  int fds[4] = {-1, -1, -1, -1};
  pid_t pid = 0;
  int end = -1;
  int error;

  if (!environment) {
    return EPI_ENOMEM;
  }
  error = open_pipes(fds);
  if (!error) {
    error = spawn(&pid, path, arguments, environment, fds[1], fds[3]);
  }
  epi__free(environment);
  if (!error) {
    end = pidfd_open(pid, 0);
    error = end < 0 ? errno : 0;
  }
  if (error) {
    if (pid) {
      kill(-pid, SIGKILL);
      waitpid(pid, NULL, 0);
    }
    close_all(fds, 4);
    return error == ESRCH ? lost_status()
                          : epi__fail(EPI_ESYS, "cannot run %s: %s", path,
                                      strerror(error));
  }
  close(fds[1]);
  close(fds[3]);
  *out = (epi__child){.id = pid, .end = end, .out = fds[0], .err = fds[2]};
  return 0;
}

ptrdiff_t epi__child_read(int fd, void *buf, size_t size) {
  ssize_t got;

  do {
    got = read(fd, buf, size);
  } while (got < 0 && errno == EINTR);
  return got >= 0 ? got : errno == EAGAIN ? EPI_ENOENT : 0;
}

int epi__child_outcome(epi__child *child) {
  int status = 0;
  pid_t got;

  do {
    got = waitpid(child->id, &status, WNOHANG);
  } while (got < 0 && errno == EINTR);
  if (!got) {
    return epi__fail(EPI_EBUSY, "it runs on");
  }
  child->id = 0; /* the number may be another process's from here on */
  if (got < 0) {
    return lost_status();
  }
  if (WIFSIGNALED(status)) {
    return epi__fail(EPI_ESYS, "signal %d ended it", WTERMSIG(status));
  }
  return WEXITSTATUS(status) ? epi__fail(EPI_ESYS, "it ended with status %d",
                                         WEXITSTATUS(status))
                             : 0;
}

void epi__child_kill(const epi__child *child, int hard) {
  if (child->id) {
    kill(-child->id, hard ? SIGKILL : SIGTERM);
  }
}

void epi__child_close(epi__child *child) {
  int fds[] = {child->end, child->out, child->err};

  if (child->id) {
    epi__child_kill(child, 1);
    while (waitpid(child->id, NULL, 0) < 0 && errno == EINTR) {
    }
  }
  close_all(fds, 3);
  *child = (epi__child){.end = -1, .out = -1, .err = -1};
}
