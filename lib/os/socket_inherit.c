/* socket_inherit.c: sockets that another program has made. */
#include "os/os.h"

#include "base/fail.h"
#include "os/sock_addr.h"
#include "os/udp.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* A socket's option that is a number, or -1. */
static int option_of(int fd, int option) {
  int value = -1;
  socklen_t len = sizeof value;

  return getsockopt(fd, SOL_SOCKET, option, &value, &len) ? -1 : value;
}

static int check(int fd, int *datagrams) {
  int domain = option_of(fd, SO_DOMAIN);
  int type = option_of(fd, SO_TYPE);

  if (domain != AF_INET && domain != AF_INET6) {
    return epi__fail(EPI_EINVAL, "descriptor %d is no socket of IP", fd);
  }
  if (type == SOCK_STREAM && option_of(fd, SO_ACCEPTCONN) != 1) {
    return epi__fail(EPI_EINVAL, "the socket of descriptor %d does not listen",
                     fd);
  }
  if (type != SOCK_STREAM && type != SOCK_DGRAM) {
    return epi__fail(EPI_EINVAL,
                     "the socket of descriptor %d is neither TCP nor UDP", fd);
  }
  *datagrams = type == SOCK_DGRAM;
  return 0;
}

int epi__sock_copy(int fd, int *out) {
  int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

  if (copy < 0) {
    return epi__fail(EPI_ELIMIT, "no descriptor: %s", strerror(errno));
  }
  *out = copy;
  return 0;
}

int epi__sock_inherit(int fd, int *datagrams, int *out) {
  int result = check(fd, datagrams);

  if (!result) {
    result = epi__sock_copy(fd, out);
  }
  if (result) {
    return result;
  }
  fcntl(*out, F_SETFL, fcntl(*out, F_GETFL) | O_NONBLOCK);
  if (*datagrams) {
    epi_addr addr;

    if (!epi__sock_local(*out, &addr)) {
      epi__udp_set(*out, &addr, EPI__UDP_LOCAL);
    }
  } else {
    epi__sock_hurry(*out);
  }
  return 0;
}
