/* status.c: metrics, health and a page for people by HTTP. There is no login:
 * it serves this machine, unless it is told to serve anybody. Nothing can be
 * changed here, and no file is read. */
#include "engine/status.h"

#include "base/fail.h"
#include "base/memory.h"
#include "base/net.h"
#include "engine/flow_show.h"
#include "engine/http.h"
#include "engine/status_page.h"
#include "os/os.h"

#include <stdio.h>
#include <string.h>

enum {
  FLOWS = 200,   /* that a page shows at once */
  WAIT_MS = 500, /* for workers: who asks for health waits meanwhile */
};

struct epi__status {
  epi_engine *engine;
  epi__http *http; /* NULL: it listens, and answers from the start on */
  epi__status_place place;
  int fd; /* of its socket */
};

int epi__engine_is_ready(epi_engine *engine) {
  int listens;

  if (!atomic_load(&engine->running) || atomic_load(&engine->drains)) {
    return 0;
  }
  pthread_mutex_lock(&engine->lock);
  listens = atomic_load(&engine->listeners)->count > 0;
  pthread_mutex_unlock(&engine->lock);
  return listens;
}

/* ---- who may ask ---- */

/* The name that a browser asked for: a page of others that had a name of theirs
 * lead here must not read what is here ("DNS rebinding"). */
static int is_address(const char *host) {
  epi_addr addr;

  return !epi_addr_parse(&addr, host, 0) &&
         (addr.kind != EPI_ADDR_NAME || !strcmp(addr.name, "localhost"));
}

static int may_ask(const epi__status *status,
                   const epi__http_request *request) {
  const char *host = epi__http_header(request, "Host");

  return status->place.anyone || status->place.path || !host ||
         is_address(host);
}

/* ---- answers ---- */

static void say(epi__http_answer *out, int code, const char *text) {
  out->status = code;
  out->body = text;
  out->len = strlen(text);
}

/* A text that was made, or the error in its place. */
static void give(epi__http_answer *out, int result, char *text,
                 const char *type) {
  if (result) {
    say(out, 500, "out of memory\n");
    return;
  }
  out->made = text;
  out->len = strlen(text);
  out->type = type;
}

static void put_metrics(epi__status *status, const epi__http_request *request,
                        epi__http_answer *out) {
  const char *accept = epi__http_header(request, "Accept");
  int open = accept && strstr(accept, "application/openmetrics-text");
  char *text = NULL;
  int result = epi_engine_metrics(
      status->engine, open ? EPI_METRICS_OPEN : EPI_METRICS_PROMETHEUS, &text);

  give(out, result, text,
       open ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
            : "text/plain; version=0.0.4; charset=utf-8");
}

static void put_ready(epi__status *status, epi__http_answer *out) {
  if (epi__engine_is_ready(status->engine)) {
    say(out, 200, "ready\n");
  } else {
    say(out, 503,
        atomic_load(&status->engine->drains)    ? "not ready: it drains\n"
        : atomic_load(&status->engine->running) ? "not ready: no listener\n"
                                                : "not ready: it starts\n");
  }
}

static void put_page(epi__http_answer *out) {
  out->type = "text/html; charset=utf-8";
  out->policy = status_policy;
  out->body = (const char *)status_page;
  out->len = sizeof status_page;
}

/* Returns the number, or -1. */
static int64_t read_number(const char *text) {
  int64_t number = 0;

  for (; *text; text++) {
    if (*text < '0' || *text > '9' || number > INT64_MAX / 10 - 1) {
      return -1;
    }
    number = number * 10 + (*text - '0');
  }
  return number;
}

static void put_flows(epi__status *status, const epi__http_request *request,
                      epi__http_answer *out) {
  const char *from = epi__http_argument(request, "from");
  int64_t number = from && *from ? read_number(from) : from ? -1 : 0;
  char *text = NULL;
  int result;

  if (number < 0) {
    say(out, 400, "from is the number of a flow\n");
    return;
  }
  result = epi__flows_list(status->engine, NULL, number, FLOWS, WAIT_MS, &text);
  give(out, result, text, "application/json");
}

typedef int make(epi_engine *engine, char **out);

static void put_json(epi__status *status, epi__http_answer *out, make *made) {
  char *text = NULL;
  int result = made(status->engine, &text);

  give(out, result, text, "application/json");
}

static void answer(const epi__http_request *request, epi__http_answer *out,
                   void *user) {
  const char *path = epi__http_path(request);
  epi__status *status = user;

  if (!may_ask(status, request)) {
    say(out, 403, "ask for an address, not for a name\n");
  } else if (!strcmp(path, "/")) {
    put_page(out);
  } else if (!strcmp(path, "/status.json")) {
    put_json(status, out, epi__status_json);
  } else if (!strcmp(path, "/flows.json")) {
    put_flows(status, request, out);
  } else if (!strcmp(path, "/areas.json")) {
    put_json(status, out, epi__status_areas);
  } else if (!strcmp(path, "/metrics")) {
    put_metrics(status, request, out);
  } else if (!strcmp(path, "/health/live")) {
    say(out, 200, "live\n");
  } else if (!strcmp(path, "/health/ready")) {
    put_ready(status, out);
  } else {
    say(out, 404, "there are /, /metrics, /health/live and /health/ready\n");
  }
}

/* ---- its life ---- */

static void free_status(epi__status *status) {
  epi__http_stop(status->http);
  epi__status_unlisten(&status->place);
  epi__free(status);
}

/* Without the lock: what is being answered may wait for it. */
void epi__status_stop(epi_engine *engine) {
  epi__status *status;

  pthread_mutex_lock(&engine->calls);
  status = engine->status;
  engine->status = NULL;
  pthread_mutex_unlock(&engine->calls);
  if (status) {
    free_status(status);
  }
}

int epi__status_socket(const epi_engine *engine) {
  const epi__status *status = engine->status;

  return status && !status->place.path ? status->fd : -1;
}

/* Returns as epi__http_start(), which has the socket then. */
static int answer_from_now_on(epi__status *status) {
  int result = epi__http_start(&status->http, status->fd, answer, status);

  status->place.fd = -1;
  if (result) {
    status->fd = -1;
  }
  return result;
}

static int serve(epi_engine *engine, const char *url) {
  epi__status *status;
  int result;

  if (engine->status || atomic_load(&engine->stopping)) {
    return epi__fail(EPI_ESTATE, engine->status ? "status is served already"
                                                : "the engine was stopped");
  }
  if (epi__http_is_there()) {
    return EPI_ENOTSUP;
  }
  status = epi__alloc(sizeof *status);
  if (!status) {
    return EPI_ENOMEM;
  }
  status->engine = engine;
  epi__process_prepare();
  result = epi__status_listen(&status->place, engine, url);
  status->fd = status->place.fd;
  if (!result && atomic_load(&engine->running)) {
    result = answer_from_now_on(status);
  }
  if (result) {
    free_status(status);
    return result;
  }
  engine->status = status;
  return 0;
}

int epi__status_start(epi_engine *engine) {
  return engine->status ? answer_from_now_on(engine->status) : 0;
}

int epi_engine_serve_status(epi_engine *engine, const char *url) {
  int result;

  if (!url) {
    epi__status_stop(engine);
    return 0;
  }
  pthread_mutex_lock(&engine->calls);
  result = serve(engine, url);
  pthread_mutex_unlock(&engine->calls);
  return result;
}

int epi_engine_status_addr(const epi_engine *engine, epi_addr *out) {
  int result = 0;

  pthread_mutex_lock(&engine->self->calls);
  if (engine->status && !engine->status->place.path) {
    *out = engine->status->place.addr;
  } else {
    result = epi__fail(EPI_ENOENT, "status is not served at an address");
  }
  pthread_mutex_unlock(&engine->self->calls);
  return result;
}
