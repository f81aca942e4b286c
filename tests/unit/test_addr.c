/* test_addr.c: addresses, ranges, ports. */
#include "base/net.h"
#include "epi/addr.h"
#include "epi/error.h"

#include <criterion/criterion.h>
#include <string.h>

static const char *again(const char *text, int default_port) {
  static char out[EPI_ADDR_TEXT_MAX];
  epi_addr addr;

  if (epi_addr_parse(&addr, text, default_port)) {
    return "error";
  }
  cr_assert_gt(epi_addr_format(&addr, 1, out, sizeof out), 0);
  return out;
}

Test(addr, reads_and_writes_every_kind) {
  cr_expect_str_eq(again("10.1.2.3:80", -1), "10.1.2.3:80");
  cr_expect_str_eq(again("[2001:db8::1]:443", -1), "[2001:db8::1]:443");
  cr_expect_str_eq(again("2001:db8::1", 9), "[2001:db8::1]:9");
  cr_expect_str_eq(again("EHR.Antonius.example.:1", -1),
                   "ehr.antonius.example:1");
  cr_expect_str_eq(again("localhost", 1080), "localhost:1080");
}

Test(addr, an_ipv4_address_is_never_dressed_as_ipv6) {
  cr_expect_str_eq(again("[::ffff:10.0.0.1]:5", -1), "10.0.0.1:5");
}

Test(addr, a_name_that_is_an_address_becomes_one) {
  epi_addr addr;

  cr_assert_eq(epi_addr_set_name(&addr, "127.0.0.1", 9, 7), 0);
  cr_expect_eq(addr.kind, EPI_ADDR_IPV4);
}

Test(addr, refuses_what_is_no_address) {
  static const char *const bad[] = {
      "",      ":80",   "a..b:1", ".a:1",    "a b:1",         "a:70000",
      "a:-1",  "a:",    "a:1x",   "[::1:80", "[10.0.0.1]:80", "[::1]x",
      "a/b:1", "a\n:1", "::g",    "1:2:3:4", "a\x7f:1",
  };

  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    cr_expect_str_eq(again(bad[i], 1), "error", "took %s", bad[i]);
  }
  cr_expect_str_eq(again("host", -1), "error");
  cr_expect(strstr(epi_error_detail(), "port is missing"));
}

Test(addr, refuses_a_name_with_nul_or_too_long) {
  char name[300];
  epi_addr addr;

  memset(name, 'a', sizeof name);
  cr_expect_eq(epi_addr_set_name(&addr, name, 255, 1), 0);
  cr_expect_eq(epi_addr_set_name(&addr, name, 256, 1), EPI_EINVAL);
  cr_expect_eq(epi_addr_set_name(&addr, "a\0b", 3, 1), EPI_EINVAL);
}

Test(addr, writes_into_exactly_enough_room) {
  epi_addr addr;
  char buf[12];

  epi_addr_parse(&addr, "10.0.0.1:80", -1);
  cr_expect_eq(epi_addr_format(&addr, 1, buf, 11), EPI_EINVAL);
  cr_expect_str_eq(buf, "");
  cr_expect_eq(epi_addr_format(&addr, 1, buf, 12), 11);
}

Test(addr, equal_means_host_and_port) {
  epi_addr a, b;

  epi_addr_parse(&a, "A.example:1", -1);
  epi_addr_parse(&b, "a.EXAMPLE:1", -1);
  cr_expect(epi_addr_equal(&a, &b));
  b.port = 2;
  cr_expect_not(epi_addr_equal(&a, &b));
}

Test(addr, unspecified_addresses_are_known) {
  epi_addr addr;

  cr_expect(!epi_addr_parse(&addr, "0.0.0.0:7", -1) && epi__addr_is_any(&addr));
  cr_expect(!epi_addr_parse(&addr, "[::]:7", -1) && epi__addr_is_any(&addr));
  cr_expect(!epi_addr_parse(&addr, "::1", 0) && !epi__addr_is_any(&addr));
  cr_expect(!epi_addr_parse(&addr, "a.example", 0) && !epi__addr_is_any(&addr));
  cr_expect(!epi__addr_is_loopback(&addr));
  cr_expect(!epi_addr_parse(&addr, "127.9.9.9", 0) &&
            epi__addr_is_loopback(&addr));
  cr_expect(!epi_addr_parse(&addr, "::1", 0) && epi__addr_is_loopback(&addr));
  cr_expect(!epi_addr_parse(&addr, "128.0.0.1", 0) &&
            !epi__addr_is_loopback(&addr));
  cr_expect(!epi_addr_parse(&addr, "::2", 0) && !epi__addr_is_loopback(&addr));
  memset(&addr, 0, sizeof addr);
  cr_expect_not(epi__addr_is_any(&addr));
}

Test(addr, hosts_are_the_same_whatever_their_ports) {
  epi_addr a, b;

  epi_addr_parse(&a, "192.0.2.1:1", -1);
  epi_addr_parse(&b, "192.0.2.1:2", -1);
  cr_expect(epi__addr_same_host(&a, &b));
  epi_addr_parse(&b, "192.0.2.2:1", -1);
  cr_expect_not(epi__addr_same_host(&a, &b));
}

static int in_range(const char *range, const char *text) {
  epi__range r;
  epi_addr addr;

  cr_assert_eq(epi__range_parse(&r, range), 0);
  cr_assert_eq(epi_addr_parse(&addr, text, 0), 0);
  return epi__range_has(&r, &addr);
}

Test(addr, ranges_have_what_they_cover) {
  cr_expect(in_range("10.0.0.0/8", "10.255.0.1"));
  cr_expect_not(in_range("10.0.0.0/8", "11.0.0.1"));
  cr_expect(in_range("192.168.4.0/22", "192.168.7.255"));
  cr_expect_not(in_range("192.168.4.0/22", "192.168.8.0"));
  cr_expect(in_range("0.0.0.0/0", "1.2.3.4"));
  cr_expect_not(in_range("0.0.0.0/0", "::1"));
  cr_expect(in_range("2001:db8::/33", "2001:db8:7fff::1"));
  cr_expect_not(in_range("2001:db8::/33", "2001:db8:8000::1"));
  cr_expect(in_range("10.0.0.1", "10.0.0.1"));
  cr_expect_not(in_range("10.0.0.1", "10.0.0.2"));
  cr_expect_not(in_range("0.0.0.0/0", "a.name"));
}

Test(addr, refuses_bad_ranges) {
  static const char *const bad[] = {"10.0.0.0/33", "10.0.0.1/8", "x/8", "",
                                    "::/129",      "10.0.0.0/",  "10/8"};
  epi__range r;

  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    cr_expect_eq(epi__range_parse(&r, bad[i]), EPI_EINVAL, "%s", bad[i]);
  }
}
