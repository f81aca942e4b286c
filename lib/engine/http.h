/* http.h: answers by HTTP, from a thread of its own. A library is behind it, in
 * http_microhttpd.c only.
 *
 * It is for few who look now and then, and survives those who mean harm:
 * requests are small and have no body, connections are few, and whoever has one
 * for long makes room for who comes. */
#ifndef EPI__HTTP_H
#define EPI__HTTP_H

#include <stddef.h>

typedef struct epi__http epi__http;
typedef struct epi__http_request epi__http_request;

/* What is answered; all zero but the status is an empty answer. */
typedef struct epi__http_answer {
  int status;       /* 200 and so on */
  const char *type; /* of the body; NULL: plain text */
  char *made;       /* the body, which is freed by epi__free(); or NULL */
  const char *body; /* the body, which stays; if nothing was made */
  size_t len;
  const char *policy; /* Content-Security-Policy; NULL: nothing is allowed */
} epi__http_answer;

/* Returns 0, or EPI_ENOTSUP: libepi was built without. */
int epi__http_is_there(void);

/* Answer at a socket that listens, which belongs to this from here on, whatever
 * comes of it. answer is called in a thread of its own, one request at a time,
 * for GET and HEAD. Returns 0, EPI_ENOTSUP: libepi was built without; EPI_ESYS
 * or EPI_ENOMEM. */
int epi__http_start(epi__http **out, int fd,
                    void (*answer)(const epi__http_request *request,
                                   epi__http_answer *out, void *user),
                    void *user);

/* Stop listening, without an end for others who have the socket, and end all
 * connections. NULL is fine. */
void epi__http_stop(epi__http *http);

/* The path, from its first / on, without the query. */
const char *epi__http_path(const epi__http_request *request);

/* A value of the query, or a header, by name; NULL if there is none. */
const char *epi__http_argument(const epi__http_request *request,
                               const char *name);
const char *epi__http_header(const epi__http_request *request,
                             const char *name);

#endif
