/* filter_bounds.c: what a filter may hold, for how long, and its timer. */
#include "filter/filter_pipe.h"

#include "base/fail.h"

#include <inttypes.h>

int64_t epi__filter_chain_now(const epi__filter_chain *chain) {
  return chain->host.now_ms ? chain->host.now_ms(chain->host.user) : 0;
}

int epi_pipe_hold(epi_pipe *pipe, int64_t bytes) {
  int64_t most = pipe->calls->bounds[EPI_FILTER_MEMORY];

  if (bytes > most - pipe->held) {
    pipe->over = 1;
    return epi__fail(EPI_ELIMIT,
                     "filter %s holds over %" PRId64 " bytes of the flow",
                     epi_filter_name(pipe->filter), most);
  }
  if (!pipe->held) {
    pipe->held_at = epi__filter_chain_now(pipe->chain);
  }
  pipe->held = bytes < -pipe->held ? 0 : pipe->held + bytes;
  return 0;
}

void epi_pipe_pause(epi_pipe *pipe, int direction, int on) {
  if (direction != EPI_FORWARD && direction != EPI_BACKWARD) {
    return;
  }
  if (on && !pipe->paused[direction]) {
    pipe->paused_at[direction] = epi__filter_chain_now(pipe->chain);
  }
  pipe->paused[direction] = on != 0;
}

int epi_pipe_set_timer(epi_pipe *pipe, int64_t ms) {
  if (ms < -1) {
    return epi__fail(EPI_EINVAL, "a timer of %" PRId64 " ms", ms);
  }
  if (!pipe->chain->host.now_ms) {
    return epi__fail(EPI_ENOTSUP, "no clock for a timer");
  }
  if (ms < 0) {
    pipe->timer_at = -1;
    return 0;
  }
  if (ms > INT32_MAX) {
    return epi__fail(EPI_EINVAL, "a timer of over %" PRId32 " ms", INT32_MAX);
  }
  pipe->timer_at = epi__filter_chain_now(pipe->chain) + ms;
  return 0;
}

static int64_t sooner(int64_t a, int64_t b) {
  return a < 0 || (b >= 0 && b < a) ? b : a;
}

/* When a filter will have held data back for too long, or -1. */
static int64_t deadline_of(const epi_pipe *pipe) {
  int64_t most = pipe->calls->bounds[EPI_FILTER_DEADLINE_MS];
  int64_t since = pipe->held ? pipe->held_at : -1;

  for (int direction = 0; direction < 2; direction++) {
    if (pipe->paused[direction] && !pipe->ended[direction]) {
      since = sooner(since, pipe->paused_at[direction]);
    }
  }
  return most && since >= 0 ? since + most : -1;
}

void epi__filter_chain_begin(epi__filter_chain *chain) {
  int64_t now = epi__filter_chain_now(chain);

  chain->begun = 1;
  for (size_t i = 0; i < chain->count; i++) {
    epi_pipe *pipe = &chain->pipes[i];

    pipe->held_at = now;
    pipe->paused_at[EPI_FORWARD] = pipe->paused_at[EPI_BACKWARD] = now;
  }
}

int64_t epi__filter_chain_next_ms(const epi__filter_chain *chain) {
  int64_t next = -1;

  for (size_t i = 0; i < chain->count && !chain->failed; i++) {
    const epi_pipe *pipe = &chain->pipes[i];

    if (!pipe->passed) {
      next = sooner(next, pipe->timer_at);
      next = sooner(next, chain->begun ? deadline_of(pipe) : -1);
    }
  }
  return chain->host.now_ms ? next : -1;
}

static void call_timer(epi_pipe *pipe) {
  const epi__filter_calls *calls = pipe->calls;

  pipe->timer_at = -1;
  if (calls->timer) {
    epi_pipe *outer;
    int result;

    pipe->chain->written = 0;
    epi__fail_forget();
    outer = epi__pipe_enter(pipe);
    result = calls->timer(pipe, calls->timer_user);
    epi__pipe_leave(pipe->chain, outer);
    epi__pipe_returned(pipe, result, "");
  }
}

int epi__filter_chain_tick(epi__filter_chain *chain) {
  int64_t now = epi__filter_chain_now(chain);

  for (size_t i = 0; i < chain->count && !chain->failed; i++) {
    epi_pipe *pipe = &chain->pipes[i];
    int64_t deadline;

    if (!pipe->passed && pipe->timer_at >= 0 && pipe->timer_at <= now) {
      call_timer(pipe);
    }
    deadline = chain->begun && !pipe->passed ? deadline_of(pipe) : -1;
    if (!chain->failed && deadline >= 0 && deadline <= now) {
      epi__pipe_fail(pipe,
                     epi__fail(EPI_ETIMEOUT,
                               "held data back for over %" PRId64 " ms",
                               pipe->calls->bounds[EPI_FILTER_DEADLINE_MS]),
                     "");
    }
  }
  return epi__filter_chain_failure(chain);
}
