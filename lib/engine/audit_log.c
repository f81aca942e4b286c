/* audit_log.c: the file of an audit log, whose chain goes on from the last line
 * that is in it. */
#include "base/audit_chain.h"
#include "base/json.h"
#include "base/memory.h"
#include "engine/flow_audit.h"
#include "engine/record.h"
#include "epi/audit.h"
#include "os/os.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
  BLOCK = 65536, /* bytes that are checked at a time */
};

struct epi__audit_log {
  epi__record_file *file;
  int refuse;         /* flows, while nothing can be written */
  atomic_llong said;  /* the line that the engine's log had as head last */
  atomic_int failing; /* the log of the engine says so */
};

/* What was found in a file that is there. */
typedef struct found {
  epi__audit_chain chain;
  int64_t size;  /* of whole lines */
  int64_t torn;  /* bytes behind them */
  int64_t lines; /* whole ones */
} found;

void epi__audit_line(epi__text *out, const char *event) {
  struct timespec now;
  char stamp[32] = "";
  struct tm utc;

  clock_gettime(CLOCK_REALTIME, &now);
  if (gmtime_r(&now.tv_sec, &utc)) {
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
  }
  epi__text_printf(out, "{\"time\":\"%s.%03dZ\",\"event\":\"%s\"", stamp,
                   (int)(now.tv_nsec / 1000000), event);
}

/* ---- a file that is there ---- */

static int64_t whole_of(const char *block, size_t len) {
  const char *end = memrchr(block, '\n', len);

  return end ? end + 1 - block : 0;
}

static int check_file(found *out, epi_audit *audit, int fd, const char *path,
                      char *block) {
  int64_t size = 0;
  ssize_t got;
  int result = 0;

  while (!result && (got = read(fd, block, BLOCK)) != 0) {
    if (got < 0 && errno != EINTR) {
      return epi__fail(EPI_ESYS, "cannot read %s: %s", path, strerror(errno));
    }
    if (got > 0) {
      int64_t whole = whole_of(block, (size_t)got);

      out->size = whole ? size + whole : out->size;
      size += got;
      result = epi_audit_feed(audit, block, (size_t)got);
    }
  }
  if (result == EPI_EPROTO) {
    return epi__fail(EPI_EPROTO,
                     "%s is no audit log of this key: line %" PRId64
                     " is broken: move it away",
                     path, epi_audit_broken_line(audit));
  }
  out->torn = size - out->size;
  out->lines = epi_audit_number(audit, EPI_AUDIT_LINES);
  return result;
}

/* A line that was being written when the machine or the process died is no
 * line: it is cut off, and the next one says so. */
static int mend(const found *of, const char *path) {
  return of->torn && truncate(path, of->size)
             ? epi__fail(EPI_ESYS, "cannot cut off the last line of %s: %s",
                         path, strerror(errno))
             : 0;
}

static void go_on(found *out, const epi_audit *audit) {
  out->chain.number = epi_audit_number(audit, EPI_AUDIT_LAST);
  if (out->lines) {
    memcpy(out->chain.mac, epi_audit_text(audit, EPI_AUDIT_MAC),
           sizeof out->chain.mac);
  }
}

/* Check the file at path and continue its chain. */
static int look_at(found *out, int fd, const char *path, const void *key,
                   size_t len) {
  char *block = epi__alloc(BLOCK);
  epi_audit *audit = NULL;
  int result = block ? epi_audit_new(&audit, key, len) : EPI_ENOMEM;

  if (!result) {
    result = check_file(out, audit, fd, path, block);
  }
  if (!result) {
    result = mend(out, path);
  }
  if (!result) {
    go_on(out, audit);
  }
  epi_audit_free(audit);
  epi__free(block);
  return result;
}

/* The file is claimed while it is looked at: what another process is writing is
 * no line that is not whole. */
static int find(found *out, const char *path, const void *key, size_t len) {
  int result = epi__audit_chain_start(&out->chain, key, len);
  struct stat info;
  int fd;

  if (result) {
    return result;
  }
  fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0 && errno == ENOENT) {
    return 0;
  }
  if (fd < 0) {
    return epi__fail(errno == EACCES ? EPI_EPERM : EPI_ESYS,
                     "cannot read %s: %s", path, strerror(errno));
  }
  if (fstat(fd, &info)) {
    result = epi__fail(EPI_ESYS, "%s: %s", path, strerror(errno));
  } else if (S_ISREG(info.st_mode)) {
    result = epi__record_claim(fd, path, info.st_size);
    if (!result) {
      result = look_at(out, fd, path, key, len);
    }
  }
  close(fd);
  return result;
}

/* ---- the log ---- */

static int say_start(epi_engine *engine, const found *of) {
  epi__text line = {0};
  int result;

  epi__audit_line(&line, "start");
  epi__text_printf(&line, ",\"version\":\"%s\"", epi_version());
  if (of->torn) {
    epi__text_printf(&line, ",\"cut_off\":%" PRId64, of->torn);
  }
  result = epi__audit_put(engine, &line, 1);
  epi__text_clear(&line);
  epi__audit_say_head(engine, 1);
  return result;
}

int epi_engine_set_audit(epi_engine *engine, const char *path, const void *key,
                         size_t len, int on_error) {
  epi__audit_log *log;
  found of = {0};
  int result = epi__engine_not_started(engine);

  if (result) {
    return result;
  }
  if (engine->audit || !path ||
      (on_error != EPI_AUDIT_REFUSE && on_error != EPI_AUDIT_IGNORE)) {
    return engine->audit ? epi__fail(EPI_ESTATE, "there is an audit log")
                         : epi__fail(EPI_EINVAL, "no path, or no such choice");
  }
  log = epi__alloc(sizeof *log);
  if (!log) {
    return EPI_ENOMEM;
  }
  log->refuse = on_error == EPI_AUDIT_REFUSE;
  result = find(&of, path, key, len);
  if (!result) {
    result = epi__record_file_new_chained(&log->file, path, &of.chain, of.size);
  }
  epi__audit_chain_wipe(&of.chain);
  if (result) {
    epi__free(log);
    return result;
  }
  atomic_init(&log->said, 0);
  engine->audit = log;
  return say_start(engine, &of);
}

/* The engine's log says once that lines are lost, and once that no more are. */
static void be_loud(epi_engine *engine, int failed) {
  int before = atomic_exchange(&engine->audit->failing, failed);

  if (failed && !before) {
    epi__log(engine, EPI_LOG_ERROR, "audit: %s: %s", epi_error_detail(),
             engine->audit->refuse ? "flows are refused"
                                   : "flows go on WITHOUT being audited");
  } else if (!failed && before) {
    epi__log(engine, EPI_LOG_ERROR, "audit: lines are written again");
  }
}

int epi__audit_say_head(epi_engine *engine, int anyhow) {
  epi__audit_log *log = engine->audit;
  char mac[EPI__AUDIT_DIGITS + 1];
  int64_t number;

  epi__record_file_last(log->file, &number, mac);
  if (!anyhow) {
    return number != atomic_load(&log->said);
  }
  atomic_store(&log->said, number);
  epi__log(engine, EPI_LOG_NOTE, "audit: line %" PRId64 " has MAC %s", number,
           mac);
  return 1;
}

int epi__audit_put(epi_engine *engine, epi__text *line, int needed) {
  epi__audit_log *log = engine->audit;
  int state = epi__record_file_state(log->file);
  int result = needed && log->refuse ? state : 0;

  epi__text_puts(line, "}\n");
  if (!result) {
    result = line->failed
                 ? EPI_ENOMEM
                 : epi__record_file_put(log->file, line->block, line->len);
  }
  atomic_fetch_add(result ? &engine->audit_lost : &engine->audit_lines, 1);
  be_loud(engine, state || result);
  return log->refuse ? result : 0;
}

/* The last head is not in the file then: who looks for it is to know why. */
static void say_lost(epi_engine *engine) {
  uint64_t lost = epi__record_file_end(engine->audit->file);

  if (lost) {
    epi__record_file_state(engine->audit->file);
    epi__log(engine, EPI_LOG_ERROR,
             "audit: %s: the last %" PRIu64 " lines are LOST",
             epi_error_detail(), lost);
  }
}

void epi__audit_end(epi_engine *engine) {
  epi__audit_log *log = engine->audit;
  epi__text line = {0};

  if (!log) {
    return;
  }
  epi__audit_line(&line, "stop");
  epi__audit_put(engine, &line, 0);
  epi__text_clear(&line);
  epi__audit_say_head(engine, 1);
  say_lost(engine);
  epi__record_file_free(log->file);
  epi__free(log);
  engine->audit = NULL;
}

void epi__audit_catch_up(epi_engine *engine) {
  if (engine->audit) {
    epi__record_file_catch_up(engine->audit->file);
  }
}

static int move(epi_engine *engine, const char *path) {
  epi__text line = {0};
  int result = epi__record_file_move(engine->audit->file, path);

  if (result) {
    return result;
  }
  epi__audit_line(&line, "moved");
  epi__text_puts(&line, ",\"to\":");
  epi__json_put_string(&line, path);
  epi__audit_put(engine, &line, 0); /* lost or not, it was moved */
  epi__text_clear(&line);
  epi__audit_say_head(engine, 1);
  return 0;
}

int epi_engine_move_audit(epi_engine *engine, const char *path) {
  int result;

  if (!path || !*path) {
    return epi__fail(EPI_EINVAL, "no path");
  }
  pthread_mutex_lock(&engine->calls);
  result = engine->audit ? move(engine, path)
                         : epi__fail(EPI_ESTATE, "there is no audit log");
  pthread_mutex_unlock(&engine->calls);
  return result;
}

const char *epi__audit_path(const epi__audit_log *log) {
  return log ? epi__record_file_path(log->file) : NULL;
}

int epi__audit_begin(epi_engine *engine) {
  return engine->audit ? epi__record_file_begin(engine->audit->file) : 0;
}
