/* record_open.c: the file that lines go to, and no other. */
#include "base/fail.h"
#include "engine/record.h"
#include "os/os.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Opening a pipe that nobody reads would block: O_NONBLOCK, and then it is
 * refused. */
int epi__record_open(int *out, const char *path) {
  struct stat info;
  int fd = open(
      path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
      0600);

  if (fd < 0) {
    int why = errno;
    int result = epi__fail(why == ENOENT   ? EPI_ENOENT
                           : why == EACCES ? EPI_EPERM
                                           : EPI_ESYS,
                           "cannot open %s: %s", path, epi__open_error(path));

    errno = why;
    return result;
  }
  if (fstat(fd, &info) || !(S_ISREG(info.st_mode) || S_ISCHR(info.st_mode))) {
    close(fd);
    errno = EIO;
    return epi__fail(EPI_ESYS, "%s is not a file", path);
  }
  *out = fd;
  return 0;
}

int epi__record_claim(int fd, const char *path, int64_t size) {
  struct stat info;

  if (fstat(fd, &info) ||
      (S_ISREG(info.st_mode) &&
       (flock(fd, LOCK_EX | LOCK_NB) || info.st_size != size))) {
    return epi__fail(EPI_EBUSY, "somebody else writes to %s", path);
  }
  return 0;
}

int epi__record_rename(int fd, const char *from, const char *to) {
  struct stat ours, there;

  if (fstat(fd, &ours) || stat(from, &there) || there.st_ino != ours.st_ino ||
      there.st_dev != ours.st_dev) {
    return 0;
  }
  if (!renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE)) {
    return 0;
  }
  return epi__fail(errno == EEXIST   ? EPI_EBUSY
                   : errno == EACCES ? EPI_EPERM
                                     : EPI_ESYS,
                   "cannot rename %s to %s: %s", from, to, strerror(errno));
}

int epi__record_follow(int *fd, const char *path) {
  struct stat ours, there;
  int other;

  if (fstat(*fd, &ours) ||
      (!stat(path, &there) && there.st_ino == ours.st_ino &&
       there.st_dev == ours.st_dev)) {
    return 0;
  }
  if (epi__record_open(&other, path)) {
    return errno;
  }
  if (flock(other, LOCK_EX | LOCK_NB)) {
    close(other);
    return EBUSY;
  }
  close(*fd);
  *fd = other;
  return 0;
}
