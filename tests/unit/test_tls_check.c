/* test_tls_check.c: what is looked at in certificates, and what is said when
 * one is not good. */
#include "support/tls_talk.h"
#include "tls/tls_parts.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(tls_check, .init = tls_talk_set_up, .fini = tls_talk_tear_down);

/* ---- the server's certificate ---- */

Test(tls_check, an_expired_certificate) {
  tls_server_shows(
      tls_talks.root,
      &(tls_wish){.cn = "old", .dns = "hop.example.org", .ends = -TLS_DAY});
  tls_talk("hop.example.org");
  tls_client_says(EPI_EAUTH, "certificate of old expired on 20");
  tls_server_says(EPI_EAUTH, "our certificate expired");
}

Test(tls_check, one_of_tomorrow) {
  tls_server_shows(
      tls_talks.root,
      &(tls_wish){.cn = "new", .dns = "hop.example.org", .begins = TLS_DAY});
  tls_talk("hop.example.org");
  tls_client_says(EPI_EAUTH, "certificate of new is not valid before 20");
}

Test(tls_check, one_by_an_unknown_authority) {
  tls_server_shows(tls_talks.other,
                   &(tls_wish){.cn = "x", .dns = "hop.example.org"});
  tls_talk("hop.example.org");
  tls_client_says(EPI_EAUTH, "unknown authority: Another Root");
  tls_server_says(EPI_EAUTH, "authority that it does not know");
}

Test(tls_check, one_by_itself) {
  tls_authority *self = tls_authority_new("Self", NULL, 0);

  tls_authority_issue(self, &tls_talks.cert,
                      &(tls_wish){.cn = "x", .dns = "a.b"});
  tls_server_shows(self, &(tls_wish){.cn = "x", .dns = "hop.example.org"});
  strcat(tls_talks.cert.chain, tls_authority_pem(self));
  tls_talks.pair.chain = tls_text(tls_talks.cert.chain);
  tls_talk("hop.example.org");
  tls_client_says(EPI_EAUTH, "unknown authority: Self");
  tls_authority_free(self);
}

Test(tls_check, one_of_the_same_name_as_the_authority) {
  tls_authority *false_root = tls_authority_new("Test Root", NULL, 0);

  tls_server_shows(false_root,
                   &(tls_wish){.cn = "x", .dns = "hop.example.org"});
  tls_talk("hop.example.org");
  tls_client_says(EPI_EAUTH, "");
  tls_authority_free(false_root);
}

Test(tls_check, one_below_another_authority) {
  tls_server_shows(tls_talks.middle,
                   &(tls_wish){.cn = "x", .dns = "hop.example.org"});
  tls_talk("hop.example.org");
  tls_talk_open();
}

/* wolfSSL remembers authorities that others sent along. */
Test(tls_check, one_below_another_that_only_others_showed) {
  epi__tls_context *whole, *part, *client;

  tls_server_shows(tls_talks.middle,
                   &(tls_wish){.cn = "x", .dns = "hop.example.org"});
  whole = tls_context(&tls_talks.server_setup);
  *strstr(tls_talks.cert.chain + 1, "-----BEGIN") = '\0';
  tls_talks.pair.chain = tls_text(tls_talks.cert.chain);
  part = tls_context(&tls_talks.server_setup);
  client = tls_context(&tls_talks.client_setup);
  tls_wire_open(&tls_talks.wire, client, whole, "hop.example.org");
  tls_wire_pump(&tls_talks.wire, SIZE_MAX);
  tls_talk_open();
  tls_wire_close(&tls_talks.wire);
  tls_wire_open(&tls_talks.wire, client, part, "hop.example.org");
  tls_wire_pump(&tls_talks.wire, SIZE_MAX);
  tls_client_says(EPI_EAUTH, "unknown authority: Test Middle");
  epi__tls_context_free(whole);
  epi__tls_context_free(part);
  epi__tls_context_free(client);
}

Test(tls_check, one_below_another_authority_that_expired) {
  tls_authority *past = tls_authority_new("Past", tls_talks.root, -TLS_DAY);

  tls_server_shows(past, &(tls_wish){.cn = "x", .dns = "hop.example.org"});
  tls_talk("hop.example.org");
  tls_client_says(EPI_EAUTH, "certificate of Past expired on");
  tls_authority_free(past);
}

Test(tls_check, one_by_somebody_who_may_not_issue_any) {
  tls_authority *somebody = tls_authority_false("Somebody", tls_talks.root);

  tls_server_shows(somebody, &(tls_wish){.cn = "x", .dns = "hop.example.org"});
  tls_talk("hop.example.org");
  tls_client_says(EPI_EAUTH, "");
  tls_authority_free(somebody);
}

Test(tls_check, one_by_an_authority_that_expired_since) {
  epi__tls_context *server, *client;

  tls_server_shows(tls_talks.root, &(tls_wish){.dns = "hop.example.org"});
  server = tls_context(&tls_talks.server_setup);
  client = tls_context(&tls_talks.client_setup);
  cr_assert_eq(client->root_count, 1);
  client->roots[0].ends = 1; /* as if so much time had passed */
  tls_wire_open(&tls_talks.wire, client, server, "hop.example.org");
  tls_wire_pump(&tls_talks.wire, SIZE_MAX);
  tls_client_says(EPI_EAUTH, "authority Test Root expired on 1970");
  epi__tls_context_free(server);
  epi__tls_context_free(client);
}

Test(tls_check, one_for_another_name) {
  tls_server_shows(tls_talks.root, &(tls_wish){.cn = "hop.example.org",
                                               .dns = "one.example.org",
                                               .dns_too = "two.example.org"});
  tls_talk("hop.example.org");
  tls_client_says(EPI_EAUTH,
                  "name does not match: asked for hop.example.org, "
                  "certificate is for one.example.org, two.example.org");
  tls_server_says(EPI_EAUTH, "");
}

Test(tls_check, one_with_nothing_but_a_common_name) {
  tls_server_shows(tls_talks.root, &(tls_wish){.cn = "hop.example.org"});
  tls_talk("hop.example.org");
  tls_client_says(EPI_EAUTH, "certificate is for no host");
}

Test(tls_check, wildcards_stand_for_one_label) {
  tls_server_shows(
      tls_talks.root,
      &(tls_wish){.cn = "x", .dns = "*.example.org", .dns_too = "*.net"});
  tls_talk("hop.example.org");
  tls_talk_open();
  tls_talk("HOP.example.org.");
  tls_talk_open();
  tls_talk("far.hop.example.org");
  tls_client_says(EPI_EAUTH, "does not match");
  tls_talk("example.org");
  tls_client_says(EPI_EAUTH, "does not match");
  tls_talk("example.net");
  tls_client_says(EPI_EAUTH, "does not match");
}

Test(tls_check, addresses_are_names_too) {
  tls_server_shows(tls_talks.root, &(tls_wish){.cn = "x", .ip = "192.0.2.1"});
  tls_talk("192.0.2.1");
  tls_talk_open();
  cr_assert_str_eq(epi__tls_server_name(tls_talks.wire.server), "");
  tls_talk("192.0.2.2");
  tls_client_says(EPI_EAUTH,
                  "asked for 192.0.2.2, certificate is for 192.0.2.1");
  tls_server_shows(tls_talks.root, &(tls_wish){.cn = "x", .ip = "2001:db8::1"});
  tls_talk("2001:db8::1");
  tls_talk_open();
}

Test(tls_check, a_name_that_looks_like_an_address_is_none) {
  tls_server_shows(tls_talks.root, &(tls_wish){.cn = "x", .dns = "192.0.2.1"});
  tls_talk("192.0.2.1");
  tls_client_says(EPI_EAUTH, "does not match");
}

Test(tls_check, one_that_is_signed_with_sha_1) {
  tls_server_shows(tls_talks.root,
                   &(tls_wish){.cn = "x", .dns = "hop.example.org", .sha1 = 1});
  tls_talk("hop.example.org");
  tls_client_says(EPI_EAUTH, "");
}

/* A peer that does not mind has it. */
static void lower_own_bounds(epi__tls_context *context) {
  cr_assert_eq(wolfSSL_CTX_SetMinEccKey_Sz(context->own[0].wolf, 192), 1);
}

Test(tls_check, one_with_a_short_key) {
  epi__tls_context *server = NULL, *client;
  epi__tls_pair *pair = &tls_talks.pair;
  epi__tls_own *own;

  tls_server_shows(tls_talks.root, &(tls_wish){.cn = "good", .dns = "a.b"});
  tls_talks.server_setup.highest = 12;
  server = tls_context(&tls_talks.server_setup);
  client = tls_context(&tls_talks.client_setup);
  tls_server_shows(tls_talks.root,
                   &(tls_wish){.dns = "hop.example.org", .short_key = 1});
  lower_own_bounds(server);
  own = &server->own[0];
  cr_assert_eq(wolfSSL_CTX_use_certificate_chain_buffer(
                   own->wolf, (const unsigned char *)pair->chain.data,
                   (long)pair->chain.len),
               1);
  cr_assert_eq(wolfSSL_CTX_use_PrivateKey_buffer(
                   own->wolf, (const unsigned char *)pair->key.data,
                   (long)pair->key.len, WOLFSSL_FILETYPE_PEM),
               1);
  tls_wire_open(&tls_talks.wire, client, server, "hop.example.org");
  tls_wire_pump(&tls_talks.wire, SIZE_MAX);
  tls_client_says(EPI_EAUTH, "too short a key");
  epi__tls_context_free(server);
  epi__tls_context_free(client);
  cr_assert_eq(epi__tls_context_new(&server, &tls_talks.server_setup),
               EPI_EINVAL);
}

Test(tls_check, one_that_is_meant_for_clients) {
  tls_server_shows(
      tls_talks.root,
      &(tls_wish){.cn = "x", .dns = "hop.example.org", .use = TLS_USE_CLIENT});
  tls_talk("hop.example.org");
  tls_client_says(EPI_EAUTH, "not meant for this use");
}

/* ---- the client's certificate ---- */

static void check_identity(const tls_wish *wish, const char *peer,
                           const char *kind) {
  tls_client_shows(tls_talks.root, wish);
  tls_talk("hop.example.org");
  tls_talk_open();
  cr_assert_str_eq(epi__tls_peer(tls_talks.wire.server), peer);
  cr_assert_str_eq(epi__tls_peer_kind(tls_talks.wire.server), kind);
}

Test(tls_check, who_a_client_is) {
  tls_wish wish = {.cn = "a common name",
                   .uri = "spiffe://umc/brane",
                   .dns = "worker.umc.example",
                   .email = "dr@umc.example"};

  tls_server_asks(EPI__TLS_PEER_REQUIRE);
  check_identity(&wish, "spiffe://umc/brane", "uri");
  wish.uri = NULL;
  check_identity(&wish, "worker.umc.example", "dns");
  wish.dns = NULL;
  check_identity(&wish, "dr@umc.example", "email");
  wish.email = NULL;
  check_identity(&wish, "a common name", "cn");
}

Test(tls_check, a_client_whose_name_cannot_be_shown) {
  tls_server_asks(EPI__TLS_PEER_REQUIRE);
  tls_client_shows(tls_talks.root, &(tls_wish){.cn = "two\nlines"});
  tls_talk("hop.example.org");
  tls_server_says(EPI_EAUTH, "no name that can be used");
  tls_client_shows(tls_talks.root, &(tls_wish){.cn = "\xc3("});
  tls_talk("hop.example.org");
  tls_server_says(EPI_EAUTH, "no name that can be used");
  tls_client_shows(tls_talks.root, &(tls_wish){.cn = NULL});
  tls_talk("hop.example.org");
  tls_server_says(EPI_EAUTH, "");
}

Test(tls_check, a_client_without_a_certificate) {
  tls_server_asks(EPI__TLS_PEER_REQUIRE);
  tls_talk("hop.example.org");
  tls_server_says(EPI_EAUTH, "shows no certificate");
  cr_assert_eq(tls_talks.wire.client_error, EPI_EAUTH, "%s",
               epi__tls_reason(tls_talks.wire.client));
  tls_talks.server_setup.peer = EPI__TLS_PEER_ASK;
  tls_talk("hop.example.org");
  tls_talk_open();
  cr_assert_str_eq(epi__tls_peer(tls_talks.wire.server), "");
  cr_assert_str_eq(epi__tls_peer_kind(tls_talks.wire.server), "");
}

Test(tls_check, a_client_of_an_unknown_authority) {
  int peer;

  for (peer = EPI__TLS_PEER_ASK; peer <= EPI__TLS_PEER_REQUIRE; peer++) {
    tls_server_asks(peer);
    tls_client_shows(tls_talks.other, &(tls_wish){.cn = "mallory"});
    tls_talk("hop.example.org");
    tls_server_says(EPI_EAUTH,
                    "mallory is by an unknown authority: Another Root");
    cr_assert_eq(tls_talks.wire.client_error, EPI_EAUTH);
  }
}

Test(tls_check, a_client_whose_certificate_expired) {
  tls_server_asks(EPI__TLS_PEER_REQUIRE);
  tls_client_shows(tls_talks.root, &(tls_wish){.cn = "alice", .ends = -3600});
  tls_talk("hop.example.org");
  tls_server_says(EPI_EAUTH, "certificate of alice expired on");
}

Test(tls_check, a_client_with_a_server_certificate) {
  tls_server_asks(EPI__TLS_PEER_REQUIRE);
  tls_client_shows(tls_talks.root,
                   &(tls_wish){.cn = "alice", .use = TLS_USE_SERVER});
  tls_talk("hop.example.org");
  tls_server_says(EPI_EAUTH, "not meant for this use");
}

Test(tls_check, a_client_that_shows_its_authority_as_itself) {
  tls_authority *false_root = tls_authority_new("Test Root", NULL, 0);

  tls_server_asks(EPI__TLS_PEER_REQUIRE);
  tls_client_shows(false_root, &(tls_wish){.cn = "alice"});
  tls_talk("hop.example.org");
  tls_server_says(EPI_EAUTH, "");
  tls_authority_free(false_root);
}

/* Who may ask for certificates sees them each time. */
Test(tls_check, a_server_that_asks_resumes_nothing) {
  epi__tls_context *server, *client;
  int i;

  tls_server_asks(EPI__TLS_PEER_REQUIRE);
  tls_client_shows(tls_talks.root, &(tls_wish){.cn = "alice"});
  server = tls_context(&tls_talks.server_setup);
  client = tls_context(&tls_talks.client_setup);
  for (i = 0; i < 3; i++) {
    char buf[16];

    tls_wire_open(&tls_talks.wire, client, server, "hop.example.org");
    tls_wire_pump(&tls_talks.wire, SIZE_MAX);
    tls_talk_open();
    epi__tls_read(tls_talks.wire.client, buf, sizeof buf);
    cr_assert_not(epi__tls_is_resumed(tls_talks.wire.server));
    cr_assert_str_eq(epi__tls_peer(tls_talks.wire.server), "alice");
    tls_wire_close(&tls_talks.wire);
  }
  epi__tls_context_free(server);
  epi__tls_context_free(client);
}

/* ---- TLS 1.2 does the same ---- */

Test(tls_check, clients_in_tls_1_2) {
  tls_server_asks(EPI__TLS_PEER_REQUIRE);
  tls_talks.server_setup.highest = 12;
  tls_talk("hop.example.org");
  tls_server_says(EPI_EAUTH, "");
  tls_client_shows(tls_talks.other, &(tls_wish){.cn = "mallory"});
  tls_talk("hop.example.org");
  tls_server_says(EPI_EAUTH, "mallory is by an unknown authority");
  tls_client_shows(tls_talks.root,
                   &(tls_wish){.cn = "alice", .uri = "urn:alice"});
  tls_talk("hop.example.org");
  tls_talk_open();
  cr_assert_str_eq(epi__tls_peer(tls_talks.wire.server), "urn:alice");
  tls_talks.client_setup.pair_count = 0;
  tls_talks.server_setup.peer = EPI__TLS_PEER_ASK;
  tls_talk("hop.example.org");
  tls_talk_open();
  cr_assert_str_eq(epi__tls_peer(tls_talks.wire.server), "");
}
