/* test_allow_list.c: from where clients may connect. */
#include "engine/allow_list.h"

#include "epi/error.h"
#include "support/alloc_fail.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static int has(const epi__allow *allow, const char *client) {
  epi_addr addr;

  cr_assert_eq(epi_addr_parse(&addr, client, 9), 0);
  return epi__allow_has(allow, &addr);
}

Test(allow_list, has_whoever_is_in_one_of_its_ranges) {
  epi__allow *allow;

  cr_assert_eq(epi__allow_read(&allow, "10.1.0.0/16,192.0.2.7,2001:db8::/32"),
               0);
  cr_expect(has(allow, "10.1.255.1"));
  cr_expect(has(allow, "192.0.2.7"));
  cr_expect(has(allow, "2001:db8:1::1"));
  cr_expect_not(has(allow, "10.2.0.1"));
  cr_expect_not(has(allow, "192.0.2.8"));
  cr_expect_not(has(allow, "2001:db9::1"));
  cr_expect(has(NULL, "192.0.2.8"), "without a list");
  epi__allow_free(allow);
}

Test(allow_list, is_no_list_of_anything_else) {
  static const char *const texts[] = {
      "",     ",",          "10.0.0.0/8,", ",10.0.0.0/8",
      "host", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/8 ,10.1.0.0/16"};
  epi__allow *allow = NULL;

  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    cr_expect_eq(epi__allow_read(&allow, texts[i]), EPI_EINVAL, "%s", texts[i]);
    cr_expect(strstr(epi_error_detail(), "allow: "), "%s", epi_error_detail());
  }
  cr_expect_null(allow);
}

Test(allow_list, has_a_bound) {
  char text[4096] = "";
  epi__allow *allow;

  for (int i = 0; i < 257; i++) {
    snprintf(text + strlen(text), 16, "%s10.0.%d.%d", i ? "," : "", i / 256,
             i % 256);
  }
  cr_expect_eq(epi__allow_read(&allow, text), EPI_EINVAL);
  *strrchr(text, ',') = '\0';
  cr_assert_eq(epi__allow_read(&allow, text), 0);
  epi__allow_free(allow);
}

Test(allow_list, survives_failing_allocations) {
  for (alloc_fail_start(); alloc_fail_more();) {
    epi__allow *allow = NULL;
    int result = epi__allow_read(&allow, "10.0.0.0/8,::1");

    cr_expect_eq(result, alloc_fail_happened() ? EPI_ENOMEM : 0);
    epi__allow_free(allow);
  }
}
