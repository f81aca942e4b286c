/* http_absent.c: libepi was built without a library for HTTP. */
#include "base/fail.h"
#include "engine/http.h"
#include "os/os.h"

int epi__http_is_there(void) {
  return epi__fail(EPI_ENOTSUP, "this libepi was built without libmicrohttpd: "
                                "no status by HTTP");
}

int epi__http_start(epi__http **out, int fd,
                    void (*answer)(const epi__http_request *request,
                                   epi__http_answer *out, void *user),
                    void *user) {
  (void)out;
  (void)answer;
  (void)user;
  epi__sock_close(fd, 0);
  return epi__http_is_there();
}

void epi__http_stop(epi__http *http) {
  (void)http;
}

const char *epi__http_path(const epi__http_request *request) {
  (void)request;
  return "";
}

const char *epi__http_argument(const epi__http_request *request,
                               const char *name) {
  (void)request;
  (void)name;
  return NULL;
}

const char *epi__http_header(const epi__http_request *request,
                             const char *name) {
  (void)request;
  (void)name;
  return NULL;
}
