/* filter_fail.c: what becomes of a flow when a filter fails or refuses. */
#include "filter/filter_pipe.h"

#include "base/bytes.h"
#include "base/fail.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int epi__filter_chain_fail(epi__filter_chain *chain, int error) {
  if (error < 0 && !chain->failed) {
    chain->failed = error;
    snprintf(chain->why, sizeof chain->why, "%s", epi_error_detail());
  }
  return error;
}

int epi__filter_chain_failure(const epi__filter_chain *chain) {
  return chain->failed ? epi__fail(chain->failed, "%s", chain->why) : 0;
}

/* Did the filter write as much as it was fed? What is equally long may still
 * be another text, but nothing is missing and nothing is there twice. */
static int lost_nothing(const epi_pipe *pipe) {
  return pipe->fed[EPI_FORWARD] == pipe->written[EPI_FORWARD] &&
         pipe->fed[EPI_BACKWARD] == pipe->written[EPI_BACKWARD];
}

static void warn_left_out(epi_pipe *pipe) {
  const epi__filter_host *host = &pipe->chain->host;
  char line[EPI__PIPE_WHY_MAX + 80];

  snprintf(line, sizeof line,
           "goes on WITHOUT filter %s, which may fail open: "
           "%s",
           epi_filter_name(pipe->filter), epi_error_detail());
  if (host->warn) {
    host->warn(line, host->user);
  }
  snprintf(line, sizeof line, "%.60s was left out",
           epi_filter_name(pipe->filter));
  epi_pipe_note(pipe, line);
}

int epi__pipe_fail(epi_pipe *pipe, int error, const char *does) {
  epi__filter_chain *chain = pipe->chain;
  const char *detail = epi_error_detail();

  epi__fail(error, "filter %s%s: %s", epi_filter_name(pipe->filter), does,
            *detail ? detail : epi_strerror(error));
  if (!pipe->calls->bounds[EPI_FILTER_FAIL_OPEN] || !lost_nothing(pipe)) {
    return epi__filter_chain_fail(chain, error);
  }
  warn_left_out(pipe);
  pipe->passed = 1;
  return EPI_PASS;
}

int epi__pipe_returned(epi_pipe *pipe, int result, const char *does) {
  if (pipe->chain->failed) {
    return epi__filter_chain_failure(pipe->chain);
  }
  if (pipe->over) {
    result = epi__fail(EPI_ELIMIT, "holds over %" PRId64 " bytes of the flow",
                       pipe->calls->bounds[EPI_FILTER_MEMORY]);
  } else if (result == EPI_PASS && pipe->held) {
    result = epi__fail(EPI_ESTATE, "passes, and holds data of the flow");
  } else if (result > 0 && result != EPI_PASS) {
    result = epi__fail(EPI_EINVAL, "returns %d, which means nothing", result);
  }
  if (result < 0) {
    return epi__pipe_fail(pipe, result, does);
  }
  if (result == EPI_PASS) {
    pipe->passed = 1;
  }
  return result == EPI_PASS ? EPI_PASS : 0;
}

/* Metadata of a reply takes whole characters only. */
static size_t whole_len(const char *text) {
  size_t len = strlen(text), at = 0, step;

  while (at < len &&
         (step = epi__utf8_len((const uint8_t *)text + at, len - at)) > 0) {
    at += step;
  }
  return at;
}

int epi_pipe_refuse(epi_pipe *pipe, const char *reason) {
  char clean[EPI__PIPE_REASON_MAX + 1];
  int error;

  epi__printable(clean, sizeof clean, reason);
  clean[whole_len(clean)] = '\0';
  error = epi__fail(EPI_EDENIED, "filter %s refuses the flow: %s",
                    epi_filter_name(pipe->filter), clean);
  if (!pipe->chain->failed) {
    pipe->chain->refused = 1;
  }
  return epi__filter_chain_fail(pipe->chain, error);
}
