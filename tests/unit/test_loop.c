/* test_loop.c: who is called back when something happens. */
#include "engine/loop.h"

#include <criterion/criterion.h>
#include <sys/socket.h>
#include <unistd.h>

static epi__loop *loop;
static epi__io first, second;
static epi__io *called;
static epi__timer limit;

static void on_ready(epi__io *io, int events) {
  cr_expect_eq(events, EPI__READ);
  called = io;
  epi__loop_stop(loop);
}

static void on_time(epi__timer *timer) {
  (void)timer;
  epi__loop_stop(loop);
}

static void pass(int64_t ms) {
  epi__timer timer = {0};

  called = NULL;
  epi__timer_start(loop, &timer, ms, on_time);
  epi__loop_run(loop);
  epi__timer_stop(loop, &timer);
}

/* A watcher is moved before or after the loop has seen it. */
static void move_after(int rounds) {
  int pair[2];

  cr_assert_eq(epi__loop_new(&loop), 0);
  cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  epi__io_set(loop, &first, pair[0], EPI__READ, on_ready);
  for (int i = 0; i < rounds; i++) {
    pass(1);
    cr_expect_null(called);
  }
  epi__io_move(loop, &second, &first);
  epi__io_set(loop, &second, pair[0], EPI__READ, on_ready);
  pass(1);
  cr_expect_null(called);
  cr_assert_eq(write(pair[1], "x", 1), 1);
  pass(20000);
  cr_expect_eq(called, &second);
  epi__io_set(loop, &second, pair[0], 0, on_ready);
  pass(1);
  cr_expect_null(called);
  epi__loop_free(loop);
  close(pair[0]);
  close(pair[1]);
}

Test(loop, what_was_watched_another_watches_on) {
  move_after(0);
  move_after(2);
}

static void on_too_late(epi__timer *timer) {
  (void)timer;
  cr_expect(0, "the time was over before what had come");
  epi__loop_stop(loop);
}

static void on_in_time(epi__io *io, int events) {
  (void)events;
  called = io;
  epi__timer_stop(loop, &limit);
  epi__io_stop(loop, io);
  epi__loop_stop(loop);
}

Test(loop, what_came_counts_before_the_time_that_is_over) {
  int pair[2];

  cr_assert_eq(epi__loop_new(&loop), 0);
  cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  epi__io_set(loop, &first, pair[0], EPI__READ, on_in_time);
  epi__timer_start(loop, &limit, 1, on_too_late);
  cr_assert_eq(write(pair[1], "x", 1), 1);
  usleep(20000); /* nobody is called back meanwhile */
  called = NULL;
  epi__loop_run(loop);
  cr_expect_eq(called, &first);
  epi__loop_free(loop);
  close(pair[0]);
  close(pair[1]);
}

Test(loop, rounds_have_numbers) {
  unsigned before;

  cr_assert_eq(epi__loop_new(&loop), 0);
  pass(1);
  before = epi__loop_round(loop);
  pass(1);
  cr_expect_gt(epi__loop_round(loop), before);
  epi__loop_free(loop);
}
