/* relay_read.c: what a lane takes from its leg.
 *
 * It reads into the worker's buffer, or lets a tube take what is much (bulk.c).
 * A short read means that the socket is empty: no second read asks it. */
#include "engine/buffered.h"
#include "engine/flow_limits.h"

#include "base/fail.h"

enum {
  /* In a row from one socket, before others get their turn. A tube that was
   * filled is as much as all of them. */
  READS = 4,
};

/* How much of size bytes may be read now. */
static size_t room(const epi_flow *flow, int direction, size_t size) {
  size = epi__buffered_room(flow->worker->engine, size);
  return flow->pace ? epi__pace_room(flow, direction, size) : size;
}

/* Returns as epi__leg_read(). */
static ptrdiff_t read_copying(epi_flow *flow, int direction, size_t size) {
  epi__worker *worker = flow->worker;
  size_t buffer = (size_t)worker->engine->settings[EPI_ENGINE_BUFFER];
  ptrdiff_t got = epi__leg_read(&flow->legs[direction], worker->scratch, size);

  if (got > 0) {
    epi__bulk_note(&flow->lanes[direction], (size_t)got, buffer);
    epi__relay_take(flow, direction, worker->scratch, (size_t)got);
  }
  return got;
}

static ptrdiff_t read_splicing(epi_flow *flow, int direction) {
  size_t most = room(flow, direction, flow->worker->tubes.size);
  ptrdiff_t got = epi__bulk_take(flow, direction, most);

  if (got > 0 && flow->pace && epi__pace_took(flow, direction, (size_t)got)) {
    epi__flow_refuse_error(flow, EPI_EDENIED);
  } else if (got > 0) {
    epi__meter_bytes(flow, direction, got);
    epi__relay_flush(flow, direction);
  }
  return got;
}

static void take_end_by_peer(epi_flow *flow, int direction) {
  epi__relay_take_end(flow, direction);
  if (flow->phase == EPI__RELAY) { /* the half-closed time counts now */
    epi__flow_enter(flow, EPI__RELAY);
  }
}

void epi__relay_read(epi_flow *flow, int direction) {
  size_t buffer = (size_t)flow->worker->engine->settings[EPI_ENGINE_BUFFER];

  for (int i = 0; i < READS; i++) {
    size_t size;
    ptrdiff_t got;
    int spliced;

    if (flow->phase == EPI__ENDED || flow->phase == EPI__LINGER ||
        !epi__relay_may_take(flow, direction)) {
      return;
    }
    size = room(flow, direction, buffer);
    spliced = size == buffer && epi__bulk_begun(flow, direction);
    got = spliced ? read_splicing(flow, direction)
                  : read_copying(flow, direction, size);
    if (got == EPI_ENOENT) {
      return;
    }
    if (got < 0) {
      epi__relay_end_by(flow, direction);
      return;
    }
    flow->moved_at = epi__loop_now(flow->worker->loop);
    if (got == 0) {
      take_end_by_peer(flow, direction);
      return;
    }
    if (spliced || (size_t)got < size) {
      return;
    }
  }
}

void epi__relay_keep_early(epi_flow *flow) {
  epi__worker *worker = flow->worker;
  size_t buffer = (size_t)worker->engine->settings[EPI_ENGINE_BUFFER];
  ptrdiff_t got = epi__leg_read(&flow->legs[EPI_FORWARD], worker->scratch,
                                epi__buffered_room(worker->engine, buffer));
  int result;

  if (got == EPI_ENOENT) {
    return;
  }
  if (got < 0) {
    epi__flow_end(flow, 1, "the client left before it was connected");
    return;
  }
  if (got == 0) {
    flow->legs[EPI_FORWARD].eof = 1;
    return;
  }
  result = epi__queue_append(&flow->lanes[EPI_FORWARD].early, worker->scratch,
                             (size_t)got);
  if (result) {
    epi__flow_refuse_error(flow, result);
  }
}
