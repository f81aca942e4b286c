/* status.h: what an engine says of itself to who looks at it. */
#ifndef EPI__STATUS_H
#define EPI__STATUS_H

#include "engine/worker.h"
#include "epi/sight.h"
#include "os/unix_socket.h"

typedef struct epi__status epi__status;

/* ---- status.c ---- */

/* The engine starts: answer, if it listens. Returns 0 or an error of
 * epi__http_start(). */
int epi__status_start(epi_engine *engine);

/* End it, if there is one. */
void epi__status_stop(epi_engine *engine);

/* The socket that it listens at, or -1. */
int epi__status_socket(const epi_engine *engine);

/* ---- status_listen.c ---- */

/* Where it is served. */
typedef struct epi__status_place {
  char *path; /* of a Unix socket; NULL: it is served at an address */
  epi_addr addr;
  int anyone; /* not this machine alone is served */
  int fd;     /* of the socket; -1: none, or somebody else closes it */
  epi__unix_door door;
} epi__status_place;

/* Listen where a URL says. Returns as epi_engine_serve_status(); what was
 * opened then is to be closed all the same. */
int epi__status_listen(epi__status_place *out, epi_engine *engine,
                       const char *url);

/* Listen no more. */
void epi__status_unlisten(epi__status_place *place);

/* ---- status_json.c ---- */

/* Make what the page shows each second, and the areas of the model in force, as
 * JSON objects; epi__free() them. Return 0 or EPI_ENOMEM. */
int epi__status_json(epi_engine *engine, char **out);
int epi__status_areas(epi_engine *engine, char **out);

/* ---- refusals.c ---- */

/* Append the last refusals of all workers as a JSON list, the newest first. */
void epi__refusals_put(epi__text *out, const epi_engine *engine);

#endif
