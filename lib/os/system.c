/* system.c: files, the wall clock, limits. */
#include "os/os.h"

#include "base/fail.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
  NICENESS = 10,
  WRITER_MS = 5000, /* for somebody to write to a pipe */
};

static void drop(char *text, size_t capacity, int secret) {
  if (secret) {
    epi_wipe(text, capacity);
  }
  epi__free(text);
}

/* Twice the room. A secret moves by hand, so that no copy of it stays behind.
 * On NULL the text is gone. */
static char *widen(char *text, size_t capacity, int secret) {
  char *moved = secret ? epi__alloc_array(capacity, 2)
                       : epi__realloc_array(text, capacity, 2);

  if (moved && secret) {
    memcpy(moved, text, capacity);
  }
  if (!moved || secret) {
    drop(text, capacity, secret);
  }
  return moved;
}

static int over(const char *path, size_t max) {
  return epi__fail(EPI_ELIMIT, "%s has over %zu bytes", path, max);
}

/* Returns as poll(). */
static int await_bytes(int fd, int ms) {
  struct pollfd one = {.fd = fd, .events = POLLIN};
  int result;

  do {
    result = poll(&one, 1, ms);
  } while (result < 0 && errno == EINTR);
  return result;
}

/* A pipe without a writer looks like one that has ended. */
static int has_writer(int fd) {
  struct stat info;

  return fstat(fd, &info) || !S_ISFIFO(info.st_mode) ||
         await_bytes(fd, WRITER_MS) > 0;
}

static int read_all(int fd, const char *path, size_t max, int secret,
                    char **out, size_t *len) {
  size_t used = 0, capacity = 4096;
  char *text = epi__alloc(capacity);
  int asked = 0;

  while (text) {
    ssize_t got = read(fd, text + used, capacity - used - 1);

    if (got < 0 &&
        (errno == EINTR || (errno == EAGAIN && await_bytes(fd, -1) > 0))) {
      continue;
    }
    if (!got && !used && !asked++) {
      if (has_writer(fd)) {
        continue;
      }
      drop(text, capacity, secret);
      return epi__fail(EPI_ETIMEOUT, "%s is a pipe that nobody writes to",
                       path);
    }
    if (got < 0) {
      int why = errno;

      drop(text, capacity, secret);
      return epi__fail(EPI_ESYS, "cannot read %s: %s", path, strerror(why));
    }
    if (got == 0) {
      text[used] = '\0';
      *out = text;
      *len = used;
      return 0;
    }
    used += (size_t)got;
    if (used > max) {
      drop(text, capacity, secret);
      return over(path, max);
    }
    if (capacity - used == 1) {
      text = widen(text, capacity, secret);
      capacity *= 2;
    }
  }
  return EPI_ENOMEM;
}

/* By its mode a file may be read, or made if it is not there. */
static int may_open(const char *path) {
  const char *slash = strrchr(path, '/');
  char folder[PATH_MAX];

  if (!access(path, F_OK)) {
    return !access(path, R_OK);
  }
  snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path + 1) : 1,
           slash ? path : ".");
  return !access(folder, W_OK | X_OK);
}

/* A sandbox of files does not show in a file's mode. */
const char *epi__open_error(const char *path) {
  int error = errno;
  int hidden = error == EACCES && may_open(path);

  errno = error;
  return hidden ? "it is outside of the sandbox, which has other folders"
                : strerror(error);
}

int epi__file_read(const char *path, size_t max, int secret, char **out,
                   size_t *len) {
  struct stat info;
  int fd, result;

  if (secret && epi__secret_is_variable(path)) {
    return epi__secret_variable(path, max, out, len);
  }
  fd = !strcmp(path, "-") && !secret
           ? fcntl(0, F_DUPFD_CLOEXEC, 0)
           : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    return epi__fail(errno == ENOENT   ? EPI_ENOENT
                     : errno == EACCES ? EPI_EPERM
                                       : EPI_ESYS,
                     "cannot open %s: %s", path, epi__open_error(path));
  }
  if (fstat(fd, &info) || S_ISDIR(info.st_mode)) {
    close(fd);
    return epi__fail(EPI_ESYS, "%s is not a file", path);
  }
  if (secret && info.st_mode & S_IROTH) {
    close(fd);
    return epi__fail(EPI_EPERM, "everybody can read %s: chmod o-r it", path);
  }
  if (S_ISREG(info.st_mode) &&
      info.st_size - lseek(fd, 0, SEEK_CUR) > (off_t)max) {
    close(fd); /* without reading so much of it */
    return over(path, max);
  }
  result = read_all(fd, path, max, secret, out, len);
  close(fd);
  return result;
}

int64_t epi__clock_steady(void) {
  struct timespec now = {0};

  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t epi__clock_fine(void) {
  struct timespec now = {0};

  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void epi__sleep(int64_t ms) {
  struct timespec left = {ms / 1000, ms % 1000 * 1000000};

  while (nanosleep(&left, &left) && errno == EINTR) {
  }
}

/* Linux has it for each thread, by the number of the thread. */
void epi__thread_be_nice(void) {
  setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICENESS);
}

void epi__cond_init(pthread_cond_t *cond) {
  pthread_condattr_t steady;

  pthread_condattr_init(&steady);
  pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
  pthread_cond_init(cond, &steady);
  pthread_condattr_destroy(&steady);
}

int64_t epi__clock_wall(void) {
  return (int64_t)time(NULL);
}

int64_t epi__clock_wall_at(int64_t steady_ms) {
  struct timespec now = {0};
  int64_t ms;

  clock_gettime(CLOCK_REALTIME, &now);
  ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 -
       epi__clock_steady() + steady_ms;
  return ms / 1000;
}

int64_t epi__fd_limit(void) {
  struct rlimit limit;

  if (getrlimit(RLIMIT_NOFILE, &limit)) {
    return 1024;
  }
  if (limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
  }
  return limit.rlim_cur > INT64_MAX ? INT64_MAX : (int64_t)limit.rlim_cur;
}

void epi__memory_trim(void) {
#ifdef __GLIBC__
  malloc_trim(0); /* others do so by themselves, or cannot */
#endif
}

int epi__cpu_count(void) {
  cpu_set_t set;

  if (sched_getaffinity(0, sizeof set, &set)) {
    return 1;
  }
  return CPU_COUNT(&set) > 0 ? CPU_COUNT(&set) : 1;
}
