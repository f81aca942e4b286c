/* metrics.h: what the workers' meters have, added up. */
#ifndef EPI__METRICS_H
#define EPI__METRICS_H

#include "engine/metrics_text.h"
#include "engine/worker.h"
#include "epi/sight.h"

#include <stddef.h>

/* The sum over the workers of a counter that is so far inside a meter. */
int64_t epi__meters_sum(const epi_engine *engine, size_t offset);

/* The same of a member. */
#define EPI__METERS_SUM(engine, ...)                                           \
  epi__meters_sum(engine, offsetof(epi__meter, __VA_ARGS__))

/* ---- metrics_tls.c ---- */

/* Write what is counted of TLS. */
void epi__metrics_put_tls(epi__metrics *out, const epi_engine *engine);

#endif
