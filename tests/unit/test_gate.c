/* test_gate.c: who may talk to whom, when, how many at once and how much. */
#include "base/bytes.h"
#include "filter/builtin.h"
#include "filter/byte_rate.h"
#include "filter/filter_chain.h"
#include "filter/gate_rules.h"
#include "support/alloc_fail.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define MONDAY INT64_C(1704067200) /* 2024-01-01 00:00 UTC */
#define HOUR   INT64_C(3600)

static epi__queue forward, backward;
static epi__queue *const queues[2] = {&forward, &backward};
static int64_t now_ms, wall;

static int64_t tell_now(void *user) {
  (void)user;
  return now_ms;
}

static int64_t tell_wall(void *user) {
  (void)user;
  return wall;
}

static epi_filter *gate(const char *args) {
  epi_filter *filter = NULL;

  cr_assert_eq(epi__gate_new(&filter, args), 0, "%s: %s", args,
               epi_error_detail());
  return filter;
}

/* Open a flow. Returns 0 or what refused it; *out is NULL then. */
static int open_flow(epi__filter_chain **out, epi_filter *filter,
                     const char *from, const char *to) {
  epi_addr source, dest;
  epi__filter_host host = {.source = &source,
                           .dest = &dest,
                           .now_ms = tell_now,
                           .wall_time = tell_wall};
  int result;

  cr_assert_eq(epi_addr_parse(&source, from, 50000), 0);
  cr_assert_eq(epi_addr_parse(&dest, to, 443), 0);
  *out = NULL;
  result = epi__filter_chain_new(out, &filter, 1, &host, queues, NULL);
  if (!result) {
    epi__filter_chain_begin(*out);
  }
  return result;
}

/* 0, or what refused a flow that ends at once. */
static int try_flow(const char *args, const char *from, const char *to) {
  epi_filter *filter = gate(args);
  epi__filter_chain *chain;
  int result = open_flow(&chain, filter, from, to);

  epi__filter_chain_free(chain);
  epi_filter_free(filter);
  return result;
}

static void expect_refused(const char *args, const char *from, const char *to,
                           const char *why) {
  cr_expect_eq(try_flow(args, from, to), EPI_EDENIED, "%s: %s > %s", args, from,
               to);
  cr_expect(strstr(epi_error_detail(), why), "%s", epi_error_detail());
}

Test(gate, without_arguments_lets_all_through_and_is_out_of_the_way) {
  epi_filter *filter = gate("");
  epi__filter_chain *chain;

  cr_assert_eq(open_flow(&chain, filter, "10.0.0.1", "a.example:1"), 0);
  cr_expect(epi__filter_chain_passed(chain));
  epi__filter_chain_free(chain);
  epi_filter_free(filter);
}

Test(gate, asks_for_all_that_it_was_told) {
  static const char rules[] = "from=10.1.0.0/16,from=fd00::/8,to=10.2.0.9,"
                              "to=ehr.example,to=*.lab.example,"
                              "to=10.3.0.0/16,port=443,port=8000-8010";

  cr_expect_eq(try_flow(rules, "10.1.2.3", "10.2.0.9:443"), 0);
  cr_expect_eq(try_flow(rules, "fd00::1", "10.3.7.7:8010"), 0);
  cr_expect_eq(try_flow(rules, "10.1.2.3", "EHR.example.:8000"), 0);
  cr_expect_eq(try_flow(rules, "10.1.2.3", "a.b.lab.example:443"), 0);
  expect_refused(rules, "10.2.0.1", "10.2.0.9:443",
                 "the gate lets no source 10.2.0.1 through");
  expect_refused(rules, "10.1.2.3", "10.2.0.8:443",
                 "the gate lets no destination 10.2.0.8 through");
  expect_refused(rules, "10.1.2.3", "lab.example:443",
                 "no destination lab.example");
  expect_refused(rules, "10.1.2.3", "xlab.example:443", "no destination");
  expect_refused(rules, "10.1.2.3", "a.ehr.example:443", "no destination");
  expect_refused(rules, "10.1.2.3", "10.2.0.9:22",
                 "the gate lets no port 22 through");
  expect_refused(rules, "10.1.2.3", "10.2.0.9:8011", "port 8011");
  expect_refused("to=0.0.0.0/0", "10.1.2.3", "a.example", "a.example");
}

Test(gate, refuses_arguments_that_say_nothing) {
  static const char *const bad[] = {
      "from=a.example", "from=10.0.0.1/8",   "from=",       "to=",
      "to=*.",          "to=*.10.0.0.1",     "port=0",      "port=65536",
      "port=9-8",       "port=1-",           "port=-1",     "port=http",
      "hours=8-18",     "hours=08:00-08:00", "days=monday", "hours=25:00-26:00",
      "days=mon-",      "days=mon-frx",      "days=",       "hours=24:00-01:00",
      "flows=0",        "flows=x",           "rate=0",      "rate=1k/m",
      "volume=-1",      "new=0/s",           "speed=1",     "flows=1/s"};

  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    epi_filter *filter = NULL;

    cr_expect_eq(epi__gate_new(&filter, bad[i]), EPI_EINVAL, "%s", bad[i]);
  }
}

Test(gate, counts_flows_in_all_and_by_source) {
  epi_filter *filter = gate("flows=3,per_source=2");
  epi__filter_chain *one, *two, *three, *four;

  cr_expect_eq(open_flow(&one, filter, "10.0.0.1", "b"), 0);
  cr_expect_eq(open_flow(&two, filter, "10.0.0.1:9", "b"), 0);
  cr_expect_eq(open_flow(&four, filter, "10.0.0.1", "b"), EPI_EDENIED);
  cr_expect(strstr(epi_error_detail(), "2 flows of 10.0.0.1 run already"), "%s",
            epi_error_detail());
  cr_expect_eq(open_flow(&three, filter, "10.0.0.2", "b"), 0);
  cr_expect_eq(open_flow(&four, filter, "10.0.0.3", "b"), EPI_EDENIED);
  cr_expect(strstr(epi_error_detail(), "3 flows run already"));
  epi__filter_chain_free(one);
  cr_expect_eq(open_flow(&four, filter, "10.0.0.1", "b"), 0);
  epi__filter_chain_free(two);
  epi__filter_chain_free(three);
  epi__filter_chain_free(four);
  epi_filter_free(filter);
}

Test(gate, lets_so_many_new_flows_in_a_second) {
  epi_filter *filter = gate("new=5/s");
  int in = 0;

  now_ms = 1000000;
  for (int step = 0; step < 3000; step++, now_ms++) { /* three seconds */
    epi__filter_chain *chain;

    if (!open_flow(&chain, filter, "10.0.0.1", "b")) {
      in++;
    } else {
      cr_expect(strstr(epi_error_detail(), "over 5 new flows a second"));
    }
    epi__filter_chain_free(chain);
  }
  cr_expect_eq(in, 19, "5 at once, then 5 a second: %d", in);
  epi_filter_free(filter);
}

/* Feed data whenever the chain takes some, for some time. Returns the bytes. */
static size_t feed_for(epi__filter_chain *chain, int direction, int64_t ms) {
  static const char block[4096];
  size_t fed = 0;

  for (int64_t end = now_ms + ms; now_ms < end; now_ms++) {
    int64_t next = epi__filter_chain_next_ms(chain);

    if (next >= 0 && next <= now_ms) {
      cr_assert_eq(epi__filter_chain_tick(chain), 0);
    }
    while (!epi__filter_chain_paused(chain, direction)) {
      cr_assert_eq(
          epi__filter_chain_feed(chain, direction, block, sizeof block), 0);
      fed += sizeof block;
    }
  }
  epi__queue_clear(&forward, 0);
  epi__queue_clear(&backward, 0);
  return fed;
}

Test(gate, holds_a_flow_to_its_rate) {
  epi_filter *filter = gate("rate=100k/s");
  epi__filter_chain *chain;
  size_t fed;

  cr_assert_eq(open_flow(&chain, filter, "10.0.0.1", "b"), 0);
  fed = feed_for(chain, EPI_FORWARD, 10000);
  cr_expect_gt(fed, 1000u * 1024);
  cr_expect_lt(fed, 1020u * 1024);
  cr_expect(epi__filter_chain_paused(chain, EPI_BACKWARD),
            "both directions are one");
  epi__filter_chain_free(chain);
  epi_filter_free(filter);
}

Test(gate, has_rates_for_each_direction) {
  epi_filter *filter = gate("rate_out=100k,rate_in=10k");
  epi__filter_chain *chain;
  size_t fed;

  cr_assert_eq(open_flow(&chain, filter, "10.0.0.1", "b"), 0);
  fed = feed_for(chain, EPI_BACKWARD, 10000);
  cr_expect_gt(fed, 100u * 1024);
  cr_expect_lt(fed, 110u * 1024);
  cr_expect_not(epi__filter_chain_paused(chain, EPI_FORWARD));
  fed = feed_for(chain, EPI_FORWARD, 10000);
  cr_expect_gt(fed, 1000u * 1024);
  cr_expect_lt(fed, 1020u * 1024);
  epi__filter_chain_free(chain);
  epi_filter_free(filter);
}

Test(gate, waits_as_long_as_a_slow_rate_takes) {
  epi_filter *filter = gate("rate=1");
  epi__filter_chain *chain;
  int64_t start = now_ms;

  cr_assert_eq(open_flow(&chain, filter, "10.0.0.1", "b"), 0);
  cr_assert_eq(epi__filter_chain_feed(chain, EPI_FORWARD, "0123456789", 10), 0);
  epi__queue_clear(&forward, 0);
  while (epi__filter_chain_paused(chain, EPI_FORWARD)) {
    int64_t next = epi__filter_chain_next_ms(chain);

    cr_assert_gt(next, now_ms);
    now_ms = next;
    cr_assert_eq(epi__filter_chain_tick(chain), 0);
  }
  cr_expect_geq(now_ms - start, 9900);
  cr_expect_leq(now_ms - start, 10000);
  epi__filter_chain_free(chain);
  epi_filter_free(filter);
}

Test(byte_rate, neither_overflows_nor_forgets) {
  epi__byte_rate fast = epi__byte_rate_begin(EPI__BYTE_RATE_MAX, 0);
  epi__byte_rate slow = epi__byte_rate_begin(1, 0);

  epi__byte_rate_take(&fast, EPI_PIPE_MAX, INT64_MAX / 2);
  cr_expect_eq(epi__byte_rate_wait(&fast, INT64_MAX / 2), 0);
  epi__byte_rate_take(&slow, EPI_PIPE_MAX, 0);
  cr_expect_eq(epi__byte_rate_wait(&slow, 0),
               INT64_C(1000) * EPI_PIPE_MAX - 100);
  cr_expect_eq(epi__byte_rate_wait(&slow, INT64_MAX / 2), 0);
}

Test(gate, cuts_a_flow_at_its_volume) {
  epi_filter *filter = gate("volume=10");
  epi__filter_chain *chain;

  cr_assert_eq(open_flow(&chain, filter, "10.0.0.1", "b"), 0);
  cr_expect_eq(epi__filter_chain_feed(chain, EPI_FORWARD, "12345", 5), 0);
  cr_expect_eq(epi__filter_chain_feed(chain, EPI_BACKWARD, "67890", 5), 0);
  cr_expect_eq(epi__filter_chain_feed(chain, EPI_FORWARD, "!", 1), EPI_EDENIED);
  cr_expect(strstr(epi_error_detail(), "no more than 10 bytes"), "%s",
            epi_error_detail());
  cr_expect_eq(forward.end - forward.start, 5u);
  epi__queue_clear(&forward, 0);
  epi__queue_clear(&backward, 0);
  epi__filter_chain_free(chain);
  epi_filter_free(filter);
}

static int open_at(const char *args, int64_t time) {
  wall = time;
  return try_flow(args, "10.0.0.1", "b");
}

Test(gate, is_open_in_its_hours) {
  static const char office[] = "hours=08:00-18:00,days=mon-fri";
  static const char night[] = "hours=22:00-06:00,days=sun";

  cr_expect_eq(open_at(office, MONDAY + 8 * HOUR), 0);
  cr_expect_eq(open_at(office, MONDAY + 18 * HOUR - 1), 0);
  cr_expect_eq(open_at(office, MONDAY + 18 * HOUR), EPI_EDENIED);
  cr_expect(strstr(epi_error_detail(), "open 08:00-18:00 mon-fri UTC"), "%s",
            epi_error_detail());
  cr_expect_eq(open_at(office, MONDAY + 8 * HOUR - 1), EPI_EDENIED);
  cr_expect_eq(open_at(office, MONDAY + 5 * 24 * HOUR + 9 * HOUR), EPI_EDENIED,
               "on Saturday");
  cr_expect_eq(open_at(night, MONDAY + 5 * HOUR), 0, "it began on Sunday");
  cr_expect_eq(open_at(night, MONDAY + 6 * HOUR), EPI_EDENIED);
  cr_expect_eq(open_at(night, MONDAY - HOUR), 0);
  cr_expect_eq(open_at(night, MONDAY + 23 * HOUR), EPI_EDENIED);
  cr_expect_eq(open_at("days=sat-mon", MONDAY + 24 * HOUR - 1), 0);
  cr_expect_eq(open_at("days=sat-mon", MONDAY + 24 * HOUR), EPI_EDENIED);
  cr_expect_eq(open_at("hours=00:00-24:00", MONDAY), 0);
  cr_expect_eq(
      open_at("hours=08:00-12:00,hours=13:00-17:00", MONDAY + 13 * HOUR), 0);
}

Test(gate, cuts_a_running_flow_when_its_window_closes) {
  epi_filter *filter = gate("hours=08:00-18:00");
  epi__filter_chain *chain;
  int result = 0;

  wall = MONDAY + 17 * HOUR + 57 * 60 + 30;
  now_ms = 5000;
  cr_assert_eq(open_flow(&chain, filter, "10.0.0.1", "b"), 0);
  while (!result) {
    int64_t next = epi__filter_chain_next_ms(chain);

    cr_assert_gt(next, now_ms);
    cr_assert_lt(now_ms, 5000 + 151 * 1000);
    wall += (next - now_ms) / 1000;
    now_ms = next;
    result = epi__filter_chain_tick(chain);
  }
  cr_expect_eq(result, EPI_EDENIED);
  cr_expect_eq(wall, MONDAY + 18 * HOUR);
  epi__filter_chain_free(chain);
  epi_filter_free(filter);
}

Test(gate, notices_a_clock_that_was_set) {
  epi_filter *filter = gate("hours=08:00-18:00");
  epi__filter_chain *chain;

  wall = MONDAY + 9 * HOUR;
  cr_assert_eq(open_flow(&chain, filter, "10.0.0.1", "b"), 0);
  wall = MONDAY + 19 * HOUR;
  cr_expect_eq(epi__filter_chain_feed(chain, EPI_FORWARD, "x", 1), EPI_EDENIED);
  cr_expect_eq(forward.end, forward.start);
  epi__filter_chain_free(chain);
  epi_filter_free(filter);
}

Test(gate, survives_failing_allocations) {
  for (alloc_fail_start(); alloc_fail_more();) {
    epi_filter *filter = NULL;
    epi__filter_chain *chain = NULL;
    int result = epi__gate_new(
        &filter, "from=10.0.0.0/8,to=b,per_source=1,rate=10,port=443");

    if (!result) {
      result = open_flow(&chain, filter, "10.0.0.1", "b");
    }
    cr_expect_eq(result != 0, alloc_fail_happened());
    epi__filter_chain_free(chain);
    epi_filter_free(filter);
  }
}
