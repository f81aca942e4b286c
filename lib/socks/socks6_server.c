/* socks6_server.c: a SOCKS 6 handshake, seen from the server. */
#include "socks/session_state.h"

#include "base/fail.h"

#include <assert.h>

/* Room for all that a server says here: method or status, id, window, two
 * states. */
enum { AUTH_REPLY_MAX = 64 };

static int send_whole_auth_reply(epi_session *session,
                                 const epi_auth_reply *reply) {
  uint8_t message[AUTH_REPLY_MAX];
  epi__writer out = epi__writer_over(message, sizeof message);

  epi__socks6_auth_reply_write(&out, session->version, reply);
  assert(epi__writer_end(&out) > 0);
  return epi__session_send(session, message, out.used);
}

static int send_auth_reply(epi_session *session, int failed, int method,
                           int login_status) {
  epi_auth_reply reply = {
      .failed = failed, .method = method, .login_status = login_status};

  return send_whole_auth_reply(session, &reply);
}

static int send_refusal(epi_session *session, int code) {
  epi_reply reply = {.code = code, .bound = epi__addr_any()};
  uint8_t message[12];
  epi__writer out = epi__writer_over(message, sizeof message);

  epi__socks6_reply_write(&out, session->version, &reply);
  return epi__session_send(session, message, out.used);
}

/* The client is accepted, and the reply says so; or error says why not: go on
 * to the request. Returns 0, EPI_ENOMEM, EPI_EAUTH, or EPI_EPROTO for a command
 * that there is not; refused, both of them. */
static int finish_auth(epi_session *session, const epi_auth_reply *reply,
                       int error) {
  if (error == EPI_ENOMEM || send_whole_auth_reply(session, reply)) {
    return EPI_ENOMEM;
  }
  if (error) {
    return epi__session_refuse(session, error);
  }
  if (epi__session_knows_command(session)) {
    epi__session_ask(session);
    return 0;
  }
  if (send_refusal(session, EPI_REPLY_NO_COMMAND)) {
    return EPI_ENOMEM;
  }
  epi__session_refuse(session, EPI_EPROTO);
  return epi__fail(EPI_EPROTO, "request has command %d",
                   session->request.command);
}

static int accept_client(epi_session *session, int login_status) {
  epi_auth_reply reply = epi__auth_reply_empty();
  int error = epi__session_begin(session, &reply);

  reply.login_status = login_status;
  return finish_auth(session, &reply, error);
}

static int accept_member(epi_session *session) {
  epi_auth_reply reply = epi__auth_reply_empty();
  int error = epi__session_join(session, &reply);

  return finish_auth(session, &reply, error);
}

/* ---- the exchange of draft-11 ---- */

static ptrdiff_t login_step(epi_session *session, const void *data,
                            size_t len) {
  ptrdiff_t n = epi__login_read(&session->request.login, data, len);

  if (n > 0) {
    epi__session_ask_login(session);
  }
  if (n >= 0) {
    return n;
  }
  return epi__session_send_status(session, 1) ||
                 send_auth_reply(session, 1, -1, -1)
             ? EPI_ENOMEM
             : n;
}

static ptrdiff_t initial_data_step(epi_session *session, const void *data,
                                   size_t len) {
  if (len > session->initial_left) {
    len = session->initial_left;
  }
  if (epi__queue_append(&session->initial, data, len)) {
    return EPI_ENOMEM;
  }
  session->initial_left -= len;
  if (!session->initial_left) {
    epi__session_read(session, login_step);
  }
  return (ptrdiff_t)len;
}

static int begin_exchange(epi_session *session) {
  if (send_auth_reply(session, 1, EPI__METHOD_LOGIN, -1)) {
    return EPI_ENOMEM;
  }
  session->has_exchange = 1;
  /* Only CONNECT gives the length a meaning. */
  session->initial_left = session->request.command == EPI_CONNECT
                              ? session->request.advert.initial_data
                              : 0;
  epi__session_read(session,
                    session->initial_left ? initial_data_step : login_step);
  return 0;
}

/* ---- request ---- */

/* The address type is unknown, so the rest cannot be told apart. Whoever need
 * not log in gets the code that says so; the others are just not accepted. */
static ptrdiff_t refuse_address_type(epi_session *session) {
  if (send_auth_reply(session, session->needs_login, -1, -1) ||
      (!session->needs_login &&
       send_refusal(session, EPI_REPLY_NO_ADDRESS_TYPE))) {
    return EPI_ENOMEM;
  }
  return epi__session_refuse(session, EPI_EPROTO);
}

ptrdiff_t epi__socks6_server_request(epi_session *session, const void *data,
                                     size_t len) {
  epi_request *request = &session->request;
  ptrdiff_t n = epi__socks6_request_read(request, session->version, data, len);
  int error;

  if (n == EPI_EPROTO &&
      epi__socks6_refusal(session->version, data, len) >= 0) {
    return refuse_address_type(session);
  }
  if (n <= 0) {
    return n;
  }
  if (request->session == EPI_SESSION_JOIN) {
    error = accept_member(session);
    return error ? error : n;
  }
  epi__session_end(session);
  if (!session->needs_login) {
    /* Nobody checks it: let nobody take it for a name that was checked. */
    epi_wipe(&request->login, sizeof request->login);
    error = accept_client(session, -1);
    return error ? error : n;
  }
  if (epi_request_user(request)) {
    epi__session_ask_login(session);
    return n;
  }
  if (session->version == EPI_SOCKS6 &&
      epi__advert_has(&request->advert, EPI__METHOD_LOGIN)) {
    return begin_exchange(session) ? EPI_ENOMEM : n;
  }
  if (send_auth_reply(session, 1,
                      request->advert.present ? EPI__METHOD_REFUSED : -1, -1)) {
    return EPI_ENOMEM;
  }
  epi__session_refuse(session, EPI_EAUTH);
  return epi__fail(EPI_EAUTH, "the client brought no login");
}

int epi__socks6_server_login(epi_session *session, int ok) {
  int status = session->has_exchange ? -1 : ok ? 0 : 1;
  int error;

  if (session->has_exchange && epi__session_send_status(session, ok ? 0 : 1)) {
    return EPI_ENOMEM;
  }
  if (ok) {
    error = accept_client(session, status);
    return error == EPI_ENOMEM ? error : 0;
  }
  epi__session_refuse(session, EPI_EAUTH);
  return send_auth_reply(session, 1, -1, status);
}
