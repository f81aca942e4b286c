/* leg_tls.c: bytes in and out of connections that speak TLS.
 *
 * What a session has taken is as good as sent for the flow; the leg sees to it
 * that it goes out, and ends the connection behind it. What it has decrypted is
 * read when the flow wants to read, and a timer calls then, for the socket has
 * nothing to tell. */
#include "engine/leg_tls.h"

#include "base/fail.h"
#include "base/memory.h"
#include "engine/flow.h"
#include "engine/tls_sock.h"
#include "os/os.h"

#include <stddef.h>

int epi__leg_secure(epi__leg *leg, epi__tls *session) {
  epi__leg_tls *tls = epi__alloc(sizeof *tls);

  if (!tls) {
    epi__tls_free(session);
    return EPI_ENOMEM;
  }
  epi__leg_secure_free(leg);
  tls->session = session;
  tls->leg = leg;
  leg->tls = tls;
  epi__sock_hurry(leg->fd); /* a handshake goes back and forth */
  return 0;
}

void epi__leg_secure_free(epi__leg *leg) {
  if (leg->tls) {
    epi__timer_stop(leg->flow->worker->loop, &leg->tls->timer);
    epi__tls_free(leg->tls->session);
    epi__free(leg->tls);
    leg->tls = NULL;
  }
}

static void count_shaken(const epi__leg *leg, int result) {
  epi_flow *flow = leg->flow;
  epi__meter *meter = flow->worker->meter;
  int client = leg == &flow->legs[EPI_FORWARD];

  if (result < 0) {
    /* Who left without a word is no failure. */
    epi__meter_more(&meter->tls[EPI__METER_TLS_FAILED][client],
                    leg->tls->heard);
    return;
  }
  epi__meter_more(&meter->tls[EPI__METER_TLS_DONE][client], 1);
  epi__meter_more(&meter->tls[EPI__METER_TLS_RESUMED][client],
                  epi__tls_is_resumed(leg->tls->session));
}

int epi__leg_shake(epi__leg *leg) {
  epi__leg_tls *tls = leg->tls;
  int result = epi__tls_sock_shake(tls->session, leg->fd, &tls->heard);

  tls->failed |= result < 0;
  if (result) {
    count_shaken(leg, result);
  }
  return result;
}

/* Of a session that failed, whose peer shall get the alert: a close while it
 * still sends could overtake that. */
static ptrdiff_t drop(epi__leg *leg, void *buf, size_t size) {
  ptrdiff_t got = epi__sock_read(leg->fd, buf, size);

  return got > 0 ? EPI_ENOENT : got;
}

ptrdiff_t epi__leg_tls_read(epi__leg *leg, void *buf, size_t size) {
  epi__worker *worker = leg->flow->worker;
  ptrdiff_t got;

  if (leg->tls->failed) {
    return drop(leg, buf, size);
  }
  if (!worker->cipher && !(worker->cipher = epi__alloc(EPI__TLS_READ))) {
    return EPI_ECLOSED;
  }
  got = epi__tls_sock_read(leg->tls->session, leg->fd, buf, size,
                           worker->cipher, EPI__TLS_READ);
  leg->tls->failed = got < 0 && got != EPI_ENOENT;
  return got;
}

ptrdiff_t epi__leg_tls_write(epi__leg *leg, const void *data, size_t len) {
  return epi__tls_sock_write(leg->tls->session, leg->fd, data, len);
}

static void on_pending(epi__timer *timer) {
  epi__leg_tls *tls = EPI__OWNER(timer, epi__leg_tls, timer);

  tls->callback(&tls->leg->io, EPI__READ);
}

size_t epi__leg_held(const epi__leg *leg) {
  return leg->tls ? epi__tls_held(leg->tls->session) : 0;
}

int epi__leg_waits(const epi__leg *leg) {
  return leg->tls && !leg->tls->broken &&
         epi__tls_sock_waits(leg->tls->session);
}

int epi__leg_is_through(epi__leg *leg) {
  if (leg->tls) {
    epi__leg_end(leg);
  }
  return !epi__leg_waits(leg);
}

/* No more will be written, and all of it is out. */
static void end_socket(epi__leg *leg) {
  if (leg->shut && !epi__leg_waits(leg)) {
    epi__sock_end(leg->fd);
  }
}

/* That all is out, or nothing will ever be, the flow may have waited for. That
 * a part is out, is no standstill. */
static int flush(epi__leg *leg) {
  int out = epi__tls_sock_flush(leg->tls->session, leg->fd);

  leg->tls->broken |= out < 0;
  if (out >= 0) {
    leg->flow->moved_at = epi__loop_now(leg->flow->worker->loop);
  }
  if (out > 0) {
    end_socket(leg);
  }
  return out ? EPI__WRITE : 0;
}

static void on_ready(epi__io *io, int events) {
  epi__leg *leg = EPI__OWNER(io, epi__leg, io);
  int pass = events & leg->tls->wanted;

  if (events & EPI__WRITE) {
    pass |= flush(leg);
  }
  leg->tls->callback(io, pass);
}

void epi__leg_tls_watch(epi__leg *leg, int events,
                        void (*callback)(epi__io *io, int events)) {
  epi__loop *loop = leg->flow->worker->loop;
  epi__leg_tls *tls = leg->tls;

  tls->callback = callback;
  tls->wanted = events;
  if (events & EPI__READ && !tls->failed && epi__tls_pending(tls->session)) {
    epi__timer_start(loop, &tls->timer, 0, on_pending);
  } else {
    epi__timer_stop(loop, &tls->timer);
  }
  if (epi__leg_waits(leg)) {
    events |= EPI__WRITE;
  }
  epi__io_set(loop, &leg->io, leg->fd, events, on_ready);
}

void epi__leg_tls_end(epi__leg *leg) {
  epi__tls_end(leg->tls->session);
  epi__tls_sock_flush(leg->tls->session, leg->fd);
  end_socket(leg);
  if (leg->tls->callback && epi__leg_waits(leg)) { /* nobody else may watch */
    epi__leg_tls_watch(leg, leg->tls->wanted, leg->tls->callback);
  }
}

void epi__leg_tls_close(epi__leg *leg, int reset) {
  epi__leg_tls *tls = leg->tls;

  if (!reset && leg->fd >= 0 && !leg->shut && !tls->failed &&
      epi__tls_is_open(tls->session)) {
    epi__tls_end(tls->session);
    epi__tls_sock_flush(tls->session, leg->fd);
  }
  epi__leg_secure_free(leg);
}
