/* test_guess_limit.c: how often an address may be wrong about a password. */
#include "engine/guess_limit.h"

#include "epi/error.h"
#include "support/alloc_fail.h"

#include <criterion/criterion.h>
#include <stdio.h>

static epi__guesses guesses;
static epi__guess_rule rule = {3, 1000, 100};

static void start(void) {
  epi__guesses_init(&guesses);
}

static void done(void) {
  epi__guesses_clear(&guesses);
}

TestSuite(guess_limit, .init = start, .fini = done);

static int may(const char *client, int64_t now, int64_t *refused) {
  epi_addr addr;

  cr_assert_eq(epi_addr_parse(&addr, client, 1), 0);
  return epi__guess_may(&guesses, &addr, now, refused);
}

static int64_t wrong(const char *client, int64_t now) {
  epi_addr addr;

  cr_assert_eq(epi_addr_parse(&addr, client, 2), 0);
  return epi__guess_wrong(&guesses, &addr, now, &rule);
}

Test(guess_limit, refuses_an_address_after_too_many_failures) {
  int64_t refused;

  cr_expect(may("192.0.2.1", 0, &refused));
  cr_expect_eq(wrong("192.0.2.1", 10), 0);
  cr_expect_eq(wrong("192.0.2.1", 20), 0);
  cr_expect(may("192.0.2.1", 25, &refused));
  cr_expect_eq(wrong("192.0.2.1", 30), 100);
  cr_expect_eq(wrong("192.0.2.1", 31), 0, "it was on its way");
  cr_expect_not(may("192.0.2.1", 31, &refused));
  cr_expect_not(may("192.0.2.1", 129, &refused));
  cr_expect_eq(refused, 0);
  cr_expect(may("192.0.2.2", 31, &refused), "another one");
  cr_expect(may("192.0.2.1", 130, &refused));
  cr_expect_eq(refused, 2);
  cr_expect(may("192.0.2.1", 131, &refused));
  cr_expect_eq(refused, 0, "it is said once");
}

Test(guess_limit, failures_far_apart_are_none) {
  for (int64_t now = 0; now < 100000; now += 600) {
    cr_expect_eq(wrong("192.0.2.1", now), 0, "at %d", (int)now);
  }
}

Test(guess_limit, each_pause_is_twice_as_long_up_to_a_bound) {
  int64_t now = 0, expected = 100;

  for (int i = 0; i < 12; i++) {
    int64_t pause;

    cr_expect_eq(wrong("192.0.2.1", now), 0);
    cr_expect_eq(wrong("192.0.2.1", now), 0);
    pause = wrong("192.0.2.1", now);
    cr_expect_eq(pause, expected, "%d: %d", i, (int)pause);
    expected *= i < 7 ? 2 : 1;
    now += pause;
  }
  now += 64 * 100 + 1; /* long enough: it begins anew */
  wrong("192.0.2.1", now);
  wrong("192.0.2.1", now);
  cr_expect_eq(wrong("192.0.2.1", now), 100);
}

Test(guess_limit, a_network_of_ipv6_is_one_client) {
  int64_t refused;

  wrong("2001:db8::1", 0);
  wrong("2001:db8::2", 0);
  cr_expect_eq(wrong("2001:db8::ffff:3", 0), 100);
  cr_expect_not(may("2001:db8::4", 1, &refused));
  cr_expect(may("2001:db8:0:1::4", 1, &refused));
}

Test(guess_limit, can_be_off) {
  epi__guess_rule none = {0, 1000, 100};
  epi_addr addr;

  cr_assert_eq(epi_addr_parse(&addr, "192.0.2.1", 1), 0);
  for (int i = 0; i < 100; i++) {
    cr_expect_eq(epi__guess_wrong(&guesses, &addr, 0, &none), 0);
  }
  cr_expect(epi__guess_may(&guesses, &addr, 0, NULL));
}

Test(guess_limit, whoever_is_refused_is_not_forgotten_for_others) {
  char text[32];

  wrong("192.0.2.1", 0);
  wrong("192.0.2.1", 0);
  cr_assert_eq(wrong("192.0.2.1", 0), 100);
  for (int i = 0; i < 50000; i++) {
    snprintf(text, sizeof text, "10.%d.%d.1", i / 250, i % 250);
    wrong(text, 1);
  }
  cr_expect_not(may("192.0.2.1", 50, NULL));
}

Test(guess_limit, survives_failing_allocations) {
  for (alloc_fail_start(); alloc_fail_more();) {
    wrong("192.0.2.1", 0);
    cr_expect(may("192.0.2.1", 1, NULL));
    epi__guesses_clear(&guesses);
    epi__guesses_init(&guesses);
  }
}
