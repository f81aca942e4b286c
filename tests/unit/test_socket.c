/* test_socket.c: whether connections have come about. */
#include "os/os.h"
#include "support/loopback.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <unistd.h>

static int listen_at(epi_addr *addr, int backlog) {
  const epi__offer how = {.backlog = backlog};
  int fd = -1;

  cr_assert_eq(epi_addr_parse(addr, loopback_own(), 0), 0);
  cr_assert_eq(epi__sock_offer(addr, &how, &fd), 0);
  cr_assert_eq(epi__sock_local(fd, addr), 0);
  return fd;
}

static int connect_to(const epi_addr *addr) {
  int fd = -1;

  cr_assert_eq(epi__sock_connect(addr, 0, &fd), 0);
  return fd;
}

/* The kernel of a machine that is busy may be a moment late with what there is
 * to be seen. */
static void await(int fd, int events) {
  struct pollfd wait = {fd, (short)events, 0};

  cr_assert_eq(poll(&wait, 1, 20000), 1);
}

Test(socket, a_connection_within_a_machine_is_there_at_once) {
  epi_addr addr, peer;
  int listener = listen_at(&addr, 4), fd = connect_to(&addr), accepted = -1;
  size_t sent = 9;
  char got[8];

  await(fd, POLLOUT);
  cr_expect_eq(epi__sock_is_open(fd), 1);
  cr_expect_eq(epi__sock_is_through(fd, NULL, 0, &sent), 1);
  cr_expect_eq(sent, 9, "nothing was sent, and nothing said of it");
  cr_expect_eq(epi__sock_is_through(fd, "data", 4, &sent), 1);
  cr_expect_eq(sent, 4);
  await(listener, POLLIN);
  cr_assert_eq(epi__sock_accept(listener, &accepted, &peer), 0);
  await(accepted, POLLIN);
  cr_expect_eq(epi__sock_read(accepted, got, sizeof got), 4);
  close(accepted);
  await(fd, POLLIN);
  cr_expect_eq(epi__sock_is_open(fd), 0, "its end was seen");
  close(fd);
  close(listener);
}

Test(socket, one_that_waits_for_its_host_is_not) {
  epi_addr addr;
  int listener = listen_at(&addr, 0);
  int fds[8];
  size_t sent = 0;

  for (int i = 0; i < 8; i++) { /* more than may wait */
    fds[i] = connect_to(&addr);
    await(listener, POLLIN);
  }
  cr_expect_eq(epi__sock_is_open(fds[7]), 0);
  cr_expect_eq(epi__sock_is_through(fds[7], NULL, 0, &sent), 0);
  cr_expect_eq(epi__sock_is_through(fds[7], "data", 4, &sent), 0);
  cr_expect_eq(sent, 0);
  for (int i = 0; i < 8; i++) {
    close(fds[i]);
  }
  close(listener);
}

Test(socket, one_that_was_refused_says_why) {
  epi_addr addr;
  size_t sent = 0;
  int fd;

  close(listen_at(&addr, 4));
  fd = connect_to(&addr);
  await(fd, POLLIN);
  cr_expect_eq(epi__sock_is_through(fd, "data", 4, &sent), EPI_ESYS);
  cr_expect_eq(errno, ECONNREFUSED);
  cr_expect_eq(sent, 0);
  close(fd);
  fd = connect_to(&addr);
  await(fd, POLLIN);
  cr_expect_eq(epi__sock_is_through(fd, NULL, 0, &sent), EPI_ESYS);
  cr_expect_eq(errno, ECONNREFUSED);
  close(fd);
}
