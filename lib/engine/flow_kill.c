/* flow_kill.c: an operator ends flows. */
#include "base/fail.h"
#include "engine/ask.h"
#include "engine/flow_match.h"

#include <stdio.h>
#include <string.h>

static void kill_one(epi_flow *flow, const char *why) {
  if (flow->phase == EPI__HANDSHAKE) { /* nothing was asked for yet */
    epi__flow_end(flow, 1, why);
  } else {
    epi__flow_refuse(flow, EPI_REPLY_NOT_ALLOWED, why);
    epi__flow_watch(flow);
  }
}

static void answer_kill(epi__worker *worker, const epi__ask *ask,
                        epi__ask_part *part) {
  char why[EPI_REASON_MAX + 16];
  epi_flow *next;

  snprintf(why, sizeof why, "killed: %s", ask->reason);
  for (epi_flow *flow = worker->flows; flow; flow = next) {
    next = flow->next; /* one that ends moves to another list */
    if (flow->phase != EPI__LINGER && epi__match_has(ask->match, flow)) {
      kill_one(flow, why);
      part->matched++;
    }
  }
}

/* Some workers have not killed theirs. */
static int say_missing(int missing, int unasked, ptrdiff_t killed) {
  if (unasked) {
    return epi__fail(EPI_ETIMEOUT,
                     "%d workers are too busy to be asked, and go on with "
                     "theirs: kill again; %td flows were killed",
                     unasked, killed);
  }
  return epi__fail(EPI_ETIMEOUT,
                   "%d workers did not answer in %d ms, and kill theirs later; "
                   "%td flows were killed",
                   missing, EPI_CONTROL_MS, killed);
}

ptrdiff_t epi_engine_kill(epi_engine *engine, const epi_match *match,
                          const char *reason) {
  size_t len = reason ? strlen(reason) : 0;
  ptrdiff_t killed = 0;
  epi__ask *ask;
  int missing, unasked, result;

  if (!match) {
    return epi__fail(EPI_EINVAL, "which flows are to be killed?");
  }
  if (len < 1 || len > EPI_REASON_MAX) {
    return epi__fail(EPI_EINVAL, "a reason has 1 to %d bytes", EPI_REASON_MAX);
  }
  result = epi__ask_new(&ask, match, answer_kill);
  if (result) {
    return result;
  }
  epi__printable(ask->reason, sizeof ask->reason, reason);
  missing = epi__ask_all(ask, engine);
  for (int i = 0; i < EPI__WORKERS_MAX; i++) {
    const epi__ask_part *part = epi__ask_part_of(ask, i);

    killed += part ? (ptrdiff_t)part->matched : 0;
  }
  unasked = ask->unasked;
  epi__ask_free(ask);
  if (missing > 0) {
    return say_missing(missing, unasked, killed);
  }
  return missing < 0 ? missing : killed;
}
