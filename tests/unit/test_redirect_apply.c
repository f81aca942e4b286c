/* test_redirect_apply.c: rules in the kernel, in a network namespace of the
 * test's own. */
#include "epi/redirect.h"
#include "os/redirect_apply.h"
#include "support/alloc_fail.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <linux/netfilter_ipv4.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* linux/ipv6.h has it, and clashes with netinet/in.h. */
typedef struct ipv6_request {
  struct in6_addr address;
  uint32_t prefix_len;
  int interface;
} ipv6_request;

enum {
  PORT = 42000,
};

/* Enter a namespace whose loopback device has two further addresses:
 * 192.0.2.1 and 2001:db8::1. */
static void enter(void) {
  struct ifreq request = {.ifr_name = "lo:1"};
  struct sockaddr_in address = {.sin_family = AF_INET};
  ipv6_request request6 = {.prefix_len = 128};
  int fd, fd6;

  if (unshare(CLONE_NEWNET)) {
    cr_skip_test("network namespaces need root");
  }
  fd = socket(AF_INET, SOCK_DGRAM, 0);
  inet_pton(AF_INET, "192.0.2.1", &address.sin_addr);
  memcpy(&request.ifr_addr, &address, sizeof address);
  cr_assert_eq(ioctl(fd, SIOCSIFADDR, &request), 0);
  memcpy(request.ifr_name, "lo", 3);
  request.ifr_flags = IFF_UP;
  cr_assert_eq(ioctl(fd, SIOCSIFFLAGS, &request), 0);
  close(fd);
  fd6 = socket(AF_INET6, SOCK_DGRAM, 0);
  if (fd6 >= 0) {
    request6.interface = (int)if_nametoindex("lo");
    inet_pton(AF_INET6, "2001:db8::1", &request6.address);
    cr_expect_eq(ioctl(fd6, SIOCSIFADDR, &request6), 0);
    close(fd6);
  }
}

static void skip_without(int backend) {
  if (epi_redirect_present(backend) == EPI_ENOTSUP) {
    cr_skip_test("%s", epi_error_detail());
  }
}

static socklen_t to_sockaddr(struct sockaddr_storage *out, const char *text) {
  struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)out;
  struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)out;
  epi_addr addr;

  cr_assert_eq(epi_addr_parse(&addr, text, -1), 0);
  memset(out, 0, sizeof *out);
  if (addr.kind == EPI_ADDR_IPV4) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(addr.port);
    memcpy(&v4->sin_addr, addr.ip, 4);
    return sizeof *v4;
  }
  v6->sin6_family = AF_INET6;
  v6->sin6_port = htons(addr.port);
  memcpy(&v6->sin6_addr, addr.ip, 16);
  return sizeof *v6;
}

static int make_listener(const char *text) {
  struct sockaddr_storage address;
  socklen_t len = to_sockaddr(&address, text);
  int fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);

  cr_assert_geq(fd, 0);
  cr_assert_eq(bind(fd, (struct sockaddr *)&address, len), 0);
  cr_assert_eq(listen(fd, 8), 0);
  return fd;
}

/* Connect, with a mark if it is not 0: the socket, or -1. */
static int make_connection(const char *text, uint32_t mark) {
  struct sockaddr_storage address;
  socklen_t len = to_sockaddr(&address, text);
  int fd = socket(address.ss_family, SOCK_STREAM, 0);

  cr_assert_geq(fd, 0);
  cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark), 0);
  if (connect(fd, (struct sockaddr *)&address, len)) {
    close(fd);
    return -1;
  }
  return fd;
}

/* Take a connection of a client's, or of none. */
static int take(int listener, int client) {
  struct pollfd wait = {listener, POLLIN, 0};

  if (client >= 0) { /* it may be a moment behind the client's end */
    poll(&wait, 1, 20000);
  }
  return accept(listener, NULL, NULL);
}

/* Whether a connection to an address comes out at the listener, and with the
 * original destination. */
static int intercepted(const char *text, uint32_t mark, int listener) {
  struct sockaddr_storage wanted, original;
  socklen_t len = to_sockaddr(&wanted, text);
  int fd = make_connection(text, mark);
  int accepted = take(listener, fd);
  int same = 0;

  if (accepted >= 0) {
    memset(&original, 0, sizeof original);
    /* IP6T_SO_ORIGINAL_DST has the same number. */
    cr_expect_eq(getsockopt(accepted,
                            wanted.ss_family == AF_INET ? SOL_IP : SOL_IPV6,
                            SO_ORIGINAL_DST, &original, &len),
                 0);
    same = !memcmp(&original, &wanted, len);
    cr_expect(same, "the original destination of %s is lost", text);
    close(accepted);
  }
  if (fd >= 0) {
    close(fd);
  }
  return same;
}

static epi_redirect *make(void) {
  epi_redirect *redirect;

  cr_assert_eq(epi_redirect_new(&redirect, PORT), 0);
  return redirect;
}

static void expect_result(int result, int wanted) {
  cr_expect_eq(result, wanted, "%d: %s", result, epi_error_detail());
}

static void puts_rules_in_force_and_removes_them(int backend) {
  epi_redirect *redirect;
  epi_addr proxy;
  int listener, listener6;

  enter();
  skip_without(backend);
  redirect = make();
  listener = make_listener("127.0.0.1:42000");
  listener6 = make_listener("[::1]:42000");
  expect_result(epi_redirect_present(backend), 0);
  expect_result(epi_redirect_remove(backend), 0);
  cr_assert_eq(epi_addr_parse(&proxy, "192.0.2.1:1080", -1), 0);
  cr_assert_eq(epi_redirect_except(redirect, &proxy), 0);
  expect_result(epi_redirect_apply(redirect, backend), 0);
  expect_result(epi_redirect_present(backend), 1);
  cr_expect(intercepted("192.0.2.1:80", 0, listener));
  cr_expect(intercepted("[2001:db8::1]:80", 0, listener6));
  cr_expect_not(intercepted("192.0.2.1:80", EPI_MARK, listener));
  cr_expect_not(intercepted("192.0.2.1:1080", 0, listener));
  cr_expect_not(intercepted("127.0.0.1:80", 0, listener));
  cr_expect_not(intercepted("[::1]:80", 0, listener6));
  close(listener); /* as after a crash: refused, not let through */
  cr_expect_eq(make_connection("192.0.2.1:80", 0), -1);
  expect_result(epi_redirect_remove(backend), 1);
  expect_result(epi_redirect_present(backend), 0);
  expect_result(epi_redirect_remove(backend), 0);
  cr_expect_not(intercepted("[2001:db8::1]:80", 0, listener6));
  close(listener6);
  epi_redirect_free(redirect);
}

Test(redirect_apply, nftables_puts_rules_in_force_and_removes_them) {
  puts_rules_in_force_and_removes_them(EPI_BACKEND_NFTABLES);
}

Test(redirect_apply, iptables_puts_rules_in_force_and_removes_them) {
  puts_rules_in_force_and_removes_them(EPI_BACKEND_IPTABLES);
}

static void replaces_what_a_killed_redirector_left(int backend) {
  epi_redirect *redirect;
  int listener;

  enter();
  skip_without(backend);
  redirect = make();
  listener = make_listener("127.0.0.1:42000");
  cr_assert_eq(epi_redirect_add_port(redirect, 80), 0);
  expect_result(epi_redirect_apply(redirect, backend), 0);
  epi_redirect_free(redirect);
  redirect = make();
  for (int port = 100; port < 100 + 20; port++) {
    cr_assert_eq(epi_redirect_add_port(redirect, port), 0);
  }
  cr_assert_eq(epi_redirect_add_range(redirect, "192.0.0.0/16"), 0);
  cr_assert_eq(epi_redirect_add_range(redirect, "192.0.2.0/24"), 0);
  cr_assert_eq(epi_redirect_add_range(redirect, "::/0"), 0);
  cr_assert_eq(epi_redirect_except_uid(redirect, 4294967294), 0);
  expect_result(epi_redirect_apply(redirect, backend), 0);
  cr_expect_not(intercepted("192.0.2.1:80", 0, listener));
  cr_expect(intercepted("192.0.2.1:100", 0, listener));
  cr_expect(intercepted("192.0.2.1:119", 0, listener));
  expect_result(epi_redirect_remove(backend), 1);
  expect_result(epi_redirect_remove(backend), 0);
  cr_expect_not(intercepted("192.0.2.1:100", 0, listener));
  close(listener);
  epi_redirect_free(redirect);
}

Test(redirect_apply, nftables_replaces_what_a_killed_redirector_left) {
  replaces_what_a_killed_redirector_left(EPI_BACKEND_NFTABLES);
}

Test(redirect_apply, iptables_replaces_what_a_killed_redirector_left) {
  replaces_what_a_killed_redirector_left(EPI_BACKEND_IPTABLES);
}

static void intercepts_loopback_but_not_its_own_port(int backend) {
  epi_redirect *redirect;
  int listener;

  enter();
  skip_without(backend);
  redirect = make();
  listener = make_listener("127.0.0.1:42000");
  epi_redirect_set_loopback(redirect, 1);
  expect_result(epi_redirect_apply(redirect, backend), 0);
  cr_expect(intercepted("127.0.0.2:80", 0, listener));
  close(make_connection("127.0.0.1:42000", 0));
  expect_result(epi_redirect_remove(backend), 1);
  close(listener);
  epi_redirect_free(redirect);
}

Test(redirect_apply, nftables_intercepts_loopback_but_not_its_own_port) {
  intercepts_loopback_but_not_its_own_port(EPI_BACKEND_NFTABLES);
}

Test(redirect_apply, iptables_intercepts_loopback_but_not_its_own_port) {
  intercepts_loopback_but_not_its_own_port(EPI_BACKEND_IPTABLES);
}

/* Connection tracking starts with the rules, and takes what comes next of an
 * old connection for a new one. */
static void leaves_open_connections_alone(int backend) {
  epi_redirect *redirect;
  char byte = 0;
  int listener, client, server;

  enter();
  skip_without(backend);
  redirect = make();
  listener = make_listener("192.0.2.1:80");
  client = make_connection("192.0.2.1:80", 0);
  server = take(listener, client);
  cr_assert(client >= 0 && server >= 0);
  expect_result(epi_redirect_apply(redirect, backend), 0);
  cr_expect_eq(write(client, "x", 1), 1);
  cr_expect_eq(read(server, &byte, 1), 1);
  cr_expect_eq(write(server, "y", 1), 1);
  cr_expect_eq(read(client, &byte, 1), 1);
  cr_expect_eq(byte, 'y');
  expect_result(epi_redirect_remove(backend), 1);
  close(client);
  close(server);
  close(listener);
  epi_redirect_free(redirect);
}

Test(redirect_apply, nftables_leaves_open_connections_alone) {
  leaves_open_connections_alone(EPI_BACKEND_NFTABLES);
}

Test(redirect_apply, iptables_leaves_open_connections_alone) {
  leaves_open_connections_alone(EPI_BACKEND_IPTABLES);
}

static void says_which_privilege_is_missing(int backend) {
  epi_redirect *redirect;

  enter();
  skip_without(backend);
  if (setuid(65534)) {
    cr_skip_test("changing the user needs root");
  }
  redirect = make();
  cr_expect_eq(epi_redirect_apply(redirect, backend), EPI_EPERM);
  cr_expect(strstr(epi_error_detail(), "CAP_NET_ADMIN"), "%s",
            epi_error_detail());
  cr_expect_not(strchr(epi_error_detail(), '\n'));
  expect_result(epi_redirect_present(backend), EPI_EPERM);
  expect_result(epi_redirect_remove(backend), EPI_EPERM);
  epi_redirect_free(redirect);
}

Test(redirect_apply, nftables_says_which_privilege_is_missing) {
  says_which_privilege_is_missing(EPI_BACKEND_NFTABLES);
}

Test(redirect_apply, iptables_says_which_privilege_is_missing) {
  says_which_privilege_is_missing(EPI_BACKEND_IPTABLES);
}

/* A folder of its own in front of PATH, in which a program does what a shell
 * script says. */
static void put_program(const char *folder, const char *name,
                        const char *script) {
  char path[128];
  FILE *file;

  snprintf(path, sizeof path, "%s/%s", folder, name);
  file = fopen(path, "w");
  cr_assert_not_null(file);
  fprintf(file, "#!/bin/sh\n%s\n", script);
  fclose(file);
  cr_assert_eq(chmod(path, 0700), 0);
}

Test(redirect_apply, ipv4_rules_go_again_when_those_of_ipv6_fail) {
  epi_redirect *redirect;
  char folder[] = "/tmp/epi-test-XXXXXX";
  char path[128], file[128];

  enter();
  skip_without(EPI_BACKEND_IPTABLES);
  redirect = make();
  cr_assert_not_null(mkdtemp(folder));
  put_program(folder, "ip6tables-restore",
              "echo '# Warning: a comment' >&2; echo 'bad luck' >&2; exit 1");
  snprintf(path, sizeof path, "%s:/usr/sbin:/usr/bin:/sbin:/bin", folder);
  setenv("PATH", path, 1);
  expect_result(epi_redirect_apply(redirect, EPI_BACKEND_IPTABLES), EPI_ESYS);
  cr_expect_str_eq(epi_error_detail(), "ip6tables-restore: bad luck");
  expect_result(epi_redirect_present(EPI_BACKEND_IPTABLES), 0);
  snprintf(file, sizeof file, "%s/ip6tables-restore", folder);
  unlink(file);
  rmdir(folder);
  epi_redirect_free(redirect);
}

Test(redirect_apply, names_the_package_when_iptables_is_not_installed) {
  if (unshare(CLONE_NEWNS) ||
      mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
      mount("none", "/usr/sbin", "tmpfs", 0, NULL)) {
    cr_skip_test("hiding a folder needs root");
  }
  setenv("PATH", "/usr/sbin", 1);
  expect_result(epi_redirect_present(EPI_BACKEND_IPTABLES), EPI_ENOTSUP);
  cr_expect(strstr(epi_error_detail(), "install the package iptables"), "%s",
            epi_error_detail());
}

Test(redirect_apply, refuses_a_backend_that_does_not_exist) {
  epi_redirect *redirect = make();

  cr_expect_eq(epi_redirect_apply(redirect, 0), EPI_EINVAL);
  cr_expect_eq(epi_redirect_remove(0), EPI_EINVAL);
  cr_expect_eq(epi_redirect_present(0), EPI_EINVAL);
  epi_redirect_free(redirect);
}

Test(redirect_apply, tells_the_codes_apart_by_what_is_said) {
  cr_expect_eq(epi__redirect_refused("p", "a: Permission denied (x)\nb"),
               EPI_EPERM);
  cr_expect_eq(epi__redirect_refused("p", "# w\n\na: Protocol not supported"),
               EPI_ENOTSUP);
  cr_expect_eq(epi__redirect_refused("p", ""), EPI_ESYS);
  cr_expect_str_eq(epi_error_detail(), "p: no reason given");
}

static void survives_failing_allocations(int backend) {
  enter();
  skip_without(backend);
  for (alloc_fail_start(); alloc_fail_more();) {
    epi_redirect *redirect = NULL;

    if (!epi_redirect_new(&redirect, PORT)) {
      int result = epi_redirect_apply(redirect, backend);

      cr_assert(result == 0 || result == EPI_ENOMEM);
      result = epi_redirect_remove(backend);
      cr_assert(result >= 0 || result == EPI_ENOMEM);
    }
    epi_redirect_free(redirect);
  }
}

Test(redirect_apply, nftables_survives_failing_allocations) {
  survives_failing_allocations(EPI_BACKEND_NFTABLES);
}

Test(redirect_apply, iptables_survives_failing_allocations) {
  survives_failing_allocations(EPI_BACKEND_IPTABLES);
}
