/* test_filter_bounds.c: what a filter may hold, wait for, know and refuse, and
 * what becomes of the flow when it fails. */
#include "base/bytes.h"
#include "epi/error.h"
#include "filter/filter_chain.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static epi__queue forward, backward;
static epi__queue *const queues[2] = {&forward, &backward};
static int64_t now;
static char set[64], warned[256];

static int64_t tell_now(void *user) {
  (void)user;
  return now;
}

static int64_t tell_wall(void *user) {
  (void)user;
  return 1700000000;
}

static const char *tell_metadata(int key, void *user) {
  (void)user;
  return key == 1 ? "train" : NULL;
}

static int take_metadata(int key, const char *value, void *user) {
  (void)user;
  snprintf(set, sizeof set, "%d=%s", key, value ? value : "(none)");
  return 0;
}

static void take_warning(const char *line, void *user) {
  (void)user;
  snprintf(warned, sizeof warned, "%s", line);
}

/* Each look at it is a microsecond later. */
static int64_t ns;

static int64_t tell_ns(void *user) {
  (void)user;
  return ns += 1000;
}

static const epi_addr source = {.kind = EPI_ADDR_IPV4, .port = 1234};
static const epi__filter_host host = {
    .source = &source,
    .login = "ann",
    .metadata = tell_metadata,
    .set_metadata = take_metadata,
    .now_ms = tell_now,
    .now_ns = tell_ns,
    .wall_time = tell_wall,
    .warn = take_warning,
};

/* What the filter under test is to do with data; it writes what it is told to
 * write first, holds what it is told to hold, then returns what it is told. */
typedef struct script {
  const char *write, *back;
  int64_t hold;
  int pause, result, times;
} script;

static int act(epi_pipe *pipe, const script *my) {
  if (my->write) {
    epi_pipe_write(pipe, EPI_FORWARD, my->write, strlen(my->write));
  }
  if (my->back) {
    epi_pipe_write(pipe, EPI_BACKWARD, my->back, strlen(my->back));
  }
  if (my->hold) {
    epi_pipe_hold(pipe, my->hold);
  }
  if (my->pause) {
    epi_pipe_pause(pipe, EPI_FORWARD, my->pause > 0);
  }
  return my->result;
}

static int on_data(epi_pipe *pipe, int direction, const void *data, size_t len,
                   void *user) {
  script *my = user;

  (void)direction;
  (void)data;
  (void)len;
  my->times++;
  return act(pipe, my);
}

static epi_filter *make(script *my) {
  epi_filter *filter;

  cr_assert_eq(epi_filter_new(&filter, "script"), 0);
  epi_filter_on_data(filter, on_data, my);
  return filter;
}

static epi__filter_chain *open_chain(epi_filter *filter) {
  epi__filter_chain *chain = NULL;

  cr_assert_eq(epi__filter_chain_new(&chain, &filter, 1, &host, queues, NULL),
               0);
  epi__filter_chain_begin(chain);
  epi_filter_free(filter); /* the chain holds it */
  return chain;
}

static const char *queued(epi__queue *queue) {
  static char text[256];
  const uint8_t *data;
  size_t len = epi__queue_peek(queue, &data);

  cr_assert_lt(len, sizeof text);
  if (len) {
    memcpy(text, data, len);
  }
  text[len] = '\0';
  epi__queue_clear(queue, 0);
  return text;
}

/* ---- timers ---- */

static int start_timer(epi_pipe *pipe, void *user) {
  (void)user;
  return epi_pipe_set_timer(pipe, 20);
}

static int write_tick(epi_pipe *pipe, void *user) {
  (void)user;
  epi_pipe_set_timer(pipe, 30);
  return epi_pipe_write(pipe, EPI_BACKWARD, "tick", 4);
}

Test(filter_bounds, a_timer_comes_once_when_it_is_due) {
  script nothing = {0};
  epi_filter *filter = make(&nothing);
  epi__filter_chain *chain;

  epi_filter_on_open(filter, start_timer, NULL);
  epi_filter_on_timer(filter, write_tick, NULL);
  chain = open_chain(filter);
  cr_expect_eq(epi__filter_chain_next_ms(chain), 20);
  now = 19;
  cr_expect_eq(epi__filter_chain_tick(chain), 0);
  cr_expect_str_eq(queued(&backward), "");
  now = 20;
  cr_expect_eq(epi__filter_chain_tick(chain), 0);
  cr_expect_str_eq(queued(&backward), "tick");
  cr_expect_eq(epi__filter_chain_next_ms(chain), 50);
  cr_expect_eq(epi__filter_chain_tick(chain), 0);
  cr_expect_str_eq(queued(&backward), "");
  epi__filter_chain_free(chain);
}

static int start_and_stop(epi_pipe *pipe, void *user) {
  (void)user;
  cr_expect_eq(epi_pipe_set_timer(pipe, -2), EPI_EINVAL);
  cr_expect_eq(epi_pipe_set_timer(pipe, 5), 0);
  return epi_pipe_set_timer(pipe, -1);
}

static int has_no_clock(epi_pipe *pipe, void *user) {
  (void)user;
  cr_expect_eq(epi_pipe_set_timer(pipe, 5), EPI_ENOTSUP);
  cr_expect_eq(epi_pipe_set_metadata(pipe, 1, "x"), EPI_ENOTSUP);
  cr_expect_eq(epi_pipe_source(pipe)->kind, EPI_ADDR_NONE);
  cr_expect_str_eq(epi_pipe_user(pipe), "");
  return 0;
}

Test(filter_bounds, a_timer_can_be_taken_back_and_needs_a_clock) {
  script nothing = {0};
  epi_filter *filter = make(&nothing);
  epi__filter_chain *chain;

  epi_filter_on_open(filter, start_and_stop, NULL);
  chain = open_chain(filter);
  cr_expect_eq(epi__filter_chain_next_ms(chain), -1);
  epi__filter_chain_free(chain);
  filter = make(&nothing);
  epi_filter_on_open(filter, has_no_clock, NULL);
  cr_assert_eq(epi__filter_chain_new(&chain, &filter, 1, NULL, queues, NULL),
               0);
  epi__filter_chain_free(chain);
  epi_filter_free(filter);
}

static int pass_in_time(epi_pipe *pipe, void *user) {
  (void)pipe;
  (void)user;
  return EPI_PASS;
}

Test(filter_bounds, a_filter_may_pass_when_its_time_comes) {
  script nothing = {0};
  epi_filter *filter = make(&nothing);
  epi__filter_chain *chain;

  epi_filter_on_open(filter, start_timer, NULL);
  epi_filter_on_timer(filter, pass_in_time, NULL);
  chain = open_chain(filter);
  now = 20;
  cr_expect_eq(epi__filter_chain_tick(chain), 0);
  cr_expect(epi__filter_chain_passed(chain));
  cr_expect_eq(epi__filter_chain_next_ms(chain), -1);
  epi__filter_chain_free(chain);
}

/* ---- bounds ---- */

Test(filter_bounds, are_checked_when_they_are_set) {
  script nothing = {0};
  epi_filter *filter = make(&nothing);

  cr_expect_eq(epi_filter_set(filter, EPI_FILTER_MEMORY, 0), 0);
  cr_expect_eq(epi_filter_set(filter, EPI_FILTER_MEMORY, -1), EPI_EINVAL);
  cr_expect_eq(epi_filter_set(filter, 0, 1), EPI_EINVAL);
  cr_expect_eq(epi_filter_set(filter, EPI_FILTER_FAIL_OPEN + 1, 1), EPI_EINVAL);
  epi_filter_free(filter);
}

Test(filter_bounds, a_filter_that_holds_too_much_fails_whatever_it_returns) {
  script my = {.hold = 60};
  epi_filter *filter = make(&my);
  epi__filter_chain *chain;

  epi_filter_set(filter, EPI_FILTER_MEMORY, 100);
  chain = open_chain(filter);
  cr_expect_eq(epi__filter_chain_feed(chain, EPI_FORWARD, "x", 1), 0);
  cr_expect_eq(epi__filter_chain_feed(chain, EPI_FORWARD, "x", 1), EPI_ELIMIT);
  cr_expect_str_eq(epi_error_detail(),
                   "filter script: holds over 100 bytes of the flow");
  epi__filter_chain_free(chain);
}

Test(filter_bounds, what_is_let_go_may_be_held_again) {
  script my = {.hold = 60};
  epi_filter *filter = make(&my);
  epi__filter_chain *chain;

  epi_filter_set(filter, EPI_FILTER_MEMORY, 100);
  chain = open_chain(filter);
  for (int i = 0; i < 10; i++) {
    cr_expect_eq(epi__filter_chain_feed(chain, EPI_FORWARD, "x", 1), 0);
    my.hold = -my.hold;
  }
  my.hold = INT64_MIN;
  cr_expect_eq(epi__filter_chain_feed(chain, EPI_FORWARD, "x", 1), 0);
  my.hold = INT64_MAX;
  cr_expect_eq(epi__filter_chain_feed(chain, EPI_FORWARD, "x", 1), EPI_ELIMIT);
  epi__filter_chain_free(chain);
}

Test(filter_bounds, data_may_be_held_back_until_the_deadline) {
  script my = {.hold = 1};
  epi_filter *filter = make(&my);
  epi__filter_chain *chain;

  epi_filter_set(filter, EPI_FILTER_DEADLINE_MS, 100);
  now = 1000;
  chain = open_chain(filter);
  cr_expect_eq(epi__filter_chain_next_ms(chain), -1);
  cr_expect_eq(epi__filter_chain_feed(chain, EPI_FORWARD, "x", 1), 0);
  cr_expect_eq(epi__filter_chain_next_ms(chain), 1100);
  now = 1050;
  my.write = "y";
  cr_expect_eq(epi__filter_chain_feed(chain, EPI_FORWARD, "x", 1), 0);
  cr_expect_eq(epi__filter_chain_next_ms(chain), 1150, "it wrote meanwhile");
  now = 1150;
  cr_expect_eq(epi__filter_chain_tick(chain), EPI_ETIMEOUT);
  cr_expect_str_eq(epi_error_detail(),
                   "filter script: held data back for over 100 ms");
  cr_expect_eq(epi__filter_chain_feed(chain, EPI_FORWARD, "x", 1), EPI_ETIMEOUT,
               "it stays so");
  epi__filter_chain_free(chain);
  queued(&forward);
}

static int pause_on_open(epi_pipe *pipe, void *user) {
  (void)user;
  epi_pipe_pause(pipe, EPI_BACKWARD, 1);
  return 0;
}

Test(filter_bounds, a_pause_counts_from_when_both_ends_are_connected) {
  script my = {0};
  epi_filter *filter = make(&my);
  epi__filter_chain *chain;

  epi_filter_set(filter, EPI_FILTER_DEADLINE_MS, 100);
  epi_filter_on_open(filter, pause_on_open, NULL);
  cr_assert_eq(epi__filter_chain_new(&chain, &filter, 1, &host, queues, NULL),
               0);
  cr_expect_eq(epi__filter_chain_next_ms(chain), -1);
  now = 5000;
  cr_expect_eq(epi__filter_chain_tick(chain), 0);
  epi__filter_chain_begin(chain);
  cr_expect_eq(epi__filter_chain_next_ms(chain), 5100);
  now = 5100;
  cr_expect_eq(epi__filter_chain_tick(chain), EPI_ETIMEOUT);
  epi__filter_chain_free(chain);
  epi_filter_free(filter);
}

Test(filter_bounds, a_filter_cannot_pass_with_what_it_holds) {
  script my = {.hold = 1};
  epi__filter_chain *chain = open_chain(make(&my));

  cr_expect_eq(epi__filter_chain_feed(chain, EPI_FORWARD, "x", 1), 0);
  my.hold = 0;
  my.result = EPI_PASS;
  cr_expect_eq(epi__filter_chain_feed(chain, EPI_FORWARD, "x", 1), EPI_ESTATE);
  epi__filter_chain_free(chain);
}

/* ---- failing open ---- */

static epi__filter_chain *open_failing(script *my) {
  epi_filter *filter = make(my);

  epi_filter_set(filter, EPI_FILTER_FAIL_OPEN, 1);
  epi_filter_set(filter, EPI_FILTER_DEADLINE_MS, 100);
  return open_chain(filter);
}

Test(filter_bounds, failing_open_loses_no_byte_and_says_so) {
  script my = {.write = "ab"};
  epi__filter_chain *chain = open_failing(&my);

  cr_expect_eq(epi__filter_chain_feed(chain, EPI_FORWARD, "xy", 2), 0);
  my.write = NULL;
  my.result = EPI_ENOMEM;
  cr_expect_eq(epi__filter_chain_feed(chain, EPI_FORWARD, "1", 1), 0);
  cr_expect_eq(epi__filter_chain_feed(chain, EPI_FORWARD, "2", 1), 0);
  cr_expect_str_eq(queued(&forward), "ab12");
  cr_expect_eq(my.times, 2, "it is called no more");
  cr_expect(strstr(warned, "WITHOUT filter script"), "%s", warned);
  cr_expect_str_eq(epi__filter_chain_notes(chain), "script was left out");
  epi__filter_chain_free(chain);
}

Test(filter_bounds, failing_open_passes_nothing_twice) {
  script my = {.write = "z", .result = EPI_ENOMEM};
  epi__filter_chain *chain = open_failing(&my);

  cr_expect_eq(epi__filter_chain_feed(chain, EPI_FORWARD, "1", 1), 0);
  cr_expect_eq(epi__filter_chain_feed(chain, EPI_FORWARD, "2", 1), 0);
  cr_expect_str_eq(queued(&forward), "z2");
  epi__filter_chain_free(chain);
}

Test(filter_bounds, what_is_lost_cuts_though_the_filter_fails_open) {
  static const script scripts[] = {
      {.write = "z", .result = EPI_ENOMEM},     /* a part was written on */
      {.back = "answer", .result = EPI_ENOMEM}, /* it answered by itself */
  };

  for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
    script my = scripts[i];
    epi__filter_chain *chain = open_failing(&my);

    cr_expect_eq(epi__filter_chain_feed(chain, EPI_FORWARD, "12", 2),
                 EPI_ENOMEM);
    epi__filter_chain_free(chain);
    queued(&forward);
    queued(&backward);
  }
}

Test(filter_bounds, a_deadline_fails_open_only_if_nothing_is_held) {
  script paused = {.write = "x", .pause = 1}, held = {.hold = 1};
  epi__filter_chain *chain = open_failing(&paused);

  now = 0;
  cr_expect_eq(epi__filter_chain_feed(chain, EPI_FORWARD, "1", 1), 0);
  cr_expect(epi__filter_chain_paused(chain, EPI_FORWARD));
  now = 100;
  cr_expect_eq(epi__filter_chain_tick(chain), 0);
  cr_expect(epi__filter_chain_passed(chain));
  cr_expect_not(epi__filter_chain_paused(chain, EPI_FORWARD));
  epi__filter_chain_free(chain);
  queued(&forward);
  chain = open_failing(&held);
  cr_expect_eq(epi__filter_chain_feed(chain, EPI_FORWARD, "1", 1), 0);
  now = 200;
  cr_expect_eq(epi__filter_chain_tick(chain), EPI_ETIMEOUT);
  epi__filter_chain_free(chain);
}

static int fail_to_open(epi_pipe *pipe, void *user) {
  (void)pipe;
  (void)user;
  return EPI_ENOENT;
}

static void never(epi_pipe *pipe, void *user) {
  (void)pipe;
  (void)user;
  cr_assert_fail("closed, and was never open");
}

Test(filter_bounds, a_filter_that_cannot_open_is_left_out_if_it_may_be) {
  script my = {0};
  epi_filter *filter = make(&my);
  epi__filter_chain *chain;

  epi_filter_on_open(filter, fail_to_open, NULL);
  epi_filter_on_close(filter, never, NULL);
  epi_filter_set(filter, EPI_FILTER_FAIL_OPEN, 1);
  chain = open_chain(filter);
  cr_expect(epi__filter_chain_passed(chain));
  epi__filter_chain_free(chain);
}

/* ---- refusals ---- */

static int refuse(epi_pipe *pipe, void *user) {
  return epi_pipe_refuse(pipe, user);
}

Test(filter_bounds, a_refusal_counts_whatever_fails_open) {
  script my = {0};
  epi_filter *filter = make(&my);
  epi__filter_chain *chain = NULL;
  static char reason[] = "not at\nnight";

  epi_filter_on_open(filter, refuse, reason);
  epi_filter_set(filter, EPI_FILTER_FAIL_OPEN, 1);
  cr_expect_eq(epi__filter_chain_new(&chain, &filter, 1, &host, queues, NULL),
               EPI_EDENIED);
  cr_expect_str_eq(epi_error_detail(),
                   "filter script refuses the flow: not at?night");
  epi_filter_free(filter);
}

static int refuse_and_go_on(epi_pipe *pipe, int direction, const void *data,
                            size_t len, void *user) {
  (void)direction;
  (void)data;
  (void)len;
  epi_pipe_refuse(pipe, user);
  return 0;
}

Test(filter_bounds, a_refusal_cannot_be_taken_back) {
  epi_filter *filter;
  epi__filter_chain *chain;
  static char reason[] = "a pattern was found";

  cr_assert_eq(epi_filter_new(&filter, "late"), 0);
  epi_filter_on_data(filter, refuse_and_go_on, reason);
  chain = open_chain(filter);
  cr_expect_eq(epi__filter_chain_feed(chain, EPI_FORWARD, "x", 1), EPI_EDENIED);
  cr_expect_lt(epi_filter_new(&filter, ""), 0); /* another detail */
  cr_expect_eq(epi__filter_chain_end(chain, EPI_FORWARD), EPI_EDENIED);
  cr_expect_str_eq(epi_error_detail(),
                   "filter late refuses the flow: a pattern was found");
  epi__filter_chain_free(chain);
}

Test(filter_bounds, the_reason_of_a_refusal_is_cut_between_characters) {
  script my = {0};
  epi_filter *filter = make(&my);
  epi__filter_chain *chain = NULL;
  char reason[300] = "x";

  for (size_t i = 1; i + 2 < sizeof reason; i += 2) {
    memcpy(reason + i, "\xc3\xa9", 3);
  }
  epi_filter_on_open(filter, refuse, reason);
  cr_expect_eq(epi__filter_chain_new(&chain, &filter, 1, &host, queues, NULL),
               EPI_EDENIED);
  cr_expect_eq(strlen(epi_error_detail()),
               strlen("filter script refuses the flow: ") + 199);
  epi_filter_free(filter);
}

/* ---- facts ---- */

static int look(epi_pipe *pipe, void *user) {
  static const int bad[] = {998, 1000, 1015, 2000, 2011, 2999};

  (void)user;
  cr_expect_eq(epi_pipe_source(pipe), &source);
  cr_expect_eq(epi_pipe_dest(pipe)->kind, EPI_ADDR_NONE);
  cr_expect_str_eq(epi_pipe_user(pipe), "ann");
  cr_expect_eq(epi_pipe_now_ms(pipe), now);
  cr_expect_eq(epi_pipe_wall_time(pipe), 1700000000);
  cr_expect_str_eq(epi_pipe_metadata(pipe, 1), "train");
  cr_expect_null(epi_pipe_metadata(pipe, 2));
  cr_expect_eq(epi_pipe_set_metadata(pipe, 3000, "a"), 0);
  cr_expect_str_eq(set, "3000=a");
  cr_expect_eq(epi_pipe_set_metadata(pipe, 1, NULL), 0);
  cr_expect_str_eq(set, "1=(none)");
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    cr_expect_eq(epi_pipe_set_metadata(pipe, bad[i], "x"), EPI_EINVAL);
  }
  return 0;
}

static int set_late(epi_pipe *pipe, int direction, const void *data, size_t len,
                    void *user) {
  (void)user;
  cr_expect_eq(epi_pipe_set_metadata(pipe, 3000, "b"), EPI_ESTATE);
  return epi_pipe_write(pipe, direction, data, len);
}

Test(filter_bounds, a_filter_knows_its_flow_and_says_more_on_opening) {
  epi_filter *filter;
  epi__filter_chain *chain;

  now = 77;
  cr_assert_eq(epi_filter_new(&filter, "curious"), 0);
  epi_filter_on_open(filter, look, NULL);
  epi_filter_on_data(filter, set_late, NULL);
  chain = open_chain(filter);
  cr_expect_eq(epi__filter_chain_feed(chain, EPI_FORWARD, "x", 1), 0);
  cr_expect_str_eq(queued(&forward), "x");
  epi__filter_chain_free(chain);
}

/* Two filters: the first has written to the second before it returns. */
Test(filter_bounds, the_time_of_a_filter_is_its_own) {
  script first = {.write = "x"}, second = {.write = "y"};
  epi_filter *filters[] = {make(&first), make(&second)};
  epi__filter_chain *chain = NULL;
  epi__filter_work work;

  cr_assert_eq(epi__filter_chain_new(&chain, filters, 2, &host, queues, NULL),
               0);
  cr_assert_eq(epi__filter_chain_feed(chain, EPI_FORWARD, "abc", 3), 0);
  cr_assert(epi__filter_chain_work(chain, 0, &work));
  cr_expect_eq(work.fed[EPI_FORWARD], 3);
  cr_expect_eq(work.spent_ns, 2000, "before and behind the second");
  cr_assert(epi__filter_chain_work(chain, 1, &work));
  cr_expect_eq(work.fed[EPI_FORWARD], 1);
  cr_expect_eq(work.spent_ns, 1000);
  cr_assert(epi__filter_chain_work(chain, 1, &work));
  cr_expect(!work.spent_ns && !work.fed[EPI_FORWARD], "it was told");
  cr_expect_eq(epi__filter_chain_work(chain, 2, &work), 0);
  epi__filter_chain_free(chain);
  epi_filter_free(filters[0]);
  epi_filter_free(filters[1]);
}

Test(filter_bounds, what_means_nothing_is_an_error) {
  script my = {.write = "x", .result = 77};
  epi__filter_chain *chain = open_chain(make(&my));

  cr_expect_eq(epi__filter_chain_feed(chain, EPI_FORWARD, "abc", 3),
               EPI_EINVAL);
  cr_expect_not_null(strstr(epi_error_detail(), "77"));
  epi__filter_chain_free(chain);
}
