/* test_node_lookup.c: from addresses to nodes. */
#include "area/node_lookup.h"
#include "epi/error.h"
#include "support/alloc_fail.h"

#include <criterion/criterion.h>
#include <stdio.h>

static ptrdiff_t find(const epi__node_lookup *lookup, const char *text) {
  epi_addr addr;

  cr_assert_eq(epi_addr_parse(&addr, text, 0), 0);
  return epi__node_lookup_find(lookup, &addr);
}

Test(node_lookup, the_longest_prefix_wins) {
  epi__node_lookup lookup = {0};
  size_t there;

  cr_assert_geq(epi__node_lookup_add(&lookup, "10.0.0.0/8", 1, &there), 0);
  cr_assert_geq(epi__node_lookup_add(&lookup, "10.1.0.0/16", 2, &there), 0);
  cr_assert_geq(epi__node_lookup_add(&lookup, "10.1.2.3", 3, &there), 0);
  cr_assert_geq(epi__node_lookup_add(&lookup, "2001:db8::/33", 4, &there), 0);
  cr_expect_eq(find(&lookup, "10.9.0.1"), 1);
  cr_expect_eq(find(&lookup, "10.1.0.1"), 2);
  cr_expect_eq(find(&lookup, "10.1.2.3"), 3);
  cr_expect_eq(find(&lookup, "11.0.0.0"), EPI_ENOENT);
  cr_expect_eq(find(&lookup, "2001:db8:7fff::"), 4);
  cr_expect_eq(find(&lookup, "2001:db8:8000::"), EPI_ENOENT);
  epi__node_lookup_clear(&lookup);
}

Test(node_lookup, a_name_matches_itself_and_what_is_below_it) {
  epi__node_lookup lookup = {0};
  size_t there;

  cr_assert_geq(epi__node_lookup_add(&lookup, "Example", 1, &there), 0);
  cr_assert_geq(epi__node_lookup_add(&lookup, "ehr.a.example", 2, &there), 0);
  cr_expect_eq(find(&lookup, "example"), 1);
  cr_expect_eq(find(&lookup, "a.example"), 1);
  cr_expect_eq(find(&lookup, "ehr.a.example"), 2);
  cr_expect_eq(find(&lookup, "x.EHR.a.example."), 2);
  cr_expect_eq(find(&lookup, "xehr.a.example"), 1);
  cr_expect_eq(find(&lookup, "notexample"), EPI_ENOENT);
  epi__node_lookup_clear(&lookup);
}

Test(node_lookup, nothing_is_in_an_empty_one) {
  epi__node_lookup lookup = {0};

  cr_expect_eq(find(&lookup, "10.0.0.1"), EPI_ENOENT);
  cr_expect_eq(find(&lookup, "a.b"), EPI_ENOENT);
}

Test(node_lookup, refuses_what_is_there_or_no_address) {
  epi__node_lookup lookup = {0};
  size_t there = 9;

  cr_assert_eq(epi__node_lookup_add(&lookup, "a.example", 1, &there), 0);
  cr_assert_eq(epi__node_lookup_add(&lookup, "10.0.0.0/8", 1, &there), 1);
  cr_expect_eq(epi__node_lookup_add(&lookup, "A.example.", 2, &there),
               EPI_EBUSY);
  cr_expect_eq(there, 0);
  cr_expect_eq(epi__node_lookup_add(&lookup, "10.0.0.0/8", 2, &there),
               EPI_EBUSY);
  cr_expect_eq(there, 1);
  cr_expect_eq(epi__node_lookup_add(&lookup, "10.0.0.1/8", 2, &there),
               EPI_EINVAL);
  cr_expect_eq(epi__node_lookup_add(&lookup, "10.0.0.300", 2, &there),
               EPI_EINVAL);
  cr_expect_eq(epi__node_lookup_add(&lookup, "*.example", 2, &there),
               EPI_EINVAL);
  cr_expect_eq(lookup.count, 2);
  epi__node_lookup_clear(&lookup);
}

Test(node_lookup, survives_failing_allocations) {
  for (alloc_fail_start(); alloc_fail_more();) {
    epi__node_lookup lookup = {0};
    char text[32];
    size_t there;

    for (unsigned i = 0; i < 40; i++) {
      snprintf(text, sizeof text, i % 2 ? "10.0.%u.0/24" : "n%u.example", i);
      if (epi__node_lookup_add(&lookup, text, i, &there) == EPI_ENOMEM) {
        break;
      }
    }
    epi__node_lookup_clear(&lookup);
  }
}

/* What the ranges were hashed by when the hash had no key. */
static uint64_t plain_hash(const uint8_t *ip) {
  uint64_t hash = (uint64_t)128 << 8 | EPI_ADDR_IPV6;

  for (size_t i = 0; i < 16; i++) {
    hash = (hash ^ ip[i]) * 0x100000001b3u;
  }
  return hash ^ hash >> 31;
}

Test(node_lookup, addresses_made_to_collide_do_not) {
  epi__node_lookup lookup = {0};
  uint8_t ip[16] = {0x20, 0x01, 0x0d, 0xb8};
  size_t there, run = 0, longest = 0;

  for (uint32_t number = 0; lookup.count < 2000; number++) {
    epi_addr addr;
    char text[64];

    for (size_t i = 0; i < 4; i++) {
      ip[12 + i] = (uint8_t)(number >> 8 * i);
    }
    if (plain_hash(ip) % 4096) {
      continue;
    }
    cr_assert_eq(epi_addr_set_ip(&addr, ip, sizeof ip, 0), 0);
    cr_assert_gt(epi_addr_format(&addr, 0, text, sizeof text), 0);
    cr_assert_geq(epi__node_lookup_add(&lookup, text, 1, &there), 0);
  }
  for (size_t i = 0; i < lookup.slot_count; i++) {
    run = lookup.slots[i] ? run + 1 : 0;
    longest = run > longest ? run : longest;
  }
  cr_expect_lt(longest, 300);
  epi__node_lookup_clear(&lookup);
}
