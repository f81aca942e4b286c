/* filter_time.c: how long the filters of a flow run. A filter that writes has
 * the next one called before it goes on: that time is the next one's. */
#include "filter/filter_pipe.h"

/* The time since the last change was that of who ran. */
static void change(epi__filter_chain *chain, epi_pipe *to) {
  int64_t now = chain->host.now_ns(chain->host.user);

  if (chain->running) {
    chain->running->spent_ns += now - chain->since_ns;
  }
  chain->running = to;
  chain->since_ns = now;
}

epi_pipe *epi__pipe_enter(epi_pipe *pipe) {
  epi_pipe *before = pipe->chain->running;

  if (pipe->chain->host.now_ns) {
    change(pipe->chain, pipe);
  }
  return before;
}

void epi__pipe_leave(epi__filter_chain *chain, epi_pipe *before) {
  if (chain->host.now_ns) {
    change(chain, before);
  }
}
