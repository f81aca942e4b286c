/* test_addr_private.c: which addresses are nobody's business. */
#include "base/net.h"
#include "epi/addr.h"

#include <criterion/criterion.h>

static int is_private(const char *text) {
  epi_addr addr;

  cr_assert_eq(epi_addr_parse(&addr, text, 80), 0, "%s", text);
  return epi__addr_is_private(&addr);
}

Test(addr_private, has_what_a_network_or_machine_has_for_itself) {
  static const char *const texts[] = {
      "0.0.0.0",
      "0.1.2.3",
      "10.0.0.0",
      "10.255.255.255",
      "100.64.0.0",
      "100.127.255.255",
      "127.0.0.1",
      "127.255.255.254",
      "169.254.169.254",
      "172.16.0.0",
      "172.31.255.255",
      "192.0.0.8",
      "192.88.99.1",
      "192.168.0.0",
      "192.168.255.255",
      "198.18.0.0",
      "198.19.255.255",
      "224.0.0.1",
      "239.255.255.255",
      "240.0.0.1",
      "255.255.255.255",
      "168.63.129.16",
      "::",
      "::1",
      "fc00::1",
      "fd00:ec2::254",
      "fdff:ffff::1",
      "fe80::1",
      "febf::1",
      "fec0::1",
      "ff02::1",
      "100::1",
      "64:ff9b:1::1",
      "2001:2::1",
      "5f00::1",
  };

  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    cr_expect(is_private(texts[i]), "%s", texts[i]);
  }
}

Test(addr_private, looks_into_what_carries_an_ipv4_address) {
  static const char *const texts[] = {
      "::ffff:10.0.0.1",          /* mapped, which is the address itself */
      "::10.0.0.1",               /* compatible */
      "::ffff:0:127.0.0.1",       /* translated */
      "64:ff9b::192.168.1.1",     /* NAT64 */
      "64:ff9b::a9fe:a9fe",       /* the same of 169.254.169.254 */
      "2002:a00:1::1",            /* 6to4 of 10.0.0.1 */
      "2002:7f00:1::",            /* and of 127.0.0.1 */
      "2001:0:1:2:3:4:f5ff:fffe", /* Teredo of 10.0.0.1 */
      "2001:db8::5efe:10.0.0.1",  /* ISATAP */
      "2001:db8::200:5efe:a00:1", /* of a universal identifier */
  };

  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    cr_expect(is_private(texts[i]), "%s", texts[i]);
  }
}

Test(addr_private, leaves_the_internet_alone) {
  static const char *const texts[] = {
      "1.1.1.1",
      "9.255.255.255",
      "11.0.0.0",
      "100.63.255.255",
      "100.128.0.0",
      "126.255.255.255",
      "128.0.0.1",
      "169.253.255.255",
      "169.255.0.0",
      "172.15.255.255",
      "172.32.0.0",
      "192.0.1.0",
      "192.0.2.1",
      "192.167.255.255",
      "192.169.0.0",
      "198.17.255.255",
      "198.20.0.0",
      "198.51.100.7",
      "203.0.113.7",
      "223.255.255.255",
      "2001:db8::1",
      "2001:2:1::1",
      "5f01::1",
      "2a00:1450:4001::200e",
      "fbff::1",
      "64:ff9b::1.1.1.1",
      "2002:101:101::1",
      "2001:0:1:2:3:4:fefe:fefe",
      "2001:db8::5efe:1.1.1.1",
      "::1.1.1.1",
  };

  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    cr_expect_not(is_private(texts[i]), "%s", texts[i]);
  }
}

Test(addr_private, knows_nothing_of_a_name) {
  cr_expect_not(is_private("localhost"));
}
