/* file_replace.c: has a file changed, and putting another one in its place. */
#include "os/file_replace.h"

#include "base/fail.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

int epi__file_changed(const char *path, epi__file_stamp *seen) {
  epi__file_stamp now = {0}; /* no padding: it is compared as bytes */
  struct stat info;

  /* To open a pipe for reading may take for ever. */
  if (stat(path, &info) || !(S_ISREG(info.st_mode) || S_ISDIR(info.st_mode))) {
    return 0;
  }
  now.device = (uint64_t)info.st_dev;
  now.inode = (uint64_t)info.st_ino;
  now.size = (uint64_t)info.st_size;
  now.changed_s = info.st_ctim.tv_sec;
  now.changed_ns = info.st_ctim.tv_nsec;
  now.written_s = info.st_mtim.tv_sec;
  now.written_ns = info.st_mtim.tv_nsec;
  if (!memcmp(&now, seen, sizeof now)) {
    return 0;
  }
  *seen = now;
  return 1;
}

static int failed(const char *what, const char *path) {
  int why = errno;

  return epi__fail(why == ENOENT                   ? EPI_ENOENT
                   : why == EACCES || why == EPERM ? EPI_EPERM
                                                   : EPI_ESYS,
                   "cannot %s %s: %s", what, path, strerror(why));
}

/* Where the file really is: itself, if there is none yet. */
static int find_target(const char *path, char target[PATH_MAX]) {
  if (realpath(path, target)) {
    return 0;
  }
  if (errno != ENOENT || strlen(path) >= PATH_MAX) {
    return failed("open", path);
  }
  memcpy(target, path, strlen(path) + 1);
  return 0;
}

static int open_folder(const char *path, char folder[PATH_MAX]) {
  char copy[PATH_MAX];

  memcpy(copy, path, strlen(path) + 1);
  snprintf(folder, PATH_MAX, "%s", dirname(copy));
  return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int epi__file_reserve(const char *path) {
  char target[PATH_MAX], folder[PATH_MAX];
  int fd, result = find_target(path, target);

  if (result) {
    return result;
  }
  fd = open_folder(target, folder);
  if (fd < 0) {
    return failed("open", folder);
  }
  while (flock(fd, LOCK_EX)) {
    if (errno != EINTR) {
      result = failed("lock", folder);
      close(fd);
      return result;
    }
  }
  return fd;
}

static int write_all(int fd, const char *data, size_t len) {
  while (len) {
    ssize_t sent = write(fd, data, len);

    if (sent < 0 && errno != EINTR) {
      return -1;
    }
    data += sent > 0 ? sent : 0;
    len -= sent > 0 ? (size_t)sent : 0;
  }
  return fsync(fd);
}

/* As the file that it replaces; its group may be one that we cannot give. */
static int take_after(int fd, const char *target) {
  struct stat info;

  if (stat(target, &info)) {
    return errno == ENOENT ? fchmod(fd, S_IRUSR | S_IWUSR) : -1;
  }
  if (fchown(fd, info.st_uid, info.st_gid) && errno != EPERM) {
    return -1;
  }
  return fchmod(fd, info.st_mode & 07777);
}

int epi__file_replace(const char *path, const void *data, size_t len) {
  char target[PATH_MAX], folder[PATH_MAX], name[PATH_MAX];
  int fd, at, result = find_target(path, target);

  if (result) {
    return result;
  }
  at = open_folder(target, folder);
  if (snprintf(name, sizeof name, "%s.XXXXXX", target) >= (int)sizeof name) {
    result = epi__fail(EPI_ESYS, "the name %s is too long", target);
  }
  fd = at < 0 || result ? -1 : mkostemp(name, O_CLOEXEC);
  if (fd < 0) {
    result = result ? result : failed("write into", folder);
  } else if (take_after(fd, target) || write_all(fd, data, len) ||
             rename(name, target)) {
    result = failed("replace", target);
    unlink(name);
  } else {
    fsync(at); /* the old name for the new file, for good */
  }
  if (fd >= 0) {
    close(fd);
  }
  if (at >= 0) {
    close(at);
  }
  return result;
}
