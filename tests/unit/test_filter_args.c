/* test_filter_args.c: KEY=VALUE,KEY=VALUE. */
#include "filter/filter_args.h"

#include <criterion/criterion.h>
#include <string.h>

static epi__filter_args args;

static void expect(const char *key, const char *value) {
  cr_assert_eq(epi__filter_args_next(&args), 1);
  cr_assert_str_eq(args.key, key);
  cr_assert_str_eq(args.value, value);
}

Test(filter_args, come_one_by_one) {
  epi__filter_args_begin(&args, "key=/a=b,mask,limit=10k,note=a\\,b\\\\c");
  expect("key", "/a=b");
  expect("mask", "");
  expect("limit", "10k");
  expect("note", "a,b\\c");
  cr_assert_eq(epi__filter_args_next(&args), 0);
  epi__filter_args_begin(&args, "");
  cr_assert_eq(epi__filter_args_next(&args), 0);
}

Test(filter_args, without_a_key_are_refused) {
  static const char *const bad[] = {"=a", ",", "a=1,,b=2",
                                    "a_key_that_goes_on_for_far_too_long=1"};

  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    int result;

    epi__filter_args_begin(&args, bad[i]);
    do {
      result = epi__filter_args_next(&args);
    } while (result == 1);
    cr_assert_eq(result, EPI_EINVAL, "%s", bad[i]);
  }
}

static int number(const char *text, int64_t *out) {
  epi__filter_args_begin(&args, text);
  cr_assert_eq(epi__filter_args_next(&args), 1);
  return epi__filter_args_number(&args, 2, INT64_C(1) << 40, out);
}

Test(filter_args, are_numbers_with_units_or_refused) {
  static const char *const bad[] = {
      "n=",    "n=1",  "n=k",     "n=3x",
      "n=3kk", "n=-3", "n=2048g", "n=99999999999999999999",
      "n= 3"};
  int64_t n = 0;

  cr_assert_eq(number("n=2", &n), 0);
  cr_assert_eq(n, 2);
  cr_assert_eq(number("n=64k", &n), 0);
  cr_assert_eq(n, 65536);
  cr_assert_eq(number("n=1024g", &n), 0);
  cr_assert_eq(n, INT64_C(1) << 40);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    cr_assert_eq(number(bad[i], &n), EPI_EINVAL, "%s", bad[i]);
  }
}
