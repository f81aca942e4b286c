/* test_json.c: reading through cJSON, writing by hand. */
#include "base/json.h"
#include "base/memory.h"
#include "epi/error.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static int reads(const char *text) {
  epi__json *root = NULL;
  int result = epi__json_read(&root, text, strlen(text));

  if (!result) {
    epi__json_free(root);
  }
  return result;
}

Test(json, goes_through_a_document_in_its_order) {
  static const char text[] = "{\"b\": [1, \"x\", true, null], \"a\": {}}\n";
  const epi__json *list, *item;
  epi__json *root;

  cr_assert_eq(epi__json_read(&root, text, sizeof text - 1), 0);
  list = epi__json_first(root);
  cr_expect_str_eq(epi__json_key(list), "b");
  cr_expect_str_eq(epi__json_key(epi__json_next(list)), "a");
  item = epi__json_first(list);
  cr_expect_eq(epi__json_number(item), 1.0);
  item = epi__json_next(item);
  cr_expect_str_eq(epi__json_string(item), "x");
  item = epi__json_next(item);
  cr_expect_eq(epi__json_type(item), EPI__JSON_BOOL);
  cr_expect_eq(epi__json_type(epi__json_next(item)), EPI__JSON_NULL);
  epi__json_free(root);
}

Test(json, refuses_what_is_not_one_utf8_document) {
  static const char *const bad[] = {
      "",
      "{",
      "{}{}",
      "[1,]",
      "\"\xff\"",
      "\"\xc0\xaf\"",
      "\"\xed\xa0\x80\"",
      "{\"a\":}",
      "nul",
      "\"\xf4\x90\x80\x80\"",
      "\"\xe2\x82",
  };

  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    cr_expect_eq(reads(bad[i]), EPI_EMODEL, "took %s", bad[i]);
  }
}

Test(json, an_escaped_nul_is_refused_and_an_escaped_backslash_is_not) {
  cr_expect_eq(reads("\"a\\u0000b\""), EPI_EMODEL);
  cr_expect_eq(reads("\"a\\\\u0000b\""), 0);
}

Test(json, takes_no_more_than_the_grammar_allows) {
  static const char *const bad[] = {
      "01",       "-",           "+1",
      "1.",       ".5",          "1e",
      "1e+",      "0x1",         "NaN",
      "Infinity", "\"a\nb\"",    "\"\t\"",
      "[1\f]",    "\v{}",        "\"\\x\"",
      "'a'",      "{a:1}",       "[1 2]",
      "[1]]",     "[1}",         "{\"a\"}",
      "\"\\",     "\"\\ud800\"", "\"\\u12\"",
      "/**/{}",   "truefalse",   "\"\\\xc3\xbc\"",
  };
  static const char *const good[] = {
      "-0", "0.5", "1e999", "-1.25E-3", "\"\\u00e9\\n\"", " [ ] ", "true",
  };

  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    cr_expect_eq(reads(bad[i]), EPI_EMODEL, "took %s", bad[i]);
  }
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    cr_expect_eq(reads(good[i]), 0, "refused %s", good[i]);
  }
}

Test(json, numbers_are_of_a_length_that_is_read_whole) {
  char digits[81] = "";

  memset(digits, '1', 63);
  cr_expect_eq(reads(digits), 0);
  memset(digits, '1', 80);
  cr_expect_eq(reads(digits), EPI_EMODEL);
  cr_expect(strstr(epi_error_detail(), "too long"), "%s", epi_error_detail());
}

Test(json, deep_nesting_is_an_error_and_no_crash) {
  static char deep[200001];

  memset(deep, '[', 200000);
  cr_expect_eq(reads(deep), EPI_EMODEL);
  cr_expect(strstr(epi_error_detail(), "nested"), "%s", epi_error_detail());
  memset(deep, '[', 64);
  memset(deep + 64, ']', 64);
  deep[128] = '\0';
  cr_expect_eq(reads(deep), 0);
}

Test(json, the_detail_names_the_line) {
  cr_expect_eq(reads("{\n\"a\": 1,\n\"b\": oops\n}"), EPI_EMODEL);
  cr_expect(strstr(epi_error_detail(), "line 3"), "%s", epi_error_detail());
}

Test(json, writes_strings_and_numbers_that_read_back) {
  epi__text out = {0};
  char *text;

  epi__json_put_string(&out, "a\"\\\n\x01ü");
  epi__json_put_number(&out, 0.1);
  epi__text_puts(&out, " ");
  epi__json_put_number(&out, 1e300);
  epi__text_puts(&out, " ");
  epi__json_put_number(&out, NAN);
  text = epi__text_take(&out);
  cr_expect_str_eq(text, "\"a\\\"\\\\\\u000a\\u0001ü\"0.1 1e+300 null");
  epi__free(text);
}
