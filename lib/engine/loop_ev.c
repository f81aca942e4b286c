/* loop_ev.c: the event loop, by libev. */
#include "engine/loop.h"

#include "base/fail.h"
#include "base/memory.h"

#include <assert.h>
#include <ev.h>
#include <stddef.h>
#include <string.h>

/* What came counts before the time that is over: where this thread stood still,
 * both are found at once. */
enum {
  TIMERS = -1, /* descriptors and wake-ups have 0 */
  IDLE = -2,
};

struct epi__loop {
  struct ev_loop *ev;
  ev_prepare prepare;
  void (*before_wait)(void *user);
  void *before_user;
  ev_idle idle;
  void (*when_idle)(void *user);
  void *idle_user;
  unsigned round; /* of which these are the descriptors that were ready */
  unsigned ready;
};

_Static_assert(sizeof(ev_io) <= sizeof(((epi__io *)0)->watcher), "ev_io");
_Static_assert(sizeof(ev_timer) <= sizeof(((epi__timer *)0)->watcher),
               "ev_timer");
_Static_assert(sizeof(ev_async) <= sizeof(((epi__wake *)0)->watcher),
               "ev_async");

static ev_io *io_of(epi__io *io) {
  return (ev_io *)(void *)io->watcher;
}

static ev_timer *timer_of(epi__timer *timer) {
  return (ev_timer *)(void *)timer->watcher;
}

static ev_async *async_of(epi__wake *wake) {
  return (ev_async *)(void *)wake->watcher;
}

static void on_prepare(struct ev_loop *ev, ev_prepare *prepare, int events) {
  epi__loop *loop = prepare->data;

  (void)ev;
  (void)events;
  if (loop->before_wait) {
    loop->before_wait(loop->before_user);
  }
}

static void on_idle(struct ev_loop *ev, ev_idle *idle, int events) {
  epi__loop *loop = idle->data;

  (void)events;
  ev_idle_stop(ev, idle);
  loop->when_idle(loop->idle_user);
}

int epi__loop_new(epi__loop **out) {
  epi__loop *loop = epi__alloc(sizeof *loop);

  if (!loop) {
    return EPI_ENOMEM;
  }
  /* libev's io_uring back end aborts, and an environment variable could choose
   * it: name the back end and ignore the environment. */
  loop->ev = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
  if (!loop->ev) {
    epi__free(loop);
    return epi__fail(EPI_ESYS, "no event loop: out of descriptors?");
  }
  ev_set_userdata(loop->ev, loop);
  ev_prepare_init(&loop->prepare, on_prepare);
  loop->prepare.data = loop;
  ev_prepare_start(loop->ev, &loop->prepare);
  ev_idle_init(&loop->idle, on_idle);
  ev_set_priority(&loop->idle, IDLE);
  loop->idle.data = loop;
  *out = loop;
  return 0;
}

void epi__loop_free(epi__loop *loop) {
  if (loop) {
    ev_prepare_stop(loop->ev, &loop->prepare);
    ev_idle_stop(loop->ev, &loop->idle);
    ev_loop_destroy(loop->ev);
    epi__free(loop);
  }
}

void epi__loop_run(epi__loop *loop) {
  ev_run(loop->ev, 0);
}

void epi__loop_stop(epi__loop *loop) {
  ev_break(loop->ev, EVBREAK_ALL);
}

void epi__loop_before_wait(epi__loop *loop, void (*callback)(void *user),
                           void *user) {
  loop->before_wait = callback;
  loop->before_user = user;
}

void epi__loop_when_idle(epi__loop *loop, void (*callback)(void *user),
                         void *user) {
  loop->when_idle = callback;
  loop->idle_user = user;
  ev_idle_start(loop->ev, &loop->idle);
}

int epi__loop_is_busy(const epi__loop *loop) {
  return ev_pending_count(loop->ev) > 0 ||
         (loop->ready > 1 && loop->round == ev_iteration(loop->ev));
}

int64_t epi__loop_now(const epi__loop *loop) {
  return (int64_t)(ev_now(loop->ev) * 1000);
}

unsigned epi__loop_round(const epi__loop *loop) {
  return ev_iteration(loop->ev);
}

static void on_io(struct ev_loop *ev, ev_io *watcher, int events) {
  epi__io *io = watcher->data;
  epi__loop *loop = ev_userdata(ev);
  unsigned round = ev_iteration(ev);

  loop->ready = loop->round == round ? loop->ready + 1 : 1;
  loop->round = round;
  io->callback(io, (events & EV_READ ? EPI__READ : 0) |
                       (events & EV_WRITE ? EPI__WRITE : 0));
}

void epi__io_set(epi__loop *loop, epi__io *io, int fd, int events,
                 void (*callback)(epi__io *io, int events)) {
  ev_io *watcher = io_of(io);

  io->callback = callback;
  if (io->events == events) {
    return;
  }
  if (io->events) {
    ev_io_stop(loop->ev, watcher);
  }
  io->events = events;
  if (events) {
    ev_io_init(watcher, on_io, fd,
               (events & EPI__READ ? EV_READ : 0) |
                   (events & EPI__WRITE ? EV_WRITE : 0));
    watcher->data = io;
    ev_io_start(loop->ev, watcher);
  }
}

void epi__io_stop(epi__loop *loop, epi__io *io) {
  if (io->events) {
    ev_io_stop(loop->ev, io_of(io));
    io->events = 0;
  }
}

void epi__io_move(epi__loop *loop, epi__io *to, epi__io *from) {
  ev_io *watcher = io_of(to);

  assert(!to->events && from->events);
  to->events = from->events;
  epi__io_stop(loop, from);
  /* Not by ev_io_init(): libev would think of a new descriptor. */
  *watcher = *io_of(from);
  watcher->data = to;
  ev_io_start(loop->ev, watcher);
}

static void on_timer(struct ev_loop *ev, ev_timer *watcher, int events) {
  epi__timer *timer = watcher->data;

  (void)ev;
  (void)events;
  timer->callback(timer);
}

void epi__timer_start(epi__loop *loop, epi__timer *timer, int64_t ms,
                      void (*callback)(epi__timer *timer)) {
  ev_timer *watcher = timer_of(timer);

  epi__timer_stop(loop, timer);
  timer->callback = callback;
  ev_timer_init(watcher, on_timer, (double)ms / 1000.0, 0.0);
  ev_set_priority(watcher, TIMERS);
  watcher->data = timer;
  ev_timer_start(loop->ev, watcher);
}

void epi__timer_stop(epi__loop *loop, epi__timer *timer) {
  if (timer->callback) {
    ev_timer_stop(loop->ev, timer_of(timer));
    timer->callback = NULL;
  }
}

static void on_async(struct ev_loop *ev, ev_async *watcher, int events) {
  epi__wake *wake = watcher->data;

  (void)ev;
  (void)events;
  wake->callback(wake);
}

void epi__wake_start(epi__loop *loop, epi__wake *wake,
                     void (*callback)(epi__wake *wake)) {
  wake->loop = loop;
  wake->callback = callback;
  ev_async_init(async_of(wake), on_async);
  async_of(wake)->data = wake;
  ev_async_start(loop->ev, async_of(wake));
}

void epi__wake_send(epi__wake *wake) {
  ev_async_send(wake->loop->ev, async_of(wake));
}

void epi__wake_stop(epi__wake *wake) {
  if (wake->loop) {
    ev_async_stop(wake->loop->ev, async_of(wake));
    wake->loop = NULL;
  }
}
