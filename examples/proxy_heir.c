/* proxy_heir.c: how an heir is started, by this process or for it.
 *
 * A process in a sandbox runs no programs, and has no rights that a new one
 * could bind ports and read keys with. So a small process is forked before: it
 * keeps the rights, has no connection to anybody else, and does one thing. What
 * it is asked for by is descriptors alone: the program, its arguments and its
 * environment are those of the start. */
#include "proxy_heir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
  FIRST_FD = 3,     /* as sd_listen_fds(3) has it */
  CANNOT_RUN = 127, /* the shell's */
  AT_ONCE = 200,    /* descriptors in a message; the kernel takes 253 */
};

/* What a message is about: descriptors of an heir, of which so many come; or
 * none, and the last one is to end. */
typedef struct order {
  int32_t count;
} order;

/* ---- starting ---- */

/* What a process does between fork and exec may not take locks, which other
 * threads might have held: so no snprintf(). */
static void put_pid(char *out, pid_t pid) {
  char digits[16];
  size_t count = 0;

  for (; pid; pid /= 10) {
    digits[count++] = (char)('0' + pid % 10);
  }
  while (count) {
    *out++ = digits[--count];
  }
  *out = '\0';
}

/* Descriptors that are in the way of others are moved out of it first. */
static void become(heir *next) {
  static const char cannot[] = "epi-proxy: cannot run the new program\n";

  for (int i = 0; i < next->count; i++) {
    next->fds[i] = fcntl(next->fds[i], F_DUPFD_CLOEXEC, FIRST_FD + next->count);
  }
  for (int i = 0; i < next->count; i++) {
    if (next->fds[i] < 0 || dup2(next->fds[i], FIRST_FD + i) < 0) {
      _exit(CANNOT_RUN);
    }
  }
  put_pid(next->pid + strlen(next->pid), getpid());
  sigprocmask(SIG_SETMASK, &next->mask, NULL);
  execvpe(next->argv[0], next->argv, next->envp);
  if (write(STDERR_FILENO, cannot, sizeof cannot - 1) > 0) {
    _exit(CANNOT_RUN);
  }
  _exit(EXIT_FAILURE);
}

static void set_variables(heir *next) {
  char **more = next->envp + next->variables;
  int sockets = next->count - 1;

  strcpy(next->pid, "LISTEN_PID=");
  snprintf(next->sockets, sizeof next->sockets, "LISTEN_FDS=%d", sockets);
  snprintf(next->ready, sizeof next->ready, "EPI_READY_FD=%d",
           FIRST_FD + sockets);
  more[0] = next->pid;
  more[1] = next->sockets;
  more[2] = next->ready;
}

pid_t heir_start(heir *next) {
  pid_t pid;

  set_variables(next);
  pid = fork();
  if (!pid) {
    become(next);
  }
  return pid;
}

/* ---- by another process ---- */

/* Room for a message's descriptors, aligned as its header has to be. */
typedef union control {
  struct cmsghdr header;
  char bytes[CMSG_SPACE(AT_ONCE * sizeof(int))];
} control;

static ssize_t send_some(int fd, const order *what, const int *fds, int count) {
  struct iovec data = {(void *)(uintptr_t)what, sizeof *what};
  control room = {.bytes = {0}};
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
  size_t bytes = (size_t)count * sizeof *fds;

  if (count) {
    message.msg_control = room.bytes;
    message.msg_controllen = CMSG_SPACE(bytes);
    room.header.cmsg_level = SOL_SOCKET;
    room.header.cmsg_type = SCM_RIGHTS;
    room.header.cmsg_len = CMSG_LEN(bytes);
    memcpy(CMSG_DATA(&room.header), fds, bytes);
  }
  return sendmsg(fd, &message, MSG_NOSIGNAL);
}

/* Take a message, and its descriptors behind those that are there. Returns its
 * size; 0 at the end, or for what is no order. */
static ssize_t receive(int fd, order *what, heir *next) {
  struct iovec data = {what, sizeof *what};
  control room;
  struct msghdr message = {.msg_iov = &data,
                           .msg_iovlen = 1,
                           .msg_control = room.bytes,
                           .msg_controllen = sizeof room.bytes};
  ssize_t got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
  struct cmsghdr *header = got > 0 ? CMSG_FIRSTHDR(&message) : NULL;
  size_t count;

  if (got != (ssize_t)sizeof *what) {
    return 0;
  }
  if (header && header->cmsg_type == SCM_RIGHTS) {
    count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    if (count > (size_t)(HEIR_SOCKETS_MAX + 1 - next->count)) {
      return 0;
    }
    memcpy(next->fds + next->count, CMSG_DATA(header), count * sizeof(int));
    next->count += (int)count;
  }
  return got;
}

static void close_all(heir *next) {
  for (int i = 0; i < next->count; i++) {
    close(next->fds[i]);
  }
  next->count = 0;
}

static void end(pid_t pid) {
  if (pid > 0) {
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
  }
}

static int32_t start(heir *next) {
  pid_t pid = heir_start(next);
  int32_t answer = pid < 0 ? -errno : (int32_t)pid;

  close_all(next);
  return answer;
}

/* Until the other process ends. */
static void serve(int fd, heir *next) {
  pid_t last = 0;
  int32_t answer;
  order what;

  next->count = 0;
  while (receive(fd, &what, next)) {
    if (last && waitpid(last, NULL, WNOHANG) == last) {
      last = 0;
    }
    if (what.count && next->count < what.count) {
      continue; /* more of them come */
    }
    if (what.count) {
      answer = start(next);
      last = answer > 0 ? answer : 0;
    } else {
      end(last);
      answer = last = 0;
    }
    if (send(fd, &answer, sizeof answer, MSG_NOSIGNAL) < 0) {
      break;
    }
  }
}

/* What the proxy wipes of its arguments, passwords, would go on to be seen in
 * those of this process; and in its memory by others of the same user. */
static void hide(char **own) {
  for (size_t i = 1; own && own[0] && own[i]; i++) {
    memset(own[i], '\0', strlen(own[i]));
  }
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* It must keep no socket open that the other one closes, and no signal that is
 * meant for all processes of the program ends it before that. */
static void serve_alone(int fd, heir *next) {
  sigset_t all;

  sigprocmask(SIG_SETMASK, NULL, &next->mask);
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  prctl(PR_SET_NAME, "epi-proxy-heir", 0, 0, 0);
  hide(next->own);
  if (fd != FIRST_FD) {
    dup3(fd, FIRST_FD, O_CLOEXEC);
  }
  close_range(FIRST_FD + 1, ~0U, 0);
  serve(FIRST_FD, next);
  _exit(0);
}

int heir_maker_start(heir_maker *out, const heir *next) {
  static heir copy; /* of the child's */
  int ends[2];
  pid_t pid;

  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends)) {
    return -1;
  }
  pid = fork();
  if (!pid) {
    copy = *next;
    serve_alone(ends[1], &copy);
  }
  close(ends[1]);
  if (pid < 0) {
    close(ends[0]);
    return -1;
  }
  *out = (heir_maker){ends[0], pid};
  return 0;
}

static int32_t await(const heir_maker *maker) {
  int32_t answer;

  if (recv(maker->fd, &answer, sizeof answer, 0) != sizeof answer) {
    errno = EPIPE;
    return -1;
  }
  errno = answer < 0 ? -answer : 0;
  return answer < 0 ? -1 : answer;
}

pid_t heir_maker_ask(const heir_maker *maker, const heir *next) {
  order what = {next->count};

  for (int at = 0; at < next->count; at += AT_ONCE) {
    int left = next->count - at;

    if (send_some(maker->fd, &what, next->fds + at,
                  left < AT_ONCE ? left : AT_ONCE) < 0) {
      return -1;
    }
  }
  return (pid_t)await(maker);
}

void heir_maker_kill(const heir_maker *maker) {
  order what = {0};

  if (send_some(maker->fd, &what, NULL, 0) > 0) {
    await(maker);
  }
}

void heir_maker_end(heir_maker *maker) {
  if (maker->fd >= 0) {
    close(maker->fd);
    maker->fd = -1;
    waitpid(maker->pid, NULL, 0);
  }
}
