/* metrics_text.h: writing metrics, as Prometheus or OpenMetrics has them. */
#ifndef EPI__METRICS_TEXT_H
#define EPI__METRICS_TEXT_H

#include "base/bytes.h"

#include <stdint.h>

enum {
  EPI__FAMILY_COUNTER = 1, /* its samples end in _total */
  EPI__FAMILY_GAUGE,
  EPI__FAMILY_HISTOGRAM,
  EPI__FAMILY_INFO, /* its name ends in _info */
};

typedef struct epi__metrics {
  epi__text text;
  int open;         /* 1: OpenMetrics */
  const char *name; /* of the family that is being written */
  int kind;
} epi__metrics;

/* Begin a family: a name without _total or _info, and what it is. */
void epi__metrics_family(epi__metrics *out, const char *name, int kind,
                         const char *help);

/* A sample of it. labels are pairs of name and value, NULL at the end; or
 * NULL. */
void epi__metrics_sample(epi__metrics *out, const char *const *labels,
                         int64_t value);

/* The same with a number of millionths. */
void epi__metrics_micro(epi__metrics *out, const char *const *labels,
                        int64_t value);

/* A family of one sample without labels. */
void epi__metrics_one(epi__metrics *out, const char *name, int kind,
                      const char *help, int64_t value);

/* A histogram of milliseconds, in seconds: counts of the buckets, one more than
 * there are bounds. */
void epi__metrics_histogram(epi__metrics *out, const int64_t *bounds_ms,
                            const int64_t *counts, size_t bounds,
                            int64_t sum_ms);

/* All is said. Returns as epi__text_take(). */
char *epi__metrics_take(epi__metrics *out);

#endif
