/* drive_client.c: a client's session, fed by any server. */
#include "drive_session.h"

#include <string.h>

typedef struct outcome {
  ptrdiff_t used; /* or the error */
  int next, code, replies;
  drive_sent sent;
} outcome;

/* What a client asks for, or NULL if its version cannot say that. */
static epi_session *new_client(int version, unsigned what) {
  static const int commands[] = {EPI_CONNECT, EPI_BIND, EPI_UDP_ASSOCIATE,
                                 EPI_NOOP};
  epi_session *session = NULL;
  epi_request *request = NULL;
  epi_addr dest;

  must(!epi_addr_parse(&dest, "ehr.example:443", -1));
  must(!epi_request_new(&request));
  must(!epi_request_set_dest(request, &dest));
  must(!epi_request_set_command(request, commands[what >> 6 & 3]));
  if (what & 1) {
    must(!epi_request_set_login(request, "user", "password"));
  }
  if (what & 2) {
    must(!epi_request_offer_method(request, 2));
  }
  if (what & 4) {
    must(!epi_request_set_session(request, EPI_SESSION_JOIN, "id..", 4));
    must(!epi_request_set_token(request, 7));
  } else if (what & 8) {
    must(!epi_request_set_session(request, EPI_SESSION_BEGIN, NULL, 0));
    must(!epi_request_set_token_window(request, 8));
  }
  if (what & 16) {
    must(!epi_request_set_initial_data(request, 3));
  }
  if (epi_session_new_client(&session, version, request)) {
    session = NULL;
  }
  epi_request_free(request);
  return session;
}

/* Returns 0: there is no such client. */
static int run(outcome *out, int version, unsigned what, const uint8_t *data,
               size_t len, size_t step) {
  epi_session *session = new_client(version, what);
  const epi_reply *result;
  size_t used = 0;

  if (!session) {
    return 0;
  }
  memset(out, 0, sizeof *out);
  for (;;) {
    size_t piece = len - used < step ? len - used : step;
    ptrdiff_t n = epi_session_feed(session, data + used, piece);

    must(n <= (ptrdiff_t)piece);
    drive_collect(session, &out->sent);
    if (n <= 0) {
      out->used = n < 0 ? n : (ptrdiff_t)used;
      break;
    }
    used += (size_t)n;
  }
  out->next = epi_session_next(session);
  out->replies = epi_session_replies(session);
  result = epi_session_result(session);
  out->code = result ? epi_reply_code(result) : -1;
  must(out->replies <= 2 && (out->replies > 0) == (result != NULL));
  must(out->next != EPI_NEXT_DONE || (result && !out->code));
  must(out->next != EPI_NEXT_DONE || epi_session_may_send(session));
  must((out->next >= EPI_NEXT_REFUSED) == (out->used < 0));
  epi_session_free(session);
  return 1;
}

int drive_client(int version, const uint8_t *data, size_t len) {
  outcome whole, cut;

  if (len >= 2 && run(&whole, version, data[0], data + 2, len - 2, SIZE_MAX)) {
    must(run(&cut, version, data[0], data + 2, len - 2, 1 + data[1] % 31u) &&
         !memcmp(&whole, &cut, sizeof whole));
  }
  return 0;
}
