/* tls_explain.c: wolfSSL's errors and the peer's alerts, in words. */
#include "base/fail.h"
#include "base/memory.h"
#include "tls/tls_parts.h"

#include <string.h>
#include <wolfssl/error-ssl.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

enum { FATAL = 2 };

/* Alerts (RFC 8446 section 6.2), and what they are about. */
static const struct alert {
  int number;
  int code;
  const char *text;
} alerts[] = {
    {40, EPI_EPROTO, "nothing in common, or it wants a certificate"},
    {42, EPI_EAUTH, "a bad certificate"},
    {43, EPI_EAUTH, "a certificate of a kind that it does not take"},
    {44, EPI_EAUTH, "our certificate is revoked"},
    {45, EPI_EAUTH, "our certificate expired"},
    {46, EPI_EAUTH, "a certificate that it does not like"},
    {48, EPI_EAUTH, "our certificate is by an authority that it does not know"},
    {49, EPI_EAUTH, "access is denied"},
    {51, EPI_EPROTO, "decryption or a signature failed"},
    {70, EPI_EVERSION, "no version of TLS in common"},
    {71, EPI_EPROTO, "not secure enough for it"},
    {80, EPI_EPROTO, "an error of its own"},
    {112, EPI_EPROTO, "it does not know the name that was asked for"},
    {113, EPI_EAUTH, "a bad staple (OCSP)"},
    {116, EPI_EAUTH, "it requires a certificate"},
    {120, EPI_EPROTO, "no protocol in common (ALPN)"},
};

/* OpenSSL's clients send an alert about a certificate of TLS 1.3 as it is,
 * which wolfSSL does not expect any more. Returns its number, or -1. */
static int plain_alert(const epi__tls *session) {
  static const uint8_t header[EPI__TLS_HEADER] = {21, 3, 3, 0, 2};
  const uint8_t *body;
  size_t len = epi__queue_peek(&session->in, &body);

  if (!len) {
    body = session->lent;
    len = session->lent_len;
  }
  return !session->open && len >= 2 && body[0] == FATAL &&
                 !memcmp(session->header, header, sizeof header)
             ? body[1]
             : -1;
}

/* Returns 0 if the peer sent no fatal alert. */
static int explain_alert(const epi__tls *session, int code) {
  WOLFSSL_ALERT_HISTORY history = {{-1, -1}, {-1, -1}};
  int number;
  size_t i;

  wolfSSL_get_alert_history(session->ssl, &history);
  number = history.last_rx.level == FATAL ? history.last_rx.code : -1;
  if (number < 0 && code == PARSE_ERROR) {
    number = plain_alert(session);
  }
  if (number < 0) {
    return 0;
  }
  for (i = 0; i < sizeof alerts / sizeof *alerts; i++) {
    if (alerts[i].number == number) {
      return epi__fail(alerts[i].code, "the peer refuses TLS: %s (alert %d)",
                       alerts[i].text, number);
    }
  }
  return epi__fail(EPI_EPROTO, "the peer ends TLS: alert %d", number);
}

static int explain_staple(int code) {
  return code == OCSP_CERT_REVOKED
             ? epi__fail(EPI_EAUTH, "the server's certificate is revoked, says "
                                    "its staple (OCSP)")
             : epi__fail(EPI_EAUTH, "the server has no good and current staple "
                                    "(OCSP) for its certificate");
}

int epi__tls_explain(epi__tls *session, int code) {
  int result = explain_alert(session, code);

  if (result) {
    return result;
  }
  switch (code) {
  case MEMORY_E:
  case MEMORY_ERROR:
    return epi__fail(EPI_ENOMEM, "no memory for TLS");
  case VERSION_ERROR:
    return epi__fail(EPI_EVERSION, "no version of TLS in common");
  case NO_PEER_CERT:
    return epi__fail(EPI_EAUTH, "the peer shows no certificate");
  case MATCH_SUITE_ERROR:
  case UNSUPPORTED_SUITE:
  case ECC_CURVETYPE_ERROR:
  case ECC_CURVE_ERROR:
    return epi__fail(EPI_EPROTO, "no cipher or key exchange in common");
  case UNKNOWN_ALPN_PROTOCOL_NAME_E:
    return epi__fail(EPI_EPROTO,
                     "no protocol in common (ALPN): ours is or are %s",
                     session->context->alpn ? session->context->alpn : "none");
  case OCSP_CERT_REVOKED:
  case OCSP_CERT_UNKNOWN:
  case OCSP_LOOKUP_FAIL:
  case OCSP_INVALID_STATUS:
  case BAD_CERTIFICATE_STATUS_ERROR:
    return explain_staple(code);
  case VERIFY_MAC_ERROR:
  case DECRYPT_ERROR:
  case AES_GCM_AUTH_E:
  case MAC_CMP_FAILED_E:
  case VERIFY_FINISHED_ERROR:
    return epi__fail(EPI_ECRYPTO, "TLS data is forged or damaged");
  default:
    return epi__fail(EPI_EPROTO, "the peer broke TLS: %s (wolfSSL %d)",
                     wolfSSL_ERR_reason_error_string((unsigned long)code),
                     code);
  }
}

int epi__tls_failed(const epi__tls *session) {
  return epi__fail(session->failed, "%s", epi__tls_reason(session));
}

int epi__tls_fail(epi__tls *session, int code) {
  session->failed = code;
  if (session->offered && !session->open) {
    epi__tls_spoil(session);
  }
  if (!session->reason) {
    session->reason = epi__strdup(epi_error_detail());
  }
  wolfSSL_ERR_clear_error(); /* its queue is the thread's */
  return epi__tls_failed(session);
}

int epi__tls_fail_with(epi__tls *session, int code) {
  return epi__tls_fail(session, session->why ? session->why
                                             : epi__tls_explain(session, code));
}

const char *epi__tls_reason(const epi__tls *session) {
  return session->reason   ? session->reason
         : session->failed ? epi_strerror(session->failed)
                           : "";
}
