/* redirector_lock.c: one redirector in a network namespace. */
#include "redirector_lock.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char name[] = "\0epi-redirector"; /* NUL in front: abstract */

static socklen_t set_name(struct sockaddr_un *out) {
  memset(out, 0, sizeof *out);
  out->sun_family = AF_UNIX;
  memcpy(out->sun_path, name, sizeof name - 1);
  return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + sizeof name - 1);
}

static int close_failed(int fd) {
  int saved = errno;

  close(fd);
  errno = saved;
  return -1;
}

int lock_take(void) {
  struct sockaddr_un address;
  socklen_t len = set_name(&address);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

  if (fd < 0) {
    return -1;
  }
  if (bind(fd, (struct sockaddr *)&address, len) || listen(fd, 16)) {
    return close_failed(fd);
  }
  return fd;
}

int lock_find(lock_holder *out) {
  struct sockaddr_un address;
  socklen_t len = set_name(&address);
  struct ucred peer;
  socklen_t peer_len = sizeof peer;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  if (fd < 0) {
    return -1;
  }
  if (connect(fd, (struct sockaddr *)&address, len)) {
    close_failed(fd);
    return errno == ECONNREFUSED ? 0 : -1;
  }
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &peer_len)) {
    return close_failed(fd);
  }
  close(fd);
  out->pid = peer.pid;
  out->uid = peer.uid;
  return 1;
}

int lock_hold(int lock) {
  struct pollfd events[2] = {{.events = POLLIN}, {.events = POLLIN}};
  struct signalfd_siginfo info;
  sigset_t signals;

  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  events[0].fd = signalfd(-1, &signals, SFD_CLOEXEC);
  events[1].fd = lock;
  if (events[0].fd < 0) {
    return -1;
  }
  for (;;) {
    if (poll(events, 2, -1) < 0 && errno != EINTR) {
      return close_failed(events[0].fd);
    }
    if (events[0].revents &&
        read(events[0].fd, &info, sizeof info) == sizeof info) {
      close(events[0].fd);
      return (int)info.ssi_signo;
    }
    if (events[1].revents) { /* to be asked for our pid is all they want */
      int asker = accept4(lock, NULL, NULL, SOCK_CLOEXEC);

      if (asker >= 0) {
        close(asker);
      }
    }
  }
}

int lock_wait(int timeout_ms) {
  enum { STEP_MS = 20 };
  lock_holder holder;

  for (int waited = 0; waited < timeout_ms; waited += STEP_MS) {
    if (!lock_find(&holder)) {
      return 0;
    }
    poll(NULL, 0, STEP_MS);
  }
  return -1;
}
