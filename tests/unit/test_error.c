/* test_error.c: codes, detail, reports, the allocator. */
#include "base/fail.h"
#include "epi/error.h"
#include "support/alloc_fail.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

Test(error, every_code_has_its_own_words) {
  static const int codes[] = {
#define CODE(code, text) code,
      EPI_ERRORS(CODE)
#undef CODE
  };

  for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
    cr_expect_eq(codes[i], -(int)i - 1, "codes are dense: bindings rely on it");
    cr_expect_str_neq(epi_strerror(codes[i]), epi_strerror(-9999));
  }
}

Test(error, detail_is_kept_and_cut) {
  char longer[2000];

  cr_expect_str_eq(epi_error_detail(), "");
  cr_expect_eq(epi__fail(EPI_EPROTO, "byte %d", 3), EPI_EPROTO);
  cr_expect_str_eq(epi_error_detail(), "byte 3");
  epi__fail(EPI_EPROTO, "in %s", epi_error_detail());
  cr_expect_str_eq(epi_error_detail(), "in byte 3");
  memset(longer, 'x', sizeof longer - 1);
  longer[sizeof longer - 1] = '\0';
  epi__fail(EPI_EPROTO, "%s", longer);
  cr_expect_eq(strlen(epi_error_detail()), 511);
}

Test(error, a_report_says_how_many_lines_it_left_out) {
  epi_report *report;

  cr_assert_eq(epi_report_new(&report), 0);
  for (int i = 0; i < 1003; i++) {
    epi__report_add(report, "line %d", i);
  }
  cr_expect_eq(epi_report_count(report), 1000);
  cr_expect_str_eq(epi_report_line(report, 998), "line 998");
  cr_expect_str_eq(epi_report_line(report, 999), "and 4 more");
  cr_expect_null(epi_report_line(report, 1000));
  epi_report_free(report);
  epi_report_free(NULL);
}

Test(error, a_report_survives_failing_allocations) {
  for (alloc_fail_start(); alloc_fail_more();) {
    epi_report *report = NULL;

    if (!epi_report_new(&report)) {
      for (int i = 0; i < 20; i++) {
        epi__report_add(report, "line %d", i);
      }
    }
    epi_report_free(report);
  }
}

Test(error, peers_cannot_write_control_bytes_into_a_log) {
  char buf[8];

  cr_expect_str_eq(epi__printable(buf, sizeof buf, "a\nb\x1b[1m\x7fz"),
                   "a?b?[1m");
}

Test(error, an_allocator_is_all_or_nothing) {
  cr_expect_eq(epi_set_allocator(malloc, NULL, free), EPI_EINVAL);
  cr_expect_eq(epi_set_allocator(NULL, NULL, NULL), 0);
}
