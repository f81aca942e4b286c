/* held_reply.h: replies that wait for what comes right behind them.
 *
 * A client of SOCKS 6 that sent data along with its request waits for the
 * answer to these, more than for the reply. While a loop has enough to do, the
 * reply is held back until the answer is there, and both go out at once: one
 * system call and one packet less, and the client wakes up once. A loop that
 * has nothing else to do sends it, so that on a machine at leisure it is not
 * late at all, and under load by some milliseconds at most. */
#ifndef EPI__HELD_REPLY_H
#define EPI__HELD_REPLY_H

#include "epi/filter.h"

#include <stddef.h>
#include <stdint.h>

typedef struct epi__worker epi__worker;

enum { EPI__HELD_MOST = 64 };

/* The flows of a worker whose replies are held back. */
typedef struct epi__held {
  epi_flow *flows[EPI__HELD_MOST];
  size_t count;
  int64_t since; /* the first of them */
} epi__held;

/* Hold the next reply of a flow back, if that may be good for it. follows is 1
 * if what goes behind it is there already. */
void epi__reply_hold(epi_flow *flow, int follows);

/* It is not held any more. */
void epi__reply_let_go(epi_flow *flow);

/* A round of the loop is over: send those that have waited for long enough. */
void epi__replies_look(epi__worker *worker);

#endif
