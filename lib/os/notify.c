/* notify.c: a word to the service manager, as sd_notify(3) has it: a datagram
 * to the Unix socket that it named in the environment. */
#include "os/os.h"

#include "base/fail.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Returns the length, or 0 if it is no such name. */
static socklen_t set_name(struct sockaddr_un *out, const char *path) {
  size_t len = strlen(path);

  if ((path[0] != '/' && path[0] != '@') || !path[1] ||
      len >= sizeof out->sun_path) {
    return 0;
  }
  memset(out, 0, sizeof *out);
  out->sun_family = AF_UNIX;
  memcpy(out->sun_path, path, len);
  if (path[0] == '@') { /* a name that is no file's */
    out->sun_path[0] = '\0';
  }
  return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len +
                     (path[0] == '/'));
}

int epi__notify(const char *text) {
  const char *path = getenv("NOTIFY_SOCKET");
  struct sockaddr_un name;
  socklen_t len;
  int fd, why;

  if (!path || !*path) {
    return 0;
  }
  len = set_name(&name, path);
  if (!len) {
    return epi__fail(EPI_ESYS, "NOTIFY_SOCKET names no Unix socket: %s", path);
  }
  fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  why = fd < 0 || sendto(fd, text, strlen(text), MSG_NOSIGNAL,
                         (const struct sockaddr *)&name, len) < 0
            ? errno
            : 0;
  if (fd >= 0) {
    close(fd);
  }
  return why ? epi__fail(EPI_ESYS, "cannot tell the service manager at %s: %s",
                         path, strerror(why))
             : 1;
}
