/* test_warm.c: how many connections to hops are kept, and for how long. */
#include "engine/warm.h"
#include "engine/worker.h"
#include "os/os.h"
#include "support/alloc_fail.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/sockios.h>

enum {
  IDLE_MS = 160,        /* a successor is there at 140 */
  AGELESS_MS = 1 << 30, /* where nothing shall come to its end */
  PATIENCE_MS = 20000,
  HOPS = EPI__WARM_HOPS + 1,
};

static const epi__hop plain;
static epi__loop *loop;
static epi__warm *warm;
static epi_addr hop; /* of the listener */
static int listener;

static void limit_to(int64_t per_hop, int64_t in_all, int64_t idle_ms) {
  const epi__warm_limits limits = {
      .per_hop = per_hop, .in_all = in_all, .idle_ms = idle_ms};

  epi__warm_free(warm);
  cr_assert_eq(epi__warm_new(&warm, loop, &limits), 0);
}

static void set_up(void) {
  cr_assert_eq(epi_addr_parse(&hop, "127.0.0.1", 0), 0);
  cr_assert_eq(epi__sock_listen(&hop, 0, &listener), 0);
  cr_assert_eq(epi__sock_local(listener, &hop), 0);
  cr_assert_eq(epi__loop_new(&loop), 0);
  limit_to(3, 100, AGELESS_MS);
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

/* Returns how long it took: the machine may have had other things to do. */
static int64_t pass(int64_t ms) {
  int64_t began = epi__clock_steady();
  epi__timer timer = {0};

  epi__timer_start(loop, &timer, ms, stop);
  epi__loop_run(loop);
  return epi__clock_steady() - began;
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

/* The same of one that is on its way. */
static int accept_next(void) {
  struct pollfd wait = {listener, POLLIN, 0};

  cr_assert_eq(poll(&wait, 1, PATIENCE_MS), 1);
  return accept_one();
}

/* Close what comes in: so many connections. */
static void accept_all(int count) {
  while (count-- > 0) {
    close(accept_next());
  }
  cr_expect_eq(accept_one(), -1);
}

/* Wait until the other side's system has all that was sent, and the end. */
static void settle(int fd) {
  int64_t end = epi__clock_steady() + PATIENCE_MS;
  int waiting = 1;

  while (waiting && epi__clock_steady() < end) {
    cr_assert_eq(ioctl(fd, SIOCOUTQ, &waiting), 0);
  }
  cr_assert_eq(waiting, 0);
}

/* What is read of one byte, or of the end, which is on its way. */
static ptrdiff_t read_next(int fd) {
  struct pollfd wait = {fd, POLLIN, 0};
  char byte;

  cr_assert_eq(poll(&wait, 1, PATIENCE_MS), 1);
  return epi__sock_read(fd, &byte, 1);
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

  use(1, 1);
  pass(1);
  peer = accept_next();
  fd = take();
  cr_assert_geq(fd, 0);
  cr_expect_eq(take(), -1);
  cr_expect_eq(epi__sock_write(fd, "x", 1), 1);
  cr_expect_eq(read_next(peer), 1);
  cr_expect_eq(accept_one(), -1);
  close(fd);
  close(peer);
}

Test(warm, flows_that_miss_one_make_more_up_to_the_bound) {
  use(1, 1);
  use(1, 0);
  accept_all(1);
  use(9, 1);
  accept_all(2);
}

Test(warm, all_together_are_bounded) {
  limit_to(9, 2, AGELESS_MS);
  use(9, 1);
  accept_all(2);
}

Test(warm, none_are_kept_if_that_is_off) {
  limit_to(0, 2, AGELESS_MS);
  use(3, 1);
  cr_expect_eq(accept_one(), -1);
}

Test(warm, what_the_hop_ends_or_says_is_not_taken) {
  int ended, said;

  use(2, 1);
  ended = accept_next();
  said = accept_next();
  shutdown(ended, SHUT_WR);
  cr_expect_eq(epi__sock_write(said, "x", 1), 1);
  settle(ended);
  settle(said);
  pass(2);
  cr_expect_eq(take(), -1);
  cr_expect_eq(accept_one(), -1, "no flow asked for another");
  close(ended);
  close(said);
}

Test(warm, one_that_just_ended_is_not_taken) {
  int ended;

  use(1, 1);
  ended = accept_next();
  shutdown(ended, SHUT_WR);
  settle(ended);
  cr_expect_eq(take(), -1);
  close(ended);
}

/* The first one's end comes so long after its successor's beginning that both
 * are seen apart, unless the machine stands still. Returns 1 if it did. */
static int see_a_successor(void) {
  int first, second;
  int64_t took = 0;
  char byte;

  limit_to(3, 100, IDLE_MS);
  use(1, 1);
  first = accept_next();
  while ((second = accept_one()) < 0) {
    took = pass(1);
  }
  if (epi__sock_read(first, &byte, 1) != EPI_ENOENT) {
    cr_assert_geq(took, IDLE_MS / 8 - 5, "it did not live");
    close(first);
    close(second);
    return 1;
  }
  while (epi__sock_read(first, &byte, 1) == EPI_ENOENT) {
    pass(1);
  }
  cr_expect_eq(epi__sock_read(second, &byte, 1), EPI_ENOENT);
  close(first);
  close(second);
  return 0;
}

Test(warm, a_successor_is_there_before_one_is_too_old) {
  while (see_a_successor()) {
  }
}

static int count_open(const int *fds, int count) {
  int open = 0;

  for (int i = 0; i < count; i++) {
    open += epi__sock_is_open(fds[i]);
  }
  return open;
}

static void close_all(const int *fds, int count) {
  for (int i = 0; i < count; i++) {
    close(fds[i]);
  }
}

/* When the three grow old, another one takes the place of all. */
Test(warm, the_newest_is_taken_and_others_come_to_their_end) {
  int64_t end = epi__clock_steady() + PATIENCE_MS;
  int fds[32], count = 0;

  limit_to(3, 100, IDLE_MS);
  use(3, 1);
  while (count < 3) {
    fds[count++] = accept_next();
  }
  close(take());
  cr_expect_eq(read_next(fds[2]), 0);
  while (count == 3 || count_open(fds, count) > 1) {
    int fd;

    cr_assert_lt(epi__clock_steady(), end);
    pass(1);
    while (count < 32 && (fd = accept_one()) >= 0) {
      fds[count++] = fd;
    }
    cr_assert_leq(count, 4, "one flow in a while needs one");
  }
  cr_expect_eq(count_open(fds, count), 1);
  close_all(fds, count);
}

/* Successors are seen, unless the machine stands still. Returns 1 if it did. */
static int see_it_given_up(void) {
  int64_t end = epi__clock_steady() + PATIENCE_MS, longest = 0;
  int fds[32], count = 0;

  limit_to(3, 100, IDLE_MS);
  use(1, 1);
  fds[count++] = accept_next();
  while (count_open(fds, count)) {
    int64_t took = pass(IDLE_MS / 8);
    int fd;

    cr_assert_lt(epi__clock_steady(), end);
    longest = took > longest ? took : longest;
    while (count < 32 && (fd = accept_one()) >= 0) {
      fds[count++] = fd;
    }
  }
  close_all(fds, count);
  cr_assert(count > 2 || longest > IDLE_MS, "only %d", count);
  return count <= 2;
}

Test(warm, a_hop_that_nobody_uses_is_given_up) {
  while (see_it_given_up()) {
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
  accept_all(1);
}

Test(warm, clearing_closes_all) {
  int peer;

  use(1, 1);
  peer = accept_next();
  epi__warm_clear(warm);
  cr_expect_eq(read_next(peer), 0);
  cr_expect_eq(take(), -1);
  close(peer);
}

Test(warm, without_memory_there_are_fewer) {
  for (alloc_fail_start(); alloc_fail_more();) {
    int fd, failed, peer = -1;

    use(1, 1);
    failed = alloc_fail_happened();
    if (!failed) {
      peer = accept_next();
    }
    fd = take();
    cr_expect_eq(fd < 0, failed);
    epi__sock_close(fd, 0);
    epi__sock_close(peer, 0);
    epi__warm_clear(warm);
  }
}
