/* drive_server.c: a server's session, fed by any client. */
#include "drive_session.h"

#include <string.h>

typedef struct outcome {
  ptrdiff_t used; /* or the error */
  int next, version;
  int64_t member;
  size_t sessions; /* that there are then */
  size_t initial_len;
  drive_sent sent;
  char dest[EPI_ADDR_TEXT_MAX];
} outcome;

static void carry_out(epi_session *session, unsigned what) {
  const epi_request *request = epi_session_request(session);
  epi_reply *reply = NULL;

  must(request && epi_request_dest(request)->kind != EPI_ADDR_NONE);
  if (what & 16) {
    must(epi_session_bind_whole(session) ==
         (epi_request_command(request) == EPI_BIND &&
                  !epi_session_replies(session)
              ? 0
              : EPI_ESTATE));
  }
  must(!epi_reply_new(&reply));
  epi_reply_set_code(reply, what & 4 ? EPI_REPLY_NOT_ALLOWED : 0);
  must(!epi_session_reply(session, reply));
  epi_reply_free(reply);
}

/* Answers what the session asks. Returns 1 if it asked. */
static int answer(epi_session *session, unsigned what) {
  const epi_request *request = epi_session_request(session);

  switch (epi_session_next(session)) {
  case EPI_NEXT_LOGIN:
    must(request && epi_request_user(request) && epi_request_password(request));
    must(!epi_session_login(session, !(what & 2)));
    return 1;
  case EPI_NEXT_REPLY:
    carry_out(session, what);
    return 1;
  default:
    return 0;
  }
}

/* A table in which a session was begun. */
static epi_session_table *new_table(void) {
  static const uint8_t begin[] = {6, 1, 0, 12, 0, 80, 0, 1, 1, 2, 3, 4,
                                  0, 5, 0, 4,  0, 11, 0, 8, 0, 0, 0, 8};
  epi_session_table *table = NULL;
  epi_session *session = NULL;

  must(!epi_session_table_new(&table, "0123456789abcdef0123456789abcdef", 32));
  must(!epi_session_new_server(&session, EPI_ACCEPT_SOCKS6, EPI_SOCKS6, 0));
  must(!epi_session_use_table(session, table, "10.0.0.1", 0));
  must(epi_session_feed(session, begin, sizeof begin) == sizeof begin);
  must(epi_session_member(session) == 1);
  epi_session_free(session);
  return table;
}

static void feed(outcome *out, epi_session *session, unsigned what,
                 const uint8_t *data, size_t len, size_t step) {
  size_t used = 0;

  for (;;) {
    size_t piece = len - used < step ? len - used : step;
    ptrdiff_t n = epi_session_feed(session, data + used, piece);

    must(n <= (ptrdiff_t)piece);
    drive_collect(session, &out->sent);
    if (n < 0) {
      out->used = n;
      return;
    }
    used += (size_t)n;
    out->used = (ptrdiff_t)used;
    if (!answer(session, what) && !n) {
      drive_collect(session, &out->sent);
      return;
    }
  }
}

static void run(outcome *out, epi_session *session, unsigned what,
                const uint8_t *data, size_t len, size_t step) {
  epi_session_table *table = what & 8 ? new_table() : NULL;
  const void *initial;

  memset(out, 0, sizeof *out);
  must(!table || !epi_session_use_table(session, table, "10.0.0.1", 1));
  feed(out, session, what, data, len, step);
  out->next = epi_session_next(session);
  out->version = epi_session_version(session);
  out->initial_len = (size_t)epi_session_initial_data(session, &initial);
  must(out->initial_len <= EPI_INITIAL_DATA_MAX);
  if (out->next == EPI_NEXT_DONE) {
    epi_addr_format(epi_request_dest(epi_session_request(session)), 1,
                    out->dest, sizeof out->dest);
  }
  out->member = epi_session_member(session);
  epi_session_free(session);
  out->sessions = table ? epi_session_table_count(table) : 0;
  epi_session_table_free(table);
}

int drive_server(int accept, int draft, const uint8_t *data, size_t len) {
  for (int i = 0; i < 2 && len >= 2; i++) {
    static outcome results[2];
    epi_session *session = NULL;

    must(!epi_session_new_server(&session, accept, draft, data[0] & 1));
    run(&results[i], session, data[0], data + 2, len - 2,
        i ? 1 + data[1] % 31u : SIZE_MAX);
    must(!i || !memcmp(&results[0], &results[1], sizeof results[0]));
  }
  return 0;
}
