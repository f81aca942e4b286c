/* session_member.c: how a handshake is part of a session of the table. */
#include "socks/session_state.h"

#include "base/fail.h"
#include "base/memory.h"

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
