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
