/* http_microhttpd.c: answers by HTTP, by libmicrohttpd. */
#include "base/fail.h"
#include "base/memory.h"
#include "engine/http.h"
#include "os/os.h"

#include <microhttpd.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

enum {
  MOST = 64,       /* connections */
  ROOM = 48,       /* from so many on, the oldest ends when another one comes */
  IDLE_S = 10,     /* a connection without a byte */
  LONG_MS = 30000, /* one that is older makes room for who comes */
  REQUEST_BYTES = 16 * 1024,
};

/* A connection, in the order in which they came. */
typedef struct client {
  struct client *newer, *older;
  int fd;
  int64_t since;
  int ended; /* it was shut, and is about to go */
} client;

struct epi__http {
  struct MHD_Daemon *daemon;
  void (*answer)(const epi__http_request *request, epi__http_answer *out,
                 void *user);
  void *user;
  client *newest, *oldest; /* of the daemon's thread */
  int count;               /* that have not ended */
};

struct epi__http_request {
  struct MHD_Connection *connection;
  const char *path;
};

const char *epi__http_path(const epi__http_request *request) {
  return request->path;
}

const char *epi__http_argument(const epi__http_request *request,
                               const char *name) {
  return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND,
                                     name);
}

const char *epi__http_header(const epi__http_request *request,
                             const char *name) {
  return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND,
                                     name);
}

/* ---- connections ---- */

/* The library sees it end, and closes it. */
static void end(epi__http *http, client *ended) {
  if (!ended->ended) {
    ended->ended = 1;
    http->count--;
    shutdown(ended->fd, SHUT_RDWR);
  }
}

/* Whoever comes is let in: who has been there for long goes. */
static void make_room(epi__http *http, int64_t now) {
  for (client *one = http->oldest; one; one = one->newer) {
    if (http->count >= ROOM || now - one->since > LONG_MS) {
      end(http, one);
    }
  }
}

static void arrive(epi__http *http, struct MHD_Connection *connection,
                   void **context) {
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  client *made = info ? epi__alloc(sizeof *made) : NULL;
  int64_t now = epi__clock_steady();

  make_room(http, now);
  if (!made) {
    return;
  }
  made->fd = info->connect_fd;
  made->since = now;
  made->older = http->newest;
  *(made->older ? &made->older->newer : &http->oldest) = made;
  http->newest = made;
  http->count++;
  *context = made;
}

static void leave(epi__http *http, client *left) {
  *(left->newer ? &left->newer->older : &http->newest) = left->older;
  *(left->older ? &left->older->newer : &http->oldest) = left->newer;
  http->count -= !left->ended;
  epi__free(left);
}

static void on_connection(void *user, struct MHD_Connection *connection,
                          void **context,
                          enum MHD_ConnectionNotificationCode code) {
  if (code == MHD_CONNECTION_NOTIFY_STARTED) {
    arrive(user, connection, context);
  } else if (*context) {
    leave(user, *context);
    *context = NULL;
  }
}

/* ---- answers ---- */

static struct MHD_Response *body_of(const epi__http_answer *answer) {
  if (answer->made) {
    return MHD_create_response_from_buffer_with_free_callback(
        answer->len, answer->made, epi__free);
  }
  return MHD_create_response_from_buffer(
      answer->len, (void *)(uintptr_t)answer->body, MHD_RESPMEM_PERSISTENT);
}

/* What is answered is of this moment, for this reader, and no page of others
 * may show it or be shown by it. */
static void add_headers(struct MHD_Response *response,
                        const epi__http_answer *answer) {
  static const char *const always[][2] = {
      {"Cache-Control", "no-store"},
      {"X-Content-Type-Options", "nosniff"},
      {"X-Frame-Options", "DENY"},
      {"Referrer-Policy", "no-referrer"},
      {"Cross-Origin-Resource-Policy", "same-origin"},
  };

  for (size_t i = 0; i < sizeof always / sizeof *always; i++) {
    MHD_add_response_header(response, always[i][0], always[i][1]);
  }
  MHD_add_response_header(response, "Content-Security-Policy",
                          answer->policy ? answer->policy
                                         : "default-src 'none'; "
                                           "frame-ancestors 'none'");
  MHD_add_response_header(response, "Content-Type",
                          answer->type ? answer->type
                                       : "text/plain; charset=utf-8");
  if (answer->status == MHD_HTTP_METHOD_NOT_ALLOWED) {
    MHD_add_response_header(response, "Allow", "GET, HEAD");
  }
}

static enum MHD_Result send_answer(struct MHD_Connection *connection,
                                   const epi__http_answer *answer) {
  struct MHD_Response *response = body_of(answer);
  enum MHD_Result result;

  if (!response) {
    epi__free(answer->made);
    return MHD_NO;
  }
  add_headers(response, answer);
  result = MHD_queue_response(connection, (unsigned)answer->status, response);
  MHD_destroy_response(response);
  return result;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, int status,
                              const char *why) {
  epi__http_answer answer = {.status = status, .body = why, .len = strlen(why)};

  return send_answer(connection, &answer);
}

static int has_body(struct MHD_Connection *connection) {
  const char *length = MHD_lookup_connection_value(
      connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);

  return (length && strcmp(length, "0")) ||
         MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
                                     MHD_HTTP_HEADER_TRANSFER_ENCODING);
}

/* It is called when the headers are there, and again when all is. */
static enum MHD_Result on_request(void *user, struct MHD_Connection *connection,
                                  const char *path, const char *method,
                                  const char *version, const char *data,
                                  size_t *len, void **seen) {
  epi__http *http = user;
  epi__http_request request = {connection, path};
  epi__http_answer answer = {.status = MHD_HTTP_OK};

  (void)version;
  (void)data;
  if (strcmp(method, MHD_HTTP_METHOD_GET) &&
      strcmp(method, MHD_HTTP_METHOD_HEAD)) {
    return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED,
                  "this can only be read\n");
  }
  if (*len || has_body(connection)) {
    return refuse(connection, MHD_HTTP_CONTENT_TOO_LARGE,
                  "a request has no body here\n");
  }
  if (!*seen) {
    *seen = http;
    return MHD_YES;
  }
  http->answer(&request, &answer, http->user);
  return send_answer(connection, &answer);
}

/* ---- life ---- */

int epi__http_is_there(void) {
  return 0;
}

/* No path here has anything to decode: what is encoded is another one. */
static size_t leave_encoded(void *user, struct MHD_Connection *connection,
                            char *text) {
  (void)user;
  (void)connection;
  return strlen(text);
}

static struct MHD_Daemon *start_daemon(epi__http *http, int fd) {
  sigset_t all, before;
  struct MHD_Daemon *daemon;

  /* The embedding program's signals are its own: its threads get them. */
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  daemon = MHD_start_daemon(
      MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC, 0, NULL, NULL, on_request,
      http, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
      (unsigned)MOST, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_BYTES,
      MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_UNESCAPE_CALLBACK,
      leave_encoded, NULL, MHD_OPTION_NOTIFY_CONNECTION, on_connection, http,
      MHD_OPTION_END);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return daemon;
}

int epi__http_start(epi__http **out, int fd,
                    void (*answer)(const epi__http_request *request,
                                   epi__http_answer *out, void *user),
                    void *user) {
  epi__http *http = epi__alloc(sizeof *http);

  if (!http) {
    epi__sock_close(fd, 0);
    return EPI_ENOMEM;
  }
  http->answer = answer;
  http->user = user;
  http->daemon = start_daemon(http, fd);
  if (!http->daemon) {
    epi__sock_close(fd, 0);
    epi__free(http);
    return epi__fail(EPI_ESYS, "no thread, or no descriptors, for HTTP");
  }
  *out = http;
  return 0;
}

/* Stopping alone would shut the socket, which an heir may have too. It is
 * closed last: until then the library's thread may be about to accept with it.
 */
void epi__http_stop(epi__http *http) {
  if (http) {
    int fd = MHD_quiesce_daemon(http->daemon);

    MHD_stop_daemon(http->daemon);
    epi__sock_close(fd, 0);
    epi__free(http);
  }
}
