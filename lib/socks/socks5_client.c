/* socks5_client.c: a SOCKS 5 handshake, seen from the client. Each message
 * waits for the answer to the one before it: there are servers that hang when
 * they come together. */
#include "socks/session_state.h"

#include "base/fail.h"

static ptrdiff_t reply_step(epi_session *session, const void *data,
                            size_t len) {
  ptrdiff_t n = epi__socks5_reply_read(&session->result, data, len);

  return epi__session_take_result(session, n);
}

static int send_request(epi_session *session) {
  uint8_t message[4 + 1 + EPI_NAME_MAX + 2];
  epi__writer out = epi__writer_over(message, sizeof message);
  int error = epi__socks5_request_write(&out, &session->request);

  if (!error) {
    error = epi__session_send(session, message, out.used);
  }
  if (!error) {
    epi__session_read(session, reply_step);
  }
  return error;
}

static ptrdiff_t login_reply_step(epi_session *session, const void *data,
                                  size_t len) {
  unsigned status;
  ptrdiff_t n = epi__login_reply_read(&status, data, len);

  if (n <= 0) {
    return n;
  }
  if (status) {
    epi__session_refuse(session, EPI_EAUTH);
    return epi__fail(EPI_EAUTH, "the server refused the login, status %u",
                     status);
  }
  return send_request(session) ? EPI_ENOMEM : n;
}

static int send_login(epi_session *session) {
  uint8_t message[3 + 2 * EPI_LOGIN_MAX];
  epi__writer out = epi__writer_over(message, sizeof message);
  int error;

  epi__login_write(&out, &session->request.login);
  error = epi__session_send(session, message, out.used);
  epi_wipe(message, sizeof message);
  if (!error) {
    epi__session_read(session, login_reply_step);
  }
  return error;
}

static ptrdiff_t method_step(epi_session *session, const void *data,
                             size_t len) {
  unsigned method;
  ptrdiff_t n = epi__socks5_method_read(&method, data, len);

  if (n <= 0) {
    return n;
  }
  if (method == EPI__METHOD_REFUSED) {
    epi__session_refuse(session, EPI_EAUTH);
    return epi__fail(EPI_EAUTH, "the server takes none of the methods");
  }
  if (method == EPI__METHOD_NONE) {
    return send_request(session) ? EPI_ENOMEM : n;
  }
  if (method == EPI__METHOD_LOGIN && epi_request_user(&session->request)) {
    return send_login(session) ? EPI_ENOMEM : n;
  }
  return epi__fail(EPI_EPROTO, "the server selected method %u, not offered",
                   method);
}

int epi__socks5_client_start(epi_session *session) {
  int with_login = epi_request_user(&session->request) != NULL;
  epi__writer counter = epi__writer_over(NULL, 0);
  uint8_t message[4];
  epi__writer out = epi__writer_over(message, sizeof message);
  int error = epi__socks5_request_write(&counter, &session->request);

  if (error) { /* said now, not in the middle of the handshake */
    return error;
  }
  epi__socks5_greeting_write(&out, with_login);
  epi__session_read(session, method_step);
  return epi__session_send(session, message, out.used);
}
