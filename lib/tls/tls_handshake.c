/* tls_handshake.c: from the first bytes of a TLS connection until both sides
 * know whom they talk to, and how. */
#include "base/fail.h"
#include "base/memory.h"
#include "tls/tls_parts.h"

#include <stdio.h>
#include <string.h>

/* The ticket is on its way to its place: it is kept later. */
static int on_ticket(WOLFSSL *ssl, const unsigned char *ticket, int len,
                     void *user) {
  epi__tls *session = user;

  (void)ticket;
  (void)len;
  session->has_ticket = wolfSSL_version(ssl) == TLS1_3_VERSION;
  return 0;
}

static int set_up(epi__tls *session) {
  epi__tls_context *context = session->context;
  WOLFSSL *ssl = session->ssl;
  char *alpn = context->alpn;

  wolfSSL_SetIOReadCtx(ssl, session);
  wolfSSL_SetIOWriteCtx(ssl, session);
  wolfSSL_SetCertCbCtx(ssl, session);
  if (alpn &&
      wolfSSL_UseALPN(ssl, alpn, (unsigned)strlen(alpn),
                      WOLFSSL_ALPN_FAILED_ON_MISMATCH) != WOLFSSL_SUCCESS) {
    return EPI_ENOMEM;
  }
  if (context->server) {
    return 0;
  }
  if (session->host.kind == EPI_ADDR_NAME &&
      wolfSSL_UseSNI(ssl, WOLFSSL_SNI_HOST_NAME, session->host.name,
                     session->host.name_len) != WOLFSSL_SUCCESS) {
    return EPI_ENOMEM;
  }
  wolfSSL_set_SessionTicket_cb(ssl, on_ticket, session); /* TLS 1.3's */
  epi__tls_resume(session);
  return 0;
}

static int start(epi__tls *session) {
  session->ssl = wolfSSL_new(session->own->wolf);
  if (!session->ssl || set_up(session)) {
    epi__fail(EPI_ENOMEM, "no memory for a TLS session");
    return epi__tls_fail(session, EPI_ENOMEM);
  }
  return 0;
}

static int keep_alpn(epi__tls *session) {
  char *name = NULL;
  unsigned short len = 0;

  if (wolfSSL_ALPN_GetProtocol(session->ssl, &name, &len) != WOLFSSL_SUCCESS) {
    return 0;
  }
  session->alpn = epi__strndup(name, len);
  return session->alpn ? 0 : EPI_ENOMEM;
}

/* The handshake is done: hold on to what was agreed, and be sure that the peer
 * was checked, whatever wolfSSL thinks. */
static int opened(epi__tls *session) {
  int wants = !session->context->server ||
              session->context->peer == EPI__TLS_PEER_REQUIRE;

  session->resumed = wolfSSL_session_reused(session->ssl);
  if (wants && !session->checked &&
      !(session->resumed && !session->context->server && session->peer)) {
    epi__fail(EPI_EAUTH, "the peer shows no certificate");
    return epi__tls_fail(session, EPI_EAUTH);
  }
  session->version = wolfSSL_get_version(session->ssl);
  session->cipher = wolfSSL_get_cipher_name(session->ssl);
  if (keep_alpn(session)) {
    return epi__tls_fail(session, EPI_ENOMEM);
  }
  session->open = 1;
  return session->ending ? epi__tls_end(session) : 0;
}

int epi__tls_shake(epi__tls *session) {
  int done, why;

  if (session->open || !session->ssl) {
    return 0;
  }
  done = session->context->server ? wolfSSL_accept(session->ssl)
                                  : wolfSSL_connect(session->ssl);
  if (done == WOLFSSL_SUCCESS) {
    return opened(session);
  }
  why = wolfSSL_get_error(session->ssl, done);
  return why == WOLFSSL_ERROR_WANT_READ || why == WOLFSSL_ERROR_WANT_WRITE
             ? 0
             : epi__tls_fail_with(session, why);
}

int epi__tls_begin(epi__tls *session) {
  if (session->failed) {
    return epi__tls_failed(session);
  }
  if (session->context->server || session->ssl || session->open) {
    return 0;
  }
  if (start(session)) {
    return session->failed;
  }
  return epi__tls_shake(session);
}

/* The certificate whose names fit the one that is asked for; best of all one
 * that has it as it is. */
static const epi__tls_own *choose(const epi__tls_context *context,
                                  const epi_addr *name) {
  const epi__tls_own *best = context->own;
  int how = 0;
  size_t i;

  for (i = 0; name->kind == EPI_ADDR_NAME && i < context->count; i++) {
    int fits = epi__certificate_is_for(context->own[i].certificate, name);

    if (fits > how) {
      how = fits;
      best = &context->own[i];
    }
  }
  return best;
}

int epi__tls_hear(epi__tls *session, const uint8_t *data, size_t len) {
  epi_addr name = {0};
  int result = epi__hello_feed(&session->hello, data, len, &name);

  if (result == EPI_ENOMEM ||
      (!result && epi__queue_append(&session->in, data, len))) {
    return epi__tls_fail(session, EPI_ENOMEM);
  }
  if (result < 0) {
    char why[200];

    snprintf(why, sizeof why, "%s", epi_error_detail());
    epi__fail(EPI_EPROTO, "the client does not begin with TLS: %s", why);
    return epi__tls_fail(session, EPI_EPROTO);
  }
  if (!result) {
    return 0;
  }
  epi__hello_clear(&session->hello);
  session->own = choose(session->context, &name);
  if (name.kind == EPI_ADDR_NAME &&
      epi__tls_host_text(&session->server_name, &name)) {
    return epi__tls_fail(session, EPI_ENOMEM);
  }
  return start(session) ? session->failed : 1;
}
