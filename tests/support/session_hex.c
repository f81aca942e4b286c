/* session_hex.c: what sessions are fed and send, as hexadecimal digits. */
#include "support/session_hex.h"

#include "support/annotated_hex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 32768 };

ptrdiff_t session_feed_hex(epi_session *session, const char *hex, size_t step) {
  static uint8_t all[SIZE];
  size_t len = annotated_hex(all, sizeof all, hex);
  size_t used = 0;

  while (used < len) {
    size_t piece = step && step < len - used ? step : len - used;
    uint8_t *copy = malloc(piece);
    ptrdiff_t n;

    if (!copy) {
      abort();
    }
    memcpy(copy, all + used, piece);
    n = epi_session_feed(session, copy, piece);
    free(copy);
    if (n < 0) {
      return n;
    }
    used += (size_t)n;
    if ((size_t)n < piece) {
      break;
    }
  }
  return (ptrdiff_t)used;
}

static void show(const char *what, const uint8_t *bytes, size_t len) {
  fprintf(stderr, "%s:", what);
  for (size_t i = 0; i < len; i++) {
    fprintf(stderr, " %02x", bytes[i]);
  }
  fprintf(stderr, "\n");
}

int session_sends(epi_session *session, const char *hex) {
  static uint8_t wanted[SIZE];
  size_t len = annotated_hex(wanted, sizeof wanted, hex);
  const void *data;
  size_t found = (size_t)epi_session_peek(session, &data);
  int same = found == len && (!len || !memcmp(data, wanted, len));

  if (!same) {
    show("sends", data, found);
    show("wanted", wanted, len);
  }
  epi_session_ack(session, found);
  return same;
}

epi_session *session_server(int accept, int draft, int login) {
  epi_session *session = NULL;

  if (epi_session_new_server(&session, accept, draft, login)) {
    fprintf(stderr, "no server: %s\n", epi_error_detail());
    abort();
  }
  return session;
}
