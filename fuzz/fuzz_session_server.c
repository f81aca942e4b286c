/* fuzz_session_server.c: a server's session, fed by any client.
 *
 * The first byte says what the server is and does, the second how the bytes
 * are cut, the rest is what the client sends. Whatever the cuts, the session
 * uses as many bytes, sends the same and ends the same. */
#include "epi/session.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { SENT_MAX = 1024 };

typedef struct outcome {
  ptrdiff_t used; /* or the error */
  int next, version;
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

static void run(outcome *out, unsigned what, const uint8_t *data, size_t len,
                size_t step) {
  int accept = (int)(what % 4 ? what % 4 : 3);
  epi_session *session = NULL;
  const void *initial;
  size_t used = 0;

  memset(out, 0, sizeof *out);
  must(!epi_session_new_server(
      &session, accept, what & 4 ? EPI_SOCKS6_12 : EPI_SOCKS6, what >> 3 & 1));
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
  epi_session_free(session);
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
