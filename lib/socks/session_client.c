/* session_client.c: the client's side of a handshake, whatever the version. */
#include "socks/session_state.h"

#include "base/fail.h"
#include "base/memory.h"

int epi_session_new_client(epi_session **out, int version,
                           const epi_request *request) {
  epi_session *session;
  int error;

  if (version != EPI_SOCKS5 && version != EPI_SOCKS6 &&
      version != EPI_SOCKS6_12 && version != EPI_SOCKSX) {
    return epi__fail(EPI_EINVAL, "no version of SOCKS is %d", version);
  }
  session = epi__alloc(sizeof *session);
  if (!session) {
    return EPI_ENOMEM;
  }
  session->version = version;
  session->has_request = 1;
  error = epi__request_copy(&session->request, request);
  if (!error) {
    error = version == EPI_SOCKS5 ? epi__socks5_client_start(session)
                                  : epi__socks6_client_start(session);
  }
  if (error) {
    epi_session_free(session);
    return error;
  }
  *out = session;
  return 0;
}

/* Does a further reply follow the first one? Not if the server grants the
 * backlog that was asked for (draft-11, "Listen Backlog options"). */
static int another_follows(const epi_session *session) {
  const epi_request *request = &session->request;

  return request->command == EPI_BIND && session->replies == 1 &&
         (epi_request_stack(request, EPI_LEG_REMOTE, EPI_STACK_BACKLOG) <= 0 ||
          epi_reply_stack(&session->result, EPI_LEG_REMOTE,
                          EPI_STACK_BACKLOG) <= 0);
}

ptrdiff_t epi__session_take_result(epi_session *session, ptrdiff_t n) {
  int code = session->result.code;

  if (n <= 0) {
    return n;
  }
  session->replies++;
  if (code != EPI_REPLY_SUCCESS) {
    epi__session_refuse(session, EPI_EREFUSED);
    return epi__fail(EPI_EREFUSED, "reply %d: %s", code, epi_reply_text(code));
  }
  if (!another_follows(session)) {
    session->next = EPI_NEXT_DONE;
  }
  return n;
}

const epi_reply *epi_session_result(const epi_session *session) {
  return session->replies ? &session->result : NULL;
}

int epi_session_replies(const epi_session *session) {
  return session->replies;
}
