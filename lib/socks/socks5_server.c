/* socks5_server.c: a SOCKS 5 handshake, seen from the server. */
#include "socks/session_state.h"

#include "base/fail.h"

static int send_method(epi_session *session, unsigned method) {
  uint8_t message[2] = {EPI_SOCKS5, (uint8_t)method};

  return epi__session_send(session, message, sizeof message);
}

static int send_refusal(epi_session *session, int code) {
  epi_reply reply = {.code = code, .bound = epi__addr_any()};
  uint8_t message[10];
  epi__writer out = epi__writer_over(message, sizeof message);

  epi__socks5_reply_write(&out, &reply);
  return epi__session_send(session, message, sizeof message);
}

static ptrdiff_t request_step(epi_session *session, const void *data,
                              size_t len) {
  ptrdiff_t n = epi__socks5_request_read(&session->request, data, len);
  int code;

  if (!n) {
    return 0;
  }
  if (n > 0 && epi__session_knows_command(session)) {
    epi__session_ask(session);
    return n;
  }
  code = n > 0 ? EPI_REPLY_NO_COMMAND : epi__socks5_refusal(data, len);
  if (send_refusal(session, code)) {
    return EPI_ENOMEM;
  }
  if (n > 0) {
    n = epi__fail(EPI_EPROTO, "request has command %d",
                  session->request.command);
  }
  return code == EPI_REPLY_FAILURE ? n : epi__session_refuse(session, (int)n);
}

static ptrdiff_t login_step(epi_session *session, const void *data,
                            size_t len) {
  epi__login unchecked = {0};
  epi__login *login =
      session->needs_login ? &session->request.login : &unchecked;
  ptrdiff_t n = epi__login_read(login, data, len);

  epi_wipe(&unchecked, sizeof unchecked);
  if (n < 0) {
    return epi__session_send_status(session, 1) ? EPI_ENOMEM : n;
  }
  if (n && session->needs_login) {
    epi__session_ask_login(session);
  } else if (n) {
    if (epi__session_send_status(session, 0)) {
      return EPI_ENOMEM;
    }
    epi__session_read(session, request_step);
  }
  return n;
}

ptrdiff_t epi__socks5_server_greeting(epi_session *session, const void *data,
                                      size_t len) {
  epi__advert offer;
  ptrdiff_t n = epi__socks5_greeting_read(&offer, data, len);

  if (n < 0) {
    return send_method(session, EPI__METHOD_REFUSED) ? EPI_ENOMEM : n;
  }
  if (!n) {
    return 0;
  }
  if (!session->needs_login && epi__advert_has(&offer, EPI__METHOD_NONE)) {
    epi__session_read(session, request_step);
    return send_method(session, EPI__METHOD_NONE) ? EPI_ENOMEM : n;
  }
  if (epi__advert_has(&offer, EPI__METHOD_LOGIN)) {
    epi__session_read(session, login_step);
    return send_method(session, EPI__METHOD_LOGIN) ? EPI_ENOMEM : n;
  }
  if (send_method(session, EPI__METHOD_REFUSED)) {
    return EPI_ENOMEM;
  }
  epi__session_refuse(session, EPI_EAUTH);
  return epi__fail(EPI_EAUTH, session->needs_login
                                  ? "the client offers no login"
                                  : "the client offers no method to take");
}

int epi__socks5_server_login(epi_session *session, int ok) {
  if (epi__session_send_status(session, ok ? 0 : 1)) {
    return EPI_ENOMEM;
  }
  if (ok) {
    epi__session_read(session, request_step);
  } else {
    epi__session_refuse(session, EPI_EAUTH);
  }
  return 0;
}
