/* door.c: where connections come in: a listener's socket in one worker. */
#include "base/fail.h"
#include "engine/flow.h"
#include "os/os.h"

#include <stddef.h>

enum {
  ACCEPTS = 64, /* in a row, before others get their turn */
  PAUSE_MS = 100,
  SAY_SHORT_MS = 60000,
  QUEUE = 4096, /* as many wait at most, but for those who come meanwhile */
};

static void on_connection(epi__io *io, int events);

static void on_pause_end(epi__timer *timer) {
  epi__door *door = EPI__OWNER(timer, epi__door, pause);

  epi__io_set(door->worker->loop, &door->io, door->fd, EPI__READ,
              on_connection);
}

/* Too much for now: let connections wait in the kernel for a moment. */
static void pause_door(epi__door *door) {
  epi__loop *loop = door->worker->loop;

  epi__io_set(loop, &door->io, door->fd, 0, on_connection);
  epi__timer_start(loop, &door->pause, PAUSE_MS, on_pause_end);
}

/* Once: under load it would be in the log without end. */
static void say_full(epi_engine *engine) {
  if (!atomic_exchange(&engine->was_full, 1)) {
    epi__log(engine, EPI_LOG_ERROR,
             "there are %lld connections, as many as the limit or the "
             "descriptors allow: further ones wait",
             (long long)engine->settings[EPI_ENGINE_LIMIT]);
  }
}

/* Not each time: it is so for a while, or comes and goes. */
static void say_short(const epi__door *door) {
  epi_engine *engine = door->worker->engine;
  long long now = epi__clock_steady();
  long long said = atomic_load(&engine->short_said_at);

  if ((!said || now - said >= SAY_SHORT_MS) &&
      atomic_compare_exchange_strong(&engine->short_said_at, &said, now)) {
    epi__log(engine, EPI_LOG_ERROR,
             "%s: %s: connections wait, for it is tried again each %d ms",
             door->listener->name, epi_error_detail(), PAUSE_MS);
  }
}

/* Take connections. Returns 1 if there may be more than so many. */
static int take(epi__door *door, int most) {
  epi_engine *engine = door->worker->engine;

  for (int i = 0; i < most; i++) {
    epi_addr peer;
    int fd = -1;
    int result;

    if (atomic_load(&engine->counts[EPI_COUNT_OPEN]) >=
        engine->settings[EPI_ENGINE_LIMIT]) {
      say_full(engine);
      pause_door(door);
      return 0;
    }
    result = epi__sock_accept(door->fd, &fd, &peer);
    if (result == EPI_ENOENT || result == EPI_ECLOSED) {
      return 0;
    }
    if (result == EPI_ELIMIT) {
      say_short(door);
      pause_door(door);
      return 0;
    }
    if (!result && !epi__allow_has(door->listener->allow, &peer)) {
      epi__allow_refused(engine, door->listener, &peer);
      epi__sock_close(fd, 1);
    } else if (!result) {
      epi__spread(door->worker, door->listener, fd, &peer);
    }
  }
  return 1;
}

/* One at a time, as long as they come so: to find out that there are no more
 * costs as much as taking one. In a row once they come in each round. */
static void on_connection(epi__io *io, int events) {
  epi__door *door = EPI__OWNER(io, epi__door, io);
  unsigned round = epi__loop_round(door->worker->loop);
  int most = round == door->round + 1 ? ACCEPTS : 1;

  (void)events;
  door->round = round;
  take(door, most);
}

void epi__door_open(epi__door *door, epi__worker *worker,
                    epi__listener *listener) {
  door->worker = worker;
  door->listener = listener;
  door->fd = listener->fds[worker->number];
  epi__io_set(worker->loop, &door->io, door->fd, EPI__READ, on_connection);
}

void epi__door_empty(epi__door *door) {
  for (int i = 0; i < QUEUE / ACCEPTS && take(door, ACCEPTS); i++) {
  }
}

void epi__door_close(epi__door *door) {
  epi__worker *worker = door->worker;

  epi__io_stop(worker->loop, &door->io);
  epi__timer_stop(worker->loop, &door->pause);
  epi__sock_close(door->fd, 0);
  door->listener->fds[worker->number] = -1;
  door->worker = NULL;
}
