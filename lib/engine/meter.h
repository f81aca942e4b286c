/* meter.h: what a worker counts, for who watches it.
 *
 * The worker alone writes its meter, without locks and in cache lines of its
 * own; others read it at any time and add up. Nothing here costs a system call
 * or looks at a clock: what is timed is timed by the loop, whose time is that
 * of its round. */
#ifndef EPI__METER_H
#define EPI__METER_H

#include "engine/labels.h"
#include "epi/engine.h"
#include "epi/socks.h"

enum {
  EPI__METER_RULES = 128,
  EPI__METER_CHAINS = 64,
  EPI__METER_FILTERS = 32,
  EPI__METER_VERDICTS = EPI_DENIED + 1,         /* 0: without a model */
  EPI__METER_REPLIES = EPI_REPLY_TIMED_OUT + 2, /* the last: all others */
  EPI__METER_BUCKETS = 15,
  EPI__REFUSALS = 32, /* that a worker remembers */
  EPI__REFUSAL_WHY = 400,
};

/* Counters, and levels as of the last round. */
enum {
  EPI__METER_ACCEPTED,
  EPI__METER_WARM_HITS,
  EPI__METER_WARM_MISSES,
  EPI__METER_WARM_OPEN, /* a level */
  EPI__METER_NAME_HITS,
  EPI__METER_NAME_MISSES,
  EPI__METER_NAME_FAILURES,
  EPI__METER_COUNTS,
};

enum {
  EPI__METER_HANDSHAKE, /* from the accept to the whole request */
  EPI__METER_CONNECT,   /* from then on to the first hop or the destination */
  EPI__METER_SETUP,     /* from the accept to the first byte that may pass */
  EPI__METER_LOOKUP,    /* of a name, by its servers */
  EPI__METER_FLOW,      /* from the accept to the end */
  EPI__METER_TIMES,
};

enum {
  EPI__METER_TLS_DONE,
  EPI__METER_TLS_RESUMED, /* of these */
  EPI__METER_TLS_FAILED,
  EPI__METER_TLS,
};

typedef struct epi__histogram {
  atomic_llong buckets[EPI__METER_BUCKETS + 1]; /* the last: anything longer */
  atomic_llong sum_ms;
} epi__histogram;

typedef struct epi__refusal {
  int64_t flow, at; /* at: seconds since 1970 UTC */
  int reply;        /* 0: it was cut; -1: it failed */
  epi_addr source, dest;
  char why[EPI__REFUSAL_WHY];
} epi__refusal;

typedef struct epi__meter {
  char before[64]; /* whatever lies there is not slowed down, nor slows this */
  atomic_llong counts[EPI__METER_COUNTS];
  epi__histogram times[EPI__METER_TIMES];
  atomic_llong verdicts[EPI__METER_VERDICTS];
  atomic_llong replies[EPI__METER_REPLIES];
  atomic_llong tls[EPI__METER_TLS][2]; /* with hops, with clients */
  atomic_llong bytes[2];               /* by EPI_FORWARD and EPI_BACKWARD */
  atomic_llong rules[EPI__METER_RULES + 1][2]; /* refused, allowed */
  atomic_llong chains[EPI__METER_CHAINS + 1];
  atomic_llong filters[EPI__METER_FILTERS + 1][2]; /* bytes, by direction */
  atomic_llong filter_ns[EPI__METER_FILTERS + 1];
  pthread_mutex_t lock; /* of what follows, which few ask for */
  epi__refusal refusals[EPI__REFUSALS];
  size_t refused; /* so far: the next one is put at this modulo EPI__REFUSALS */
  char after[64];
} epi__meter;

/* The names of what is counted, of an engine. */
typedef struct epi__meter_names {
  epi__labels rules, chains, filters;
} epi__meter_names;

void epi__meter_names_start(epi__meter_names *names);
void epi__meter_names_clear(epi__meter_names *names);

/* The upper bounds of the buckets, milliseconds. */
extern const int64_t epi__meter_bounds[EPI__METER_BUCKETS];

/* One thread writes: it need not be one step. */
static inline void epi__meter_more(atomic_llong *count, int64_t more) {
  long long now = atomic_load_explicit(count, memory_order_relaxed);

  atomic_store_explicit(count, now + more, memory_order_relaxed);
}

/* Returns 0 or EPI_ENOMEM. */
int epi__meter_new(epi__meter **out);
void epi__meter_free(epi__meter *meter);

/* Its worker alone may call these; a meter of NULL counts nothing. */
void epi__meter_add(epi__meter *meter, int count, int64_t more);
void epi__meter_set(epi__meter *meter, int count, int64_t level);
void epi__meter_time(epi__meter *meter, int what, int64_t ms);
void epi__meter_refusal(epi__meter *meter, const epi__refusal *refusal);

/* ---- flow_meter.c: what is counted of flows ---- */

/* Bytes that a lane took; it has what lane->bytes has. */
void epi__meter_bytes(epi_flow *flow, int lane, int64_t bytes);

/* A flow, or datagrams of one, was judged; decision may be NULL. */
void epi__meter_judged(epi_flow *flow, const epi_decision *decision);

/* It may be, and goes its way. */
void epi__meter_allowed(epi_flow *flow);

/* It is refused with a reply code, or its datagrams are. */
void epi__meter_refused(epi_flow *flow, int code, const epi_addr *from,
                        const epi_addr *to, const char *why);

/* It is cut, or killed, after it was allowed. */
void epi__meter_cut(epi_flow *flow, const char *why);

/* It failed before anything was decided, or could be answered. */
void epi__meter_failed(epi_flow *flow, const char *why);

/* Its filters have run. */
void epi__meter_filters(epi_flow *flow);

#endif
