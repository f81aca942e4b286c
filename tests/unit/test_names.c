/* test_names.c: texts and their numbers. */
#include "base/names.h"
#include "epi/error.h"
#include "support/alloc_fail.h"

#include <criterion/criterion.h>
#include <stdio.h>

Test(names, each_text_has_one_number) {
  epi__names names = {0};
  char text[16];

  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < 5000; i++) {
      snprintf(text, sizeof text, "name-%d", i);
      cr_assert_eq(epi__names_add(&names, text), i);
    }
  }
  cr_expect_eq(names.count, 5000);
  cr_expect_str_eq(names.texts[4321], "name-4321");
  cr_expect_eq(epi__names_find(&names, "name-5000"), EPI_ENOENT);
  epi__names_clear(&names);
  cr_expect_eq(epi__names_find(&names, "name-1"), EPI_ENOENT);
}

Test(names, finds_what_was_meant) {
  epi__names names = {0};

  epi__names_add(&names, "encryption");
  epi__names_add(&names, "firewall");
  cr_expect_str_eq(epi__names_near(&names, "encrypton"), "encryption");
  cr_expect_str_eq(epi__names_near(&names, "firewal"), "firewall");
  cr_expect_null(epi__names_near(&names, "zebra"));
  epi__names_clear(&names);
}

Test(names, survives_failing_allocations) {
  for (alloc_fail_start(); alloc_fail_more();) {
    epi__names names = {0};
    char text[16];

    for (int i = 0; i < 40; i++) {
      snprintf(text, sizeof text, "%d", i);
      if (epi__names_add(&names, text) == EPI_ENOMEM) {
        break;
      }
    }
    for (size_t i = 0; i < names.count; i++) {
      cr_assert_eq(epi__names_find(&names, names.texts[i]), (ptrdiff_t)i);
    }
    epi__names_clear(&names);
  }
}
