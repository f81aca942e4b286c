/* filter_pipe.h: one flow's passage through its filters, from inside. */
#ifndef EPI__FILTER_PIPE_H
#define EPI__FILTER_PIPE_H

#include "filter/filter_chain.h"

enum {
  EPI__PIPE_NOTE_MAX = 100,
  EPI__PIPE_NOTES_MAX = 400,
  EPI__PIPE_REASON_MAX = 200,
  EPI__PIPE_WHY_MAX = 400,
};

struct epi_pipe {
  epi__filter_chain *chain;
  epi_filter *filter;
  const epi__filter_calls *calls;
  void *state;
  int opened, passed;
  int over; /* it held more than it may */
  int ended[2];
  int paused[2];
  int64_t paused_at[2];
  uint64_t fed[2], written[2]; /* bytes, by direction */
  uint64_t told[2];            /* of those that were fed */
  int64_t held, held_at;       /* bytes; when it wrote or held nothing last */
  int64_t timer_at;            /* -1: none */
  int64_t spent_ns;            /* in its calls, and not told yet */
  epi__queue early; /* what those behind it wrote backward on opening */
};

struct epi__filter_chain {
  epi__filter_host host;
  epi__queue *queues[2];
  size_t count;
  int opening;                 /* metadata may be set */
  int begun;                   /* deadlines count */
  int failed;                  /* sticky: what the flow is cut for */
  int refused;                 /* it failed because a filter refused */
  char why[EPI__PIPE_WHY_MAX]; /* its detail */
  int depth;                   /* calls of filters inside each other */
  size_t written;              /* for this piece of data */
  char notes[EPI__PIPE_NOTES_MAX];
  epi_pipe *running; /* the innermost that is being called, or NULL */
  int64_t since_ns;  /* when it was, or was again */
  char *binding;     /* of the pipes from bound_from on, or NULL */
  size_t bound_from;
  epi_pipe pipes[];
};

/* The host's time, 0 without a clock. */
int64_t epi__filter_chain_now(const epi__filter_chain *chain);

/* ---- filter_time.c ---- */

/* Around each call of a filter: what was returned on entering is told on
 * leaving. */
epi_pipe *epi__pipe_enter(epi_pipe *pipe);
void epi__pipe_leave(epi__filter_chain *chain, epi_pipe *before);

/* ---- filter_fail.c ---- */

/* The flow is to be cut for an error, whose detail is set: the first one stays.
 * Returns the error; for 0, and for more than 0, it does nothing. */
int epi__filter_chain_fail(epi__filter_chain *chain, int error);

/* Why the flow is to be cut, or 0. Sets the detail again. */
int epi__filter_chain_failure(const epi__filter_chain *chain);

/* A filter failed: take it out of the flow if it may fail open and nothing is
 * lost, else fail the chain. does stands between its name and the detail.
 * Returns EPI_PASS if the filter is out, else an error. */
int epi__pipe_fail(epi_pipe *pipe, int error, const char *does);

/* A callback returned; does is as for epi__pipe_fail(). Returns 0, EPI_PASS if
 * the filter is not to be called any more, or an error and the chain failed. */
int epi__pipe_returned(epi_pipe *pipe, int result, const char *does);

#endif
