/* bulk.c: what a leg sends without end goes through a tube, uncopied.
 *
 * Copying is faster for small exchanges, splicing for large ones: a lane
 * splices once its leg has filled the buffer a few times in a row, and copies
 * again when there was little each time. It has a tube only from a filling
 * until it is empty again, and is not read meanwhile: so the two ways never
 * mix, an end never overtakes bytes, and an idle flow has no tube. */
#include "engine/flow.h"

#include "base/fail.h"

enum {
  FULL_READS = 4,
  SMALL_FILLINGS = 8,
  SMALL = 16 * 1024, /* bytes that are as well copied */
};

int epi__bulk_begun(const epi_flow *flow, int direction) {
  return flow->phase == EPI__RELAY &&
         flow->lanes[direction].full >= FULL_READS && !flow->legs[0].tls &&
         !flow->legs[1].tls &&
         (!flow->chain || epi__filter_chain_passed(flow->chain));
}

void epi__bulk_note(epi__lane *lane, size_t got, size_t size) {
  if (got < size) {
    lane->full = 0;
  } else if (lane->full < FULL_READS) {
    lane->full++;
  }
}

static void copy_again(epi__lane *lane) {
  lane->full = 0;
  lane->small = 0;
}

static void note_filling(epi__lane *lane, ptrdiff_t got) {
  if (got >= SMALL) {
    lane->small = 0;
  } else if (++lane->small >= SMALL_FILLINGS) {
    copy_again(lane);
  }
}

/* That nothing came is no proof that nothing is there, nor that this is the
 * end: splicing does not get past a byte that was sent as urgent, reading does.
 */
ptrdiff_t epi__bulk_take(epi_flow *flow, int direction, size_t most) {
  epi__tubes *tubes = &flow->worker->tubes;
  epi__lane *lane = &flow->lanes[direction];
  epi__tube *tube = epi__tubes_take(tubes);
  ptrdiff_t got;

  if (!tube) {
    copy_again(lane);
    return EPI_ENOENT;
  }
  got = epi__leg_fill(&flow->legs[direction], tube, most);
  if (got > 0) {
    lane->tube = tube;
    note_filling(lane, got);
    return got;
  }
  epi__tubes_give(tubes, tube);
  if (got == EPI_ECLOSED) {
    return got;
  }
  copy_again(lane);
  return EPI_ENOENT;
}

int epi__bulk_flush(epi_flow *flow, int direction) {
  epi__lane *lane = &flow->lanes[direction];
  ptrdiff_t sent;

  if (!lane->tube) {
    return 1;
  }
  sent = epi__leg_drain(&flow->legs[!direction], lane->tube);
  if (sent < 0) {
    return (int)sent;
  }
  flow->moved_at = epi__loop_now(flow->worker->loop);
  if (lane->tube->held) {
    return 0;
  }
  epi__tubes_give(&flow->worker->tubes, lane->tube);
  lane->tube = NULL;
  return 1;
}

void epi__bulk_drop(epi_flow *flow) {
  for (int i = 0; i < 2; i++) {
    if (flow->lanes[i].tube) {
      epi__tubes_give(&flow->worker->tubes, flow->lanes[i].tube);
      flow->lanes[i].tube = NULL;
    }
  }
}
