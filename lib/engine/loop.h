/* loop.h: an event loop of one thread: sockets, timers, wake-ups.
 *
 * libev is behind it, in loop_ev.c only. Watchers live inside the objects that
 * use them and must not move while they are started. */
#ifndef EPI__LOOP_H
#define EPI__LOOP_H

#include "epi/error.h"

typedef struct epi__loop epi__loop;

enum {
  EPI__READ = 1,
  EPI__WRITE = 2,
};

typedef struct epi__io {
  void *watcher[6];
  void (*callback)(struct epi__io *io, int events);
  int events; /* what is watched for now */
} epi__io;

typedef struct epi__timer {
  void *watcher[6];
  void (*callback)(struct epi__timer *timer);
} epi__timer;

typedef struct epi__wake {
  void *watcher[6];
  void (*callback)(struct epi__wake *wake);
  epi__loop *loop;
} epi__wake;

/* Make a loop. Returns 0, EPI_ESYS or EPI_ENOMEM. */
int epi__loop_new(epi__loop **out);
void epi__loop_free(epi__loop *loop);

/* Run until epi__loop_stop(), which is called from inside. */
void epi__loop_run(epi__loop *loop);
void epi__loop_stop(epi__loop *loop);

/* Call back each time before the loop waits. */
void epi__loop_before_wait(epi__loop *loop, void (*callback)(void *user),
                           void *user);

/* Call back once, as soon as nothing is left to do; the loop does not wait
 * before. Once more before that does nothing. */
void epi__loop_when_idle(epi__loop *loop, void (*callback)(void *user),
                         void *user);

/* 1 if more than one descriptor has had something to do in this round. */
int epi__loop_is_busy(const epi__loop *loop);

/* Milliseconds on a clock that never steps, as of this round of the loop. */
int64_t epi__loop_now(const epi__loop *loop);

/* The number of this round of the loop. */
unsigned epi__loop_round(const epi__loop *loop);

/* Watch a descriptor, a sum of EPI__READ and EPI__WRITE; 0 watches for
 * nothing. Watching for what is watched for already costs nothing. */
void epi__io_set(epi__loop *loop, epi__io *io, int fd, int events,
                 void (*callback)(epi__io *io, int events));
void epi__io_stop(epi__loop *loop, epi__io *io);

/* Let another watch what is watched, without a system call. It calls back once
 * epi__io_set() said whom. */
void epi__io_move(epi__loop *loop, epi__io *to, epi__io *from);

/* Call back once, ms milliseconds from now; starting again starts afresh. What
 * descriptors have for this round comes first, and may stop the timer. */
void epi__timer_start(epi__loop *loop, epi__timer *timer, int64_t ms,
                      void (*callback)(epi__timer *timer));
void epi__timer_stop(epi__loop *loop, epi__timer *timer);

/* Let another thread wake the loop up: it sends, the loop calls back. */
void epi__wake_start(epi__loop *loop, epi__wake *wake,
                     void (*callback)(epi__wake *wake));
void epi__wake_send(epi__wake *wake);
void epi__wake_stop(epi__wake *wake);

/* The object that a watcher is a member of. */
#define EPI__OWNER(pointer, type, member)                                      \
  ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#endif
