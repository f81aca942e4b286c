/* filter_chain.h: the filters of one flow, in order. */
#ifndef EPI__FILTER_CHAIN_H
#define EPI__FILTER_CHAIN_H

#include "base/bytes.h"
#include "epi/filter.h"

typedef struct epi__filter_chain epi__filter_chain;

enum {
  EPI__FILTER_CHAIN_MAX = 32, /* filters of a flow */
};

/* What the filters of a plan, those from an index on, are for: a text that is
 * the same in every proxy of the flow and differs from other flows'. */
typedef struct epi__binding {
  const char *text;
  size_t from;
} epi__binding;

/* Who runs the filters of a flow, and what they may know of it. It is copied;
 * what it points to outlives the chain. NULL is an address of kind
 * EPI_ADDR_NONE, nobody, nothing, or EPI_ENOTSUP. */
typedef struct epi__filter_host {
  epi_flow *flow;
  const epi_addr *source, *dest;
  const char *login; /* who logged in */
  void *user;        /* of what follows */
  const char *(*metadata)(int key, void *user);
  int (*set_metadata)(int key, const char *value, void *user);
  int64_t (*now_ms)(void *user);
  int64_t (*now_ns)(void *user); /* NULL: how long filters run is not told */
  int64_t (*wall_time)(void *user);
  void (*warn)(const char *line, void *user); /* what somebody must read */
} epi__filter_host;

/* Open a flow's filters, in order. Data goes through them in this order
 * forward and in the reverse order backward; what comes out is appended to
 * queues[direction], which outlive the chain. host and binding may be NULL;
 * they are copied.
 *
 * Returns 0, EPI_EINVAL (too many), EPI_EDENIED (one refused the flow, the
 * detail has its reason), EPI_EFILTER (one failed; the detail names it) or
 * EPI_ENOMEM; those that had opened are closed then. */
int epi__filter_chain_new(epi__filter_chain **out, epi_filter *const *filters,
                          size_t count, const epi__filter_host *host,
                          epi__queue *const queues[2],
                          const epi__binding *binding);

/* The text that a pipe is bound to, or "". */
const char *epi__pipe_binding(const epi_pipe *pipe);

/* Close the filters. NULL is fine. */
void epi__filter_chain_free(epi__filter_chain *chain);

/* Say that both ends are connected: the time that filters may hold data back
 * counts from here on. */
void epi__filter_chain_begin(epi__filter_chain *chain);

/* Send data through. Returns 0; EPI_EDENIED if a filter refused, or another
 * error of a filter or of its bounds, or EPI_ENOMEM. The flow must be cut then;
 * the detail says why, after further calls too. */
int epi__filter_chain_feed(epi__filter_chain *chain, int direction,
                           const void *data, size_t len);

/* Say that a direction has ended. Returns as epi__filter_chain_feed(). */
int epi__filter_chain_end(epi__filter_chain *chain, int direction);

/* The time, by the host's clock, at which epi__filter_chain_tick() is to be
 * called; -1: never, as things are. Ask after every other call. */
int64_t epi__filter_chain_next_ms(const epi__filter_chain *chain);

/* Call the filters whose time has come, and fail those that held data back for
 * too long. Returns as epi__filter_chain_feed(). */
int epi__filter_chain_tick(epi__filter_chain *chain);

/* 1 if no filter wants to be called any more: data may go past the chain. */
int epi__filter_chain_passed(const epi__filter_chain *chain);

/* 1 if a filter asks for no data of a direction now: feed none, and don't end
 * the direction. */
int epi__filter_chain_paused(const epi__filter_chain *chain, int direction);

/* What a filter did since it was asked for last. */
typedef struct epi__filter_work {
  const char *name;
  uint64_t fed[2];  /* bytes, by direction */
  int64_t spent_ns; /* in its calls, those of others inside of these left out */
} epi__filter_work;

/* Returns 0 if there is no filter at the index. */
int epi__filter_chain_work(epi__filter_chain *chain, size_t index,
                           epi__filter_work *out);

/* What the filters noted about the flow, ", "-separated; "" for nothing. */
const char *epi__filter_chain_notes(const epi__filter_chain *chain);

/* The callbacks and bounds of a filter, for its pipes. */
typedef struct epi__filter_calls {
  int (*open)(epi_pipe *pipe, void *user);
  void *open_user;
  int (*data)(epi_pipe *pipe, int direction, const void *data, size_t len,
              void *user);
  void *data_user;
  int (*end)(epi_pipe *pipe, int direction, void *user);
  void *end_user;
  void (*close)(epi_pipe *pipe, void *user);
  void *close_user;
  int (*timer)(epi_pipe *pipe, void *user);
  void *timer_user;
  int64_t bounds[EPI_FILTER_FAIL_OPEN + 1]; /* by EPI_FILTER_* */
} epi__filter_calls;

const epi__filter_calls *epi__filter_calls_of(const epi_filter *filter);

#endif
