/* test_socket_offer.c: listening sockets that have several users. */
#include "os/os.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

static int offer(epi_addr *addr) {
  const epi__offer how = {.backlog = 4};
  int fd = -1;

  cr_assert_eq(epi_addr_parse(addr, "127.0.0.1", 0), 0);
  cr_assert_eq(epi__sock_offer(addr, &how, &fd), 0);
  cr_assert_eq(epi__sock_local(fd, addr), 0);
  return fd;
}

static int watch_with(int fd) {
  struct epoll_event event = {.events = EPOLLIN};
  int loop = epoll_create1(EPOLL_CLOEXEC);

  cr_assert_geq(loop, 0);
  cr_assert_eq(epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event), 0);
  return loop;
}

static int events_of(int loop, int patience_ms) {
  struct epoll_event event;
  int count;

  do {
    count = epoll_wait(loop, &event, 1, patience_ms);
  } while (count < 0 && errno == EINTR);
  return count;
}

Test(socket_offer, each_user_sees_what_waits_until_one_takes_it) {
  epi_addr addr, peer;
  int listener = offer(&addr);
  int copies[2], watches[2], loops[2], client = -1, taken = -1;

  for (int i = 0; i < 2; i++) {
    cr_assert_eq(epi__sock_share(listener, &copies[i], &watches[i]), 0);
    loops[i] = watch_with(watches[i]);
    cr_expect_eq(events_of(loops[i], 0), 0);
  }
  cr_assert_eq(epi__sock_connect(&addr, 0, &client), 0);
  cr_expect_eq(events_of(loops[0], 20000), 1);
  cr_expect_eq(events_of(loops[1], 20000), 1);
  cr_assert_eq(epi__sock_accept(copies[0], &taken, &peer), 0);
  cr_expect_eq(events_of(loops[0], 0), 0);
  cr_expect_eq(events_of(loops[1], 0), 0);
  epi__sock_unlisten(listener);
  cr_expect_eq(events_of(loops[1], 20000), 1);
  cr_expect_eq(epi__sock_accept(copies[1], &taken, &peer), EPI_ECLOSED);
  for (int i = 0; i < 2; i++) {
    epi__sock_close(copies[i], 0);
    epi__sock_close(watches[i], 0);
    close(loops[i]);
  }
  epi__sock_close(taken, 0);
  epi__sock_close(client, 0);
  epi__sock_close(listener, 0);
}

Test(socket_offer, a_user_that_left_is_told_nothing) {
  epi_addr addr;
  int listener = offer(&addr);
  int copy, watch, loop, client = -1;

  cr_assert_eq(epi__sock_share(listener, &copy, &watch), 0);
  loop = watch_with(watch);
  epi__sock_close(watch, 0); /* and nothing else: a loop does it so */
  epi__sock_close(copy, 0);
  cr_assert_eq(epi__sock_connect(&addr, 0, &client), 0);
  cr_expect_eq(events_of(loop, 200), 0);
  close(loop);
  epi__sock_close(client, 0);
  epi__sock_close(listener, 0);
}
