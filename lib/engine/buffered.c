/* buffered.c: how many bytes flows hold, all together.
 *
 * What counts are the blocks that lanes have: early data, and what one peer
 * sent and the other did not take yet, filters' answers and what is in tubes
 * included. A flow whose peers are quick holds nothing. Sockets are the
 * kernel's memory, and have limits of their own. */
#include "engine/buffered.h"

#include "base/fail.h"

#include <inttypes.h>
#include <stddef.h>

enum {
  LOOK_MS = 50,
  PART = 4, /* of what is left a flow takes one of so many */
  LITTLE = 4096,
  STUCK_MS = 10000,
};

static int64_t held_by(const epi_flow *flow) {
  int64_t held = 0;

  if (flow->phase != EPI__ENDED) {
    for (int i = 0; i < 2; i++) {
      const epi__lane *lane = &flow->lanes[i];

      held += (int64_t)(lane->early.capacity + lane->pending.capacity +
                        (lane->tube ? lane->tube->held : 0) +
                        epi__leg_held(&flow->legs[i]));
    }
  }
  return held;
}

void epi__buffered_note(epi_flow *flow) {
  int64_t held = held_by(flow);

  if (held != flow->buffered) {
    atomic_fetch_add(&flow->worker->engine->buffered, held - flow->buffered);
    flow->buffered = held;
  }
}

int epi__buffered_full(const epi_engine *engine) {
  int64_t most = engine->settings[EPI_ENGINE_MEMORY];

  return most && atomic_load(&engine->buffered) >= most;
}

size_t epi__buffered_room(const epi_engine *engine, size_t size) {
  int64_t most = engine->settings[EPI_ENGINE_MEMORY], room;

  if (!most) {
    return size;
  }
  room = (most - atomic_load(&engine->buffered)) / PART;
  if (room < LITTLE) {
    room = LITTLE;
  }
  return room < (int64_t)size ? (size_t)room : size;
}

int epi__buffered_admit(const epi_engine *engine) {
  return epi__buffered_full(engine)
             ? epi__fail(EPI_ELIMIT,
                         "flows hold %lld bytes, as many as they may",
                         (long long)atomic_load(&engine->buffered))
             : 0;
}

/* Those whose peers take nothing must not stop all others: the one that has not
 * moved for longest makes room. */
static void end_stuck(epi__worker *worker) {
  int64_t since = epi__loop_now(worker->loop) - STUCK_MS;
  epi_flow *stuck = NULL;

  for (epi_flow *flow = worker->flows; flow; flow = flow->next) {
    if (flow->phase == EPI__RELAY && flow->buffered && flow->moved_at < since) {
      since = flow->moved_at;
      stuck = flow;
    }
  }
  if (stuck) {
    epi__flow_end(stuck, 1,
                  "memory is short, and its peer has taken nothing for long");
  }
}

static void on_time(epi__timer *timer) {
  epi__worker *worker = EPI__OWNER(timer, epi__worker, memory);

  worker->waits_for_memory = 0;
  if (epi__buffered_full(worker->engine)) {
    end_stuck(worker);
    epi__buffered_wait(worker);
    return;
  }
  for (epi_flow *flow = worker->flows; flow; flow = flow->next) {
    epi__flow_watch(flow);
  }
}

void epi__buffered_wait(epi__worker *worker) {
  if (!worker->waits_for_memory) {
    worker->waits_for_memory = 1;
    epi__timer_start(worker->loop, &worker->memory, LOOK_MS, on_time);
  }
}

void epi__buffered_end(epi__worker *worker) {
  epi__timer_stop(worker->loop, &worker->memory);
}
