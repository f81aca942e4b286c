/* leg.c: bytes in and out of a flow's connections. */
#include "engine/flow.h"

#include "engine/leg_tls.h"
#include "os/os.h"

ptrdiff_t epi__leg_read(epi__leg *leg, void *buf, size_t size) {
  return leg->tls ? epi__leg_tls_read(leg, buf, size)
                  : epi__sock_read(leg->fd, buf, size);
}

/* The first write goes out at once in any case, and is the only one of many a
 * short flow: what lets later ones do so can wait for the second. */
static void count_write(epi__leg *leg) {
  if (leg->writes == 1) {
    epi__sock_hurry(leg->fd);
  }
  leg->writes += leg->writes < 2;
}

ptrdiff_t epi__leg_write(epi__leg *leg, const void *data, size_t len) {
  if (leg->tls) {
    return epi__leg_tls_write(leg, data, len);
  }
  count_write(leg);
  return epi__sock_write(leg->fd, data, len);
}

/* What failed after a part went out is found out by the next write. */
static ptrdiff_t add(ptrdiff_t sent, ptrdiff_t more) {
  return more < 0 ? sent : sent + more;
}

ptrdiff_t epi__leg_write_two(epi__leg *leg, const void *first, size_t first_len,
                             const void *second, size_t second_len) {
  ptrdiff_t sent;

  if (leg->tls) {
    sent = epi__leg_tls_write(leg, first, first_len);
    return sent < (ptrdiff_t)first_len
               ? sent
               : add(sent, epi__leg_tls_write(leg, second, second_len));
  }
  count_write(leg);
  return epi__sock_write_two(leg->fd, first, first_len, second, second_len);
}

ptrdiff_t epi__leg_fill(epi__leg *leg, epi__tube *tube, size_t max) {
  return epi__tube_fill(tube, leg->fd, max);
}

ptrdiff_t epi__leg_drain(epi__leg *leg, epi__tube *tube) {
  count_write(leg);
  return epi__tube_drain(tube, leg->fd);
}

void epi__leg_watch(epi__leg *leg, int events,
                    void (*callback)(epi__io *io, int events)) {
  if (leg->tls) {
    epi__leg_tls_watch(leg, events, callback);
    return;
  }
  /* The end of data goes on to be reported, and to be spared that takes a
   * system call, as taking a closed connection out takes none. Most are closed
   * within the round that would report it again. */
  if (!events && leg->eof && !leg->spared && leg->io.events == EPI__READ) {
    leg->spared = 1;
    return;
  }
  epi__io_set(leg->flow->worker->loop, &leg->io, leg->fd, events, callback);
}

void epi__leg_end(epi__leg *leg) {
  if (!leg->shut) {
    leg->shut = 1;
    if (leg->tls) {
      epi__leg_tls_end(leg);
    } else {
      epi__sock_end(leg->fd);
    }
  }
}

void epi__leg_close(epi__leg *leg, int reset) {
  epi__io_stop(leg->flow->worker->loop, &leg->io);
  if (leg->tls) {
    epi__leg_tls_close(leg, reset);
  }
  epi__sock_close(leg->fd, reset);
  leg->fd = -1;
  leg->spared = 0;
  leg->writes = 0;
}
