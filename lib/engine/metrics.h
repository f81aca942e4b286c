/* metrics.h: what the workers' meters have, added up. */
#ifndef EPI__METRICS_H
#define EPI__METRICS_H

#include "engine/worker.h"

#include <stddef.h>

/* The sum over the workers of a counter that is so far inside a meter. */
int64_t epi__meters_sum(const epi_engine *engine, size_t offset);

/* The same of a member. */
#define EPI__METERS_SUM(engine, ...)                                           \
  epi__meters_sum(engine, offsetof(epi__meter, __VA_ARGS__))

#endif
