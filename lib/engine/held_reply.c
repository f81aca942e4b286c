/* held_reply.c: replies that wait for what comes right behind them. */
#include "engine/held_reply.h"

#include "engine/flow.h"

enum {
  HELD_MS = 1, /* and up to one more, for the loop's clock is as coarse */
};

static void send_all(epi__worker *worker) {
  epi__held *held = &worker->held;

  while (held->count) {
    epi_flow *flow = held->flows[held->count - 1];

    epi__reply_let_go(flow);
    epi__relay_flush(flow, EPI_BACKWARD);
    if (flow->phase == EPI__RELAY) {
      epi__flow_settle(flow);
      epi__flow_watch(flow);
    }
  }
}

static void on_idle(void *user) {
  send_all(user);
}

/* Has the client said anything that may be answered? */
static int has_spoken(const epi_flow *flow) {
  const epi__lane *lane = &flow->lanes[EPI_FORWARD];

  return flow->in_syn || lane->bytes || lane->early.end > lane->early.start;
}

void epi__reply_hold(epi_flow *flow, int follows) {
  epi__worker *worker = flow->worker;
  epi__held *held = &worker->held;

  if (!flow->session || flow->chain || flow->bind ||
      held->count == EPI__HELD_MOST ||
      !(follows || (epi__loop_is_busy(worker->loop) && has_spoken(flow)))) {
    return;
  }
  if (!held->count) {
    held->since = epi__loop_now(worker->loop);
    epi__loop_when_idle(worker->loop, on_idle, worker);
  }
  held->flows[held->count++] = flow;
  flow->held = held->count;
}

void epi__reply_let_go(epi_flow *flow) {
  epi__held *held = &flow->worker->held;
  epi_flow *last;

  if (flow->held) {
    last = held->flows[--held->count];
    held->flows[flow->held - 1] = last;
    last->held = flow->held;
    flow->held = 0;
  }
}

void epi__replies_look(epi__worker *worker) {
  if (worker->held.count &&
      epi__loop_now(worker->loop) - worker->held.since > HELD_MS) {
    send_all(worker);
  }
}
