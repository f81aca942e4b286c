/* test_proof.c: functions at endpoints show that they saw a flow. */
#include "base/fail.h"
#include "socks/proof.h"
#include "support/alloc_fail.h"
#include "tls/primitives.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

enum {
  NOW = 1700000000,
  MANY = 4,
};

static const char chain_key[] = "0123456789abcdef0123456789abcdef";
static const epi__proof_of functions[MANY] = {
    {"gate", 0}, {"scan", 0}, {"mask", 0}, {"meter", 0}};
static uint8_t keys[MANY][EPI__FUNCTION_KEY];
static epi__claims_seen seen;

static const epi__crypto *crypto(void) {
  return epi__crypto_wolfssl();
}

static void make_keys(void) {
  for (size_t i = 0; i < MANY; i++) {
    cr_assert_eq(
        epi__function_key(keys[i], crypto(), chain_key, 32, functions[i].name),
        0);
  }
}

static void end(void) {
  epi__claims_seen_clear(&seen);
}

TestSuite(proof, .init = make_keys, .fini = end);

/* What a proxy asks of the first of so many functions. */
static epi_request *ask(size_t count) {
  epi_request *request;
  epi_addr dest;

  cr_assert_eq(epi_request_new(&request), 0);
  cr_assert_eq(epi_addr_parse(&dest, "ehr.antonius.example:443", -1), 0);
  epi_request_set_dest(request, &dest);
  epi_request_set_metadata(request, EPI_META_SOURCE, "10.1.0.5:4000");
  cr_assert_eq(epi__claims_issue(request, crypto(), NOW), 0);
  for (size_t i = 0; i < count; i++) {
    cr_assert_eq(epi__ticket_add(request, crypto(), keys[i]), 0);
  }
  return request;
}

static int admit(const epi_request *request, size_t function) {
  return epi__ticket_check(request, crypto(), keys[function], NOW, &seen);
}

static int stamp(epi_request *request, size_t function) {
  return epi__proof_stamp(request, request, crypto(), keys[function]);
}

/* Did it pass the first so many functions? */
static int check(const epi_request *request, size_t count) {
  return epi__proof_check(request, crypto(), chain_key, 32, functions, count);
}

static void says(const char *text) {
  cr_expect(strstr(epi_error_detail(), text), "\"%s\" is not in \"%s\"", text,
            epi_error_detail());
}

Test(proof, of_all_functions_in_order_is_believed) {
  for (size_t count = 0; count <= MANY; count++) {
    epi_request *request = ask(count);

    for (size_t i = 0; i < count; i++) {
      cr_expect_eq(check(request, count), EPI_EDENIED);
      cr_expect_eq(admit(request, i), 0, "%s", epi_error_detail());
      cr_expect_eq(epi__ticket_is_last(request), i + 1 == count);
      end(); /* each function remembers for itself */
      cr_expect_eq(stamp(request, i), 0);
    }
    cr_expect_eq(check(request, count), 0, "%s", epi_error_detail());
    epi_request_free(request);
  }
}

/* Stamps of three functions, each of them that of one of four, or of nobody:
 * one way of 125 is believed. */
Test(proof, in_every_other_order_is_not_believed) {
  for (int way = 0; way < 125; way++) {
    epi_request *request = ask(3);
    int right = way == 0 + 5 * 1 + 25 * 2;

    for (int i = 0, rest = way; i < 3; i++, rest /= 5) {
      if (rest % 5 < MANY) {
        cr_assert_eq(stamp(request, (size_t)(rest % 5)), 0);
      }
    }
    cr_expect_eq(check(request, 3), right ? 0 : EPI_EDENIED, "way %d", way);
    epi_request_free(request);
  }
}

Test(proof, names_what_is_missing_or_out_of_its_place) {
  epi_request *request = ask(2);

  cr_expect_eq(check(request, 2), EPI_EDENIED);
  says("no proof that gate saw the flow");
  stamp(request, 0);
  cr_expect_eq(check(request, 2), EPI_EDENIED);
  says("no proof that scan saw the flow");
  epi_request_free(request);
  request = ask(2);
  stamp(request, 1);
  stamp(request, 0);
  cr_expect_eq(check(request, 2), EPI_EDENIED);
  says("gate saw the flow, but not in its place");
  epi_request_free(request);
  request = ask(1);
  stamp(request, 0);
  cr_expect_eq(check(request, 2), EPI_EDENIED);
  says("did not send the flow through scan");
  stamp(request, 1);
  cr_expect_eq(check(request, 1), EPI_EDENIED, "one stamp too many");
  says("other functions");
  epi_request_free(request);
}

Test(proof, may_lack_what_fails_open_if_the_proxy_before_says_so) {
  epi__proof_of optional[2] = {{"gate", 1}, {"scan", 0}};
  epi_request *request = ask(0);

  cr_assert_eq(epi__ticket_add(request, crypto(), keys[1]), 0);
  stamp(request, 1);
  cr_expect_eq(epi__proof_check(request, crypto(), chain_key, 32, optional, 2),
               0);
  epi_request_free(request);
  request = ask(2); /* here it was sent through gate, which was skipped */
  stamp(request, 1);
  cr_expect_eq(epi__proof_check(request, crypto(), chain_key, 32, optional, 2),
               EPI_EDENIED);
  says("no proof that gate saw the flow");
  epi_request_free(request);
}

Test(proof, of_another_flow_or_by_another_key_is_worth_nothing) {
  epi_request *first = ask(1), *second = ask(1);

  stamp(first, 0);
  epi_request_set_metadata(second, EPI_META_PROOF,
                           epi_request_metadata(first, EPI_META_PROOF));
  cr_expect_eq(check(first, 1), 0);
  cr_expect_eq(check(second, 1), EPI_EDENIED);
  cr_expect_eq(
      epi__proof_check(first, crypto(), "another chain key", 17, functions, 1),
      EPI_EDENIED);
  epi_request_free(first);
  keys[0][0] ^= 1;
  first = ask(1);
  stamp(first, 0);
  cr_expect_eq(check(first, 1), EPI_EDENIED);
  epi_request_free(first);
  epi_request_free(second);
}

Test(proof, that_is_changed_or_cut_is_not_believed) {
  epi_request *request = ask(2);
  char text[EPI_METADATA_VALUE_MAX], changed[EPI_METADATA_VALUE_MAX];

  stamp(request, 0);
  stamp(request, 1);
  snprintf(text, sizeof text, "%s",
           epi_request_metadata(request, EPI_META_PROOF));
  for (size_t i = 0; text[i]; i++) {
    snprintf(changed, sizeof changed, "%.*s", (int)i, text);
    epi_request_set_metadata(request, EPI_META_PROOF, changed);
    cr_expect_eq(check(request, 2), EPI_EDENIED, "cut at %zu", i);
    snprintf(changed, sizeof changed, "%s", text);
    changed[i] = changed[i] == '0' ? '1' : '0';
    epi_request_set_metadata(request, EPI_META_PROOF, changed);
    cr_expect_eq(check(request, 2), EPI_EDENIED, "changed at %zu", i);
  }
  epi_request_set_metadata(request, EPI_META_PROOF, text);
  cr_expect_eq(check(request, 2), 0);
  epi_request_free(request);
}

Test(proof, a_function_serves_whom_a_proxy_sends) {
  epi_request *request = ask(2);

  cr_expect_eq(admit(request, 2), EPI_EAUTH, "it has no ticket for this one");
  says("no ticket is for this function");
  cr_expect_eq(admit(request, 1), EPI_EAUTH);
  says("1 functions come before this one, and 0 saw the flow");
  cr_expect_eq(admit(request, 0), 0);
  cr_expect_eq(admit(request, 0), EPI_EAUTH, "a replay");
  says("used before");
  end();
  stamp(request, 0);
  cr_expect_eq(admit(request, 0), EPI_EAUTH, "it was here already");
  epi_request_set_metadata(request, EPI_META_SOURCE, "10.1.0.6:4000");
  cr_expect_eq(admit(request, 1), EPI_EAUTH, "another source");
  epi_request_free(request);
  request = ask(0);
  cr_expect_eq(admit(request, 0), EPI_EAUTH);
  says("there is no ticket");
  epi_request_free(request);
}

Test(proof, a_function_serves_nobody_late) {
  epi_request *request = ask(1);

  cr_expect_eq(epi__ticket_check(request, crypto(), keys[0],
                                 NOW + EPI__CLAIMS_WINDOW + 1, &seen),
               EPI_EAUTH);
  seen.from = NOW + 1;
  cr_expect_eq(admit(request, 0), EPI_EAUTH);
  epi_request_free(request);
}

Test(proof, lists_have_a_limit_and_a_form) {
  static const char *const lists[] = {"x", ",", "00", "0,", "-"};
  epi_request *request = ask(0);
  char text[EPI_METADATA_VALUE_MAX] = "";

  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
    epi_request_set_metadata(request, EPI_META_TICKETS, lists[i]);
    cr_expect_eq(admit(request, 0), EPI_EAUTH, "%s", lists[i]);
    cr_expect_eq(check(request, 0), EPI_EDENIED, "%s", lists[i]);
    says("malformed");
  }
  epi_request_set_metadata(request, EPI_META_TICKETS, NULL);
  for (int i = 0; i < EPI__PROOF_MAX; i++) {
    cr_expect_eq(epi__ticket_add(request, crypto(), keys[0]), 0);
  }
  cr_expect_eq(epi__ticket_add(request, crypto(), keys[0]), EPI_ELIMIT);
  snprintf(text, sizeof text, "%s,%064d",
           epi_request_metadata(request, EPI_META_TICKETS), 0);
  epi_request_set_metadata(request, EPI_META_TICKETS, text);
  cr_expect_eq(check(request, 0), EPI_EDENIED);
  says("malformed");
  epi_request_free(request);
}

Test(proof, a_name_that_is_too_long_has_no_key) {
  char name[EPI__FUNCTION_NAME + 2];

  memset(name, 'n', sizeof name - 1);
  name[sizeof name - 1] = '\0';
  cr_expect_eq(epi__function_key(keys[0], crypto(), chain_key, 32, name),
               EPI_EINVAL);
  name[sizeof name - 2] = '\0';
  cr_expect_eq(epi__function_key(keys[0], crypto(), chain_key, 32, name), 0);
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

Test(proof, is_not_made_or_believed_when_cryptography_or_memory_fails) {
  epi__crypto broken = *crypto();
  epi_request *request = ask(1);

  broken.mac = no_mac;
  cr_expect_eq(epi__ticket_add(request, &broken, keys[0]), EPI_ECRYPTO);
  cr_expect_eq(epi__ticket_check(request, &broken, keys[0], NOW, &seen),
               EPI_ECRYPTO);
  cr_expect_eq(epi__proof_stamp(request, request, &broken, keys[0]),
               EPI_ECRYPTO);
  cr_expect_eq(epi__proof_check(request, &broken, chain_key, 32, functions, 1),
               EPI_ECRYPTO);
  for (alloc_fail_start(); alloc_fail_more();) {
    int result = admit(request, 0);

    cr_expect_eq(result, alloc_fail_happened() ? EPI_ENOMEM : 0);
    end();
  }
  for (alloc_fail_start(); alloc_fail_more();) {
    int result = check(request, 1);

    cr_expect_eq(result, alloc_fail_happened() ? EPI_ENOMEM : EPI_EDENIED);
  }
  epi_request_free(request);
}
