/* sight.h: what an engine counts, for programs that watch it, and a page for
 * people (doc/sight.md). */
#ifndef EPI_SIGHT_H
#define EPI_SIGHT_H

#include "engine.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What epi_engine_metrics() writes: the text format 0.0.4 of Prometheus, or
 * OpenMetrics 1.0. */
#define EPI_METRICS_PROMETHEUS 1
#define EPI_METRICS_OPEN       2

/* Write what the engine counts, as text in a format, EPI_METRICS_*;
 * doc/sight.md names each metric with its unit. Of other threads' counters it
 * has what they were a moment ago. Free *out with epi_free().
 *
 * Returns 0, EPI_EINVAL (no such format) or EPI_ENOMEM. Threads: any, at any
 * time. */
EPI_API int epi_engine_metrics(epi_engine *engine, int format, char **out);

/* Serve metrics and health by HTTP, at HOST:PORT or http://HOST:PORT, in a
 * thread of its own: /metrics; /health/live; /health/ready, which is 503 while
 * the engine drains, and without a listener; and /, a page for people
 * (doc/sight.md). HOST is an IP address or "localhost"; port 0 lets the kernel
 * choose. A socket that was given for the address (epi_engine_adopt_socket())
 * is used.
 *
 * There is no login, so the address must be a loopback one; with ?anyone=yes
 * behind it any will do, and whoever reaches it can read. At unix:PATH it is a
 * socket that this user alone can connect to. It listens at once, and answers
 * from the start on. NULL, and epi_engine_stop(), end it.
 *
 * Returns 0, EPI_EINVAL, EPI_EPERM (no loopback address, or no privilege for
 * the port), EPI_EBUSY (the port is taken), EPI_ESTATE (it is served already),
 * EPI_ENOTSUP (libepi was built without libmicrohttpd), EPI_ESYS or
 * EPI_ENOMEM. Threads: any, at any time. */
EPI_API int epi_engine_serve_status(epi_engine *engine, const char *url);

/* The address at which that is served. Returns 0 or EPI_ENOENT (it is not, or
 * it is at a path). Threads: any, at any time. */
EPI_API int epi_engine_status_addr(const epi_engine *engine, epi_addr *out);

#ifdef __cplusplus
}
#endif

#endif
