/* session_table.h: what a handshake does to the sessions that a server keeps.
 *
 * All calls take the table's lock, and first forget the sessions that were idle
 * for too long. now_ms may be older than that of another call: the table's time
 * never goes back. */
#ifndef EPI__SESSION_TABLE_H
#define EPI__SESSION_TABLE_H

#include "epi/auth.h"

enum { EPI__SESSION_ID = 16 };

/* What a request is told about the session that it is part of. */
typedef struct epi__membership {
  int64_t number; /* 0: of none */
  uint8_t id[EPI__SESSION_ID];
  char user[EPI_LOGIN_MAX + 1]; /* who began it; "" without a login */
  uint32_t window_base;
  uint32_t window_size; /* 0: no window */
  int token;            /* EPI_TOKEN_ACCEPTED, EPI_TOKEN_REJECTED or 0 */
} epi__membership;

/* Begin a session. user is the one who logged in, or NULL: then the client's
 * address, a text, says whose it is. window is the number of tokens asked for,
 * or 0.
 *
 * Returns 0, EPI_ELIMIT (no detail: it is not honoured, in silence) or
 * EPI_ENOMEM. */
int epi__session_table_begin(epi_session_table *table, const char *user,
                             const char *address, int64_t window,
                             int64_t now_ms, epi__membership *out);

/* Join a session: spend a token (-1 for none), then open a window if one is
 * asked for and the session has none. Where somebody must have logged in,
 * with_login is 1: the session must have been begun with a login.
 *
 * Returns 0, EPI_ENOENT (no detail: no such session) or EPI_ENOMEM; nothing is
 * spent then. */
int epi__session_table_join(epi_session_table *table, const void *id,
                            size_t len, int with_login, int64_t window,
                            int64_t token, int64_t now_ms,
                            epi__membership *out);

/* End a session, if there is one with that id. */
void epi__session_table_end(epi_session_table *table, const void *id,
                            size_t len, int64_t now_ms);

#endif
