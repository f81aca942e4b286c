/* tls_session.c: one connection's TLS: bytes in, bytes out. */
#include "tls/tls_session.h"

#include "base/fail.h"
#include "base/memory.h"
#include "tls/tls_parts.h"

#include <wolfssl/wolfcrypt/ecc.h>

#include <string.h>

int epi__tls_new(epi__tls **out, epi__tls_context *context, const char *peer,
                 unsigned port) {
  epi__tls *session = epi__alloc(sizeof *session);
  int result = 0;

  if (!session) {
    return EPI_ENOMEM;
  }
  session->context = epi__tls_context_hold(context);
  session->own = context->own;
  session->kind = session->version = session->cipher = "";
  if (!context->server) {
    if (!peer ||
        epi_addr_set_name(&session->host, peer, strlen(peer), (uint16_t)port)) {
      result = epi__fail(EPI_EINVAL, "no name of a TLS server to ask for");
    } else {
      result = epi__tls_host_text(&session->server_name, &session->host);
    }
  }
  if (result) {
    epi__tls_free(session);
    return result;
  }
  *out = session;
  return 0;
}

void epi__tls_free(epi__tls *session) {
  if (session) {
    wolfSSL_free(session->ssl);
    epi__hello_clear(&session->hello);
    epi__queue_clear(&session->in, 0);
    epi__queue_clear(&session->out, 0);
    epi__free(session->reason);
    epi__free(session->peer);
    epi__free(session->server_name);
    epi__free(session->alpn);
    epi__tls_context_free(session->context);
    epi__free(session);
  }
}

/* ---- bytes from the peer ---- */

static int is_full(const epi__tls *session, size_t len) {
  const uint8_t *waiting;
  size_t kept = epi__queue_peek(&session->in, &waiting);

  if (len <= EPI__TLS_INPUT && kept <= EPI__TLS_INPUT - len) {
    return 0;
  }
  epi__fail(EPI_ELIMIT, "over %d bytes of TLS wait to be read", EPI__TLS_INPUT);
  return 1;
}

/* What was lent and not used is copied. */
static int give_back(epi__tls *session) {
  const uint8_t *left = session->lent;
  size_t len = session->lent_len;

  session->lent = NULL;
  session->lent_len = 0;
  if (len && !session->failed && epi__queue_append(&session->in, left, len)) {
    return epi__tls_fail(session, EPI_ENOMEM);
  }
  return session->failed;
}

/* Lend bytes until give_back(), and go on with the handshake. */
static int take(epi__tls *session, const void *data, size_t len) {
  if (!session->ssl && !session->open) {
    int result = session->context->server ? epi__tls_hear(session, data, len)
                                          : epi__tls_begin(session);

    if (result < 0 || (session->context->server && !result)) {
      return result;
    }
  }
  session->lent = data;
  session->lent_len = len;
  return epi__tls_shake(session);
}

int epi__tls_feed(epi__tls *session, const void *data, size_t len) {
  int result;

  if (session->failed) {
    return epi__tls_failed(session);
  }
  if (is_full(session, len)) {
    return EPI_ELIMIT;
  }
  result = take(session, data, len);
  if (give_back(session) && !result) {
    result = session->failed;
  }
  return result;
}

int epi__tls_feed_end(epi__tls *session) {
  session->over = 1;
  if (session->failed) {
    return epi__tls_failed(session);
  }
  if (!session->open) {
    epi__fail(EPI_ECLOSED, "the peer went before the TLS handshake was done");
    return epi__tls_fail(session, EPI_ECLOSED);
  }
  return 0;
}

/* ---- plaintext ---- */

/* The session is of no more use once both have said that they are done; its
 * memory goes at once. */
static void forget_ended(epi__tls *session) {
  if (session->ended && session->ending) {
    wolfSSL_free(session->ssl);
    session->ssl = NULL;
    epi__queue_clear(&session->in, 0);
  }
}

/* Decrypt as much as there is. Returns the count; an error is kept for the
 * next call if something came before it. */
static size_t decrypt(epi__tls *session, uint8_t *buf, size_t size) {
  size_t used = 0;

  while (used < size && !session->failed && !session->ended) {
    size_t room = size - used;
    int most = room < INT32_MAX ? (int)room : INT32_MAX;
    int got = wolfSSL_read(session->ssl, buf + used, most), why;

    if (got > 0) {
      used += (size_t)got;
      continue;
    }
    why = wolfSSL_get_error(session->ssl, got);
    if (why == WOLFSSL_ERROR_WANT_READ || why == WOLFSSL_ERROR_WANT_WRITE) {
      break;
    }
    if (why == WOLFSSL_ERROR_ZERO_RETURN) {
      session->ended = 1;
    } else {
      epi__tls_fail_with(session, why);
    }
  }
  if (session->has_ticket && session->ssl && !session->failed) {
    session->has_ticket = 0;
    epi__tls_keep(session);
  }
  return used;
}

ptrdiff_t epi__tls_read(epi__tls *session, void *buf, size_t size) {
  size_t used;

  if (session->failed) {
    return epi__tls_failed(session);
  }
  if (!session->open) {
    return EPI_ENOENT;
  }
  used = decrypt(session, buf, size);
  if (session->failed) {
    return used ? (ptrdiff_t)used : session->failed;
  }
  if (used || !size) {
    return used ? (ptrdiff_t)used : EPI_ENOENT;
  }
  if (session->ended) {
    forget_ended(session);
    return 0;
  }
  if (session->over) {
    epi__fail(EPI_ECLOSED, "the peer's connection ended in the middle of TLS: "
                           "perhaps somebody cut it short");
    return epi__tls_fail(session, EPI_ECLOSED);
  }
  return EPI_ENOENT;
}

ptrdiff_t epi__tls_feed_read(epi__tls *session, const void *data, size_t len,
                             void *buf, size_t size) {
  ptrdiff_t got;

  if (session->failed) {
    return epi__tls_failed(session);
  }
  if (is_full(session, len)) {
    return EPI_ELIMIT;
  }
  got = take(session, data, len);
  if (!got) {
    got = epi__tls_read(session, buf, size);
  }
  return give_back(session) && got <= 0 ? session->failed : got;
}

int epi__tls_pending(const epi__tls *session) {
  const uint8_t *waiting;

  if (session->failed || session->ended || session->over) {
    return 1;
  }
  return session->open && (epi__queue_peek(&session->in, &waiting) ||
                           wolfSSL_pending(session->ssl) > 0);
}

ptrdiff_t epi__tls_write(epi__tls *session, const void *data, size_t len) {
  const uint8_t *waiting;
  size_t queued = epi__queue_peek(&session->out, &waiting), room;
  int taken;

  if (session->failed) {
    return epi__tls_failed(session);
  }
  if (session->ending) {
    return epi__fail(EPI_ECLOSED, "written after the end of TLS");
  }
  if (!session->open || !len || queued >= EPI__TLS_OUTPUT) {
    return 0;
  }
  room = EPI__TLS_OUTPUT - queued;
  taken = wolfSSL_write(session->ssl, data, (int)(len < room ? len : room));
  return taken > 0 ? taken
                   : epi__tls_fail_with(session,
                                        wolfSSL_get_error(session->ssl, taken));
}

size_t epi__tls_peek(const epi__tls *session, const void **data_out) {
  const uint8_t *data = NULL;
  size_t len = epi__queue_peek(&session->out, &data);

  *data_out = data;
  return len;
}

void epi__tls_ack(epi__tls *session, size_t len) {
  epi__queue_ack(&session->out, len);
}

int epi__tls_end(epi__tls *session) {
  int said = session->ending && session->open && !session->ssl;

  if (session->failed) {
    return epi__tls_failed(session);
  }
  if (said || (session->ending == 2)) {
    return 0;
  }
  session->ending = 1;
  if (!session->open) {
    return 0;
  }
  session->ending = 2;
  if (wolfSSL_shutdown(session->ssl) == WOLFSSL_FATAL_ERROR) {
    return epi__tls_fail_with(session, wolfSSL_get_error(session->ssl, 0));
  }
  forget_ended(session);
  return 0;
}

ptrdiff_t epi__tls_write_early(epi__tls *session, const void *data,
                               size_t len) {
  (void)session;
  (void)data;
  (void)len;
  return epi__fail(EPI_ENOTSUP, "early data (TLS 1.3) is not used");
}

void epi__tls_thread_end(void) {
  wolfSSL_ERR_remove_thread_state(NULL);
#if defined(FP_ECC) && defined(HAVE_THREAD_LS)
  wc_ecc_fp_free(); /* its cache of points on curves is the thread's */
#endif
}
