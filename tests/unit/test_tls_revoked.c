/* test_tls_revoked.c: certificates that their authority took back: lists, and
 * staples. */
#include "support/tls_talk.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

enum { PEM_MAX = 8192 };

TestSuite(tls_revoked, .init = tls_talk_set_up, .fini = tls_talk_tear_down);

/* ---- lists of what is revoked ---- */

static char lists[3 * PEM_MAX];

static void list_revoked(tls_authority *by, const unsigned *serials,
                         size_t count, int64_t next) {
  size_t len = strlen(lists);

  tls_authority_revoke(by, lists + len, sizeof lists - len, serials, count,
                       next);
}

Test(tls_revoked, a_revoked_server) {
  lists[0] = '\0';
  tls_server_shows(tls_talks.root,
                   &(tls_wish){.cn = "x", .dns = "hop.example.org"});
  list_revoked(tls_talks.root, (unsigned[]){7, tls_talks.cert.serial, 9}, 3,
               TLS_DAY);
  tls_talks.client_setup.crl = tls_text(lists);
  tls_talk("hop.example.org");
  tls_client_says(EPI_EAUTH, "certificate of x is revoked by Test Root");
  tls_server_says(EPI_EAUTH, "revoked");
  lists[0] = '\0';
  list_revoked(tls_talks.root, (unsigned[]){7, 9}, 2, TLS_DAY);
  tls_talks.client_setup.crl = tls_text(lists);
  tls_talk("hop.example.org");
  tls_talk_open();
}

Test(tls_revoked, a_revoked_client) {
  lists[0] = '\0';
  tls_server_asks(EPI__TLS_PEER_REQUIRE);
  tls_client_shows(tls_talks.root, &(tls_wish){.cn = "alice"});
  list_revoked(tls_talks.root, &tls_talks.client_cert.serial, 1, TLS_DAY);
  tls_talks.server_setup.crl = tls_text(lists);
  tls_talk("hop.example.org");
  tls_server_says(EPI_EAUTH, "certificate of alice is revoked by Test Root");
  tls_client_shows(tls_talks.root, &(tls_wish){.cn = "bob"});
  tls_talk("hop.example.org");
  tls_talk_open();
}

Test(tls_revoked, a_list_that_is_out_of_date) {
  lists[0] = '\0';
  tls_server_shows(tls_talks.root,
                   &(tls_wish){.cn = "x", .dns = "hop.example.org"});
  list_revoked(tls_talks.root, NULL, 0, -3600);
  tls_talks.client_setup.crl = tls_text(lists);
  tls_talk("hop.example.org");
  tls_client_says(EPI_EAUTH,
                  "cannot be checked: no revocation list of Test Root");
}

Test(tls_revoked, no_list_of_the_issuer) {
  lists[0] = '\0';
  tls_server_shows(tls_talks.root,
                   &(tls_wish){.cn = "x", .dns = "hop.example.org"});
  list_revoked(tls_talks.other, NULL, 0, TLS_DAY);
  tls_talks.client_setup.crl = tls_text(lists);
  tls_talk("hop.example.org");
  tls_client_says(EPI_EAUTH, "cannot be checked");
}

Test(tls_revoked, a_list_that_another_one_signed) {
  tls_authority *false_root = tls_authority_new("Test Root", NULL, 0);

  lists[0] = '\0';
  tls_server_shows(tls_talks.root,
                   &(tls_wish){.cn = "x", .dns = "hop.example.org"});
  list_revoked(false_root, NULL, 0, TLS_DAY);
  tls_talks.client_setup.crl = tls_text(lists);
  tls_talk("hop.example.org");
  tls_client_says(EPI_EAUTH, "");
  tls_authority_free(false_root);
}

Test(tls_revoked, every_authority_of_the_chain_needs_a_list) {
  unsigned middle_serial = tls_authority_serial(tls_talks.middle);

  lists[0] = '\0';
  tls_server_shows(tls_talks.middle,
                   &(tls_wish){.cn = "x", .dns = "hop.example.org"});
  list_revoked(tls_talks.middle, NULL, 0, TLS_DAY);
  tls_talks.client_setup.crl = tls_text(lists);
  tls_talk("hop.example.org");
  tls_client_says(EPI_EAUTH, "certificate of Test Middle cannot be checked");
  list_revoked(tls_talks.root, NULL, 0, TLS_DAY);
  tls_talks.client_setup.crl = tls_text(lists);
  tls_talk("hop.example.org");
  tls_talk_open();
  lists[0] = '\0';
  list_revoked(tls_talks.middle, &tls_talks.cert.serial, 1, TLS_DAY);
  list_revoked(tls_talks.root, NULL, 0, TLS_DAY);
  tls_talks.client_setup.crl = tls_text(lists);
  tls_talk("hop.example.org");
  tls_client_says(EPI_EAUTH, "certificate of x is revoked by Test Middle");
  lists[0] = '\0';
  list_revoked(tls_talks.middle, NULL, 0, TLS_DAY);
  list_revoked(tls_talks.root, &middle_serial, 1, TLS_DAY);
  tls_talks.client_setup.crl = tls_text(lists);
  tls_talk("hop.example.org");
  tls_client_says(EPI_EAUTH,
                  "certificate of Test Middle is revoked by Test Root");
}

/* ---- TLS 1.2 does the same ---- */

Test(tls_revoked, all_of_it_in_tls_1_2) {
  lists[0] = '\0';
  tls_talks.server_setup.highest = 12;
  tls_server_shows(tls_talks.root,
                   &(tls_wish){.cn = "x", .dns = "hop.example.org"});
  tls_talk("hop.example.org");
  tls_talk_open();
  cr_assert_str_eq(epi__tls_version(tls_talks.wire.client), "TLSv1.2");
  tls_talk("other.example.org");
  tls_client_says(EPI_EAUTH, "does not match");
  list_revoked(tls_talks.root, &tls_talks.cert.serial, 1, TLS_DAY);
  tls_talks.client_setup.crl = tls_text(lists);
  tls_talk("hop.example.org");
  tls_client_says(EPI_EAUTH, "revoked by Test Root");
  tls_talks.client_setup.crl = (epi__tls_text){0};
  tls_server_shows(tls_talks.other,
                   &(tls_wish){.cn = "x", .dns = "hop.example.org"});
  tls_talk("hop.example.org");
  tls_client_says(EPI_EAUTH, "unknown authority");
  tls_talks.client_setup.lowest = 13;
  tls_talk("hop.example.org");
  tls_client_says(EPI_EVERSION, "no version of TLS in common");
  tls_server_says(EPI_EVERSION, "no version of TLS in common");
}

/* ---- staples ---- */

static void staple_as(tls_authority *by, unsigned serial, int revoked,
                      int64_t next) {
  tls_talks.staple_len = tls_authority_staple(
      by, tls_talks.staple, sizeof tls_talks.staple, serial, revoked, next);
}

static void want_staple(void) {
  tls_server_shows(tls_talks.root,
                   &(tls_wish){.cn = "x", .dns = "hop.example.org"});
  tls_talks.server_setup.ca = tls_text(tls_authority_pem(tls_talks.root));
  tls_talks.client_setup.staple = 1;
}

Test(tls_revoked, a_good_staple) {
  want_staple();
  staple_as(tls_talks.root, tls_talks.cert.serial, 0, TLS_DAY);
  tls_talk("hop.example.org");
  tls_talk_open();
  tls_talks.client_setup.staple = 0;
  tls_talk("hop.example.org");
  tls_talk_open();
}

Test(tls_revoked, no_staple) {
  want_staple();
  tls_talk("hop.example.org");
  tls_client_says(EPI_EAUTH, "no good and current staple");
}

Test(tls_revoked, a_staple_that_says_revoked) {
  want_staple();
  staple_as(tls_talks.root, tls_talks.cert.serial, 1, TLS_DAY);
  tls_talk("hop.example.org");
  tls_client_says(EPI_EAUTH, "revoked, says its staple");
}

Test(tls_revoked, a_staple_that_is_out_of_date) {
  want_staple();
  staple_as(tls_talks.root, tls_talks.cert.serial, 0, -3600);
  tls_talk("hop.example.org");
  tls_client_says(EPI_EAUTH, "no good and current staple");
}

Test(tls_revoked, a_staple_for_another_certificate) {
  want_staple();
  staple_as(tls_talks.root, tls_talks.cert.serial + 1, 0, TLS_DAY);
  tls_talk("hop.example.org");
  tls_client_says(EPI_EAUTH, "no good and current staple");
}

Test(tls_revoked, a_staple_by_another_authority) {
  char both[2 * PEM_MAX];

  want_staple();
  snprintf(both, sizeof both, "%s%s", tls_authority_pem(tls_talks.root),
           tls_authority_pem(tls_talks.other));
  tls_talks.server_setup.ca = tls_text(both);
  staple_as(tls_talks.other, tls_talks.cert.serial, 0, TLS_DAY);
  tls_talk("hop.example.org");
  tls_client_says(EPI_EAUTH, "no good and current staple");
}

Test(tls_revoked, no_staple_is_handed_out) {
  epi__tls_context *context = NULL;

  want_staple();
  tls_talks.pair.staple = tls_text("a staple");
  cr_assert_eq(epi__tls_context_new(&context, &tls_talks.server_setup),
               EPI_ENOTSUP);
}

Test(tls_revoked, staples_in_tls_1_2) {
  tls_talks.server_setup.highest = 12;
  want_staple();
  tls_talk("hop.example.org");
  tls_client_says(EPI_EAUTH, "no good and current staple");
  staple_as(tls_talks.root, tls_talks.cert.serial, 1, TLS_DAY);
  tls_talk("hop.example.org");
  tls_client_says(EPI_EAUTH, "");
  staple_as(tls_talks.root, tls_talks.cert.serial + 1, 0, TLS_DAY);
  tls_talk("hop.example.org");
  tls_client_says(EPI_EAUTH, "no good and current staple");
  staple_as(tls_talks.root, tls_talks.cert.serial, 0, TLS_DAY);
  tls_talk("hop.example.org");
  tls_talk_open();
}
