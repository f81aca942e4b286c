/* socket_offer.c: listening for a client's sake. */
#include "os/os.h"

#include "base/fail.h"
#include "base/net.h"
#include "os/sock_addr.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

static int error_of(int why) {
  switch (why) {
  case EADDRINUSE:
    return EPI_EBUSY;
  case EADDRNOTAVAIL:
    return EPI_ENOENT;
  case EACCES:
  case EPERM:
    return EPI_EPERM;
  default:
    return EPI_ESYS;
  }
}

int epi__sock_offer(const epi_addr *addr, const epi__offer *how, int *out) {
  epi__addr_buf text;
  epi__sock_addr name;
  socklen_t len = epi__sock_addr_to(&name, addr);
  int fd = -1, on = 1, why;

  if (epi__sock_new(addr, 0, how->multipath, &fd)) {
    return EPI_ESYS;
  }
  epi__sock_hurry(fd);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (addr->kind == EPI_ADDR_IPV6) {
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  }
  if (how->fastopen) {
    epi__sock_accept_fast(fd, how->backlog);
  }
  if (!bind(fd, &name.any, len) && !listen(fd, how->backlog)) {
    *out = fd;
    return 0;
  }
  why = errno;
  close(fd);
  return epi__fail(error_of(why), "cannot listen on %s: %s",
                   epi__addr_text(addr, &text), strerror(why));
}

int epi__sock_share(int fd, int *copy, int *watch) {
  struct epoll_event event = {.events = EPOLLIN};
  int second = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  int ready = second < 0 ? -1 : epoll_create1(EPOLL_CLOEXEC);
  int result;

  if (ready >= 0 && !epoll_ctl(ready, EPOLL_CTL_ADD, second, &event)) {
    *copy = second;
    *watch = ready;
    return 0;
  }
  result = epi__fail(EPI_ELIMIT, "no descriptor: %s", strerror(errno));
  epi__sock_close(ready, 0);
  epi__sock_close(second, 0);
  return result;
}

void epi__sock_unlisten(int fd) {
  shutdown(fd, SHUT_RDWR);
}

int epi__sock_toward(const epi_addr *host, epi_addr *out) {
  epi__sock_addr name;
  socklen_t len = epi__sock_addr_to(&name, host);
  int fd = socket(name.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  int result = fd < 0 ? EPI_ESYS : 0;

  if (!host->port) { /* connecting a datagram socket sends nothing */
    name.v4.sin_port = htons(9); /* at the same place in both families */
  }
  if (!result && connect(fd, &name.any, len)) {
    result = epi__fail(EPI_ESYS, "no way there: %s", strerror(errno));
  }
  if (!result) {
    result = epi__sock_local(fd, out);
  }
  if (!result) {
    out->port = 0;
  }
  if (fd >= 0) {
    close(fd);
  }
  return result;
}
