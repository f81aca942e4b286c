/* drive_session.h: sessions fed by any peer, for a target per role and version.
 *
 * The first byte of an input says what the session is told, the second how the
 * bytes are cut, the rest is what the peer sends. Whatever the cuts, a session
 * uses as many bytes, sends the same and ends the same. */
#ifndef FUZZ_DRIVE_SESSION_H
#define FUZZ_DRIVE_SESSION_H

#include "epi/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* A client, bits of the first byte: 1 has a login, 2 offers method 2, 4 joins a
 * session with a token, 8 begins one with a window, 16 announces initial data;
 * the highest two are the command: CONNECT, BIND, UDP ASSOCIATE, NOOP. */
int drive_client(int version, const uint8_t *data, size_t len);

/* A server, bits of the first byte: 1 demands a login, 2 finds it wrong, 4
 * refuses the request, 8 has a table of sessions, 16 has one reply to a BIND.
 * The table holds a session with a window of 8 tokens, whose id is always the
 * same. */
int drive_server(int accept, int draft, const uint8_t *data, size_t len);

/* ---- for both ---- */

enum { DRIVE_SENT_MAX = 1024 };

/* What a session sent. */
typedef struct drive_sent {
  size_t len;
  uint8_t bytes[DRIVE_SENT_MAX];
} drive_sent;

/* End the program unless a property holds. */
void must(int holds);

/* Take all that a session has to send. */
void drive_collect(epi_session *session, drive_sent *sent);

#endif
