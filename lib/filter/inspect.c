/* inspect.c: the bridging function that looks into data: for patterns, and for
 * the host that TLS and HTTP name. */
#include "base/memory.h"
#include "filter/builtin.h"
#include "filter/inspect_flow.h"

static int on_open(epi_pipe *pipe, void *user) {
  const epi__inspect_rules *rules = user;
  size_t held = rules->matcher && rules->action == EPI__INSPECT_MASK
                    ? epi__matcher_longest(rules->matcher) - 1
                    : 0;
  epi__inspect_flow *at = epi__alloc(sizeof *at + 2 * held);

  if (!at) {
    return EPI_ENOMEM;
  }
  at->lanes[EPI_FORWARD].held = at->block;
  at->lanes[EPI_BACKWARD].held = at->block + held;
  epi_pipe_set_state(pipe, at);
  return 0;
}

static int on_data(epi_pipe *pipe, int direction, const void *data, size_t len,
                   void *user) {
  const epi__inspect_rules *rules = user;
  epi__inspect_flow *at = epi_pipe_state(pipe);

  if (direction == EPI_FORWARD) {
    return epi__inspect_name(rules, at, pipe, data, len);
  }
  if (!at->named && epi__inspect_is_listed(rules)) {
    return epi_pipe_refuse(pipe, "the server speaks before a host was named");
  }
  return epi__inspect_scan(rules, at, pipe, direction, data, len);
}

static int on_end(epi_pipe *pipe, int direction, void *user) {
  epi__inspect_flow *at = epi_pipe_state(pipe);
  int result =
      direction == EPI_FORWARD ? epi__inspect_name_end(user, at, pipe) : 0;

  return result ? result : epi__inspect_scan_end(at, pipe, direction);
}

static void on_close(epi_pipe *pipe, void *user) {
  epi__inspect_flow *at = epi_pipe_state(pipe);

  (void)user;
  epi__hello_clear(&at->hello);
  epi__queue_clear(&at->early, 0);
  epi__http_stream_clear(&at->http);
  epi__free(at);
}

static void on_free(void *user) {
  epi__inspect_rules_clear(user);
  epi__free(user);
}

int epi__inspect_new(epi_filter **out, const char *args,
                     int (*read)(const char *path, size_t max, char **text,
                                 size_t *len)) {
  epi__inspect_rules *rules = epi__alloc(sizeof *rules);
  epi_filter *filter;
  int result;

  if (!rules) {
    return EPI_ENOMEM;
  }
  result = epi__inspect_rules_read(rules, args, read);
  if (!result) {
    result = epi_filter_new(&filter, "inspect");
  }
  if (result) {
    on_free(rules);
    return result;
  }
  epi_filter_on_open(filter, on_open, rules);
  epi_filter_on_data(filter, on_data, rules);
  epi_filter_on_end(filter, on_end, rules);
  epi_filter_on_close(filter, on_close, rules);
  epi_filter_on_free(filter, on_free, rules);
  *out = filter;
  return 0;
}
