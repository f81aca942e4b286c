/* filter_chain.c: data goes through the filters of a flow.
 *
 * A filter's write is handed to the next filter at once, so that order is kept
 * without queues in between. What bounds this: the bytes written for one piece
 * of data, and the depth of calls, for filters that answer each other. */
#include "filter/filter_chain.h"

#include "base/fail.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>

enum {
  DEPTH_MAX = 2 * EPI__FILTER_CHAIN_MAX,
  NOTE_MAX = 100,
  NOTES_MAX = 400,
};

struct epi_pipe {
  epi__filter_chain *chain;
  epi_filter *filter;
  const epi__filter_calls *calls;
  void *state;
  int opened, passed;
  int ended[2];
  int paused[2];
};

struct epi__filter_chain {
  epi_flow *flow;
  epi__queue *queues[2];
  size_t count;
  int failed;     /* sticky: what the flow is cut for */
  int depth;      /* calls of filters inside each other */
  size_t written; /* for this piece of data */
  char notes[NOTES_MAX];
  char *binding; /* of the pipes from bound_from on, or NULL */
  size_t bound_from;
  epi_pipe pipes[];
};

static int keep_failure(epi__filter_chain *chain, int error) {
  if (error < 0 && !chain->failed) {
    chain->failed = error;
  }
  return error;
}

/* Say which filter failed. Returns the error. */
static int blame(const epi_pipe *pipe, int error, const char *does) {
  const char *detail = epi_error_detail();

  return epi__fail(error, "filter %s%s: %s", epi_filter_name(pipe->filter),
                   does, *detail ? detail : epi_strerror(error));
}

static int call_data(epi_pipe *pipe, int direction, const void *data,
                     size_t len) {
  const epi__filter_calls *calls = pipe->calls;
  int result;

  if (!calls->data) {
    return EPI_PASS;
  }
  epi__fail_forget();
  result = calls->data(pipe, direction, data, len, calls->data_user);
  return result < 0 ? blame(pipe, result, "") : result;
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
    return keep_failure(chain,
                        epi__queue_append(chain->queues[direction], data, len));
  }
  if (chain->depth == DEPTH_MAX) {
    return keep_failure(
        chain,
        epi__fail(EPI_ELIMIT, "filters write to each other without end"));
  }
  chain->depth++;
  result = call_data(&chain->pipes[at], direction, data, len);
  chain->depth--;
  if (result == EPI_PASS) {
    chain->pipes[at].passed = 1;
    return deliver(chain, at + step, direction, data, len);
  }
  return keep_failure(chain, result);
}

int epi_pipe_write(epi_pipe *pipe, int direction, const void *data,
                   size_t len) {
  epi__filter_chain *chain = pipe->chain;
  ptrdiff_t at = pipe - chain->pipes;

  if (direction != EPI_FORWARD && direction != EPI_BACKWARD) {
    return epi__fail(EPI_EINVAL, "no direction %d", direction);
  }
  if (chain->failed) {
    return chain->failed;
  }
  if (!len) {
    return 0;
  }
  if (pipe->ended[direction] || pipe->passed) {
    return keep_failure(chain,
                        epi__fail(EPI_ESTATE, "a filter writes after the end"));
  }
  chain->written += len;
  if (chain->written > EPI_PIPE_MAX) {
    return keep_failure(chain, epi__fail(EPI_ELIMIT,
                                         "filters made over %d bytes of one "
                                         "piece of data",
                                         EPI_PIPE_MAX));
  }
  return deliver(chain, direction == EPI_FORWARD ? at + 1 : at - 1, direction,
                 data, len);
}

void epi_pipe_set_state(epi_pipe *pipe, void *state) {
  pipe->state = state;
}

void *epi_pipe_state(const epi_pipe *pipe) {
  return pipe->state;
}

epi_flow *epi_pipe_flow(const epi_pipe *pipe) {
  return pipe->chain->flow;
}

void epi_pipe_note(epi_pipe *pipe, const char *note) {
  epi__filter_chain *chain = pipe->chain;
  size_t used = strlen(chain->notes);
  char clean[NOTE_MAX + 1];

  snprintf(chain->notes + used, sizeof chain->notes - used, "%s%s",
           used ? ", " : "", epi__printable(clean, sizeof clean, note));
}

const char *epi__pipe_binding(const epi_pipe *pipe) {
  const epi__filter_chain *chain = pipe->chain;
  size_t at = (size_t)(pipe - chain->pipes);

  return chain->binding && at >= chain->bound_from ? chain->binding : "";
}

static int open_pipe(epi_pipe *pipe) {
  int result = 0;

  if (pipe->calls->open) {
    epi__fail_forget();
    result = pipe->calls->open(pipe, pipe->calls->open_user);
  }
  if (result < 0) {
    blame(pipe, result, " refuses the flow");
    return EPI_EFILTER;
  }
  pipe->opened = 1;
  pipe->passed = result == EPI_PASS || !pipe->calls->data;
  return pipe->chain->failed;
}

int epi__filter_chain_new(epi__filter_chain **out, epi_filter *const *filters,
                          size_t count, epi_flow *flow,
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
  chain->flow = flow;
  chain->queues[EPI_FORWARD] = queues[EPI_FORWARD];
  chain->queues[EPI_BACKWARD] = queues[EPI_BACKWARD];
  chain->count = count;
  for (size_t i = 0; i < count; i++) {
    chain->pipes[i].chain = chain;
    chain->pipes[i].filter = epi_filter_ref(filters[i]);
    chain->pipes[i].calls = epi__filter_calls_of(filters[i]);
  }
  /* The last one first: what a filter writes on opening finds those behind it
   * open. */
  for (size_t i = count; i-- > 0;) {
    int result = open_pipe(&chain->pipes[i]);

    if (result) {
      epi__filter_chain_free(chain);
      return result;
    }
  }
  *out = chain;
  return 0;
}

void epi__filter_chain_free(epi__filter_chain *chain) {
  if (!chain) {
    return;
  }
  for (size_t i = 0; i < chain->count; i++) {
    epi_pipe *pipe = &chain->pipes[i];

    if (pipe->opened && pipe->calls->close) {
      pipe->calls->close(pipe, pipe->calls->close_user);
    }
    epi_filter_free(pipe->filter);
  }
  epi__free(chain->binding);
  epi__free(chain);
}

int epi__filter_chain_feed(epi__filter_chain *chain, int direction,
                           const void *data, size_t len) {
  if (chain->failed) {
    return chain->failed;
  }
  chain->written = 0;
  deliver(chain, direction == EPI_FORWARD ? 0 : (ptrdiff_t)chain->count - 1,
          direction, data, len);
  return chain->failed;
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
      int result;

      epi__fail_forget();
      result = pipe->calls->end(pipe, direction, pipe->calls->end_user);
      if (result < 0) {
        keep_failure(chain, blame(pipe, result, ""));
      }
    }
    pipe->ended[direction] = 1;
  }
  return chain->failed;
}

void epi_pipe_pause(epi_pipe *pipe, int direction, int on) {
  if (direction == EPI_FORWARD || direction == EPI_BACKWARD) {
    pipe->paused[direction] = on;
  }
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
