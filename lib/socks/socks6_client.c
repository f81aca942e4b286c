/* socks6_client.c: a SOCKS 6 handshake, seen from the client.
 *
 * The request says all there is to say, the login in an option, and does not
 * advertise methods: so no authentication phase can follow, and application
 * data may be sent behind it at once (draft-11 section 11). */
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
                                 size_t len) {
  epi_auth_reply reply = epi__auth_reply_empty();
  ptrdiff_t n =
      epi__socks6_auth_reply_read(&reply, session->version, data, len);
  int failed = reply.failed;

  epi__auth_reply_clear(&reply);
  if (n <= 0) {
    return n;
  }
  if (failed) {
    epi__session_refuse(session, EPI_EAUTH);
    return epi__fail(EPI_EAUTH, epi_request_user(&session->request)
                                    ? "the server refused the login"
                                    : "the server asks for a login");
  }
  epi__session_read(session, reply_step);
  return n;
}

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
  session->may_send = session->request.command == EPI_CONNECT;
  epi__session_read(session, auth_reply_step);
  return error;
}
