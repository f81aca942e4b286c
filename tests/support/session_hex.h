/* session_hex.h: what sessions are fed and send, as hexadecimal digits (see
 * annotated_hex.h). */
#ifndef TEST_SESSION_HEX_H
#define TEST_SESSION_HEX_H

#include "epi/session.h"

/* Feed a session in pieces of `step` bytes, or all at once if that is 0, each
 * in a heap block of its exact size, until it uses no more.
 *
 * Returns the bytes used, or the error. */
ptrdiff_t session_feed_hex(epi_session *session, const char *hex, size_t step);

/* Take what a session has to send. Returns 1 if it is this; else 0, and both
 * are on standard error. */
int session_sends(epi_session *session, const char *hex);

/* A server; ends the program if it cannot be made. */
epi_session *session_server(int accept, int draft, int login);

#endif
