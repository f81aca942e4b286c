/* test_attrs.c: sets of attributes. */
#include "area/attrs.h"

#include <criterion/criterion.h>

Test(attrs, goes_through_a_set_across_words) {
  uint64_t set[3] = {0};
  ptrdiff_t at;

  epi__set_add(set, 0);
  epi__set_add(set, 63);
  epi__set_add(set, 64);
  epi__set_add(set, 191);
  cr_expect_eq(epi__set_count(set, 3), 4);
  at = epi__set_next(set, 3, 0);
  cr_expect_eq(at, 0);
  at = epi__set_next(set, 3, (size_t)at + 1);
  cr_expect_eq(at, 63);
  at = epi__set_next(set, 3, (size_t)at + 1);
  cr_expect_eq(at, 64);
  at = epi__set_next(set, 3, (size_t)at + 1);
  cr_expect_eq(at, 191);
  cr_expect_eq(epi__set_next(set, 3, (size_t)at + 1), -1);
}

Test(attrs, joins_drops_and_compares) {
  uint64_t a[2] = {5, 1}, b[2] = {7, 1};

  cr_expect(epi__set_within(a, b, 2));
  cr_expect_not(epi__set_within(b, a, 2));
  epi__set_join(a, b, 2);
  cr_expect(epi__set_equal(a, b, 2));
  cr_expect_eq(epi__set_hash(a, 2), epi__set_hash(b, 2));
  epi__set_drop(a, b, 2);
  cr_expect_eq(epi__set_count(a, 2), 0);
}

Test(attrs, there_is_always_a_word) {
  cr_expect_eq(epi__set_words(0), 1);
  cr_expect_eq(epi__set_words(64), 1);
  cr_expect_eq(epi__set_words(65), 2);
}
