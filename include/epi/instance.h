/* instance.h: instances of functions, started when flows need them.
 *
 * A function of the model that has an `image`, and neither a filter nor
 * endpoints, runs nowhere until a flow needs it. Then the engine asks the
 * program for an instance, by a callback or a command, and the flow waits until
 * it is ready (EPI_ENGINE_PROVISION_MS). All flows share it, in whatever chain
 * they pass it, up to the function's `capacity`; when no instance has room,
 * another one is asked for, up to `instances`. One that has no flows for a
 * while (EPI_ENGINE_INSTANCE_IDLE_MS), that does not answer, or whose function
 * a new model has not, is stopped; doc/instances.md has the whole of it. */
#ifndef EPI_INSTANCE_H
#define EPI_INSTANCE_H

#include "engine.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Call back when an instance is to be started, before the start of the engine;
 * NULL: nothing can be started, which is the default.
 *
 * instance is its number, which no other instance of the engine has; options
 * are the text of a JSON object of strings, "{}" if the model has none. Texts
 * are valid until the callback returns. The program answers with
 * epi_engine_instance_ready() or epi_engine_instance_failed(), now or later.
 * One that is not ready in EPI_ENGINE_PROVISION_MS has failed, and is stopped.
 * Takes the place of a command. Returns 0 or EPI_ESTATE.
 * Threads: the callback runs in a thread of the engine's own, one at a time;
 * while it does, no other instance is started or stopped, but flows go on. */
EPI_API int epi_engine_on_start_instance(
    epi_engine *engine,
    void (*callback)(int64_t instance, const char *function, const char *image,
                     const char *options, void *user),
    void *user);

/* Call back when an instance is to be stopped, before the start of the engine:
 * it is ready, or did not become so in time. url is where it was, "" if it was
 * not ready. It has no flows any more. epi_engine_stop() has all of them
 * stopped before it returns.
 *
 * Returns 0 or EPI_ESTATE. Threads: as for the other callback. */
EPI_API int epi_engine_on_stop_instance(epi_engine *engine,
                                        void (*callback)(int64_t instance,
                                                         const char *function,
                                                         const char *url,
                                                         void *user),
                                        void *user);

/* Say that an instance takes connections at a URL, which is as those of
 * epi_engine_add_hop(). It is copied.
 *
 * Returns 0, EPI_EINVAL or EPI_ENOTSUP (the URL; the instance may still become
 * ready), EPI_ENOENT (no such instance is to be started: it was too late, or
 * has said so before) or EPI_ENOMEM (it has failed, and is stopped). Threads:
 * any, also in the callback. */
EPI_API int epi_engine_instance_ready(epi_engine *engine, int64_t instance,
                                      const char *url);

/* Say that an instance cannot be started, and why: flows that wait for it are
 * refused with the reason, and none is started again for a while. Or that one
 * that was ready is gone: another one is started when a flow needs it.
 *
 * Returns 0, EPI_EINVAL (no reason) or EPI_ENOENT (no such instance). Threads:
 * any, also in the callback. */
EPI_API int epi_engine_instance_failed(epi_engine *engine, int64_t instance,
                                       const char *reason);

/* Have instances started and stopped by a program, before the start of the
 * engine: `PATH start` and `PATH stop`, run without a shell, with EPI_INSTANCE,
 * EPI_FUNCTION, EPI_IMAGE and EPI_OPTIONS in its environment; for `stop` also
 * EPI_ENDPOINT. `start` prints the URL of the instance once it is ready, and
 * ends with status 0; otherwise its last line says why not. NULL takes it back.
 *
 * Takes the place of callbacks. Returns 0, EPI_ENOENT, EPI_EPERM (it may not be
 * run, or everybody can change it), EPI_ESYS, EPI_ESTATE or EPI_ENOMEM. */
EPI_API int epi_engine_set_provision_command(epi_engine *engine,
                                             const char *path);

#ifdef __cplusplus
}
#endif

#endif
