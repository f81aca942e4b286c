/* errand.c: a program's output is read as it comes, its end is seen by its
 * descriptor, and what it left running may hold the output open for ever. */
#include "engine/errand.h"

#include "base/fail.h"
#include "base/memory.h"
#include "os/child.h"

#include <stdio.h>
#include <string.h>

enum {
  PRINTS_MAX = 64 * 1024, /* bytes of both outputs together */
};

/* One of its outputs. */
typedef struct stream {
  epi__io io;
  epi__errand *errand;
  int closed;
  char first[EPI__ERRAND_LINE];
  size_t first_len;
  int first_ended;
  char last[EPI__ERRAND_WORDS]; /* the last line that is not empty */
  size_t last_len;
  int last_ended; /* the next byte begins a new one */
} stream;

struct epi__errand {
  epi__loop *loop;
  epi__child child;
  epi__io end;
  epi__timer timer;
  stream out, err;
  size_t printed;
  int64_t ms;
  int asked;                   /* to end */
  char why[EPI__ERRAND_WORDS]; /* it was; "" if it was not */
  void (*callback)(void *user, int result, const char *text);
  void *user;
};

static void on_timer(epi__timer *timer);

void epi__errand_hurry(epi__errand *errand, const char *why) {
  if (errand->asked) {
    return;
  }
  errand->asked = 1;
  snprintf(errand->why, sizeof errand->why, "%s", why);
  epi__child_kill(&errand->child, 0);
  epi__timer_start(errand->loop, &errand->timer, EPI__ERRAND_TERM_MS, on_timer);
}

static void on_timer(epi__timer *timer) {
  epi__errand *errand = EPI__OWNER(timer, epi__errand, timer);
  char why[64];

  if (errand->asked) {
    epi__child_kill(&errand->child, 1);
    return;
  }
  snprintf(why, sizeof why, "it did not end in %lld ms", (long long)errand->ms);
  epi__errand_hurry(errand, why);
}

static void take(stream *from, char byte) {
  int line_end = byte == '\n' || byte == '\r';

  if (!from->first_ended) {
    from->first_ended = line_end;
    if (!line_end && from->first_len + 1 < sizeof from->first) {
      from->first[from->first_len++] = byte;
    }
  }
  if (line_end) {
    from->last_ended = 1;
    return;
  }
  if (from->last_ended) {
    from->last_ended = 0;
    from->last_len = 0;
  }
  if (from->last_len + 1 < sizeof from->last) {
    from->last[from->last_len++] = byte;
  }
}

static void close_stream(stream *from) {
  epi__io_stop(from->errand->loop, &from->io);
  from->closed = 1;
}

/* Read what is there. Returns 1 if there may be more. */
static int read_some(stream *from, int fd) {
  epi__errand *errand = from->errand;
  char block[4096];
  ptrdiff_t got = from->closed ? 0 : epi__child_read(fd, block, sizeof block);

  if (got == EPI_ENOENT) {
    return 0;
  }
  if (got <= 0) {
    close_stream(from);
    return 0;
  }
  for (ptrdiff_t i = 0; i < got; i++) {
    take(from, block[i] ? block[i] : '?');
  }
  errand->printed += (size_t)got;
  if (errand->printed > PRINTS_MAX) {
    close_stream(&errand->out);
    close_stream(&errand->err);
    epi__errand_hurry(errand, "it prints too much");
    return 0;
  }
  return 1;
}

static void on_out(epi__io *io, int events) {
  epi__errand *errand = EPI__OWNER(io, epi__errand, out.io);

  (void)events;
  read_some(&errand->out, errand->child.out);
}

static void on_err(epi__io *io, int events) {
  epi__errand *errand = EPI__OWNER(io, epi__errand, err.io);

  (void)events;
  read_some(&errand->err, errand->child.err);
}

/* Why it failed, best first. */
static const char *words_of(epi__errand *errand) {
  const stream *from = errand->err.last_len ? &errand->err : &errand->out;

  if (*errand->why) {
    return errand->why;
  }
  return from->last_len ? from->last : epi_error_detail();
}

static void on_end(epi__io *io, int events) {
  epi__errand *errand = EPI__OWNER(io, epi__errand, end);
  char text[EPI__ERRAND_LINE];
  int result = epi__child_outcome(&errand->child);

  (void)events;
  if (result == EPI_EBUSY) {
    return;
  }
  while (read_some(&errand->out, errand->child.out)) {
  }
  while (read_some(&errand->err, errand->child.err)) {
  }
  if (*errand->why) {
    result = EPI_ETIMEOUT;
  }
  epi__printable(text, sizeof text,
                 result ? words_of(errand) : errand->out.first);
  errand->callback(errand->user, result, text);
  epi__errand_free(errand);
}

int epi__errand_start(
    epi__errand **out, epi__loop *loop, const char *path,
    const char *const *arguments, const char *const *settings, int64_t ms,
    void (*callback)(void *user, int result, const char *text), void *user) {
  epi__errand *errand = epi__alloc(sizeof *errand);
  int result;

  if (!errand) {
    return EPI_ENOMEM;
  }
  result = epi__child_start(&errand->child, path, arguments, settings);
  if (result) {
    epi__free(errand);
    return result;
  }
  errand->loop = loop;
  errand->ms = ms;
  errand->callback = callback;
  errand->user = user;
  errand->out.errand = errand->err.errand = errand;
  epi__io_set(loop, &errand->out.io, errand->child.out, EPI__READ, on_out);
  epi__io_set(loop, &errand->err.io, errand->child.err, EPI__READ, on_err);
  epi__io_set(loop, &errand->end, errand->child.end, EPI__READ, on_end);
  epi__timer_start(loop, &errand->timer, ms, on_timer);
  *out = errand;
  return 0;
}

void epi__errand_free(epi__errand *errand) {
  if (!errand) {
    return;
  }
  close_stream(&errand->out);
  close_stream(&errand->err);
  epi__io_stop(errand->loop, &errand->end);
  epi__timer_stop(errand->loop, &errand->timer);
  epi__child_close(&errand->child);
  epi__free(errand);
}
