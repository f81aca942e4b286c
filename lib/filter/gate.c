/* gate.c: the bridging function that is a firewall: who may talk to whom, when,
 * how many at once and how much.
 *
 * What is said about a flow's ends is decided when it opens. A rate holds the
 * flow's peers back: what came is passed on, and both directions of the rate
 * then wait until it is paid for. The window is looked at when it should close,
 * once a minute in case the clock was set, and when data comes. */
#include "base/fail.h"
#include "base/memory.h"
#include "filter/builtin.h"
#include "filter/byte_rate.h"
#include "filter/gate_rules.h"

#include <inttypes.h>
#include <stdio.h>

enum {
  WHY_MAX = 200,
  LOOK_S = 60,
  OF_BOTH = 2, /* behind the rates of each direction */
};

typedef struct gate {
  epi__gate_rules rules;
  epi__flow_counts *counts;
} gate;

typedef struct visit {
  epi_addr source; /* that was counted */
  epi__byte_rate rates[3];
  int waits[2];
  int64_t bytes;
  int64_t closes; /* seconds since 1970; 0: never */
  int64_t due_ms; /* when the timer comes; 0: it does not */
} visit;

static int refuse_closed(const gate *my, epi_pipe *pipe) {
  char why[WHY_MAX];

  snprintf(why, sizeof why, "the gate is closed now: it is open%s UTC",
           my->rules.hours);
  return epi_pipe_refuse(pipe, why);
}

/* Look at the clock: 0, or the refusal of a flow that is out of time. */
static int look(const gate *my, visit *at, epi_pipe *pipe) {
  int64_t now, left;

  if (!epi__week_limited(&my->rules.week)) {
    return 0;
  }
  now = epi_pipe_wall_time(pipe);
  left = epi__week_left(&my->rules.week, now);
  if (left == 0) {
    return refuse_closed(my, pipe);
  }
  at->closes = left < 0 ? 0 : now + left;
  return 0;
}

/* Have the timer come for whatever is next. */
static int set_timer(visit *at, epi_pipe *pipe, int64_t wait_ms) {
  int64_t now_ms = epi_pipe_now_ms(pipe);

  if (at->closes) {
    int64_t left = at->closes - epi_pipe_wall_time(pipe);
    int64_t look_ms = (left < LOOK_S ? left : LOOK_S) * 1000;

    wait_ms = wait_ms && wait_ms < look_ms ? wait_ms : look_ms;
    wait_ms = wait_ms > 0 ? wait_ms : 1;
  }
  wait_ms = wait_ms < LOOK_S * 1000 ? wait_ms : LOOK_S * 1000;
  if (!wait_ms || (at->due_ms > now_ms && at->due_ms <= now_ms + wait_ms)) {
    return 0; /* the one that is set comes soon enough */
  }
  at->due_ms = now_ms + wait_ms;
  return epi_pipe_set_timer(pipe, wait_ms);
}

/* Hold back or let go the directions as their rates say. */
static int pace(visit *at, epi_pipe *pipe) {
  int64_t now_ms = epi_pipe_now_ms(pipe), next = 0;
  int64_t both = epi__byte_rate_wait(&at->rates[OF_BOTH], now_ms);

  for (int direction = 0; direction < 2; direction++) {
    int64_t own = epi__byte_rate_wait(&at->rates[direction], now_ms);
    int64_t wait = own > both ? own : both;

    if ((wait > 0) != at->waits[direction]) {
      at->waits[direction] = wait > 0;
      epi_pipe_pause(pipe, direction, wait > 0);
    }
    if (wait && (!next || wait < next)) {
      next = wait;
    }
  }
  return set_timer(at, pipe, next);
}

static int on_timer(epi_pipe *pipe, void *user) {
  visit *at = epi_pipe_state(pipe);
  int result;

  at->due_ms = 0;
  result = look(user, at, pipe);
  return result ? result : pace(at, pipe);
}

static int on_data(epi_pipe *pipe, int direction, const void *data, size_t len,
                   void *user) {
  const gate *my = user;
  visit *at = epi_pipe_state(pipe);
  int64_t volume = my->rules.volume, now_ms;
  char why[WHY_MAX];
  int result;

  if (at->closes && epi_pipe_wall_time(pipe) >= at->closes) {
    result = look(my, at, pipe);
    if (result) {
      return result;
    }
  }
  if (volume && (uint64_t)len > (uint64_t)(volume - at->bytes)) {
    snprintf(why, sizeof why,
             "the gate lets no more than %" PRId64 " bytes through", volume);
    return epi_pipe_refuse(pipe, why);
  }
  at->bytes += (int64_t)len;
  result = epi_pipe_write(pipe, direction, data, len);
  if (result) {
    return result;
  }
  now_ms = epi_pipe_now_ms(pipe);
  epi__byte_rate_take(&at->rates[direction], len, now_ms);
  epi__byte_rate_take(&at->rates[OF_BOTH], len, now_ms);
  return pace(at, pipe);
}

/* 1 if nothing is left to do for a flow that was let in. */
static int is_done(const gate *my) {
  const epi__gate_rules *rules = &my->rules;

  return !rules->rate && !rules->rates[0] && !rules->rates[1] &&
         !rules->volume && !epi__week_limited(&rules->week);
}

/* Let a flow in that is counted already. */
static int begin_visit(const gate *my, epi_pipe *pipe) {
  int64_t now_ms = epi_pipe_now_ms(pipe);
  visit *at;
  int result;

  at = epi__alloc(sizeof *at);
  if (!at) {
    return EPI_ENOMEM;
  }
  at->source = *epi_pipe_source(pipe);
  for (int i = 0; i < 2; i++) {
    at->rates[i] = epi__byte_rate_begin(my->rules.rates[i], now_ms);
  }
  at->rates[OF_BOTH] = epi__byte_rate_begin(my->rules.rate, now_ms);
  result = look(my, at, pipe);
  if (!result) {
    result = set_timer(at, pipe, 0);
  }
  if (result) {
    epi__free(at);
    return result;
  }
  epi_pipe_set_state(pipe, at);
  return is_done(my) ? EPI_PASS : 0;
}

static int on_open(epi_pipe *pipe, void *user) {
  const gate *my = user;
  const epi_addr *source = epi_pipe_source(pipe);
  char why[WHY_MAX];
  int result;

  if (!epi__gate_rules_admit(&my->rules, source, epi_pipe_dest(pipe), why,
                             sizeof why)) {
    return epi_pipe_refuse(pipe, why);
  }
  result = epi__flow_counts_begin(my->counts, source, epi_pipe_now_ms(pipe));
  if (result) {
    return result == EPI_ELIMIT ? epi_pipe_refuse(pipe, epi_error_detail())
                                : result;
  }
  result = begin_visit(my, pipe);
  if (result < 0) {
    epi__flow_counts_end(my->counts, source);
  }
  return result;
}

static void on_close(epi_pipe *pipe, void *user) {
  const gate *my = user;
  visit *at = epi_pipe_state(pipe);

  epi__flow_counts_end(my->counts, &at->source);
  epi__free(at);
}

static void on_free(void *user) {
  gate *my = user;

  epi__flow_counts_free(my->counts);
  epi__gate_rules_clear(&my->rules);
  epi__free(my);
}

int epi__gate_new(epi_filter **out, const char *args) {
  gate *my = epi__alloc(sizeof *my);
  epi_filter *filter;
  int result;

  if (!my) {
    return EPI_ENOMEM;
  }
  result = epi__gate_rules_read(&my->rules, args);
  if (!result) {
    result = epi__flow_counts_new(&my->counts, &my->rules.limits);
  }
  if (!result) {
    result = epi_filter_new(&filter, "gate");
  }
  if (result) {
    on_free(my);
    return result;
  }
  epi_filter_on_open(filter, on_open, my);
  epi_filter_on_data(filter, on_data, my);
  epi_filter_on_timer(filter, on_timer, my);
  epi_filter_on_close(filter, on_close, my);
  epi_filter_on_free(filter, on_free, my);
  /* Whom a rate holds back waits as long as it takes. */
  epi_filter_set(filter, EPI_FILTER_DEADLINE_MS, 0);
  *out = filter;
  return 0;
}
