/* relay.c: what a lane took goes through the filters, and to the other leg.
 *
 * It is written at once; what does not fit waits in the lane, and nothing is
 * read until it has gone. So a flow holds at most EPI_ENGINE_BUFFER bytes a
 * direction, or what its filters make of them, and nothing while it is idle.
 * The directions end one by one: the end of data goes on once all before it is
 * sent. */
#include "engine/buffered.h"
#include "engine/flow_limits.h"

#include "base/fail.h"

#include <stdio.h>
#include <string.h>

static epi__leg *target_of(epi_flow *flow, int direction) {
  return &flow->legs[!direction];
}

void epi__relay_end_by(epi_flow *flow, int leg) {
  const epi__route *route = flow->route;
  char why[400], detail[160];

  snprintf(detail, sizeof detail, "%s", epi_error_detail());
  snprintf(why, sizeof why, "%s: %s",
           leg == EPI_FORWARD          ? "the client"
           : route && route->hop_count ? route->hops[0].link
                                       : "the destination",
           detail);
  epi__flow_end(flow, 1, why);
}

/* The client, or the server, is gone. While proxies on the way are asked, there
 * may be another way, which may even be open already, or be waited for. Returns
 * 1 if the flow goes on. */
static int lose(epi_flow *flow, int direction) {
  if (direction == EPI_FORWARD && flow->phase == EPI__HOPS) {
    epi__hops_lost(flow, epi_error_detail());
    return flow->phase != EPI__LINGER && flow->phase != EPI__ENDED;
  }
  epi__relay_end_by(flow, !direction);
  return 0;
}

/* The handshake's bytes go before all others. Returns 1 if none are left. */
static int flush_session(epi_flow *flow, int direction) {
  epi_session *session =
      direction == EPI_FORWARD ? flow->hop_session : flow->session;
  const void *data;
  ptrdiff_t len, sent;

  while (session && (len = epi_session_peek(session, &data)) > 0) {
    sent = epi__leg_write(target_of(flow, direction), data, (size_t)len);
    if (sent < 0) {
      lose(flow, direction);
      return 0;
    }
    epi_session_ack(session, (size_t)sent);
    if (sent < len) {
      return 0;
    }
  }
  return 1;
}

/* The reply that was held back, and what it was held back for, at once. Returns
 * how many of len bytes went out, or a negative error. */
static ptrdiff_t send_behind_reply(epi_flow *flow, const void *bytes,
                                   size_t len) {
  const void *reply;
  ptrdiff_t reply_len = epi_session_peek(flow->session, &reply);
  ptrdiff_t sent = epi__leg_write_two(&flow->legs[EPI_FORWARD], reply,
                                      (size_t)reply_len, bytes, len);

  epi__reply_let_go(flow);
  if (sent < 0) {
    return sent;
  }
  epi_session_ack(flow->session, (size_t)(sent < reply_len ? sent : reply_len));
  if (sent < reply_len) {
    return 0;
  }
  epi__flow_settle(flow);
  return sent - reply_len;
}

size_t epi__lane_held(const epi__lane *lane) {
  return lane->pending.end - lane->pending.start +
         (lane->tube ? lane->tube->held : 0);
}

/* Both are asked: either may have to say first that no more comes. */
static int are_through(epi_flow *flow) {
  int client = epi__leg_is_through(&flow->legs[EPI_FORWARD]);

  return epi__leg_is_through(&flow->legs[EPI_BACKWARD]) && client;
}

static void end_if_done(epi_flow *flow, int direction) {
  epi__lane *lane = &flow->lanes[direction];

  if (!lane->open || !lane->ended || epi__lane_held(lane)) {
    return;
  }
  if (!flow->lanes[!direction].done) {
    if (!lane->done) {
      lane->done = 1;
      flow->next_done = flow->worker->done;
      flow->worker->done = flow;
    }
    return;
  }
  lane->done = 1;
  if (are_through(flow)) {
    epi__flow_end(flow, 0, "both sides are done");
  } else {
    epi__leg_end(target_of(flow, direction));
  }
}

/* Not at once: the other side often ends in the same round, and then closing
 * both connections says it as well. */
void epi__relay_tell_ends(epi__worker *worker) {
  epi_flow *flow = worker->done;

  for (worker->done = NULL; flow; flow = flow->next_done) {
    for (int direction = 0; direction < 2; direction++) {
      if (flow->phase != EPI__ENDED && flow->lanes[direction].done) {
        epi__leg_end(target_of(flow, direction));
      }
    }
  }
}

/* Returns 1 if the tube's bytes are all sent, too. */
static int flush_tube(epi_flow *flow, int direction) {
  int result = epi__bulk_flush(flow, direction);

  if (result < 0) {
    epi__relay_end_by(flow, !direction);
  }
  return result > 0;
}

/* Does a reply wait for what is still to come? */
static int is_held_back(epi_flow *flow, int direction) {
  const epi__lane *lane = &flow->lanes[direction];

  if (direction == EPI_FORWARD || !flow->held) {
    return 0;
  }
  if (flow->phase == EPI__RELAY && !lane->ended && !epi__lane_held(lane)) {
    return 1;
  }
  epi__reply_let_go(flow);
  return 0;
}

void epi__relay_flush(epi_flow *flow, int direction) {
  epi__lane *lane = &flow->lanes[direction];
  const uint8_t *data;
  size_t len;
  ptrdiff_t sent;

  if (flow->phase == EPI__ENDED || target_of(flow, direction)->fd < 0 ||
      is_held_back(flow, direction) || !flush_session(flow, direction) ||
      !lane->open || !flush_tube(flow, direction)) {
    return;
  }
  len = epi__queue_peek(&lane->pending, &data);
  if (len) {
    sent = epi__leg_write(target_of(flow, direction), data, len);
    if (sent < 0) {
      lose(flow, direction);
      return;
    }
    lane->sent |= sent > 0;
    epi__queue_ack(&lane->pending, (size_t)sent);
    flow->moved_at = epi__loop_now(flow->worker->loop);
  }
  end_if_done(flow, direction);
}

static void cut(epi_flow *flow, int error) {
  epi__flow_refuse(
      flow, error == EPI_EDENIED ? EPI_REPLY_NOT_ALLOWED : EPI_REPLY_FAILURE,
      epi_error_detail());
}

static int is_paused(const epi_flow *flow, int direction) {
  return flow->chain &&
         epi__filter_chain_paused(flow->chain, epi__flow_way(flow, direction));
}

int epi__relay_may_take(const epi_flow *flow, int direction) {
  size_t limit = (size_t)flow->worker->engine->settings[EPI_ENGINE_BUFFER];
  const epi__queue *back = &flow->lanes[!direction].pending;

  return !flow->legs[direction].eof &&
         !epi__lane_held(&flow->lanes[direction]) &&
         (!flow->pace || epi__pace_may(flow, direction)) &&
         !epi__buffered_full(flow->worker->engine) &&
         (!flow->chain ||
          (!is_paused(flow, direction) && back->end - back->start <= limit));
}

static void release(epi_flow *flow, int direction);

void epi__relay_take(epi_flow *flow, int direction, const void *data,
                     size_t len) {
  epi__lane *lane = &flow->lanes[direction];
  const uint8_t *bytes = data;
  int result;

  if (is_paused(flow, direction)) {
    result = epi__queue_append(&lane->early, data, len);
    if (result) {
      cut(flow, result);
    }
    return;
  }
  if (flow->pace && (result = epi__pace_took(flow, direction, len)) != 0) {
    cut(flow, result);
    return;
  }
  epi__meter_bytes(flow, direction, (int64_t)len);
  if (flow->chain && !epi__filter_chain_passed(flow->chain)) {
    result = epi__filter_chain_feed(flow->chain, epi__flow_way(flow, direction),
                                    data, len);
    epi__meter_filters(flow);
    if (result) {
      cut(flow, result);
      return;
    }
    /* A filter may have answered the other way, or let it go on. */
    epi__relay_flush(flow, !direction);
    epi__relay_flush(flow, direction);
    release(flow, !direction);
    return;
  }
  if (lane->open && !epi__lane_held(lane) &&
      (is_held_back(flow, direction) || flush_session(flow, direction))) {
    ptrdiff_t sent =
        direction == EPI_BACKWARD && flow->held
            ? send_behind_reply(flow, data, len)
            : epi__leg_write(target_of(flow, direction), data, len);

    if (sent < 0 && !lose(flow, direction)) {
      return;
    }
    sent = sent < 0 ? 0 : sent;
    lane->sent |= sent > 0;
    bytes += sent;
    len -= (size_t)sent;
  }
  if (flow->phase == EPI__ENDED) {
    return;
  }
  result = epi__queue_append(&lane->pending, bytes, len);
  if (result) {
    cut(flow, result);
  }
}

void epi__relay_take_end(epi_flow *flow, int direction) {
  int result;

  flow->legs[direction].eof = 1;
  if (flow->lanes[direction].ended) {
    return;
  }
  if (flow->chain) {
    result = epi__filter_chain_end(flow->chain, epi__flow_way(flow, direction));
    if (result) {
      cut(flow, result);
      return;
    }
    epi__relay_flush(flow, !direction);
  }
  flow->lanes[direction].ended = 1;
  epi__relay_flush(flow, direction);
  release(flow, !direction);
}

/* Pass on what came early, once it can go, and the end behind it. */
static void release(epi_flow *flow, int direction) {
  epi__lane *lane = &flow->lanes[direction];
  epi__queue early = lane->early;
  const uint8_t *data;
  size_t len = epi__queue_peek(&early, &data);

  if (!lane->open || flow->phase == EPI__ENDED || is_paused(flow, direction)) {
    return;
  }
  if (len) {
    memset(&lane->early, 0, sizeof lane->early);
    epi__relay_take(flow, direction, data, len);
    epi__queue_clear(&early, 0);
  }
  if (flow->phase != EPI__ENDED && flow->legs[direction].eof &&
      !is_paused(flow, direction)) {
    epi__relay_take_end(flow, direction);
  }
}

void epi__relay_tick(epi_flow *flow) {
  int result = epi__filter_chain_tick(flow->chain);

  if (result) {
    cut(flow, result);
    return;
  }
  for (int direction = 0; direction < 2; direction++) {
    epi__relay_flush(flow, direction);
  }
  for (int direction = 0; direction < 2; direction++) {
    release(flow, direction);
  }
}

void epi__relay_open(epi_flow *flow, int direction) {
  epi__lane *lane = &flow->lanes[direction];

  if (lane->open) {
    return;
  }
  lane->open = 1;
  epi__relay_flush(flow, direction); /* what filters wrote on opening */
  release(flow, direction);
}

void epi__relay_begin(epi_flow *flow, const epi_addr *bound, int follows) {
  epi__flow_enter(flow, EPI__RELAY);
  flow->moved_at = flow->phase_at;
  epi__meter_time(flow->worker->meter, EPI__METER_SETUP,
                  flow->phase_at - flow->opened_at);
  if (flow->chain) {
    epi__filter_chain_begin(flow->chain);
  }
  epi__reply_hold(flow, follows);
  epi__handshake_succeed(flow, bound);
  if (flow->phase == EPI__RELAY) {
    epi__relay_open(flow, EPI_BACKWARD);
  }
  if (flow->phase == EPI__RELAY) {
    epi__relay_open(flow, EPI_FORWARD);
  }
  if (flow->phase == EPI__RELAY) {
    epi__flow_settle(flow);
  }
}
