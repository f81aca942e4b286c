/* flow_await.c: a flow waits while instances of its functions are started. One
 * without a way holds nothing meanwhile, and is judged anew whenever something
 * became of them: others may have been faster, and the model another one. One
 * whose instance failed keeps its way but for that. */
#include "engine/flow.h"

#include "base/fail.h"
#include "base/memory.h"

#include <inttypes.h>
#include <string.h>

struct epi__awaited {
  epi__supply *supplies[EPI__HOPS_MAX]; /* NULL: none */
  size_t count;                         /* that it asked for this time */
  int too_long;                         /* it asks for none any more */
  size_t hop; /* 0: it has no way yet; as epi__await_begin() has it */
};

/* It may wait for this one since an earlier time, when it asked for others
 * before it: it must not stand in its own way. */
static void find_place(epi__awaited *awaited, const char *function) {
  epi__supply **place = &awaited->supplies[awaited->count];

  for (size_t i = awaited->count; i < EPI__HOPS_MAX; i++) {
    epi__supply *found = awaited->supplies[i];

    if (found && !strcmp(found->function, function)) {
      awaited->supplies[i] = *place;
      *place = found;
      return;
    }
  }
}

int epi__flow_await(epi_flow *flow, const char *function) {
  epi_engine *engine = flow->worker->engine;
  epi__awaited *awaited = flow->awaited;
  int result;

  if (!awaited && !(awaited = flow->awaited = epi__alloc(sizeof *awaited))) {
    return EPI_ENOMEM;
  }
  if (awaited->too_long) {
    return epi__fail(EPI_EFILTER,
                     "no instance of \"%s\" was ready in %" PRId64 " ms",
                     function, engine->settings[EPI_ENGINE_PROVISION_MS]);
  }
  if (awaited->count == EPI__HOPS_MAX) {
    return epi__fail(EPI_EDENIED, "over %d hops", EPI__HOPS_MAX);
  }
  find_place(awaited, function);
  result = epi__supply_await(engine->provisioner, function,
                             &awaited->supplies[awaited->count]);
  if (result) {
    return result == EPI_ENOENT ? EPI_EFILTER : result;
  }
  awaited->count++;
  if (flow->phase != EPI__AWAIT) {
    epi__log(engine, EPI_LOG_NOTE,
             "flow %" PRId64 ": waits for an instance of \"%s\"", flow->number,
             function);
  }
  return EPI_EBUSY;
}

/* Wait for the first ones only. */
static void leave_rest(epi_flow *flow, size_t count) {
  epi__awaited *awaited = flow->awaited;

  for (size_t i = count; awaited && i < EPI__HOPS_MAX; i++) {
    if (awaited->supplies[i]) {
      epi__supply_leave(flow->worker->engine->provisioner,
                        &awaited->supplies[i]);
    }
  }
}

void epi__await_anew(epi_flow *flow) {
  if (flow->awaited) {
    flow->awaited->count = 0;
  }
}

void epi__await_begin(epi_flow *flow, size_t hop) {
  leave_rest(flow, flow->awaited->count);
  flow->awaited->hop = hop;
  if (flow->phase != EPI__AWAIT) {
    epi__flow_enter(flow, EPI__AWAIT);
  }
}

void epi__await_over(epi_flow *flow) {
  leave_rest(flow, 0);
}

void epi__await_free(epi_flow *flow) {
  epi__await_over(flow);
  epi__free(flow->awaited);
  flow->awaited = NULL;
}

static void go_on(epi_flow *flow) {
  if (flow->awaited->hop) {
    epi__fail_over_again(flow, flow->awaited->hop - 1);
  } else {
    epi__flow_judge_again(flow);
  }
}

/* The one that has waited for longest comes first: new ones are in front. */
void epi__await_retry(epi__worker *worker) {
  epi_flow *flow = worker->flows, *next;

  worker->provisioned = atomic_load(&worker->engine->provisioned);
  while (flow && flow->next) {
    flow = flow->next;
  }
  for (; flow; flow = next) {
    next = flow->previous; /* one that ends moves to another list */
    if (flow->phase == EPI__AWAIT) {
      go_on(flow);
      epi__flow_watch(flow);
    }
  }
}

void epi__await_timeout(epi_flow *flow) {
  flow->awaited->too_long = 1;
  go_on(flow);
}

/* One that only has something to send may end its side, and wait for an
 * answer. */
void epi__await_read_client(epi_flow *flow) {
  epi__relay_keep_early(flow);
  if (flow->phase == EPI__AWAIT && flow->session &&
      flow->legs[EPI_FORWARD].eof && !flow->lanes[EPI_FORWARD].early.block) {
    epi__flow_end(flow, 0, "the client left while it waited");
  }
}
