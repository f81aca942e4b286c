/* filter_pipe.c: what a filter may ask of its flow, and say about it. */
#include "filter/filter_pipe.h"

#include "base/fail.h"

#include <stdio.h>
#include <string.h>

/* Keys that a filter may not set: chains and libepi say what they mean by
 * them. */
enum {
  CHAIN_FIRST = 998,
  CHAIN_LAST = 1015,
  OWN_FIRST = 2000,
  OWN_LAST = 2999,
};

void epi_pipe_set_state(epi_pipe *pipe, void *state) {
  pipe->state = state;
}

void *epi_pipe_state(const epi_pipe *pipe) {
  return pipe->state;
}

epi_flow *epi_pipe_flow(const epi_pipe *pipe) {
  return pipe->chain->host.flow;
}

void epi_pipe_note(epi_pipe *pipe, const char *note) {
  epi__filter_chain *chain = pipe->chain;
  size_t used = strlen(chain->notes);
  char clean[EPI__PIPE_NOTE_MAX + 1];

  snprintf(chain->notes + used, sizeof chain->notes - used, "%s%s",
           used ? ", " : "", epi__printable(clean, sizeof clean, note));
}

const char *epi__pipe_binding(const epi_pipe *pipe) {
  const epi__filter_chain *chain = pipe->chain;
  size_t at = (size_t)(pipe - chain->pipes);

  return chain->binding && at >= chain->bound_from ? chain->binding : "";
}

int64_t epi_pipe_now_ms(const epi_pipe *pipe) {
  return epi__filter_chain_now(pipe->chain);
}

int64_t epi_pipe_wall_time(const epi_pipe *pipe) {
  const epi__filter_host *host = &pipe->chain->host;

  return host->wall_time ? host->wall_time(host->user) : 0;
}

static const epi_addr none; /* of kind EPI_ADDR_NONE */

const epi_addr *epi_pipe_source(const epi_pipe *pipe) {
  return pipe->chain->host.source ? pipe->chain->host.source : &none;
}

const epi_addr *epi_pipe_dest(const epi_pipe *pipe) {
  return pipe->chain->host.dest ? pipe->chain->host.dest : &none;
}

const char *epi_pipe_user(const epi_pipe *pipe) {
  return pipe->chain->host.login ? pipe->chain->host.login : "";
}

const char *epi_pipe_metadata(const epi_pipe *pipe, int key) {
  const epi__filter_host *host = &pipe->chain->host;

  return host->metadata ? host->metadata(key, host->user) : NULL;
}

int epi_pipe_set_metadata(epi_pipe *pipe, int key, const char *value) {
  const epi__filter_chain *chain = pipe->chain;
  const epi__filter_host *host = &chain->host;

  if ((key >= CHAIN_FIRST && key <= CHAIN_LAST) ||
      (key >= OWN_FIRST && key <= OWN_LAST)) {
    return epi__fail(EPI_EINVAL, "metadata %d is not a filter's to set", key);
  }
  if (!chain->opening) {
    return epi__fail(EPI_ESTATE, "metadata %d is set after opening", key);
  }
  return host->set_metadata
             ? host->set_metadata(key, value, host->user)
             : epi__fail(EPI_ENOTSUP, "the flow sends no metadata along");
}
