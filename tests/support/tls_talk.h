/* tls_talk.h: a client and a server with certificates of test authorities; what
 * each of them says when they meet. */
#ifndef TEST_TLS_TALK_H
#define TEST_TLS_TALK_H

#include "support/tls_authority.h"
#include "support/tls_wire.h"

/* All that a test changes; made anew for each one. */
typedef struct tls_talk_state {
  tls_authority *root, *middle, *other; /* middle is below root */
  tls_issued cert, client_cert;
  epi__tls_pair pair, client_pair;
  epi__tls_setup server_setup, client_setup; /* the client trusts root */
  uint8_t staple[4096]; /* that the server hands out, of root or other */
  size_t staple_len;    /* 0: none */
  tls_wire wire;
} tls_talk_state;

extern tls_talk_state tls_talks;

void tls_talk_set_up(void);
void tls_talk_tear_down(void);

/* What they show; and let the server ask for a certificate by root. */
void tls_server_shows(tls_authority *by, const tls_wish *wish);
void tls_client_shows(tls_authority *by, const tls_wish *wish);
void tls_server_asks(int peer);

/* Let them meet, the client asking for a name; what became of it. */
void tls_talk(const char *name);
void tls_talk_open(void);
void tls_client_says(int code, const char *words);
void tls_server_says(int code, const char *words);

#endif
