/* count.c: the bridging function that only counts. */
#include "base/memory.h"
#include "filter/builtin.h"

#include <inttypes.h>
#include <stdio.h>

typedef struct counter {
  uint64_t bytes[2];
} counter;

static int on_open(epi_pipe *pipe, void *user) {
  counter *count = epi__alloc(sizeof *count);

  (void)user;
  epi_pipe_set_state(pipe, count);
  return count ? 0 : EPI_ENOMEM;
}

static int on_data(epi_pipe *pipe, int direction, const void *data, size_t len,
                   void *user) {
  counter *count = epi_pipe_state(pipe);

  (void)user;
  count->bytes[direction] += len;
  return epi_pipe_write(pipe, direction, data, len);
}

static void on_close(epi_pipe *pipe, void *user) {
  (void)user;
  epi__free(epi_pipe_state(pipe));
}

static int on_end(epi_pipe *pipe, int direction, void *user) {
  const counter *count = epi_pipe_state(pipe);
  char note[64];

  (void)user;
  snprintf(note, sizeof note, "counted %" PRIu64 " bytes %s",
           count->bytes[direction], direction == EPI_FORWARD ? "out" : "back");
  epi_pipe_note(pipe, note);
  return 0;
}

int epi__count_new(epi_filter **out) {
  epi_filter *filter;
  int result = epi_filter_new(&filter, "count");

  if (result) {
    return result;
  }
  epi_filter_on_open(filter, on_open, NULL);
  epi_filter_on_data(filter, on_data, NULL);
  epi_filter_on_end(filter, on_end, NULL);
  epi_filter_on_close(filter, on_close, NULL);
  *out = filter;
  return 0;
}
