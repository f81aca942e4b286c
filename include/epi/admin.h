/* admin.h: an engine is asked, and told, by a socket that has a path.
 *
 * What the socket speaks is in doc/admin.md: a line of JSON for each request
 * and for each reply. Whoever may open it, this user and root, may do with the
 * engine whatever its program may. */
#ifndef EPI_ADMIN_H
#define EPI_ADMIN_H

#include "control.h"
#include "review.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Serve admins at a Unix socket, from now on until epi_engine_stop(), in a
 * thread of its own; NULL: not any more. The file has mode 0600, is removed at
 * the end, and replaces one at which nobody listens any more. Who connects must
 * be root, or the user that this process has as its effective one. Requests are
 * carried out one at a time. What can be set before the start alone (name,
 * hops, filters, keys) is to be set before this: admins may look at it from
 * here on.
 *
 * Returns 0, EPI_EBUSY (somebody listens there, or it is no socket), EPI_EINVAL
 * (the path is too long), EPI_ENOENT (no such folder), EPI_EPERM, EPI_ESTATE
 * (it serves already, or was stopped), EPI_ESYS or EPI_ENOMEM. Threads: any, at
 * any time; NULL waits for a request that is being carried out, for some
 * seconds at most. */
EPI_API int epi_engine_serve_admin(epi_engine *engine, const char *path);

/* Call back when an admin asks for `reload`: the program is to read its files
 * anew, soon and in a thread of its own, as for SIGHUP. Before serving; NULL
 * takes it back: then an admin is told that there is nothing to read.
 * Threads: the callback runs in the admins' thread, and must not block. */
EPI_API void epi_engine_on_reload(epi_engine *engine,
                                  void (*callback)(void *user), void *user);

/* Ask an engine, in another process as a rule, by its admin socket. request is
 * a JSON object, as doc/admin.md has it; of its keys `epi` may be left out.
 * form is EPI_FORM_JSON for the reply's `result`, or EPI_FORM_TEXT for the same
 * in lines and tables for people. What the engine says is wrong is this call's
 * error: its code, its detail, and for a model its problems, line by line;
 * problems may be NULL. Free *out with epi_free(). Blocks, for timeout_ms at
 * each step at most.
 *
 * Returns 0; EPI_EINVAL (the request, the path or the form), EPI_ENOENT (no
 * such socket), EPI_EPERM, EPI_ESYS (nobody listens there), EPI_ETIMEOUT,
 * EPI_ECLOSED (it ended instead of an answer), EPI_EPROTO (what answers is no
 * engine), EPI_ENOMEM; or what the engine says. Threads: any. */
EPI_API int epi_admin_ask(const char *path, const char *request,
                          int64_t timeout_ms, int form, epi_report *problems,
                          char **out);

#ifdef __cplusplus
}
#endif

#endif
