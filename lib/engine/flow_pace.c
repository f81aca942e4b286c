/* flow_pace.c: how much a flow may carry, and how fast.
 *
 * A lane over its rate is not read until that is paid for, and one timer of the
 * flow says when; so the peer waits, and nothing is dropped or polled. It reads
 * what it may have in a tenth of a second at a time. A lane that has carried
 * all that it may reads one byte more, if there is one: an end is no breach. */
#include "engine/flow_limits.h"

#include "base/fail.h"
#include "base/memory.h"
#include "filter/byte_rate.h"

#include <inttypes.h>
#include <stddef.h>

enum {
  PARTS = 10,        /* of a second */
  PART_LEAST = 1024, /* bytes, however low the rate is */
};

struct epi__pace { /* by the direction from source to destination, and back */
  epi_flow *flow;
  epi__timer timer;
  int64_t bytes[2]; /* at most; 0: as many as there are */
  epi__byte_rate rates[2];
  int waits[2];
};

int epi__pace_set(epi_flow *flow, const int64_t bytes[2],
                  const int64_t rates[2]) {
  int64_t now = epi__loop_now(flow->worker->loop);
  epi__pace *pace = flow->pace;

  if (!pace && !bytes[0] && !bytes[1] && !rates[0] && !rates[1]) {
    return 0;
  }
  if (!pace) {
    pace = flow->pace = epi__alloc(sizeof *pace);
    if (!pace) {
      return EPI_ENOMEM;
    }
    pace->flow = flow;
  }
  for (int i = 0; i < 2; i++) {
    pace->bytes[i] = bytes[i];
    if (pace->rates[i].rate != rates[i]) {
      pace->rates[i] = epi__byte_rate_begin(rates[i], now);
    }
  }
  return 0;
}

void epi__pace_stop(epi_flow *flow) {
  if (flow->pace) {
    epi__timer_stop(flow->worker->loop, &flow->pace->timer);
  }
}

void epi__pace_free(epi_flow *flow) {
  epi__free(flow->pace);
  flow->pace = NULL;
}

static void on_timer(epi__timer *timer);

/* Find out which directions wait, and have the timer come for the first. */
static void plan(epi__pace *pace) {
  epi__loop *loop = pace->flow->worker->loop;
  int64_t now = epi__loop_now(loop), next = 0;

  for (int i = 0; i < 2; i++) {
    int64_t wait = epi__byte_rate_wait(&pace->rates[i], now);

    pace->waits[i] = wait > 0;
    next = wait && (!next || wait < next) ? wait : next;
  }
  if (next) {
    epi__timer_start(loop, &pace->timer, next < INT32_MAX ? next : INT32_MAX,
                     on_timer);
  }
}

static void on_timer(epi__timer *timer) {
  epi__pace *pace = EPI__OWNER(timer, epi__pace, timer);

  plan(pace);
  epi__flow_watch(pace->flow);
}

int epi__pace_may(const epi_flow *flow, int lane) {
  return !flow->pace->waits[epi__flow_way(flow, lane)];
}

size_t epi__pace_room(const epi_flow *flow, int lane, size_t size) {
  int way = epi__flow_way(flow, lane);
  int64_t most = flow->pace->bytes[way], rate = flow->pace->rates[way].rate;
  int64_t room = (int64_t)size;

  if (rate) {
    int64_t part = rate / PARTS > PART_LEAST ? rate / PARTS : PART_LEAST;

    room = part < room ? part : room;
  }
  if (most) {
    int64_t left = most - flow->lanes[lane].bytes;

    room = left < room ? left : room;
  }
  return room > 0 ? (size_t)room : 1;
}

int epi__pace_took(epi_flow *flow, int lane, size_t len) {
  epi__pace *pace = flow->pace;
  int way = epi__flow_way(flow, lane);

  if (pace->bytes[way] &&
      (int64_t)len > pace->bytes[way] - flow->lanes[lane].bytes) {
    return epi__fail(EPI_EDENIED,
                     "it may carry no more than %" PRId64 " bytes %s",
                     pace->bytes[way], way == EPI_FORWARD ? "out" : "back");
  }
  epi__byte_rate_take(&pace->rates[way], len,
                      epi__loop_now(flow->worker->loop));
  plan(pace);
  return 0;
}
