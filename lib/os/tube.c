/* tube.c: bytes from socket to socket by splice(). */
#include "os/tube.h"

#include "base/fail.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum {
  WORTH_IT = 64 * 1024, /* bytes; a user who has too many pipes gets less */
};

/* The system's limit for users without privileges may be lower than size. */
static int set_size(const epi__tube *tube, size_t size) {
  while (size > WORTH_IT && fcntl(tube->ends[0], F_SETPIPE_SZ, (int)size) < 0) {
    size /= 2;
  }
  return fcntl(tube->ends[0], F_GETPIPE_SZ) >= WORTH_IT
             ? 0
             : epi__fail(EPI_ELIMIT, "the system allows no pipe that is large");
}

int epi__tube_new(epi__tube **out, size_t size) {
  epi__tube *tube = epi__alloc(sizeof *tube);
  int result;

  if (!tube) {
    return EPI_ENOMEM;
  }
  if (pipe2(tube->ends, O_NONBLOCK | O_CLOEXEC)) {
    epi__free(tube);
    return epi__fail(EPI_ELIMIT, "no pipe: %s", strerror(errno));
  }
  result = set_size(tube, size);
  if (result) {
    epi__tube_free(tube);
    return result;
  }
  *out = tube;
  return 0;
}

void epi__tube_free(epi__tube *tube) {
  if (tube) {
    close(tube->ends[0]);
    close(tube->ends[1]);
    epi__free(tube);
  }
}

static ssize_t move(int from, int to, size_t len) {
  ssize_t moved;

  do {
    moved =
        splice(from, NULL, to, NULL, len, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
  } while (moved < 0 && errno == EINTR);
  return moved;
}

/* An empty tube is never in the way: EAGAIN speaks of the socket. */
ptrdiff_t epi__tube_fill(epi__tube *tube, int fd, size_t max) {
  ssize_t got = move(fd, tube->ends[1], max);

  if (got >= 0) {
    tube->held += (size_t)got;
    return got;
  }
  switch (errno) {
  case EAGAIN:
    return EPI_ENOENT;
  case EINVAL:
    return epi__fail(EPI_ENOTSUP, "the socket cannot be spliced");
  default:
    return epi__fail(EPI_ECLOSED, "reading: %s", strerror(errno));
  }
}

ptrdiff_t epi__tube_drain(epi__tube *tube, int fd) {
  ssize_t sent = move(tube->ends[0], fd, tube->held);

  if (sent >= 0) {
    tube->held -= (size_t)sent;
    return sent;
  }
  return errno == EAGAIN
             ? 0
             : epi__fail(EPI_ECLOSED, "writing: %s", strerror(errno));
}
