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

/* Open a flow's filters, in order. Data goes through them in this order
 * forward and in the reverse order backward; what comes out is appended to
 * queues[direction], which outlive the chain. binding may be NULL; it is
 * copied.
 *
 * Returns 0, EPI_EINVAL (too many), EPI_EFILTER (one refused; the detail names
 * it) or EPI_ENOMEM; those that had opened are closed then. */
int epi__filter_chain_new(epi__filter_chain **out, epi_filter *const *filters,
                          size_t count, epi_flow *flow,
                          epi__queue *const queues[2],
                          const epi__binding *binding);

/* The text that a pipe is bound to, or "". */
const char *epi__pipe_binding(const epi_pipe *pipe);

/* Close the filters. NULL is fine. */
void epi__filter_chain_free(epi__filter_chain *chain);

/* Send data through. Returns 0, or the error of a filter or EPI_ENOMEM; the
 * flow must be cut then. */
int epi__filter_chain_feed(epi__filter_chain *chain, int direction,
                           const void *data, size_t len);

/* Say that a direction has ended. Returns as epi__filter_chain_feed(). */
int epi__filter_chain_end(epi__filter_chain *chain, int direction);

/* 1 if no filter wants to be called any more: data may go past the chain. */
int epi__filter_chain_passed(const epi__filter_chain *chain);

/* 1 if a filter asks for no data of a direction now: feed none, and don't end
 * the direction. */
int epi__filter_chain_paused(const epi__filter_chain *chain, int direction);

/* What the filters noted about the flow, ", "-separated; "" for nothing. */
const char *epi__filter_chain_notes(const epi__filter_chain *chain);

/* The callbacks of a filter, for filter_chain.c. */
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
} epi__filter_calls;

const epi__filter_calls *epi__filter_calls_of(const epi_filter *filter);

#endif
