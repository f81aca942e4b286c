/* record_file.c: lines to a file, by a thread of its own: a disk that is slow
 * or full must not stop a worker. */
#include "engine/record.h"

#include "base/bytes.h"
#include "base/memory.h"
#include "epi/audit.h"
#include "os/os.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
  RETRY_S = 1, /* after an error */
  CATCH_UP_MS = 1000,
  LINE_END = 2, /* a brace and a newline */
};

struct epi__record_file {
  int fd;
  char *path; /* of a chained one, else NULL */
  int torn;   /* the file ends within a line */
  pthread_t thread;
  pthread_mutex_t lock; /* guards what follows */
  epi__audit_chain chain;
  pthread_cond_t wake;
  epi__queue waiting;
  uint64_t dropped;
  int error; /* errno of the last write, or 0 */
  int stopping;
  int begun, runs; /* the thread may, and does */
  int writing;     /* the thread has the file, without the lock */
  pthread_cond_t written;
};

static int full(const epi__record_file *file, size_t len) {
  return file->waiting.end - file->waiting.start + len > EPI__RECORD_WAITING;
}

/* The chain goes on only if the line does. */
static int append_chained(epi__record_file *file, const char *line,
                          size_t len) {
  epi__audit_chain next = file->chain;
  epi__text sealed = {0};
  int result = EPI_ENOMEM;

  epi__text_add(&sealed, line, len - LINE_END);
  epi__audit_chain_seal(&next, &sealed);
  if (sealed.len > EPI_AUDIT_LINE_MAX) {
    result = EPI_ELIMIT;
  } else if (!sealed.failed) {
    result = epi__queue_append(&file->waiting, sealed.block, sealed.len);
  }
  epi__text_clear(&sealed);
  if (!result) {
    file->chain = next;
  }
  epi__audit_chain_wipe(&next);
  return result;
}

/* Under the lock. */
static int append(epi__record_file *file, const char *line, size_t len) {
  if (full(file, len + (file->path ? EPI__AUDIT_TAIL : 0))) {
    return EPI_ELIMIT;
  }
  return file->path ? append_chained(file, line, len)
                    : epi__queue_append(&file->waiting, line, len);
}

/* Under the lock. */
static void say_dropped(epi__record_file *file) {
  char line[64];
  int len = snprintf(line, sizeof line,
                     "{\"event\":\"dropped\",\"lines\":%" PRIu64 "}\n",
                     file->dropped);

  if (!append(file, line, (size_t)len)) {
    file->dropped = 0;
  }
}

static void *run(void *user);

/* The first line starts the thread, in the thread that brings it: one that was
 * there before would be outside of the program's sandbox. That of an audit log
 * begins with the engine. Under the lock. */
static int see_to_thread(epi__record_file *file) {
  if (file->runs || (file->path && !file->begun)) {
    return 0;
  }
  if (epi__thread_start(&file->thread, run, file)) {
    file->error = EAGAIN;
    return EPI_ESYS;
  }
  file->runs = 1;
  file->error = 0;
  return 0;
}

int epi__record_file_begin(epi__record_file *file) {
  int result;

  pthread_mutex_lock(&file->lock);
  file->begun = 1;
  result = see_to_thread(file);
  pthread_mutex_unlock(&file->lock);
  return result;
}

int epi__record_file_put(epi__record_file *file, const char *line, size_t len) {
  int result = 0;

  pthread_mutex_lock(&file->lock);
  if (file->dropped) {
    say_dropped(file);
  }
  if (file->dropped || append(file, line, len)) {
    file->dropped++;
    result = epi__fail(EPI_ELIMIT, "too many lines wait for the disk");
  }
  if (!result) {
    result = see_to_thread(file);
  }
  pthread_cond_signal(&file->wake);
  pthread_mutex_unlock(&file->lock);
  return result;
}

static int is_behind(epi__record_file *file) {
  int behind;

  pthread_mutex_lock(&file->lock);
  behind = !file->error && !file->stopping &&
           file->waiting.end - file->waiting.start > EPI__RECORD_WAITING / 2;
  pthread_mutex_unlock(&file->lock);
  return behind;
}

void epi__record_file_catch_up(epi__record_file *file) {
  for (int i = 0; i < CATCH_UP_MS && is_behind(file); i++) {
    epi__sleep(1);
  }
}

void epi__record_file_last(epi__record_file *file, int64_t *number, char *mac) {
  pthread_mutex_lock(&file->lock);
  *number = file->chain.number;
  memcpy(mac, file->chain.mac, sizeof file->chain.mac);
  pthread_mutex_unlock(&file->lock);
}

int epi__record_file_state(epi__record_file *file) {
  int result = 0;

  pthread_mutex_lock(&file->lock);
  if (file->error && !file->runs) { /* nobody else tries again */
    see_to_thread(file);
  }
  if (file->error) {
    result = epi__fail(EPI_ESYS, "cannot write: %s", strerror(file->error));
  } else if (file->dropped) {
    result = epi__fail(EPI_ELIMIT, "too many lines wait for the disk");
  }
  pthread_mutex_unlock(&file->lock);
  return result;
}

/* Write a block; returns how much of it was. */
static size_t write_block(int fd, const uint8_t *data, size_t len, int *error) {
  size_t done = 0;

  *error = 0;
  while (done < len && !*error) {
    ssize_t wrote = write(fd, data + done, len - done);

    if (wrote >= 0) {
      done += (size_t)wrote;
    } else if (errno != EINTR) {
      *error = errno;
    }
  }
  return done;
}

/* Take what waits, write it without the lock, and put back what the disk did
 * not take. Called with the lock. */
static void write_waiting(epi__record_file *file) {
  epi__queue taken = file->waiting;
  const uint8_t *data;
  size_t len = epi__queue_peek(&taken, &data), done = 0;
  int error;

  memset(&file->waiting, 0, sizeof file->waiting);
  file->writing = 1;
  pthread_mutex_unlock(&file->lock);
  error =
      file->path && !file->torn ? epi__record_follow(&file->fd, file->path) : 0;
  if (!error) {
    done = write_block(file->fd, data, len, &error);
  }
  if (done) {
    file->torn = data[done - 1] != '\n';
  }
  epi__queue_ack(&taken, done);
  pthread_mutex_lock(&file->lock);
  file->writing = 0;
  pthread_cond_broadcast(&file->written);
  file->error = error;
  if (error) {
    epi__queue newer = file->waiting;

    len = epi__queue_peek(&newer, &data);
    if (len && epi__queue_append(&taken, data, len)) {
      file->dropped++;
    }
    epi__queue_clear(&newer, 0);
    file->waiting = taken;
  }
}

static void *run(void *user) {
  epi__record_file *file = user;

  pthread_mutex_lock(&file->lock);
  for (;;) {
    if (file->error && !file->stopping) {
      struct timespec until;

      clock_gettime(CLOCK_MONOTONIC, &until);
      until.tv_sec += RETRY_S;
      while (!file->stopping && pthread_cond_timedwait(&file->wake, &file->lock,
                                                       &until) != ETIMEDOUT) {
      }
    }
    while (file->waiting.end == file->waiting.start && !file->stopping) {
      pthread_cond_wait(&file->wake, &file->lock);
    }
    if (file->waiting.end > file->waiting.start) {
      write_waiting(file);
    }
    if (file->stopping &&
        (file->error || file->waiting.end == file->waiting.start)) {
      break;
    }
  }
  pthread_mutex_unlock(&file->lock);
  return NULL;
}

int epi__record_file_new(epi__record_file **out, const char *path) {
  return epi__record_file_new_chained(out, path, NULL, 0);
}

static void let_go(epi__record_file *file) {
  if (file->fd >= 0) {
    close(file->fd);
  }
  epi__audit_chain_wipe(&file->chain);
  epi__free(file->path);
  epi__free(file);
}

/* Be the only one to go on with a chain. */
static int claim(epi__record_file *file, const char *path,
                 const epi__audit_chain *chain, int64_t size) {
  int result = epi__record_claim(file->fd, path, size);

  if (result) {
    return result;
  }
  file->chain = *chain;
  file->path = epi__strdup(path);
  return file->path ? 0 : EPI_ENOMEM;
}

int epi__record_file_new_chained(epi__record_file **out, const char *path,
                                 const epi__audit_chain *chain, int64_t size) {
  epi__record_file *file = epi__alloc(sizeof *file);
  int result;

  if (!file) {
    return EPI_ENOMEM;
  }
  file->fd = -1;
  result = epi__record_open(&file->fd, path);
  if (!result && chain) {
    result = claim(file, path, chain, size);
  }
  if (result) {
    let_go(file);
    return result;
  }
  pthread_mutex_init(&file->lock, NULL);
  epi__cond_init(&file->wake);
  epi__cond_init(&file->written);
  *out = file;
  return 0;
}

static uint64_t count_lost(const epi__record_file *file) {
  const uint8_t *data;
  size_t len = epi__queue_peek(&file->waiting, &data);
  uint64_t count = file->dropped;

  for (size_t i = 0; i < len; i++) {
    count += data[i] == '\n';
  }
  return count;
}

uint64_t epi__record_file_end(epi__record_file *file) {
  if (file->stopping) {
    return count_lost(file);
  }
  pthread_mutex_lock(&file->lock);
  file->stopping = 1;
  pthread_cond_signal(&file->wake);
  pthread_mutex_unlock(&file->lock);
  if (file->runs) {
    pthread_join(file->thread, NULL);
  } else {
    run(file); /* what waits for want of a thread, and no longer */
  }
  return count_lost(file);
}

void epi__record_file_free(epi__record_file *file) {
  if (!file) {
    return;
  }
  epi__record_file_end(file);
  epi__queue_clear(&file->waiting, 0);
  pthread_cond_destroy(&file->wake);
  pthread_cond_destroy(&file->written);
  pthread_mutex_destroy(&file->lock);
  let_go(file);
}

const char *epi__record_file_path(const epi__record_file *file) {
  return file->path;
}

/* Only between two writes: the writer follows a file that others renamed. */
int epi__record_file_move(epi__record_file *file, const char *path) {
  char *copy = epi__strdup(path);
  int result = EPI_ENOMEM;

  if (!copy) {
    return result;
  }
  pthread_mutex_lock(&file->lock);
  while (file->writing) {
    pthread_cond_wait(&file->written, &file->lock);
  }
  result = epi__record_rename(file->fd, file->path, path);
  if (!result) {
    char *before = file->path;

    file->path = copy;
    copy = before;
  }
  pthread_mutex_unlock(&file->lock);
  epi__free(copy);
  return result;
}
