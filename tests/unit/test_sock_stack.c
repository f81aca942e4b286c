/* test_sock_stack.c: what sockets do with IP and TCP, asked and read back. */
#include "os/os.h"

#include "epi/stack.h"
#include "support/loopback.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static epi_addr address(const char *text) {
  epi_addr addr;

  cr_assert_eq(epi_addr_parse(&addr, text, 0), 0);
  return addr;
}

static int open_socket(const char *text) {
  epi_addr addr = address(text);
  int fd = -1;

  return epi__sock_new(&addr, 0, 0, &fd) ? -1 : fd;
}

static int ready(int fd) {
  struct pollfd wait = {fd, POLLOUT, 0};

  return poll(&wait, 1, 20000) == 1;
}

Test(sock_stack, what_is_set_is_in_force) {
  static const char *const hosts[] = {"127.0.0.1", "::1"};

  for (size_t i = 0; i < 2; i++) {
    int fd = open_socket(hosts[i]);

    if (fd < 0) {
      continue; /* a machine without IPv6 */
    }
    cr_expect_eq(epi__sock_stack(fd, EPI_STACK_TOS), 0);
    cr_expect_eq(epi__sock_set_stack(fd, EPI_STACK_TOS, 0xb8), 0);
    cr_expect_eq(epi__sock_stack(fd, EPI_STACK_TOS), 0xb8);
    cr_expect_eq(epi__sock_set_stack(fd, EPI_STACK_TTL, 7), 0);
    cr_expect_eq(epi__sock_stack(fd, EPI_STACK_TTL), 7);
    cr_expect_eq(epi__sock_stack(fd, EPI_STACK_NO_FRAGMENT), EPI_STACK_NO);
    cr_expect_eq(epi__sock_set_stack(fd, EPI_STACK_NO_FRAGMENT, EPI_STACK_YES),
                 0);
    cr_expect_eq(epi__sock_stack(fd, EPI_STACK_NO_FRAGMENT), EPI_STACK_YES);
    cr_expect_eq(epi__sock_set_stack(fd, EPI_STACK_NO_FRAGMENT, EPI_STACK_NO),
                 0);
    cr_expect_eq(epi__sock_stack(fd, EPI_STACK_NO_FRAGMENT), EPI_STACK_NO);
    close(fd);
  }
}

Test(sock_stack, a_ttl_of_0_changes_nothing) {
  static const char *const hosts[] = {"127.0.0.1", "::1"};

  for (size_t i = 0; i < 2; i++) {
    int fd = open_socket(hosts[i]);

    if (fd >= 0) {
      cr_expect_eq(epi__sock_set_stack(fd, EPI_STACK_TTL, 9), 0);
      cr_expect_eq(epi__sock_set_stack(fd, EPI_STACK_TTL, 0), EPI_ESYS);
      cr_expect_eq(epi__sock_stack(fd, EPI_STACK_TTL), 9);
      close(fd);
    }
  }
}

Test(sock_stack, options_that_sockets_have_not_are_refused) {
  int fd = open_socket("127.0.0.1");

  cr_expect_eq(epi__sock_set_stack(fd, EPI_STACK_BACKLOG, 1), EPI_EINVAL);
  cr_expect_eq(epi__sock_stack(fd, EPI_STACK_BACKLOG), EPI_EINVAL);
  close(fd);
  cr_expect_eq(epi__sock_stack(fd, EPI_STACK_TTL), EPI_ENOENT);
}

Test(sock_stack, a_plain_connection_is_no_multipath) {
  int fd = open_socket("127.0.0.1");

  cr_expect_eq(epi__sock_is_multipath(fd), 0);
  close(fd);
}

Test(sock_stack, no_ttl_expires_where_nobody_listens) {
  epi_addr addr = address(loopback_own());
  int taken, fd;

  cr_assert_eq(epi__sock_listen(&addr, 0, &taken), 0);
  cr_assert_eq(epi__sock_local(taken, &addr), 0);
  close(taken);
  cr_assert_eq(epi__sock_new(&addr, 0, 0, &fd), 0);
  epi__sock_keep_errors(fd, addr.kind, 1);
  cr_assert_eq(epi__sock_begin(fd, &addr), 0);
  cr_assert(ready(fd));
  cr_expect_eq(epi__sock_outcome(fd), ECONNREFUSED);
  cr_expect_eq(epi__sock_kept_error(fd), 0);
  close(fd);
}

/* With or without room in the SYN, each byte arrives once. */
Test(sock_stack, data_of_a_fast_open_arrives_once) {
  epi_addr addr = address("127.0.0.1"), peer;
  char data[6] = "early", got[16];
  int listener, fd, server;

  cr_assert_eq(epi__sock_listen(&addr, 0, &listener), 0);
  cr_assert_eq(epi__sock_local(listener, &addr), 0);
  cr_assert_eq(epi__sock_accept_fast(listener, 4), 0);
  for (int i = 0; i < 3; i++) {
    struct pollfd wait;
    size_t sent = 99;

    cr_assert_eq(epi__sock_new(&addr, 0, 0, &fd), 0);
    cr_assert_eq(epi__sock_begin_fast(fd, &addr, data, 5, &sent), 0);
    cr_assert_leq(sent, 5);
    cr_assert(ready(fd));
    cr_assert_eq(epi__sock_outcome(fd), 0);
    cr_assert_eq(epi__sock_write(fd, data + sent, 5 - sent),
                 (ptrdiff_t)(5 - sent));
    epi__sock_end(fd);
    wait = (struct pollfd){listener, POLLIN, 0};
    cr_assert_eq(poll(&wait, 1, 20000), 1);
    cr_assert_eq(epi__sock_accept(listener, &server, &peer), 0);
    for (size_t len = 0;;) {
      ptrdiff_t count;

      wait = (struct pollfd){server, POLLIN, 0};
      cr_assert_eq(poll(&wait, 1, 20000), 1);
      count = epi__sock_read(server, got + len, sizeof got - len);
      cr_assert_geq(count, 0);
      len += (size_t)count;
      if (!count) {
        cr_expect_eq(len, 5);
        cr_expect_arr_eq(got, data, 5);
        break;
      }
    }
    close(server);
    close(fd);
  }
  close(listener);
}
