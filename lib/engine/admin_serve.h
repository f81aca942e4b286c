/* admin_serve.h: the thread that serves admins. */
#ifndef EPI__ADMIN_SERVE_H
#define EPI__ADMIN_SERVE_H

#include "base/admin_request.h"
#include "engine/worker.h"
#include "epi/admin.h"
#include "os/unix_socket.h"

typedef struct epi__admin epi__admin;

/* ---- admin_serve.c ---- */

/* Stop serving, if it does. No lock may be held that a request could need. */
void epi__admin_stop(epi_engine *engine);

/* ---- admin_peer.c: one who is connected ---- */

typedef struct epi__admin_peer epi__admin_peer;

/* All who are connected, the one who has been silent for longest last. */
typedef struct epi__admin_peers {
  epi_engine *engine;
  epi__loop *loop;
  epi__admin_peer *first, *last;
  size_t count;
  epi__admin_peer *large; /* whose request is large: one at a time; or NULL */
} epi__admin_peers;

/* Serve a connection, which this closes. */
void epi__admin_welcome(epi__admin_peers *peers, int fd,
                        const epi__unix_peer *who);

/* Close all. */
void epi__admin_dismiss(epi__admin_peers *peers);

/* ---- admin_answer.c ---- */

/* Carry out a request, a line without its end, and append the reply with its
 * end. */
void epi__admin_answer(epi_engine *engine, const epi__unix_peer *who,
                       const void *line, size_t len, epi__text *out);

/* Append the reply that something is wrong: code, and the detail. */
void epi__admin_complain(epi__text *out, const epi__admin_request *request,
                         int code, const epi_report *problems);

/* ---- what a request does: each appends its result, a JSON value. Returns 0 or
 * an error with its detail ---- */

typedef struct epi__admin_task {
  epi_engine *engine;
  const epi__unix_peer *who;
  const epi__admin_request *request;
  epi__text *out;
  epi_report *problems;
} epi__admin_task;

/* admin_flows.c */
int epi__admin_flows(const epi__admin_task *task);
int epi__admin_explain(const epi__admin_task *task);
int epi__admin_kill(const epi__admin_task *task);

/* admin_model.c */
int epi__admin_model(const epi__admin_task *task);
int epi__admin_plan(const epi__admin_task *task);
int epi__admin_set_model(const epi__admin_task *task);

/* admin_engine.c */
int epi__admin_status(const epi__admin_task *task);
int epi__admin_settings(const epi__admin_task *task);
int epi__admin_set(const epi__admin_task *task);
int epi__admin_log(const epi__admin_task *task);
int epi__admin_drain(const epi__admin_task *task);
int epi__admin_listeners(const epi__admin_task *task);
int epi__admin_listen(const epi__admin_task *task);
int epi__admin_unlisten(const epi__admin_task *task);
int epi__admin_relisten(const epi__admin_task *task);
int epi__admin_instances(const epi__admin_task *task);
int epi__admin_metrics(const epi__admin_task *task);
int epi__admin_reload(const epi__admin_task *task);

#endif
