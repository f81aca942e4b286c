/* tls_sock.c: a TLS session on a socket. */
#include "engine/tls_sock.h"

#include "base/fail.h"
#include "os/os.h"

#include <stdio.h>

enum {
  HANDSHAKE_READ = 8 * 1024, /* at once, until there is data */
};

int epi__tls_sock_failed(const epi__tls *session) {
  const char *why = epi__tls_reason(session);
  char copy[400];

  snprintf(copy, sizeof copy, "%s", *why ? why : epi_error_detail());
  return epi__fail(EPI_ECLOSED, "TLS: %s", copy);
}

int epi__tls_sock_waits(const epi__tls *session) {
  const void *data;

  return epi__tls_peek(session, &data) > 0;
}

int epi__tls_sock_flush(epi__tls *session, int fd) {
  const void *data;
  size_t len;

  while ((len = epi__tls_peek(session, &data)) > 0) {
    ptrdiff_t sent = epi__sock_write(fd, data, len);

    if (sent < 0) {
      return (int)sent;
    }
    epi__tls_ack(session, (size_t)sent);
    if ((size_t)sent < len) {
      return 0;
    }
  }
  return 1;
}

/* The reason of a session counts more than that its peer cannot be told. */
static int fail_after_flush(epi__tls *session, int fd, int error) {
  char why[400];

  snprintf(why, sizeof why, "%s", epi_error_detail());
  epi__tls_sock_flush(session, fd);
  return epi__fail(error, "%s", why);
}

int epi__tls_sock_shake(epi__tls *session, int fd, int *heard) {
  uint8_t cipher[HANDSHAKE_READ];
  int result = epi__tls_begin(session);

  while (!result && !epi__tls_is_open(session)) {
    ptrdiff_t got;

    result = epi__tls_sock_flush(session, fd);
    if (result < 0) {
      return result;
    }
    got = epi__sock_read(fd, cipher, sizeof cipher);
    if (got == EPI_ENOENT) {
      return 0;
    }
    if (got < 0) {
      return (int)got;
    }
    *heard |= got > 0;
    result = got ? epi__tls_feed(session, cipher, (size_t)got)
                 : epi__tls_feed_end(session);
  }
  if (result) {
    epi__tls_sock_failed(session);
    return fail_after_flush(session, fd, result);
  }
  result = epi__tls_sock_flush(session, fd);
  return result < 0 ? result : 1;
}

ptrdiff_t epi__tls_sock_read(epi__tls *session, int fd, void *buf, size_t size,
                             uint8_t *cipher, size_t room) {
  size_t most = size > EPI__TLS_READ    ? EPI__TLS_READ
                : size < HANDSHAKE_READ ? HANDSHAKE_READ
                                        : size;
  ptrdiff_t got;

  most = most < room ? most : room;
  if (epi__tls_pending(session)) {
    got = epi__tls_read(session, buf, size);
  } else {
    got = epi__sock_read(fd, cipher, most);
    if (got < 0) {
      return got;
    }
    if (got == 0) {
      epi__tls_feed_end(session);
      got = epi__tls_read(session, buf, size);
    } else {
      got = epi__tls_feed_read(session, cipher, (size_t)got, buf, size);
    }
  }
  if (got < 0 && got != EPI_ENOENT) {
    epi__tls_sock_failed(session);
    return fail_after_flush(session, fd, EPI_ECLOSED);
  }
  /* What came counts, though nothing can be sent any more. */
  return epi__tls_sock_flush(session, fd) < 0 && got == EPI_ENOENT ? EPI_ECLOSED
                                                                   : got;
}

ptrdiff_t epi__tls_sock_write(epi__tls *session, int fd, const void *data,
                              size_t len) {
  const uint8_t *bytes = data;
  size_t taken = 0;

  while (taken < len) {
    ptrdiff_t more = epi__tls_write(session, bytes + taken, len - taken);

    if (more < 0) {
      return epi__tls_sock_failed(session);
    }
    if (more == 0) {
      break;
    }
    taken += (size_t)more;
  }
  return epi__tls_sock_flush(session, fd) < 0 ? EPI_ECLOSED : (ptrdiff_t)taken;
}
