/* tls_talk.c: a client and a server with certificates of test authorities. */
#include "support/tls_talk.h"

#include "support/tls_stapler.h"

#include <criterion/criterion.h>
#include <string.h>

tls_talk_state tls_talks;

void tls_talk_set_up(void) {
  tls_talks.root = tls_authority_new("Test Root", NULL, 0);
  tls_talks.middle = tls_authority_new("Test Middle", tls_talks.root, 0);
  tls_talks.other = tls_authority_new("Another Root", NULL, 0);
  tls_talks.server_setup =
      (epi__tls_setup){.server = 1, .pairs = &tls_talks.pair, .pair_count = 1};
  tls_talks.client_setup =
      (epi__tls_setup){.ca = tls_text(tls_authority_pem(tls_talks.root))};
}

void tls_talk_tear_down(void) {
  tls_wire_close(&tls_talks.wire);
  tls_authority_free(tls_talks.root);
  tls_authority_free(tls_talks.middle);
  tls_authority_free(tls_talks.other);
  epi__tls_thread_end();
}

void tls_server_shows(tls_authority *by, const tls_wish *wish) {
  tls_authority_issue(by, &tls_talks.cert, wish);
  tls_talks.pair = (epi__tls_pair){
      tls_text(tls_talks.cert.chain), tls_text(tls_talks.cert.key), {0}};
}

void tls_client_shows(tls_authority *by, const tls_wish *wish) {
  tls_authority_issue(by, &tls_talks.client_cert, wish);
  tls_talks.client_pair = (epi__tls_pair){tls_text(tls_talks.client_cert.chain),
                                          tls_text(tls_talks.client_cert.key),
                                          {0}};
  tls_talks.client_setup.pairs = &tls_talks.client_pair;
  tls_talks.client_setup.pair_count = 1;
}

void tls_talk(const char *name) {
  epi__tls_context *server = tls_context(&tls_talks.server_setup);
  epi__tls_context *client = tls_context(&tls_talks.client_setup);
  char buf[16];

  if (tls_talks.staple_len) {
    tls_staple(server, tls_talks.staple, tls_talks.staple_len);
  }
  tls_wire_close(&tls_talks.wire);
  tls_wire_open(&tls_talks.wire, client, server, name);
  tls_wire_pump(&tls_talks.wire, SIZE_MAX);
  if (!tls_talks.wire.client_error && epi__tls_is_open(tls_talks.wire.client)) {
    /* In TLS 1.3 a client hears of what the server thinks by reading. */
    ptrdiff_t got = epi__tls_read(tls_talks.wire.client, buf, sizeof buf);

    tls_talks.wire.client_error = got == EPI_ENOENT ? 0 : (int)got;
  }
  epi__tls_context_free(server);
  epi__tls_context_free(client);
}

void tls_talk_open(void) {
  cr_assert_eq(tls_talks.wire.client_error, 0, "%s",
               epi__tls_reason(tls_talks.wire.client));
  cr_assert_eq(tls_talks.wire.server_error, 0, "%s",
               epi__tls_reason(tls_talks.wire.server));
  cr_assert(epi__tls_is_open(tls_talks.wire.client));
  cr_assert(epi__tls_is_open(tls_talks.wire.server));
}

void tls_client_says(int code, const char *words) {
  cr_assert_eq(tls_talks.wire.client_error, code, "%d: %s",
               tls_talks.wire.client_error,
               epi__tls_reason(tls_talks.wire.client));
  cr_assert(strstr(epi__tls_reason(tls_talks.wire.client), words), "%s",
            epi__tls_reason(tls_talks.wire.client));
  cr_assert_not(epi__tls_is_open(tls_talks.wire.client));
  cr_assert_str_eq(epi__tls_peer(tls_talks.wire.client), "");
}

void tls_server_says(int code, const char *words) {
  cr_assert_eq(tls_talks.wire.server_error, code, "%d: %s",
               tls_talks.wire.server_error,
               epi__tls_reason(tls_talks.wire.server));
  cr_assert(strstr(epi__tls_reason(tls_talks.wire.server), words), "%s",
            epi__tls_reason(tls_talks.wire.server));
  cr_assert_not(epi__tls_is_open(tls_talks.wire.server));
  cr_assert_str_eq(epi__tls_peer(tls_talks.wire.server), "");
}

void tls_server_asks(int peer) {
  tls_server_shows(tls_talks.root,
                   &(tls_wish){.cn = "x", .dns = "hop.example.org"});
  tls_talks.server_setup.peer = peer;
  tls_talks.server_setup.ca = tls_text(tls_authority_pem(tls_talks.root));
}
