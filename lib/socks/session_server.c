/* session_server.c: the server's side of a handshake, whatever the version. */
#include "socks/session_state.h"

#include "base/fail.h"
#include "base/memory.h"

enum { ANY_SOCKS6 = EPI_ACCEPT_SOCKS6 | EPI_ACCEPT_SOCKSX };

/* Which layout a request of SOCKS 6 has: a draft, EPI_SOCKSX, or 0 while its
 * first bytes do not tell. */
static int layout_of(const epi_session *session, const void *data, size_t len) {
  int socksx = !(session->accept & EPI_ACCEPT_SOCKS6);

  if ((session->accept & ANY_SOCKS6) == ANY_SOCKS6) {
    socksx = epi__socksx_tell(data, len);
  }
  return socksx < 0 ? 0 : socksx ? EPI_SOCKSX : session->draft;
}

/* The first byte tells the version: hand over to its first step. */
static ptrdiff_t first_step(epi_session *session, const void *data,
                            size_t len) {
  static const uint8_t mismatch = EPI_SOCKS6; /* draft-11 section 5 */
  epi__reader in = epi__reader_over(data, len);
  unsigned version = epi__read_u8(&in);

  if (version == EPI_SOCKS5 && session->accept & EPI_ACCEPT_SOCKS5) {
    session->version = EPI_SOCKS5;
    epi__session_read(session, epi__socks5_server_greeting);
    return session->step(session, data, len);
  }
  if (version == EPI_SOCKS6 && session->accept & ANY_SOCKS6) {
    session->version = layout_of(session, data, len);
    if (!session->version) {
      return 0;
    }
    epi__session_read(session, epi__socks6_server_request);
    return session->step(session, data, len);
  }
  if (session->accept & ANY_SOCKS6 &&
      epi__session_send(session, &mismatch, 1)) {
    return EPI_ENOMEM;
  }
  return epi__fail(EPI_EVERSION, "the first byte is %u, no version to take",
                   version);
}

int epi_session_new_server(epi_session **out, int accept, int draft,
                           int login) {
  epi_session *session;

  if (accept < 1 || accept > (EPI_ACCEPT_SOCKS5 | ANY_SOCKS6)) {
    return epi__fail(EPI_EINVAL, "no versions to accept are %d", accept);
  }
  if (draft != EPI_SOCKS6 && draft != EPI_SOCKS6_12) {
    return epi__fail(EPI_EINVAL, "no draft of SOCKS 6 is %d", draft);
  }
  if (login != 0 && login != 1) {
    return epi__fail(EPI_EINVAL, "login is 0 or 1, not %d", login);
  }
  session = epi__alloc(sizeof *session);
  if (!session) {
    return EPI_ENOMEM;
  }
  session->accept = accept;
  session->draft = draft;
  session->needs_login = login;
  epi__session_read(session, first_step);
  *out = session;
  return 0;
}

void epi__session_ask(epi_session *session) {
  session->has_request = 1;
  session->next = EPI_NEXT_REPLY;
}

void epi__session_ask_login(epi_session *session) {
  session->has_request = 1;
  session->next = EPI_NEXT_LOGIN;
}

int epi__session_send_status(epi_session *session, unsigned status) {
  uint8_t message[2];
  epi__writer out = epi__writer_over(message, sizeof message);

  epi__login_reply_write(&out, status);
  return epi__session_send(session, message, sizeof message);
}

int epi__session_knows_command(const epi_session *session) {
  return epi__version_has_command(session->version, session->request.command);
}

const epi_request *epi_session_request(const epi_session *session) {
  return session->has_request ? &session->request : NULL;
}

ptrdiff_t epi_session_initial_data(const epi_session *session,
                                   const void **out) {
  const uint8_t *data;
  size_t len = epi__queue_peek(&session->initial, &data);

  *out = data;
  return (ptrdiff_t)len;
}

int epi_session_login(epi_session *session, int ok) {
  int error;

  if (session->next != EPI_NEXT_LOGIN) {
    return epi__fail(EPI_ESTATE, "no login waits for an answer");
  }
  error = session->version == EPI_SOCKS5
              ? epi__socks5_server_login(session, ok)
              : epi__socks6_server_login(session, ok);
  if (error) {
    session->next = EPI_NEXT_FAILED;
    session->error = error;
  }
  return error;
}

int epi_session_bind_whole(epi_session *session) {
  if (session->next != EPI_NEXT_REPLY || session->replies ||
      session->request.command != EPI_BIND) {
    return epi__fail(EPI_ESTATE, "no BIND waits for its first reply");
  }
  session->bind_whole = 1;
  return 0;
}

/* What follows a reply that was sent. */
static int next_after(const epi_session *session, int code) {
  if (code != EPI_REPLY_SUCCESS) {
    return EPI_NEXT_REFUSED;
  }
  return session->request.command == EPI_BIND && session->replies == 1 &&
                 !session->bind_whole
             ? EPI_NEXT_REPLY
             : EPI_NEXT_DONE;
}

int epi_session_reply(epi_session *session, const epi_reply *reply) {
  epi_reply whole = *reply; /* and the id of the session that was begun */
  ptrdiff_t size;
  uint8_t *message;
  int error;

  if (!reply->code && !reply->session_id.len) {
    whole.session_id = session->begun;
  }
  if (session->next != EPI_NEXT_REPLY) {
    return epi__fail(EPI_ESTATE, "no request waits for a reply");
  }
  size = epi_reply_write(&whole, session->version, NULL, 0);
  if (size < 0) {
    return (int)size;
  }
  message = epi__alloc((size_t)size);
  if (!message) {
    return EPI_ENOMEM;
  }
  epi_reply_write(&whole, session->version, message, (size_t)size);
  error = epi__session_send(session, message, (size_t)size);
  epi__free(message);
  if (error) {
    return error;
  }
  session->replies++;
  session->next = next_after(session, reply->code);
  session->begun.len = 0; /* it is said once */
  return 0;
}
