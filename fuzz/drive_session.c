/* drive_session.c: what the sessions of both roles need. */
#include "drive_session.h"

#include <stdlib.h>
#include <string.h>

void must(int holds) {
  if (!holds) {
    abort();
  }
}

void drive_collect(epi_session *session, drive_sent *sent) {
  const void *data;
  size_t len = (size_t)epi_session_peek(session, &data);

  must(len <= DRIVE_SENT_MAX - sent->len);
  if (len) {
    memcpy(sent->bytes + sent->len, data, len);
  }
  sent->len += len;
  must(!epi_session_ack(session, len));
}
