/* fuzz_session_server.c: a server's session, fed by any client.
 *
 * The first byte says what the server is and does, the second how the bytes
 * are cut, the rest is what the client sends. Whatever the cuts, the session
 * uses as many bytes, sends the same and ends the same. With the highest bit
 * there is a table of sessions, and one session with a window of 8 tokens in
 * it, whose id is always the same. */
#include "epi/session.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { SENT_MAX = 1024 };

typedef struct outcome {
  ptrdiff_t used; /* or the error */
  int next, version;
  int64_t member;
  size_t sessions; /* that there are then */
  size_t sent_len, initial_len;
  uint8_t sent[SENT_MAX];
  char dest[EPI_ADDR_TEXT_MAX];
} outcome;

static void must(int holds) {
  if (!holds) {
    abort();
  }
}

static void collect(epi_session *session, outcome *out) {
  const void *data;
  size_t len = (size_t)epi_session_peek(session, &data);

  must(len <= SENT_MAX - out->sent_len);
  if (len) {
    memcpy(out->sent + out->sent_len, data, len);
  }
  out->sent_len += len;
  must(!epi_session_ack(session, len));
}

/* Answers what the session asks. Returns 1 if it asked. */
static int answer(epi_session *session, unsigned what) {
  const epi_request *request = epi_session_request(session);
  epi_reply *reply = NULL;

  switch (epi_session_next(session)) {
  case EPI_NEXT_LOGIN:
    must(request && epi_request_user(request) && epi_request_password(request));
    must(!epi_session_login(session, !(what & 0x10)));
    return 1;
  case EPI_NEXT_REPLY:
    must(request && epi_request_dest(request)->kind != EPI_ADDR_NONE);
    must(!epi_reply_new(&reply));
    epi_reply_set_code(reply, what & 0x20 ? EPI_REPLY_NOT_ALLOWED : 0);
    must(!epi_session_reply(session, reply));
    epi_reply_free(reply);
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

static void run(outcome *out, unsigned what, const uint8_t *data, size_t len,
                size_t step) {
  int accept = (int)(what % 4 ? what % 4 : 3) | (what & 0x40 ? 4 : 0);
  epi_session_table *table = what & 0x80 ? new_table() : NULL;
  epi_session *session = NULL;
  const void *initial;
  size_t used = 0;

  memset(out, 0, sizeof *out);
  must(!epi_session_new_server(
      &session, accept, what & 4 ? EPI_SOCKS6_12 : EPI_SOCKS6, what >> 3 & 1));
  must(!table || !epi_session_use_table(session, table, "10.0.0.1", 1));
  for (;;) {
    size_t piece = len - used < step ? len - used : step;
    ptrdiff_t n = epi_session_feed(session, data + used, piece);

    must(n <= (ptrdiff_t)piece);
    collect(session, out);
    if (n < 0) {
      out->used = n;
      break;
    }
    used += (size_t)n;
    out->used = (ptrdiff_t)used;
    if (!answer(session, what) && !n) {
      break;
    }
  }
  collect(session, out);
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  outcome whole, cut;

  if (len < 2) {
    return 0;
  }
  run(&whole, data[0], data + 2, len - 2, SIZE_MAX);
  run(&cut, data[0], data + 2, len - 2, 1 + data[1] % 31u);
  must(!memcmp(&whole, &cut, sizeof whole));
  return 0;
}
