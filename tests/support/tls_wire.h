/* tls_wire.h: a TLS client and a server that talk in memory. */
#ifndef TEST_TLS_WIRE_H
#define TEST_TLS_WIRE_H

#include "tls/tls_session.h"

typedef struct tls_wire {
  epi__tls *client, *server;
  int client_error, server_error; /* of feeding, once there is one */
} tls_wire;

epi__tls_text tls_text(const char *text);

/* A context; the test fails if it cannot be made. */
epi__tls_context *tls_context(const epi__tls_setup *setup);

/* Two sessions; the client asks for name. */
void tls_wire_open(tls_wire *wire, epi__tls_context *client,
                   epi__tls_context *server, const char *name);

/* Carry bytes, at most step of them at a time, until none are left. The rest of
 * what goes to a session that failed is dropped. */
void tls_wire_pump(tls_wire *wire, size_t step);

/* Move what waits from one to the other, at most step bytes. Returns the
 * count, or the error of feeding. */
ptrdiff_t tls_wire_move(epi__tls *from, epi__tls *to, size_t step);

void tls_wire_close(tls_wire *wire);

#endif
