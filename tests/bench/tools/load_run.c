/* load_run.c: the clients of the load generator together. */
#include "load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS     128
#define FAILURES   1000 /* in a row: then it is no use */
#define NEVER      UINT64_MAX
#define HUNG_NS    5000000000u /* a request without a response for so long */
#define IDLE_BATCH 64          /* connections at a time that are to stay idle */

typedef struct load_state {
  const load_plan *plan;
  load_result *result;
  load_client *clients;
  int epoll;
  uint64_t counted_from, end;
  uint64_t begun;  /* requests so far */
  uint64_t ended;  /* of these */
  uint64_t failed; /* of these, in a row */
} load_state;

static void begin(load_state *state, load_client *client, uint64_t due);

static void count_end(load_state *state, const load_client *client,
                      uint64_t now) {
  load_result *result = state->result;

  state->ended++;
  state->failed = 0;
  if (now >= state->counted_from && now < state->end) {
    load_times_add(result, now - client->since);
    result->requests++;
  }
}

static void count_failure(load_state *state, const char *why) {
  load_result *result = state->result;

  state->ended++;
  state->failed++;
  result->errors++;
  if (!result->first_error[0]) {
    snprintf(result->first_error, sizeof result->first_error, "%s", why);
  }
}

/* When the next request is due; NEVER if there is none for now. Without a rate
 * it is as soon as a client is free. */
static uint64_t next_due(const load_state *state) {
  const load_plan *plan = state->plan;

  if (plan->requests && state->begun >= plan->requests) {
    return NEVER;
  }
  if (plan->rate > 0) {
    return state->counted_from - plan->warm_ns +
           (uint64_t)((double)state->begun * 1e9 / plan->rate);
  }
  return 0;
}

static void settle(load_state *state, load_client *client, int outcome,
                   const char *why) {
  uint64_t now;

  if (outcome == LOAD_PENDING) {
    return;
  }
  now = load_now_ns();
  if (outcome == LOAD_FAILED) {
    count_failure(state, why);
  } else {
    count_end(state, client, now);
  }
  /* With a rate, start_due() begins what is due. A failure waits for the next
   * turn: it could fail again at once, and again. */
  if (state->plan->rate > 0 || state->plan->idle || outcome == LOAD_FAILED) {
    return;
  }
  if (next_due(state) != NEVER && now < state->end) {
    begin(state, client, now);
  }
}

static void begin(load_state *state, load_client *client, uint64_t due) {
  const char *why = "";
  int outcome;

  state->begun++;
  outcome = load_client_start(client, state->plan, state->epoll, due, &why);
  settle(state, client, outcome, why);
}

/* Let free clients begin what is due. */
static void start_due(load_state *state, uint64_t now) {
  const load_plan *plan = state->plan;
  uint64_t due = next_due(state);

  for (unsigned i = 0; i < plan->clients && due <= now; i++) {
    load_client *client = &state->clients[i];

    if (!client->busy && !(plan->idle && client->fd >= 0)) {
      begin(state, client, plan->rate > 0 ? due : now);
      due = next_due(state);
    }
    if (plan->idle && state->begun - state->ended >= IDLE_BATCH) {
      return;
    }
  }
}

/* Give up what hangs: it counts as failed, or it would hide. */
static void end_hung(load_state *state, uint64_t now) {
  for (unsigned i = 0; i < state->plan->clients; i++) {
    load_client *client = &state->clients[i];

    if (client->busy && !state->plan->bulk && now > client->since + HUNG_NS) {
      load_client_close(client);
      client->busy = 0;
      count_failure(state, "no response within 5 s");
    }
  }
}

static int wait_ready(load_state *state, uint64_t now,
                      struct epoll_event *out) {
  uint64_t due = next_due(state);
  uint64_t left = state->end - now, until = left < 100000000 ? left : 100000000;
  struct timespec timeout;

  if (due > now && due - now < until) {
    until = due - now;
  }
  timeout.tv_sec = 0;
  timeout.tv_nsec = (long)until;
  return epoll_pwait2(state->epoll, out, EVENTS, &timeout, NULL);
}

static int finished(const load_state *state, uint64_t now) {
  const load_plan *plan = state->plan;

  return now >= state->end || state->failed >= FAILURES ||
         (plan->requests && state->ended >= plan->requests) ||
         (plan->idle && state->ended - state->result->errors >= plan->clients);
}

static void loop(load_state *state) {
  struct epoll_event events[EVENTS];
  uint64_t now = load_now_ns(), looked = now;

  while (!finished(state, now)) {
    int count;

    start_due(state, now);
    count = wait_ready(state, now, events);
    for (int i = 0; i < count; i++) {
      load_client *client = events[i].data.ptr;
      uint64_t bytes = 0;
      const char *why = "";
      int outcome;

      if (client->fd < 0) {
        continue; /* closed by an event before this one */
      }
      outcome =
          load_client_ready(client, state->plan, state->epoll, &bytes, &why);
      if (bytes && load_now_ns() >= state->counted_from) {
        state->result->bytes += bytes;
      }
      settle(state, client, outcome, why);
    }
    now = load_now_ns();
    if (now - looked > 500000000) {
      looked = now;
      end_hung(state, now);
    }
  }
}

/* All flows are open: say so, and keep them until standard input ends. */
static void stay(const load_result *result) {
  char byte;

  printf("ready, %llu errors\n", (unsigned long long)result->errors);
  fflush(stdout);
  while (read(STDIN_FILENO, &byte, 1) > 0) {
  }
}

int load_run(const load_plan *plan, load_result *result) {
  load_state state = {.plan = plan, .result = result};

  state.epoll = epoll_create1(EPOLL_CLOEXEC);
  state.clients = calloc(plan->clients, sizeof *state.clients);
  if (state.epoll < 0 || !state.clients) {
    fprintf(stderr, "bench_load: %s\n", strerror(errno));
    free(state.clients);
    return -1;
  }
  for (unsigned i = 0; i < plan->clients; i++) {
    state.clients[i].fd = -1;
  }
  state.counted_from = load_now_ns() + plan->warm_ns;
  state.end = state.counted_from + plan->measure_ns;
  loop(&state);
  if (plan->idle) {
    stay(result);
  }
  for (unsigned i = 0; i < plan->clients; i++) {
    load_client_close(&state.clients[i]);
  }
  free(state.clients);
  close(state.epoll);
  return 0;
}
