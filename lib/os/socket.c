/* socket.c: TCP sockets of Linux. */
#include "os/os.h"

#include "base/fail.h"
#include "base/net.h"
#include "os/sock_addr.h"

#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum {
  BACKLOG = 4096,
  PROTOCOL_MPTCP = 262, /* IPPROTO_MPTCP, which older headers lack */
};

static int make_socket(const epi_addr *addr, int protocol, int *out) {
  int family = addr->kind == EPI_ADDR_IPV4 ? AF_INET : AF_INET6;
  int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
  int why;

  if (fd < 0) {
    why = errno;
    epi__fail(EPI_ESYS, "no socket: %s", strerror(why));
    errno = why;
    return EPI_ESYS;
  }
  *out = fd;
  return 0;
}

void epi__sock_hurry(int fd) {
  int on = 1;

  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

int epi__sock_listen(const epi_addr *addr, int shared, int *out) {
  epi__addr_buf text;
  epi__sock_addr name;
  socklen_t len = epi__sock_addr_to(&name, addr);
  int on = 1;
  int fd = -1, why;

  if (make_socket(addr, 0, &fd)) {
    return EPI_ESYS;
  }
  epi__sock_hurry(fd);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (shared) {
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  }
  if (addr->kind == EPI_ADDR_IPV6) {
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  }
  if (!bind(fd, &name.any, len) && !listen(fd, BACKLOG)) {
    *out = fd;
    return 0;
  }
  why = errno;
  close(fd);
  return epi__fail(why == EADDRINUSE               ? EPI_EBUSY
                   : why == EACCES || why == EPERM ? EPI_EPERM
                                                   : EPI_ESYS,
                   "cannot listen on %s: %s", epi__addr_text(addr, &text),
                   strerror(why));
}

int epi__sock_accept_fast(int listener, int queue) {
  return setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof queue)
             ? epi__fail(EPI_ESYS, "no TCP Fast Open: %s", strerror(errno))
             : 0;
}

int epi__sock_accept(int listener, int *out, epi_addr *peer) {
  epi__sock_addr name;
  socklen_t len = sizeof name;
  int fd = accept4(listener, &name.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

  if (fd >= 0) {
    if (epi__sock_addr_from(peer, &name)) {
      close(fd);
      return EPI_ESYS;
    }
    *out = fd;
    return 0;
  }
  switch (errno) {
  case EAGAIN:
    return EPI_ENOENT;
  case EINVAL:
    return epi__fail(EPI_ECLOSED, "the socket does not listen any more");
  case EMFILE:
  case ENFILE:
  case ENOBUFS:
  case ENOMEM:
    return epi__fail(EPI_ELIMIT, "cannot accept: %s", strerror(errno));
  default:
    return epi__fail(EPI_ESYS, "cannot accept: %s", strerror(errno));
  }
}

void epi__sock_mark(int fd, uint32_t mark) {
  if (mark) {
    setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark);
  }
}

int epi__sock_new(const epi_addr *addr, uint32_t mark, int multipath,
                  int *out) {
  int fd = -1;

  if (!(multipath && !make_socket(addr, PROTOCOL_MPTCP, &fd)) &&
      make_socket(addr, 0, &fd)) {
    return EPI_ESYS;
  }
  epi__sock_mark(fd, mark);
  *out = fd;
  return 0;
}

static int not_connected(int why) {
  epi__fail(EPI_ESYS, "cannot connect: %s", strerror(why));
  errno = why;
  return EPI_ESYS;
}

int epi__sock_begin(int fd, const epi_addr *addr) {
  epi__sock_addr name;
  socklen_t len = epi__sock_addr_to(&name, addr);

  return !connect(fd, &name.any, len) || errno == EINPROGRESS
             ? 0
             : not_connected(errno);
}

int epi__sock_begin_fast(int fd, const epi_addr *addr, const void *data,
                         size_t len, size_t *sent) {
  epi__sock_addr name;
  socklen_t name_len = epi__sock_addr_to(&name, addr);
  ssize_t taken = sendto(fd, len ? data : "", len, MSG_FASTOPEN | MSG_NOSIGNAL,
                         &name.any, name_len);

  *sent = taken > 0 ? (size_t)taken : 0;
  if (taken >= 0 || errno == EINPROGRESS) {
    return 0;
  }
  /* This kernel, or its administrator, does not do it. */
  return errno == EOPNOTSUPP ? epi__sock_begin(fd, addr) : not_connected(errno);
}

int epi__sock_connect(const epi_addr *addr, uint32_t mark, int *out) {
  int fd = -1, why;

  if (epi__sock_new(addr, mark, 0, &fd)) {
    return EPI_ESYS;
  }
  if (!epi__sock_begin(fd, addr)) {
    *out = fd;
    return 0;
  }
  why = errno;
  close(fd);
  errno = why;
  return EPI_ESYS;
}

int epi__resolve_now(epi_addr *out, const epi_addr *addr) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
  struct addrinfo *found = NULL;
  epi__sock_addr name = {0};
  int why = getaddrinfo(addr->name, NULL, &hints, &found);

  if (why) {
    return epi__fail(EPI_ERESOLVE, "cannot resolve %s: %s", addr->name,
                     gai_strerror(why));
  }
  memcpy(&name, found->ai_addr,
         found->ai_addrlen < sizeof name ? found->ai_addrlen : sizeof name);
  freeaddrinfo(found);
  if (epi__sock_addr_from(out, &name)) {
    return EPI_ERESOLVE;
  }
  out->port = addr->port;
  return 0;
}

int epi__sock_probe(const epi_addr *addr, int64_t timeout_ms) {
  struct pollfd wait = {.events = POLLOUT};
  int why = 0;

  if (epi__sock_connect(addr, 0, &wait.fd)) {
    return EPI_ESYS;
  }
  if (poll(&wait, 1, timeout_ms < INT_MAX ? (int)timeout_ms : INT_MAX) < 1) {
    why = ETIMEDOUT;
  } else {
    why = epi__sock_outcome(wait.fd);
  }
  close(wait.fd);
  return why ? epi__fail(why == ETIMEDOUT ? EPI_ETIMEOUT : EPI_ESYS,
                         "cannot connect: %s", strerror(why))
             : 0;
}

int epi__sock_outcome(int fd) {
  int why = 0;
  socklen_t len = sizeof why;

  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &len)) {
    return errno;
  }
  if (why == EHOSTUNREACH || why == ENETUNREACH) {
    int kept = epi__sock_kept_error(fd);

    why = kept ? kept : why;
  }
  return why;
}

/* The first byte of struct tcp_info. */
static int state_of(int fd) {
  uint8_t state = 0;
  socklen_t len = sizeof state;

  return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &state, &len) ? 0 : state;
}

int epi__sock_is_open(int fd) {
  return state_of(fd) == TCP_ESTABLISHED;
}

int epi__sock_is_through(int fd, const void *data, size_t len, size_t *sent) {
  ssize_t taken = 0;
  int state;

  if (len) {
    taken = send(fd, data, len, MSG_NOSIGNAL);
    *sent = taken > 0 ? (size_t)taken : 0;
    return taken > 0 ? 1 : errno == EAGAIN ? 0 : not_connected(errno);
  }
  state = state_of(fd);
  if (state == TCP_SYN_SENT || state == TCP_ESTABLISHED) {
    return state == TCP_ESTABLISHED;
  }
  state = epi__sock_outcome(fd);
  return state ? not_connected(state) : 0;
}

ptrdiff_t epi__sock_read(int fd, void *buf, size_t size) {
  ssize_t got;

  do {
    got = recv(fd, buf, size, 0);
  } while (got < 0 && errno == EINTR);
  if (got >= 0) {
    return got;
  }
  return errno == EAGAIN
             ? EPI_ENOENT
             : epi__fail(EPI_ECLOSED, "reading: %s", strerror(errno));
}

static ptrdiff_t written(ssize_t sent) {
  if (sent >= 0) {
    return sent;
  }
  return errno == EAGAIN
             ? 0
             : epi__fail(EPI_ECLOSED, "writing: %s", strerror(errno));
}

ptrdiff_t epi__sock_write(int fd, const void *data, size_t len) {
  ssize_t sent;

  do {
    sent = send(fd, data, len, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return written(sent);
}

ptrdiff_t epi__sock_write_two(int fd, const void *first, size_t first_len,
                              const void *second, size_t second_len) {
  struct iovec blocks[2] = {{(void *)(uintptr_t)first, first_len},
                            {(void *)(uintptr_t)second, second_len}};
  struct msghdr message = {.msg_iov = blocks, .msg_iovlen = 2};
  ssize_t sent;

  do {
    sent = sendmsg(fd, &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return written(sent);
}

void epi__sock_end(int fd) {
  shutdown(fd, SHUT_WR);
}

void epi__sock_close(int fd, int reset) {
  if (fd < 0) {
    return;
  }
  if (reset) {
    struct linger now = {1, 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }
  close(fd);
}
