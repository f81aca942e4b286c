/* test_claims.c: metadata that a proxy signs and the next believes. */
#include "epi/error.h"
#include "socks/claims.h"
#include "support/alloc_fail.h"
#include "tls/primitives.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum {
  NOW = 1700000000,
};

static uint8_t key[EPI__CLAIMS_KEY];
static epi__claims_seen seen;

static epi_request *make(void) {
  static const char chain_key[] = "0123456789abcdef0123456789abcdef";
  epi_request *request;
  epi_addr dest;

  cr_assert_eq(epi__claims_key(key, epi__crypto_wolfssl(), chain_key, 32), 0);
  cr_assert_eq(epi_request_new(&request), 0);
  cr_assert_eq(epi_addr_parse(&dest, "ehr.antonius.example:443", -1), 0);
  epi_request_set_dest(request, &dest);
  epi_request_set_metadata(request, EPI_META_SOURCE, "10.1.0.5:4000");
  epi_request_set_metadata(request, EPI_META_APPLICATION, "train");
  epi_request_set_metadata(request, EPI_META_PLAN, "[]");
  epi_request_set_metadata(request, EPI_META_CHAIN_INDEX, "1");
  cr_assert_eq(epi__claims_issue(request, epi__crypto_wolfssl(), NOW), 0);
  cr_assert_eq(epi__claims_sign(request, epi__crypto_wolfssl(), key), 0);
  return request;
}

static int check(epi_request *request, int64_t now) {
  return epi__claims_check(request, epi__crypto_wolfssl(), key, now, &seen);
}

Test(claims, are_believed_once) {
  epi_request *request = make();

  cr_expect_eq(check(request, NOW + 1), 0);
  cr_expect_eq(check(request, NOW + 2), EPI_EAUTH, "a replay");
  epi_request_free(request);
  epi__claims_seen_clear(&seen);
}

Test(claims, from_before_the_start_are_not_believed) {
  epi_request *request = make();

  seen.from = NOW + 1;
  cr_expect_eq(check(request, NOW + 2), EPI_EAUTH);
  seen.from = NOW;
  cr_expect_eq(check(request, NOW + 2), 0);
  epi_request_free(request);
  epi__claims_seen_clear(&seen);
}

/* Have others be believed, each a while after the one before, until the first
 * ones are not remembered any more. */
static void forget(int64_t from, int64_t step) {
  for (int64_t i = 1; i <= 3; i++) {
    epi_request *other = make();

    epi_request_set_metadata(other, EPI_META_ISSUED, NULL);
    cr_assert_eq(
        epi__claims_issue(other, epi__crypto_wolfssl(), from + i * step), 0);
    cr_assert_eq(epi__claims_sign(other, epi__crypto_wolfssl(), key), 0);
    cr_expect_eq(check(other, from + i * step), 0, "%s", epi_error_detail());
    epi_request_free(other);
  }
}

Test(claims, are_believed_once_whatever_the_clock_is_set_to) {
  epi_request *request = make();

  cr_expect_eq(check(request, NOW), 0);
  forget(NOW, 3 * EPI__CLAIMS_WINDOW);
  cr_expect_eq(check(request, NOW), EPI_EAUTH, "an hour back, and a replay");
  cr_expect(strstr(epi_error_detail(), "may have been used"), "%s",
            epi_error_detail());
  epi_request_free(request);
  epi__claims_seen_clear(&seen);
}

Test(claims, of_peers_with_the_right_time_go_on_when_a_clock_is_set_back) {
  epi_request *request;

  seen.since = NOW + 100000; /* a nonce was remembered by a clock too far on */
  for (int i = 0; i < 3; i++) {
    request = make();
    cr_expect_eq(check(request, NOW + i), 0, "%s", epi_error_detail());
    epi_request_free(request);
  }
  cr_expect_leq(seen.since, NOW + 2);
  epi__claims_seen_clear(&seen);
}

Test(claims, without_an_authenticator_are_nobodys) {
  epi_request *request = make();

  epi_request_set_metadata(request, EPI_META_AUTHENTICATOR, NULL);
  cr_expect_eq(check(request, NOW), EPI_ENOENT);
  epi_request_free(request);
}

Test(claims, any_change_breaks_them) {
  static const struct {
    int key;
    const char *value;
  } changes[] = {
      {EPI_META_SOURCE, "10.1.0.6:4000"},
      {EPI_META_APPLICATION, NULL},
      {EPI_META_PLAN, "[{}]"},
      {EPI_META_USER, "root"},
      {EPI_META_ISSUED, "1700000001 00000000000000000000000000000000"},
      {EPI_META_AUTHENTICATOR, "00"},
      {EPI_META_CHAIN_LINK, "socks6://evil:1080"},
      {1234, "new"},
  };

  for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
    epi_request *request = make();

    cr_assert_eq(
        epi_request_set_metadata(request, changes[i].key, changes[i].value), 0);
    cr_expect_eq(check(request, NOW), EPI_EAUTH, "change %zu", i);
    epi_request_free(request);
  }
}

Test(claims, another_destination_breaks_them) {
  epi_request *request = make();
  epi_addr dest;

  epi_addr_parse(&dest, "ehr.antonius.example:444", -1);
  epi_request_set_dest(request, &dest);
  cr_expect_eq(check(request, NOW), EPI_EAUTH);
  epi_request_free(request);
}

Test(claims, functions_on_the_way_may_advance_the_chain) {
  epi_request *request = make();

  epi_request_set_metadata(request, EPI_META_CHAIN_INDEX, "2");
  epi_request_set_metadata(request, EPI_META_PASSED, "0123456789abcdef");
  cr_expect_eq(check(request, NOW), 0);
  epi_request_free(request);
  epi__claims_seen_clear(&seen);
}

Test(claims, are_worth_nothing_when_old_or_from_the_future) {
  epi_request *request = make();

  cr_expect_eq(check(request, NOW + EPI__CLAIMS_WINDOW + 1), EPI_EAUTH);
  cr_expect_eq(check(request, NOW - EPI__CLAIMS_WINDOW - 1), EPI_EAUTH);
  cr_expect_eq(check(request, NOW + EPI__CLAIMS_WINDOW), 0);
  epi_request_free(request);
  epi__claims_seen_clear(&seen);
}

Test(claims, another_key_is_noticed) {
  epi_request *request = make();

  key[0] ^= 1;
  cr_expect_eq(check(request, NOW), EPI_EAUTH);
  epi_request_free(request);
}

Test(claims, a_replay_is_noticed_among_many) {
  epi_request *first = make();

  cr_assert_eq(check(first, NOW), 0);
  for (int i = 0; i < 5000; i++) {
    epi_request *request = make();

    cr_assert_eq(check(request, NOW + i / 100), 0);
    epi_request_free(request);
  }
  cr_expect_eq(check(first, NOW + EPI__CLAIMS_WINDOW), EPI_EAUTH);
  epi_request_free(first);
  epi__claims_seen_clear(&seen);
}

Test(claims, with_a_malformed_time_or_nonce_are_not_believed) {
  static const char *const issued[] = {
      "",
      "x700000000 00000000000000000000000000000000",
      "1700000000",
      "1700000000 0000",
      "1700000000 000000000000000000000000000000000000000000000000000000",
  };

  for (size_t i = 0; i < sizeof issued / sizeof *issued; i++) {
    epi_request *request = make();

    epi_request_set_metadata(request, EPI_META_ISSUED, issued[i]);
    cr_expect_eq(check(request, NOW), EPI_EAUTH, "%s", issued[i]);
    epi_request_free(request);
  }
}

static int no_random(void *out, size_t len) {
  (void)out;
  (void)len;
  return EPI_ESYS;
}

static int no_mac(uint8_t *out, const void *mac_key, size_t key_len,
                  const void *data, size_t len) {
  (void)out;
  (void)mac_key;
  (void)key_len;
  (void)data;
  (void)len;
  return EPI_ECRYPTO;
}

Test(claims, are_not_made_or_believed_when_cryptography_fails) {
  epi__crypto silent = *epi__crypto_wolfssl(), broken = silent;
  epi_request *request = make();

  silent.random = no_random;
  broken.mac = no_mac;
  cr_expect_eq(epi__claims_check(request, &broken, key, NOW, &seen),
               EPI_ECRYPTO);
  cr_expect_eq(epi__claims_issue(request, &silent, NOW), EPI_ESYS);
  cr_expect_eq(epi__claims_sign(request, &broken, key), EPI_ECRYPTO);
  epi_request_free(request);
}

Test(claims, that_cannot_be_remembered_are_not_believed) {
  epi_request *request = make();

  for (alloc_fail_start(); alloc_fail_more();) {
    cr_expect_eq(check(request, NOW), alloc_fail_happened() ? EPI_ENOMEM : 0);
    epi__claims_seen_clear(&seen);
  }
  seen.newer.size = EPI__CLAIMS_SEEN;
  seen.newer.count = EPI__CLAIMS_SEEN / 2;
  seen.newer.slots = calloc(EPI__CLAIMS_SEEN, EPI__CLAIMS_NONCE);
  seen.since = NOW;
  cr_expect_eq(check(request, NOW), EPI_ELIMIT);
  epi_request_free(request);
  epi__claims_seen_clear(&seen);
}
