/* fuzz_session_client.c: a client's session, fed by any server.
 *
 * The first byte says what the client is, the second how the bytes are cut,
 * the rest is what the server sends. Whatever the cuts, the session uses as
 * many bytes, sends the same and ends the same. */
#include "epi/session.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { SENT_MAX = 1024 };

typedef struct outcome {
  ptrdiff_t used; /* or the error */
  int next, code;
  size_t sent_len;
  uint8_t sent[SENT_MAX];
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

static epi_session *new_client(unsigned what) {
  static const int versions[] = {EPI_SOCKS5, EPI_SOCKS6, EPI_SOCKS6_12};
  int version = what & 0x10 ? EPI_SOCKSX : versions[what % 4 % 3];
  epi_session *session = NULL;
  epi_request *request = NULL;
  epi_addr dest;

  must(!epi_addr_parse(&dest, "ehr.example:443", -1));
  must(!epi_request_new(&request));
  must(!epi_request_set_dest(request, &dest));
  if (what & 4) {
    must(!epi_request_set_login(request, "user", "password"));
  }
  if (what & 8) {
    must(!epi_request_offer_method(request, 2));
  }
  if (what & 0x20) {
    must(!epi_request_set_session(request, EPI_SESSION_JOIN, "id..", 4));
    must(!epi_request_set_token(request, 7));
  }
  must(!epi_session_new_client(&session, version, request));
  epi_request_free(request);
  return session;
}

static void run(outcome *out, unsigned what, const uint8_t *data, size_t len,
                size_t step) {
  epi_session *session = new_client(what);
  const epi_reply *result;
  size_t used = 0;

  memset(out, 0, sizeof *out);
  for (;;) {
    size_t piece = len - used < step ? len - used : step;
    ptrdiff_t n = epi_session_feed(session, data + used, piece);

    must(n <= (ptrdiff_t)piece);
    collect(session, out);
    if (n <= 0) {
      out->used = n < 0 ? n : (ptrdiff_t)used;
      break;
    }
    used += (size_t)n;
  }
  out->next = epi_session_next(session);
  result = epi_session_result(session);
  out->code = result ? epi_reply_code(result) : -1;
  must(out->next != EPI_NEXT_DONE || (result && !out->code));
  must(out->next != EPI_NEXT_DONE || epi_session_may_send(session));
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
