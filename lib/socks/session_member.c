/* session_member.c: how a handshake is part of a session of the table. */
#include "socks/session_state.h"

#include "base/fail.h"
#include "base/memory.h"

#include <string.h>

int epi_session_use_table(epi_session *session, epi_session_table *table,
                          const char *owner, int64_t now_ms) {
  const uint8_t *held;
  char *address;

  if (!session->accept || session->next != EPI_NEXT_READ || session->version ||
      epi__queue_peek(&session->in, &held)) {
    return epi__fail(EPI_ESTATE, "a table of sessions is for a server, before "
                                 "it is fed");
  }
  address = epi__strdup(owner);
  if (!address) {
    return EPI_ENOMEM;
  }
  epi__free(session->address);
  session->address = address;
  session->table = table;
  session->now_ms = now_ms;
  return 0;
}

int64_t epi_session_member(const epi_session *session) {
  return session->member;
}

const epi_auth_reply *epi_session_auth(const epi_session *session) {
  return session->has_auth ? &session->auth : NULL;
}

/* ---- server ---- */

/* The request is one of the session's. */
static void enter(epi_session *session, const epi__membership *of,
                  epi_auth_reply *reply) {
  session->member = of->number;
  reply->window_base = of->window_base;
  reply->window_size = of->window_size;
  reply->token = of->token;
}

static int reject_token(const epi_request *request, epi_auth_reply *reply) {
  reply->failed = 1;
  reply->token = EPI_TOKEN_REJECTED;
  return epi__fail(EPI_EAUTH,
                   "the token %lu was spent before, or is not in the window",
                   (unsigned long)request->token);
}

int epi__session_begin(epi_session *session, epi_auth_reply *reply) {
  const epi_request *request = &session->request;
  epi__membership of;
  int error;

  if (request->session != EPI_SESSION_BEGIN || !session->table) {
    return 0;
  }
  error = epi__session_table_begin(session->table, epi_request_user(request),
                                   session->address, request->token_window,
                                   session->now_ms, &of);
  if (error) {
    return error == EPI_ELIMIT ? 0 : error;
  }
  if (request->has_token) { /* of a window that nobody knew of */
    epi__session_table_end(session->table, of.id, sizeof of.id,
                           session->now_ms);
    return reject_token(request, reply);
  }
  enter(session, &of, reply);
  epi__session_id_set(&session->begun, of.id, sizeof of.id);
  reply->session_id = session->begun;
  return 0;
}

int epi__session_join(epi_session *session, epi_auth_reply *reply) {
  epi_request *request = &session->request;
  epi__membership of;
  int error = EPI_ENOENT;

  /* "MUST silently ignore any authentication attempt": the user is the one who
   * began the session. */
  epi_wipe(&request->login, sizeof request->login);
  if (session->table) {
    error = epi__session_table_join(
        session->table, request->session_id.bytes, request->session_id.len,
        session->needs_login, request->token_window,
        request->has_token ? (int64_t)request->token : -1, session->now_ms,
        &of);
  }
  if (error == EPI_ENOENT) {
    reply->failed = 1;
    reply->session = EPI_SESSION_INVALID;
    return epi__fail(EPI_EAUTH, "the request is of no session that there is");
  }
  if (error) {
    return error;
  }
  if (of.token == EPI_TOKEN_REJECTED) {
    return reject_token(request, reply);
  }
  enter(session, &of, reply);
  reply->session = EPI_SESSION_OK;
  memcpy(request->login.user, of.user, sizeof of.user);
  return 0;
}

void epi__session_end(epi_session *session) {
  const epi_request *request = &session->request;

  if (request->session == EPI_SESSION_END && session->table) {
    epi__session_table_end(session->table, request->session_id.bytes,
                           request->session_id.len, session->now_ms);
  }
}
