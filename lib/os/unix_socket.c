/* unix_socket.c: sockets that have a path. */
#include "os/unix_socket.h"

#include "base/fail.h"
#include "os/os.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum {
  BACKLOG = 128,
  LOCK_TRIES = 50,
  LOCK_LOOK_MS = 20,
};

static int path_error(const char *path) {
  int code = errno == ENOENT || errno == ENOTDIR      ? EPI_ENOENT
             : errno == EACCES || errno == EPERM      ? EPI_EPERM
             : errno == EROFS                         ? EPI_EPERM
             : errno == EAGAIN || errno == EADDRINUSE ? EPI_EBUSY
             : errno == EMFILE || errno == ENFILE     ? EPI_ELIMIT
                                                      : EPI_ESYS;

  return epi__fail(code, "%s: %s", path, strerror(errno));
}

static int address_of(struct sockaddr_un *out, const char *path) {
  memset(out, 0, sizeof *out);
  out->sun_family = AF_UNIX;
  if (!*path || strlen(path) >= sizeof out->sun_path) {
    return epi__fail(EPI_EINVAL, "%s: the path of a socket has 1 to %zu bytes",
                     path, sizeof out->sun_path - 1);
  }
  memcpy(out->sun_path, path, strlen(path) + 1);
  return 0;
}

static int new_socket(int flags) {
  return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
}

/* ---- listening ---- */

/* Somebody's file is there. Remove it if it is a socket that nobody listens at:
 * what a process that was killed left behind. */
static int remove_stale(const struct sockaddr_un *at) {
  struct stat info;
  int fd, why;

  if (lstat(at->sun_path, &info)) {
    return errno == ENOENT ? 0 : path_error(at->sun_path);
  }
  if (!S_ISSOCK(info.st_mode)) {
    return epi__fail(EPI_EBUSY, "%s: is there, and is no socket", at->sun_path);
  }
  fd = new_socket(SOCK_NONBLOCK);
  if (fd < 0) {
    return path_error(at->sun_path);
  }
  why = connect(fd, (const struct sockaddr *)at, sizeof *at) ? errno : 0;
  close(fd);
  if (why != ECONNREFUSED) {
    return epi__fail(EPI_EBUSY, "%s: another process listens there",
                     at->sun_path);
  }
  return unlink(at->sun_path) && errno != ENOENT ? path_error(at->sun_path) : 0;
}

/* Look at the socket's own file, whose mode the umask may have lessened. What
 * took its place meanwhile, a link perhaps, is not followed. */
static int find_file(const char *path, struct stat *info) {
  if (lstat(path, info)) {
    return -1;
  }
  if (!S_ISSOCK(info->st_mode)) {
    errno = EADDRINUSE;
    return -1;
  }
  return (info->st_mode & 07777) == 0600 ? 0 : chmod(path, 0600);
}

/* The mode is that of the socket before it has a name, which the umask can only
 * lessen: at no moment can others connect. */
static int bind_private(epi__unix_door *out, const struct sockaddr_un *at) {
  struct stat info;
  int fd = new_socket(SOCK_NONBLOCK);

  if (fd < 0) {
    return path_error(at->sun_path);
  }
  if (fchmod(fd, 0600) || bind(fd, (const struct sockaddr *)at, sizeof *at)) {
    int code = path_error(at->sun_path);

    close(fd);
    return code;
  }
  if (find_file(at->sun_path, &info) || listen(fd, BACKLOG)) {
    int code = path_error(at->sun_path);

    unlink(at->sun_path);
    close(fd);
    return code;
  }
  *out = (epi__unix_door){fd, (uint64_t)info.st_dev, (uint64_t)info.st_ino};
  return 0;
}

/* Two that find the same stale socket at once must not remove each other's: the
 * folder is locked meanwhile. */
static int lock_folder(const char *path) {
  char folder[sizeof(struct sockaddr_un)];
  const char *slash = strrchr(path, '/');
  int fd;

  snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) : 1,
           slash ? path : ".");
  fd = open(*folder ? folder : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    return path_error(path);
  }
  for (int i = 0; i < LOCK_TRIES && flock(fd, LOCK_EX | LOCK_NB); i++) {
    epi__sleep(LOCK_LOOK_MS); /* who holds it for longer has other plans */
  }
  return fd;
}

int epi__unix_listen(epi__unix_door *out, const char *path) {
  struct sockaddr_un at;
  int result = address_of(&at, path);
  int folder;

  if (result) {
    return result;
  }
  folder = lock_folder(path);
  if (folder < 0) {
    return folder;
  }
  result = remove_stale(&at);
  if (!result) {
    result = bind_private(out, &at);
  }
  close(folder);
  return result;
}

void epi__unix_close(epi__unix_door *door, const char *path) {
  struct stat info;

  if (door->fd < 0) {
    return;
  }
  if (!lstat(path, &info) && (uint64_t)info.st_dev == door->device &&
      (uint64_t)info.st_ino == door->inode) {
    unlink(path);
  }
  close(door->fd);
  door->fd = -1;
}

int epi__unix_accept(int listener, int *out, epi__unix_peer *peer) {
  struct ucred who;
  socklen_t len = sizeof who;
  int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

  if (fd < 0) {
    return errno == EAGAIN ? EPI_ENOENT
           : errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
                   errno == ENOMEM
               ? epi__fail(EPI_ELIMIT, "%s", strerror(errno))
               : epi__fail(EPI_ESYS, "%s", strerror(errno));
  }
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len)) {
    close(fd);
    return epi__fail(EPI_ESYS, "%s", strerror(errno));
  }
  *peer = (epi__unix_peer){who.uid, who.pid};
  *out = fd;
  return 0;
}

int epi__unix_is_own(const epi__unix_peer *peer) {
  return !peer->uid || peer->uid == (int64_t)geteuid();
}

/* ---- connecting ---- */

int epi__unix_connect(const char *path, int64_t timeout_ms, int *out) {
  struct timeval time = {timeout_ms / 1000, timeout_ms % 1000 * 1000};
  struct sockaddr_un at;
  int result = address_of(&at, path);
  int fd;

  if (result) {
    return result;
  }
  fd = new_socket(0);
  if (fd < 0) {
    return path_error(path);
  }
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
  if (connect(fd, (const struct sockaddr *)&at, sizeof at)) {
    result =
        errno == ECONNREFUSED
            ? epi__fail(EPI_ESYS, "%s: nobody listens there any more", path)
            : path_error(path);
    close(fd);
    return result;
  }
  *out = fd;
  return 0;
}
