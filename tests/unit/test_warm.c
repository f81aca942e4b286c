/* test_warm.c: how many connections to hops are kept, and for how long. */
#include "engine/warm.h"
#include "engine/worker.h"
#include "os/os.h"
#include "support/alloc_fail.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

enum {
  IDLE_MS = 160, /* a successor is there at 140 */
  HOPS = EPI__WARM_HOPS + 1,
};

static const epi__hop plain;
static epi__loop *loop;
static epi__warm *warm;
static epi_addr hop; /* of the listener */
static int listener;

static void set_up(void) {
  const epi__warm_limits limits = {
      .per_hop = 3, .in_all = 100, .idle_ms = IDLE_MS};

  cr_assert_eq(epi_addr_parse(&hop, "127.0.0.1", 0), 0);
  cr_assert_eq(epi__sock_listen(&hop, 0, &listener), 0);
  cr_assert_eq(epi__sock_local(listener, &hop), 0);
  cr_assert_eq(epi__loop_new(&loop), 0);
  cr_assert_eq(epi__warm_new(&warm, loop, &limits), 0);
}

static void tear_down(void) {
  epi__warm_free(warm);
  epi__loop_free(loop);
  close(listener);
}

TestSuite(warm, .init = set_up, .fini = tear_down);

static void stop(epi__timer *timer) {
  (void)timer;
  epi__loop_stop(loop);
}

static void pass(int64_t ms) {
  epi__timer timer = {0};

  epi__timer_start(loop, &timer, ms, stop);
  epi__loop_run(loop);
}

/* Take a connection that is kept, or -1. */
static int take(void) {
  epi__io io = {0};
  epi__tls *session;
  int fd = epi__warm_take(warm, &hop, &plain, &io, &session);

  if (fd >= 0) {
    epi__io_stop(loop, &io);
  }
  return fd;
}

/* Take a connection at the hop's side, or -1. */
static int accept_one(void) {
  epi_addr peer;
  int fd = -1;

  return epi__sock_accept(listener, &fd, &peer) ? -1 : fd;
}

/* Close all that came in, and return how many did. */
static int accept_all(void) {
  int count = 0, fd;

  while ((fd = accept_one()) >= 0) {
    close(fd);
    count++;
  }
  return count;
}

static void use(int times, int missed) {
  for (int i = 0; i < times; i++) {
    epi__warm_used(warm, &hop, &plain, missed);
  }
}

Test(warm, nothing_is_made_before_a_flow_used_the_hop) {
  cr_expect_eq(take(), -1);
  pass(1);
  cr_expect_eq(accept_one(), -1);
}

Test(warm, one_that_was_made_is_taken_once) {
  int fd, peer;
  char byte;

  use(1, 1);
  pass(1);
  fd = take();
  cr_assert_geq(fd, 0);
  cr_expect_eq(take(), -1);
  peer = accept_one();
  cr_expect_eq(epi__sock_write(fd, "x", 1), 1);
  cr_expect_eq(epi__sock_read(peer, &byte, 1), 1);
  cr_expect_eq(accept_one(), -1);
  close(fd);
  close(peer);
}

Test(warm, flows_that_miss_one_make_more_up_to_the_bound) {
  use(1, 1);
  use(1, 0);
  cr_expect_eq(accept_all(), 1);
  use(9, 1);
  cr_expect_eq(accept_all(), 2);
}

Test(warm, all_together_are_bounded) {
  const epi__warm_limits limits = {
      .per_hop = 9, .in_all = 2, .idle_ms = IDLE_MS};

  epi__warm_free(warm);
  cr_assert_eq(epi__warm_new(&warm, loop, &limits), 0);
  use(9, 1);
  cr_expect_eq(accept_all(), 2);
}

Test(warm, none_are_kept_if_that_is_off) {
  const epi__warm_limits limits = {.in_all = 2, .idle_ms = IDLE_MS};

  epi__warm_free(warm);
  cr_assert_eq(epi__warm_new(&warm, loop, &limits), 0);
  use(3, 1);
  cr_expect_eq(accept_one(), -1);
}

Test(warm, what_the_hop_ends_or_says_is_not_taken) {
  int ended, said;

  use(2, 1);
  ended = accept_one();
  said = accept_one();
  cr_assert_geq(said, 0);
  close(ended);
  cr_expect_eq(epi__sock_write(said, "x", 1), 1);
  pass(2);
  cr_expect_eq(take(), -1);
  cr_expect_eq(accept_one(), -1, "no flow asked for another");
  close(said);
}

Test(warm, one_that_just_ended_is_not_taken) {
  use(1, 1);
  close(accept_one());
  cr_expect_eq(take(), -1);
}

Test(warm, a_successor_is_there_before_one_is_too_old) {
  int first, second;
  char byte;

  use(1, 1);
  first = accept_one();
  while ((second = accept_one()) < 0) {
    pass(1);
  }
  cr_expect_eq(epi__sock_read(first, &byte, 1), EPI_ENOENT, "it lives");
  while (epi__sock_read(first, &byte, 1) == EPI_ENOENT) {
    pass(1);
  }
  cr_expect_eq(epi__sock_read(second, &byte, 1), EPI_ENOENT);
  close(first);
  close(second);
}

Test(warm, the_newest_is_taken_and_others_come_to_their_end) {
  int peers[3], left = 0;
  char byte;

  use(3, 1);
  for (int i = 0; i < 3; i++) {
    peers[i] = accept_one();
  }
  close(take());
  cr_expect_eq(epi__sock_read(peers[2], &byte, 1), 0);
  pass(2 * IDLE_MS);
  for (int i = 0, fd; (fd = accept_one()) >= 0; i++) {
    left += epi__sock_is_open(fd);
    close(fd);
  }
  cr_expect_eq(left, 1, "one flow in a while needs one, not %d", left);
  for (int i = 0; i < 3; i++) {
    close(peers[i]);
  }
}

Test(warm, a_hop_that_nobody_uses_is_given_up) {
  int64_t end = epi__clock_steady() + 20 * IDLE_MS;
  int fds[32], count = 0, open = 1;

  use(1, 1);
  while (open && epi__clock_steady() < end) {
    int fd;

    pass(IDLE_MS / 8);
    while (count < 32 && (fd = accept_one()) >= 0) {
      fds[count++] = fd;
    }
    open = 0;
    for (int i = 0; i < count; i++) {
      open += epi__sock_is_open(fds[i]);
    }
  }
  cr_expect_eq(open, 0);
  cr_expect_gt(count, 2);
  for (int i = 0; i < count; i++) {
    close(fds[i]);
  }
}

Test(warm, a_hop_that_refuses_is_left_alone) {
  close(listener);
  use(3, 1);
  pass(2);
  cr_expect_eq(take(), -1);
}

Test(warm, the_hop_that_was_not_used_longest_goes_first) {
  epi_addr other;

  use(1, 1);
  for (int i = 1; i < HOPS; i++) {
    char host[32];

    snprintf(host, sizeof host, "127.0.1.%d", i);
    cr_assert_eq(epi_addr_parse(&other, host, hop.port), 0);
    epi__warm_used(warm, &other, &plain, 1);
  }
  cr_expect_eq(take(), -1);
  cr_expect_eq(accept_all(), 1);
}

Test(warm, clearing_closes_all) {
  int peer;
  char byte;

  use(1, 1);
  peer = accept_one();
  epi__warm_clear(warm);
  cr_expect_eq(epi__sock_read(peer, &byte, 1), 0);
  cr_expect_eq(take(), -1);
  close(peer);
}

Test(warm, without_memory_there_are_fewer) {
  for (alloc_fail_start(); alloc_fail_more();) {
    int fd, failed;

    use(1, 1);
    failed = alloc_fail_happened();
    fd = take();
    cr_expect_eq(fd < 0, failed);
    epi__sock_close(fd, 0);
    epi__warm_clear(warm);
    accept_all();
  }
}
