/* test_log_flood.c: of very many log lines of a kind, a few and how many. */
#include "engine/log_flood.h"
#include "epi/engine.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const char a_format[] = "flow %d: %s", other_format[] = "other";

static epi__log_flood *flood;
static char line[EPI__FLOOD_LINE];

static void set_up(void) {
  cr_assert_eq(epi__log_flood_new(&flood), 0);
}

static void tear_down(void) {
  epi__log_flood_free(flood);
}

TestSuite(log_flood, .init = set_up, .fini = tear_down);

static int note(const char *format, const char *text, int64_t now) {
  return epi__log_flood_take(flood, EPI_LOG_NOTE, format, text, now, 3);
}

static int error(const char *text, int64_t now) {
  return epi__log_flood_take(flood, EPI_LOG_ERROR, "%s", text, now, 1);
}

Test(log_flood, so_many_of_a_kind_go_out_in_a_second) {
  for (int second = 0; second < 3; second++) {
    for (int i = 0; i < 3; i++) {
      cr_expect(note(a_format, "flow 1: x", second * 1000 + i));
    }
    cr_expect(!note(a_format, "flow 2: y", second * 1000 + 10));
    cr_expect(note(other_format, "other", second * 1000 + 10));
  }
}

Test(log_flood, what_did_not_is_counted_in_time) {
  for (int i = 0; i < 12348; i++) {
    note(a_format, "flow 7: the last", 500);
  }
  cr_expect(epi__log_flood_waits(flood));
  cr_expect_eq(epi__log_flood_due(flood, 10499, 0, line), 0);
  cr_expect_eq(epi__log_flood_due(flood, 10500, 0, line), EPI_LOG_NOTE);
  cr_expect_str_eq(
      line, "and 12,345 more like it in the last 10 s: flow 7: the last");
  cr_expect_eq(epi__log_flood_due(flood, 10500, 1, line), 0);
  cr_expect(!epi__log_flood_waits(flood));
  cr_expect(note(a_format, "flow 8: again", 10500));
}

Test(log_flood, at_the_end_it_is_said_anyhow) {
  for (int i = 0; i < 4; i++) {
    note(a_format, "flow 7: the last", 500);
    note(other_format, "other", 500);
  }
  cr_expect_eq(epi__log_flood_due(flood, 500, 1, line), EPI_LOG_NOTE);
  cr_expect(strstr(line, "and 1 more like it in the last 1 s: "), "%s", line);
  cr_expect_eq(epi__log_flood_due(flood, 500, 1, line), EPI_LOG_NOTE);
  cr_expect_eq(epi__log_flood_due(flood, 500, 1, line), 0);
}

Test(log_flood, errors_that_say_something_else_get_out) {
  cr_expect(error("flow 1: no memory", 0));
  cr_expect(!error("flow 2: no memory", 0));
  cr_expect(error("flow 3: the disk is full", 0));
  cr_expect(error("cannot bind 10.0.0.1:80: taken", 0));
  cr_expect(!error("cannot bind 10.0.0.2:81: taken", 0));
  cr_expect(error("cannot bind 10.0.0.2:81: not allowed", 0));
}

Test(log_flood, its_memory_is_bounded_and_nothing_is_lost) {
  int64_t out = 0, counted = 0;
  char text[3] = "aa";

  for (int i = 0; i < 26 * 26; i++) {
    text[0] = (char)('a' + i / 26);
    text[1] = (char)('a' + i % 26);
    for (int k = 0; k < 5; k++) {
      out += error(text, 0);
    }
  }
  while (epi__log_flood_due(flood, 0, 1, line)) {
    int64_t more = 0;

    cr_assert_eq(sscanf(line, "and %ld more", &more), 1);
    counted += more;
  }
  cr_expect_eq(out + counted, 26 * 26 * 5);
  cr_expect_geq(out, 26 * 26);
}
