/* filter_chain.c: data goes through the filters of a flow.
 *
 * A filter's write is handed to the next filter at once, so that order is kept
 * without queues in between. What bounds this: the bytes written for one piece
 * of data, and the depth of calls, for filters that answer each other. */
#include "filter/filter_pipe.h"

#include "base/fail.h"
#include "base/memory.h"

#include <stdio.h>

enum {
  DEPTH_MAX = 2 * EPI__FILTER_CHAIN_MAX,
};

/* Returns 0, EPI_PASS if the data is to go on as it is, or an error. */
static int call_data(epi_pipe *pipe, int direction, const void *data,
                     size_t len) {
  const epi__filter_calls *calls = pipe->calls;
  uint64_t before = pipe->written[direction];
  epi_pipe *outer;
  int result, failed, wrote;

  if (!calls->data) {
    pipe->passed = 1;
    return EPI_PASS;
  }
  epi__fail_forget();
  pipe->fed[direction] += len;
  outer = epi__pipe_enter(pipe);
  result = calls->data(pipe, direction, data, len, calls->data_user);
  epi__pipe_leave(pipe->chain, outer);
  failed = result < 0 || pipe->over;
  wrote = pipe->written[direction] != before;
  if (failed && !wrote) {
    pipe->fed[direction] -= len; /* left out, it has not lost this */
  }
  result = epi__pipe_returned(pipe, result, "");
  return result == EPI_PASS && failed && wrote ? 0 : result;
}

/* Hand data to the filter at an index, or to the queue behind the last. */
static int deliver(epi__filter_chain *chain, ptrdiff_t at, int direction,
                   const void *data, size_t len) {
  ptrdiff_t step = direction == EPI_FORWARD ? 1 : -1;
  int result = EPI_PASS;

  while (at >= 0 && at < (ptrdiff_t)chain->count && chain->pipes[at].passed) {
    at += step;
  }
  if (at < 0 || at == (ptrdiff_t)chain->count) {
    return epi__filter_chain_fail(
        chain, epi__queue_append(chain->queues[direction], data, len));
  }
  if (!chain->pipes[at].opened) { /* only backward, and it is opened yet */
    return epi__filter_chain_fail(
        chain, epi__queue_append(&chain->pipes[at].early, data, len));
  }
  if (chain->depth == DEPTH_MAX) {
    return epi__filter_chain_fail(
        chain,
        epi__fail(EPI_ELIMIT, "filters write to each other without end"));
  }
  chain->depth++;
  result = call_data(&chain->pipes[at], direction, data, len);
  chain->depth--;
  return result == EPI_PASS ? deliver(chain, at + step, direction, data, len)
                            : result;
}

int epi_pipe_write(epi_pipe *pipe, int direction, const void *data,
                   size_t len) {
  epi__filter_chain *chain = pipe->chain;
  ptrdiff_t at = pipe - chain->pipes;

  if (direction != EPI_FORWARD && direction != EPI_BACKWARD) {
    return epi__fail(EPI_EINVAL, "no direction %d", direction);
  }
  if (chain->failed) {
    return epi__filter_chain_failure(chain);
  }
  if (!len) {
    return 0;
  }
  if (pipe->ended[direction] || pipe->passed) {
    return epi__filter_chain_fail(
        chain, epi__fail(EPI_ESTATE, "filter %s writes after the end",
                         epi_filter_name(pipe->filter)));
  }
  chain->written += len;
  if (chain->written > EPI_PIPE_MAX) {
    return epi__filter_chain_fail(
        chain, epi__fail(EPI_ELIMIT,
                         "filter %s: over %d bytes were made of one piece of "
                         "data",
                         epi_filter_name(pipe->filter), EPI_PIPE_MAX));
  }
  pipe->written[direction] += len;
  pipe->held_at = epi__filter_chain_now(chain);
  return deliver(chain, direction == EPI_FORWARD ? at + 1 : at - 1, direction,
                 data, len);
}

static int open_pipe(epi_pipe *pipe) {
  int result = 0;

  if (pipe->calls->open) {
    epi_pipe *outer;

    epi__fail_forget();
    outer = epi__pipe_enter(pipe);
    result = pipe->calls->open(pipe, pipe->calls->open_user);
    epi__pipe_leave(pipe->chain, outer);
  }
  pipe->opened = !result || result == EPI_PASS;
  result = epi__pipe_returned(pipe, result, " fails on opening");
  if (result < 0) {
    return pipe->chain->refused ? EPI_EDENIED : EPI_EFILTER;
  }
  if (!pipe->calls->data) {
    pipe->passed = 1;
  }
  return 0;
}

/* Hand on what was written backward before the pipe was open. */
static int catch_up(epi_pipe *pipe) {
  epi__filter_chain *chain = pipe->chain;
  const uint8_t *data;
  size_t len = epi__queue_peek(&pipe->early, &data);

  if (len) {
    deliver(chain, pipe - chain->pipes, EPI_BACKWARD, data, len);
  }
  epi__queue_clear(&pipe->early, 1);
  if (epi__filter_chain_failure(chain)) {
    return chain->refused ? EPI_EDENIED : EPI_EFILTER;
  }
  return 0;
}

int epi__filter_chain_new(epi__filter_chain **out, epi_filter *const *filters,
                          size_t count, const epi__filter_host *host,
                          epi__queue *const queues[2],
                          const epi__binding *binding) {
  epi__filter_chain *chain;

  if (count > EPI__FILTER_CHAIN_MAX) {
    return epi__fail(EPI_EINVAL, "%zu filters: at most %d fit into a flow",
                     count, EPI__FILTER_CHAIN_MAX);
  }
  chain = epi__alloc(sizeof *chain + count * sizeof *chain->pipes);
  if (!chain) {
    return EPI_ENOMEM;
  }
  if (binding) {
    chain->bound_from = binding->from;
    chain->binding = epi__strdup(binding->text);
    if (!chain->binding) {
      epi__free(chain);
      return EPI_ENOMEM;
    }
  }
  if (host) {
    chain->host = *host;
  }
  chain->queues[EPI_FORWARD] = queues[EPI_FORWARD];
  chain->queues[EPI_BACKWARD] = queues[EPI_BACKWARD];
  chain->count = count;
  for (size_t i = 0; i < count; i++) {
    chain->pipes[i].chain = chain;
    chain->pipes[i].filter = epi_filter_ref(filters[i]);
    chain->pipes[i].calls = epi__filter_calls_of(filters[i]);
    chain->pipes[i].timer_at = -1;
  }
  chain->opening = 1;
  /* The last one first: what a filter writes on opening finds those behind it
   * open, and waits for those before it. */
  for (size_t i = count; i-- > 0;) {
    int result = open_pipe(&chain->pipes[i]);

    if (!result) {
      result = catch_up(&chain->pipes[i]);
    }
    if (result) {
      epi__filter_chain_free(chain);
      return result;
    }
  }
  chain->opening = 0;
  *out = chain;
  return 0;
}

void epi__filter_chain_free(epi__filter_chain *chain) {
  if (!chain) {
    return;
  }
  if (!chain->failed) { /* nothing is written to what is closed already */
    chain->failed = EPI_ESTATE;
    snprintf(chain->why, sizeof chain->why, "the flow is over");
  }
  for (size_t i = 0; i < chain->count; i++) {
    epi_pipe *pipe = &chain->pipes[i];

    if (pipe->opened && pipe->calls->close) {
      pipe->calls->close(pipe, pipe->calls->close_user);
    }
    epi__queue_clear(&pipe->early, 1);
    epi_filter_free(pipe->filter);
  }
  epi__free(chain->binding);
  epi__free(chain);
}

int epi__filter_chain_feed(epi__filter_chain *chain, int direction,
                           const void *data, size_t len) {
  if (!chain->failed) {
    chain->written = 0;
    deliver(chain, direction == EPI_FORWARD ? 0 : (ptrdiff_t)chain->count - 1,
            direction, data, len);
  }
  return epi__filter_chain_failure(chain);
}

int epi__filter_chain_end(epi__filter_chain *chain, int direction) {
  for (size_t i = 0; i < chain->count && !chain->failed; i++) {
    size_t at = direction == EPI_FORWARD ? i : chain->count - 1 - i;
    epi_pipe *pipe = &chain->pipes[at];

    if (pipe->ended[direction]) {
      continue;
    }
    chain->written = 0;
    if (!pipe->passed && pipe->calls->end) {
      epi_pipe *outer;
      int result;

      epi__fail_forget();
      outer = epi__pipe_enter(pipe);
      result = pipe->calls->end(pipe, direction, pipe->calls->end_user);
      epi__pipe_leave(chain, outer);
      epi__pipe_returned(pipe, result, "");
    }
    pipe->ended[direction] = 1;
  }
  return epi__filter_chain_failure(chain);
}

int epi__filter_chain_paused(const epi__filter_chain *chain, int direction) {
  for (size_t i = 0; i < chain->count; i++) {
    if (chain->pipes[i].paused[direction] && !chain->pipes[i].passed) {
      return 1;
    }
  }
  return 0;
}

int epi__filter_chain_passed(const epi__filter_chain *chain) {
  for (size_t i = 0; i < chain->count; i++) {
    if (!chain->pipes[i].passed) {
      return 0;
    }
  }
  return 1;
}

const char *epi__filter_chain_notes(const epi__filter_chain *chain) {
  return chain->notes;
}

int epi__filter_chain_work(epi__filter_chain *chain, size_t index,
                           epi__filter_work *out) {
  epi_pipe *pipe = &chain->pipes[index];

  if (index >= chain->count) {
    return 0;
  }
  out->name = epi_filter_name(pipe->filter);
  for (int i = 0; i < 2; i++) {
    /* What failed open is taken back. */
    out->fed[i] =
        pipe->fed[i] > pipe->told[i] ? pipe->fed[i] - pipe->told[i] : 0;
    pipe->told[i] += out->fed[i];
  }
  out->spent_ns = pipe->spent_ns;
  pipe->spent_ns = 0;
  return 1;
}
