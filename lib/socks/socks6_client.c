/* socks6_client.c: a SOCKS 6 handshake, seen from the client.
 *
 * The request says all there is to say, the login in an option. If it does not
 * advertise methods, no authentication phase can follow, and application data
 * may be sent behind it at once (draft-11 section 11). If it advertises method
 * 2 and has a login, a server of draft-11 may have it in an exchange. */
#include "socks/session_state.h"

#include "base/fail.h"
#include "base/memory.h"

static ptrdiff_t reply_step(epi_session *session, const void *data,
                            size_t len) {
  ptrdiff_t n =
      epi__socks6_reply_read(&session->result, session->version, data, len);

  return epi__session_take_result(session, n);
}

static ptrdiff_t auth_reply_step(epi_session *session, const void *data,
                                 size_t len);

/* ---- the exchange of draft-11 ---- */

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
  epi__session_read(session, auth_reply_step);
  return n;
}

static int may_exchange(const epi_session *session) {
  return session->version == EPI_SOCKS6 && !session->has_exchange &&
         session->auth.method == EPI__METHOD_LOGIN &&
         epi__advert_has(&session->request.advert, EPI__METHOD_LOGIN) &&
         epi_request_user(&session->request);
}

static int begin_exchange(epi_session *session) {
  uint8_t message[3 + 2 * EPI_LOGIN_MAX];
  epi__writer out = epi__writer_over(message, sizeof message);
  int error;

  epi__login_write(&out, &session->request.login);
  error = epi__session_send(session, message, out.used);
  epi_wipe(message, sizeof message);
  session->has_exchange = 1;
  /* The login is the last message of the exchange from here. */
  session->may_send = session->request.command == EPI_CONNECT;
  epi__session_read(session, login_reply_step);
  return error;
}

/* ---- authentication reply ---- */

static int refuse_auth(epi_session *session) {
  const epi_auth_reply *auth = &session->auth;

  epi__session_refuse(session, EPI_EAUTH);
  if (auth->session == EPI_SESSION_INVALID) {
    return epi__fail(EPI_EAUTH, "the server has no such session any more");
  }
  if (auth->token == EPI_TOKEN_REJECTED) {
    return epi__fail(EPI_EAUTH, "the server refused the token");
  }
  return epi__fail(EPI_EAUTH, epi_request_user(&session->request)
                                  ? "the server refused the login"
                                  : "the server asks for a login");
}

static ptrdiff_t auth_reply_step(epi_session *session, const void *data,
                                 size_t len) {
  ptrdiff_t n =
      epi__socks6_auth_reply_read(&session->auth, session->version, data, len);

  if (n == EPI_EREFUSED) { /* socksx is over its limit, and says only that */
    epi__session_read(session, reply_step);
    return reply_step(session, data, len);
  }
  if (n <= 0) {
    return n;
  }
  session->has_auth = 1;
  if (!session->auth.failed) {
    session->may_send = session->request.command == EPI_CONNECT;
    epi__session_read(session, reply_step);
    return n;
  }
  if (may_exchange(session)) {
    return begin_exchange(session) ? EPI_ENOMEM : n;
  }
  return refuse_auth(session);
}

/* ---- request ---- */

int epi__socks6_client_start(epi_session *session) {
  int version = session->version;
  ptrdiff_t size = epi_request_write(&session->request, version, NULL, 0);
  uint8_t *message;
  int error;

  if (size < 0) {
    return (int)size;
  }
  message = epi__alloc((size_t)size);
  if (!message) {
    return EPI_ENOMEM;
  }
  epi_request_write(&session->request, version, message, (size_t)size);
  error = epi__session_send(session, message, (size_t)size);
  epi_wipe(message, (size_t)size);
  epi__free(message);
  session->may_send = session->request.command == EPI_CONNECT &&
                      !session->request.advert.present;
  epi__session_read(session, auth_reply_step);
  return error;
}
