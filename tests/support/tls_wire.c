/* tls_wire.c: a TLS client and a server that talk in memory. */
#include "support/tls_wire.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

epi__tls_text tls_text(const char *text) {
  return (epi__tls_text){text, strlen(text)};
}

epi__tls_context *tls_context(const epi__tls_setup *setup) {
  epi__tls_context *context = NULL;
  int result = epi__tls_context_new(&context, setup);

  cr_assert_eq(result, 0, "no context: %d %s", result, epi_error_detail());
  return context;
}

void tls_wire_open(tls_wire *wire, epi__tls_context *client,
                   epi__tls_context *server, const char *name) {
  memset(wire, 0, sizeof *wire);
  cr_assert_eq(epi__tls_new(&wire->client, client, name, 443), 0);
  cr_assert_eq(epi__tls_new(&wire->server, server, NULL, 0), 0);
  wire->client_error = epi__tls_begin(wire->client);
}

ptrdiff_t tls_wire_move(epi__tls *from, epi__tls *to, size_t step) {
  const void *data;
  size_t len = epi__tls_peek(from, &data);
  uint8_t *copy;
  int result;

  if (!len) {
    return 0;
  }
  len = len < step ? len : step;
  copy = malloc(len); /* of its exact size, and gone after the call */
  cr_assert_not_null(copy);
  memcpy(copy, data, len);
  result = epi__tls_feed(to, copy, len);
  free(copy);
  epi__tls_ack(from, len);
  return result ? result : (ptrdiff_t)len;
}

void tls_wire_pump(tls_wire *wire, size_t step) {
  ptrdiff_t there, back;

  do {
    there = tls_wire_move(wire->client, wire->server, step);
    back = tls_wire_move(wire->server, wire->client, step);
    if (there < 0 && !wire->server_error) {
      wire->server_error = (int)there;
    }
    if (back < 0 && !wire->client_error) {
      wire->client_error = (int)back;
    }
  } while (there || back);
}

void tls_wire_close(tls_wire *wire) {
  epi__tls_free(wire->client);
  epi__tls_free(wire->server);
  memset(wire, 0, sizeof *wire);
}
