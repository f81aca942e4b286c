/* test_audit_check.c: whoever changes an audit log is found out. */
#include "base/audit_chain.h"
#include "base/memory.h"
#include "epi/audit.h"
#include "support/alloc_fail.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const char key[] = "a key of an audit log";

enum { LINES = 4 };

/* A log of some lines, and where each of them begins. */
static char *make(size_t starts[LINES + 1], size_t *len) {
  epi__audit_chain chain;
  epi__text log = {0};

  cr_assert_eq(epi__audit_chain_start(&chain, key, sizeof key), 0);
  for (int i = 0; i < LINES; i++) {
    epi__text line = {0};

    starts[i] = log.len;
    epi__text_printf(&line,
                     "{\"time\":\"2026-01-31T09:30:00.%03dZ\",\"event\":"
                     "\"allowed\",\"flow\":%d",
                     i, i + 7);
    epi__audit_chain_seal(&chain, &line);
    epi__text_add(&log, line.block, line.len);
    epi__text_clear(&line);
  }
  starts[LINES] = *len = log.len;
  return epi__text_take(&log);
}

/* Check a log; returns the broken line, or 0. */
static int64_t broken_line(const char *log, size_t len) {
  epi_audit *audit;
  int64_t broken;
  int result;

  cr_assert_eq(epi_audit_new(&audit, key, sizeof key), 0);
  result = epi_audit_feed(audit, log, len);
  if (!result) {
    result = epi_audit_end(audit);
  }
  broken = epi_audit_broken_line(audit);
  cr_assert_eq(result, broken ? EPI_EPROTO : 0);
  epi_audit_free(audit);
  return broken;
}

static size_t add(char *to, size_t len, const char *log, const size_t *starts,
                  int line) {
  size_t part = starts[line + 1] - starts[line];

  memcpy(to + len, log + starts[line], part);
  return len + part;
}

/* The lines of a log in another order, each by its index, up to -1. */
static int64_t broken_order(const int *order) {
  size_t starts[LINES + 1], len, used = 0;
  char *log = make(starts, &len);
  char *other = malloc(2 * len);
  int64_t broken;

  for (; *order >= 0; order++) {
    used = add(other, used, log, starts, *order);
  }
  broken = broken_line(other, used);
  free(other);
  epi__free(log);
  return broken;
}

Test(audit_check, a_whole_log_is_fine_however_it_is_split) {
  size_t starts[LINES + 1], len;
  char *log = make(starts, &len);
  epi_audit *audit;

  for (size_t split = 0; split <= len; split++) {
    cr_assert_eq(epi_audit_new(&audit, key, sizeof key), 0);
    cr_expect_eq(epi_audit_feed(audit, log, split), 0);
    cr_expect_eq(epi_audit_feed(audit, log + split, len - split), 0);
    cr_expect_eq(epi_audit_end(audit), 0);
    cr_expect_eq(epi_audit_number(audit, EPI_AUDIT_LINES), LINES);
    cr_expect_eq(epi_audit_number(audit, EPI_AUDIT_FIRST), 1);
    cr_expect_eq(epi_audit_number(audit, EPI_AUDIT_LAST), LINES);
    cr_expect_str_eq(epi_audit_text(audit, EPI_AUDIT_FIRST_TIME),
                     "2026-01-31T09:30:00.000Z");
    cr_expect_str_eq(epi_audit_text(audit, EPI_AUDIT_LAST_TIME),
                     "2026-01-31T09:30:00.003Z");
    cr_expect_eq(strlen(epi_audit_text(audit, EPI_AUDIT_MAC)), 64);
    epi_audit_free(audit);
  }
  epi__free(log);
}

Test(audit_check, every_change_of_a_bit_is_found_in_its_line) {
  size_t starts[LINES + 1], len;
  char *log = make(starts, &len);
  int line = 0;

  for (size_t i = 0; i < len; i++) {
    while (i >= starts[line + 1]) {
      line++;
    }
    for (int bit = 0; bit < 8; bit++) {
      log[i] = (char)(log[i] ^ 1 << bit);
      cr_assert_eq(broken_line(log, len), line + 1, "byte %zu", i);
      log[i] = (char)(log[i] ^ 1 << bit);
    }
  }
  epi__free(log);
}

Test(audit_check, lines_that_are_lost_moved_or_doubled_are_found) {
  cr_expect_eq(broken_order((int[]){0, 1, 2, 3, -1}), 0);
  cr_expect_eq(broken_order((int[]){0, 2, 3, -1}), 2);
  cr_expect_eq(broken_order((int[]){0, 1, 3, -1}), 3);
  cr_expect_eq(broken_order((int[]){0, 2, 1, 3, -1}), 2);
  cr_expect_eq(broken_order((int[]){0, 1, 1, 2, 3, -1}), 3);
  cr_expect_eq(broken_order((int[]){3, 0, -1}), 2);
  /* What is missing at either end is seen by the numbers alone. */
  cr_expect_eq(broken_order((int[]){1, 2, 3, -1}), 0);
  cr_expect_eq(broken_order((int[]){0, 1, 2, -1}), 0);
}

Test(audit_check, a_line_of_another_log_with_the_same_key_does_not_fit) {
  size_t starts[LINES + 1], len;
  char *log = make(starts, &len);
  epi__audit_chain chain;
  epi__text forged = {0};

  epi__text_add(&forged, log, starts[1]);
  cr_assert_eq(epi__audit_chain_start(&chain, key, sizeof key), 0);
  for (int i = 0; i < 2; i++) {
    epi__text line = {0};

    epi__text_puts(&line, "{\"event\":\"other\"");
    epi__audit_chain_seal(&chain, &line);
    if (i) {
      epi__text_add(&forged, line.block, line.len);
    }
    epi__text_clear(&line);
  }
  cr_expect_eq(broken_line(forged.block, forged.len), 2);
  epi__text_clear(&forged);
  epi__free(log);
}

Test(audit_check, a_log_that_ends_within_a_line_is_found) {
  size_t starts[LINES + 1], len;
  char *log = make(starts, &len);

  for (size_t end = 0; end < len; end++) {
    int whole = 0, at_start = 0;

    while (starts[whole + 1] <= end) {
      whole++;
    }
    at_start = starts[whole] == end;
    cr_assert_eq(broken_line(log, end), at_start ? 0 : whole + 1);
  }
  epi__free(log);
}

Test(audit_check, another_key_and_bad_keys_are_refused) {
  size_t starts[LINES + 1], len;
  char *log = make(starts, &len);
  epi_audit *audit = NULL;

  cr_expect_eq(epi_audit_new(&audit, key, EPI_AUDIT_KEY_MIN - 1), EPI_EINVAL);
  cr_expect_eq(epi_audit_new(&audit, log, EPI_AUDIT_KEY_MAX + 1), EPI_EINVAL);
  cr_assert_eq(epi_audit_new(&audit, key, sizeof key - 1), 0);
  cr_expect_eq(epi_audit_feed(audit, log, len), EPI_EPROTO);
  cr_expect(strstr(epi_error_detail(), "line 1: "));
  cr_expect_eq(epi_audit_feed(audit, log, 0), EPI_EPROTO);
  cr_expect_eq(epi_audit_end(audit), EPI_EPROTO);
  epi_audit_free(audit);
  epi__free(log);
}

Test(audit_check, files_follow_each_other) {
  size_t starts[LINES + 1], len;
  char *log = make(starts, &len);
  epi_audit *audit;

  cr_assert_eq(epi_audit_new(&audit, key, sizeof key), 0);
  cr_expect_eq(epi_audit_feed(audit, log, starts[2]), 0);
  cr_expect_eq(epi_audit_end(audit), 0);
  cr_expect_eq(epi_audit_feed(audit, log + starts[3], len - starts[3]),
               EPI_EPROTO);
  cr_expect_eq(epi_audit_broken_line(audit), 1);
  epi_audit_free(audit);
  epi__free(log);
}

Test(audit_check, a_line_without_end_takes_no_more_memory_than_it_may) {
  static const char part[4096] = {'x'};
  epi_audit *audit;
  int result = 0;
  size_t fed = 0;

  cr_assert_eq(epi_audit_new(&audit, key, sizeof key), 0);
  for (; !result && fed < 4 * EPI_AUDIT_LINE_MAX; fed += sizeof part) {
    result = epi_audit_feed(audit, part, sizeof part);
  }
  cr_expect_eq(result, EPI_EPROTO);
  cr_expect_leq(fed, EPI_AUDIT_LINE_MAX);
  epi_audit_free(audit);
}

Test(audit_check, survives_every_failing_allocation) {
  size_t starts[LINES + 1], len;
  char *log = make(starts, &len);

  for (alloc_fail_start(); alloc_fail_more();) {
    epi_audit *audit = NULL;
    int result = epi_audit_new(&audit, key, sizeof key);

    result = result ? result : epi_audit_feed(audit, log, len);
    cr_assert_eq(result, alloc_fail_happened() ? EPI_ENOMEM : 0);
    epi_audit_free(audit);
  }
  epi__free(log);
}
