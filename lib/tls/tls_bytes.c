/* tls_bytes.c: where wolfSSL gets its bytes from, and puts them. */
#include "base/fail.h"
#include "tls/tls_parts.h"

#include <string.h>

/* wolfSSL asks for a record's header by itself. */
static void note_header(epi__tls *session, const char *data, size_t len) {
  if (len == EPI__TLS_HEADER) {
    memcpy(session->header, data, len);
  }
}

int epi__tls_on_receive(WOLFSSL *ssl, char *buf, int size, void *user) {
  epi__tls *session = user;
  const uint8_t *waiting;
  size_t len = epi__queue_peek(&session->in, &waiting);

  (void)ssl;
  if (len) {
    len = len < (size_t)size ? len : (size_t)size;
    memcpy(buf, waiting, len);
    epi__queue_ack(&session->in, len);
    note_header(session, buf, len);
    return (int)len;
  }
  len = session->lent_len < (size_t)size ? session->lent_len : (size_t)size;
  if (!len) {
    return WOLFSSL_CBIO_ERR_WANT_READ;
  }
  memcpy(buf, session->lent, len);
  session->lent += len;
  session->lent_len -= len;
  note_header(session, buf, len);
  return (int)len;
}

/* A peer could make a session answer and never take the answers. */
int epi__tls_on_send(WOLFSSL *ssl, char *data, int len, void *user) {
  epi__tls *session = user;
  const uint8_t *waiting;

  (void)ssl;
  if (epi__queue_peek(&session->out, &waiting) > 2 * EPI__TLS_OUTPUT) {
    session->why = epi__fail(EPI_ELIMIT, "a TLS peer does not read");
    return WOLFSSL_CBIO_ERR_GENERAL;
  }
  if (epi__queue_append(&session->out, data, (size_t)len)) {
    session->why = EPI_ENOMEM;
    return WOLFSSL_CBIO_ERR_GENERAL;
  }
  return len;
}
