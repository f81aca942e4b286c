/* test_redirect.c: what to intercept, and the rules as text. */
#include "epi/redirect.h"
#include "redirect/redirect_rules.h"
#include "support/alloc_fail.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static epi_redirect *make(int port) {
  epi_redirect *redirect = NULL;

  cr_assert_eq(epi_redirect_new(&redirect, port), 0);
  return redirect;
}

static int except(epi_redirect *redirect, const char *text) {
  epi_addr addr;

  cr_assert_eq(epi_addr_parse(&addr, text, 0), 0);
  return epi_redirect_except(redirect, &addr);
}

/* One of everything that can be asked for. */
static epi_redirect *make_rich(void) {
  epi_redirect *redirect = make(42000);

  cr_assert_eq(epi_redirect_add_port(redirect, 443), 0);
  cr_assert_eq(epi_redirect_add_port(redirect, 80), 0);
  cr_assert_eq(epi_redirect_add_range(redirect, "10.2.0.0/16"), 0);
  cr_assert_eq(epi_redirect_add_range(redirect, "192.0.2.7"), 0);
  cr_assert_eq(epi_redirect_add_range(redirect, "2001:db8::/32"), 0);
  cr_assert_eq(except(redirect, "10.1.0.2:1080"), 0);
  cr_assert_eq(except(redirect, "10.1.0.3"), 0);
  cr_assert_eq(except(redirect, "[2001:db8::2]:1080"), 0);
  cr_assert_eq(epi_redirect_except_uid(redirect, 33), 0);
  return redirect;
}

static void expect_rules(const epi_redirect *redirect, int backend, int family,
                         const char *wanted) {
  char *rules = NULL;

  cr_assert_eq(epi_redirect_render(redirect, backend, family, &rules), 0);
  cr_expect_str_eq(rules, wanted);
  epi_free(rules);
}

Test(redirect, intercepts_everything_but_loopback_with_nftables) {
  epi_redirect *redirect = make(42000);

  expect_rules(redirect, EPI_BACKEND_NFTABLES, 0,
               "table inet epi_redirect\n"
               "delete table inet epi_redirect\n"
               "table inet epi_redirect {\n"
               "  chain output {\n"
               "    type nat hook output priority -110; policy accept;\n"
               "    meta mark 0x657069 return\n"
               "    ip daddr 127.0.0.0/8 return\n"
               "    ip6 daddr ::1 return\n"
               "    meta l4proto tcp tcp flags & (fin | syn | rst | ack) == "
               "syn redirect to :42000\n"
               "  }\n"
               "}\n");
  epi_redirect_free(redirect);
}

Test(redirect, intercepts_everything_but_loopback_with_iptables) {
  epi_redirect *redirect = make(42000);

  expect_rules(redirect, EPI_BACKEND_IPTABLES, 4,
               "*nat\n"
               ":EPI_REDIRECT - [0:0]\n"
               "-A EPI_REDIRECT -m mark --mark 0x657069 -j RETURN\n"
               "-A EPI_REDIRECT -d 127.0.0.0/8 -j RETURN\n"
               "-A EPI_REDIRECT -p tcp --syn -j REDIRECT --to-ports 42000\n"
               "-I OUTPUT -p tcp -j EPI_REDIRECT\n"
               "COMMIT\n");
  expect_rules(redirect, EPI_BACKEND_IPTABLES, 6,
               "*nat\n"
               ":EPI_REDIRECT - [0:0]\n"
               "-A EPI_REDIRECT -m mark --mark 0x657069 -j RETURN\n"
               "-A EPI_REDIRECT -d ::1/128 -j RETURN\n"
               "-A EPI_REDIRECT -p tcp --syn -j REDIRECT --to-ports 42000\n"
               "-I OUTPUT -p tcp -j EPI_REDIRECT\n"
               "COMMIT\n");
  epi_redirect_free(redirect);
}

Test(redirect, writes_every_kind_of_rule_for_nftables) {
  epi_redirect *redirect = make_rich();

  expect_rules(redirect, EPI_BACKEND_NFTABLES, 0,
               "table inet epi_redirect\n"
               "delete table inet epi_redirect\n"
               "table inet epi_redirect {\n"
               "  set range4 {\n"
               "    type ipv4_addr\n"
               "    flags interval\n"
               "    auto-merge\n"
               "    elements = { 10.2.0.0/16, 192.0.2.7/32 }\n"
               "  }\n"
               "  set range6 {\n"
               "    type ipv6_addr\n"
               "    flags interval\n"
               "    auto-merge\n"
               "    elements = { 2001:db8::/32 }\n"
               "  }\n"
               "  chain output {\n"
               "    type nat hook output priority -110; policy accept;\n"
               "    meta mark 0x657069 return\n"
               "    ip daddr 10.1.0.2 tcp dport 1080 return\n"
               "    ip daddr 10.1.0.3 return\n"
               "    ip6 daddr 2001:db8::2 tcp dport 1080 return\n"
               "    meta skuid 33 return\n"
               "    ip daddr 127.0.0.0/8 return\n"
               "    ip6 daddr ::1 return\n"
               "    meta l4proto tcp tcp flags & (fin | syn | rst | ack) == "
               "syn ip daddr @range4 tcp dport { 443, 80 } redirect to "
               ":42000\n"
               "    meta l4proto tcp tcp flags & (fin | syn | rst | ack) == "
               "syn ip6 daddr @range6 tcp dport { 443, 80 } redirect to "
               ":42000\n"
               "  }\n"
               "}\n");
  epi_redirect_free(redirect);
}

Test(redirect, writes_every_kind_of_rule_for_iptables) {
  epi_redirect *redirect = make_rich();

  expect_rules(redirect, EPI_BACKEND_IPTABLES, 4,
               "*nat\n"
               ":EPI_REDIRECT - [0:0]\n"
               "-A EPI_REDIRECT -m mark --mark 0x657069 -j RETURN\n"
               "-A EPI_REDIRECT -d 10.1.0.2/32 -p tcp --dport 1080 -j RETURN\n"
               "-A EPI_REDIRECT -d 10.1.0.3/32 -j RETURN\n"
               "-A EPI_REDIRECT -m owner --uid-owner 33 -j RETURN\n"
               "-A EPI_REDIRECT -d 127.0.0.0/8 -j RETURN\n"
               "-A EPI_REDIRECT -d 10.2.0.0/16 -p tcp --syn -m multiport "
               "--dports 443,80 -j REDIRECT --to-ports 42000\n"
               "-A EPI_REDIRECT -d 192.0.2.7/32 -p tcp --syn -m multiport "
               "--dports 443,80 -j REDIRECT --to-ports 42000\n"
               "-I OUTPUT -p tcp -j EPI_REDIRECT\n"
               "COMMIT\n");
  expect_rules(redirect, EPI_BACKEND_IPTABLES, 6,
               "*nat\n"
               ":EPI_REDIRECT - [0:0]\n"
               "-A EPI_REDIRECT -m mark --mark 0x657069 -j RETURN\n"
               "-A EPI_REDIRECT -d 2001:db8::2/128 -p tcp --dport 1080 -j "
               "RETURN\n"
               "-A EPI_REDIRECT -m owner --uid-owner 33 -j RETURN\n"
               "-A EPI_REDIRECT -d ::1/128 -j RETURN\n"
               "-A EPI_REDIRECT -d 2001:db8::/32 -p tcp --syn -m multiport "
               "--dports 443,80 -j REDIRECT --to-ports 42000\n"
               "-I OUTPUT -p tcp -j EPI_REDIRECT\n"
               "COMMIT\n");
  epi_redirect_free(redirect);
}

Test(redirect, a_range_of_one_family_leaves_the_other_alone) {
  epi_redirect *redirect = make(1);
  char *rules;

  cr_assert_eq(epi_redirect_add_range(redirect, "10.0.0.0/8"), 0);
  cr_assert_eq(epi_redirect_render(redirect, EPI_BACKEND_NFTABLES, 0, &rules),
               0);
  cr_expect_not(strstr(rules, "range6"));
  epi_free(rules);
  cr_assert_eq(epi_redirect_render(redirect, EPI_BACKEND_IPTABLES, 6, &rules),
               0);
  cr_expect_not(strstr(rules, "REDIRECT --to-ports"));
  epi_free(rules);
  epi_redirect_free(redirect);
}

Test(redirect, on_loopback_it_never_intercepts_its_own_port) {
  epi_redirect *redirect = make(42000);

  epi_redirect_set_loopback(redirect, 1);
  expect_rules(redirect, EPI_BACKEND_NFTABLES, 0,
               "table inet epi_redirect\n"
               "delete table inet epi_redirect\n"
               "table inet epi_redirect {\n"
               "  chain output {\n"
               "    type nat hook output priority -110; policy accept;\n"
               "    meta mark 0x657069 return\n"
               "    ip daddr 127.0.0.0/8 tcp dport 42000 return\n"
               "    ip6 daddr ::1 tcp dport 42000 return\n"
               "    meta l4proto tcp tcp flags & (fin | syn | rst | ack) == "
               "syn redirect to :42000\n"
               "  }\n"
               "}\n");
  expect_rules(redirect, EPI_BACKEND_IPTABLES, 4,
               "*nat\n"
               ":EPI_REDIRECT - [0:0]\n"
               "-A EPI_REDIRECT -m mark --mark 0x657069 -j RETURN\n"
               "-A EPI_REDIRECT -d 127.0.0.0/8 -p tcp --dport 42000 -j "
               "RETURN\n"
               "-A EPI_REDIRECT -p tcp --syn -j REDIRECT --to-ports 42000\n"
               "-I OUTPUT -p tcp -j EPI_REDIRECT\n"
               "COMMIT\n");
  epi_redirect_free(redirect);
}

Test(redirect, many_ports_take_as_many_iptables_rules_as_needed) {
  epi_redirect *redirect = make(9);

  for (int port = 1; port <= 16; port++) {
    cr_assert_eq(epi_redirect_add_port(redirect, port), 0);
  }
  expect_rules(redirect, EPI_BACKEND_IPTABLES, 4,
               "*nat\n"
               ":EPI_REDIRECT - [0:0]\n"
               "-A EPI_REDIRECT -m mark --mark 0x657069 -j RETURN\n"
               "-A EPI_REDIRECT -d 127.0.0.0/8 -j RETURN\n"
               "-A EPI_REDIRECT -p tcp --syn -m multiport --dports "
               "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15 -j REDIRECT --to-ports 9\n"
               "-A EPI_REDIRECT -p tcp --syn -m multiport --dports 16 -j "
               "REDIRECT --to-ports 9\n"
               "-I OUTPUT -p tcp -j EPI_REDIRECT\n"
               "COMMIT\n");
  epi_redirect_free(redirect);
}

Test(redirect, old_iptables_jumps_go_in_the_same_transaction) {
  epi_redirect *redirect = make(9);
  epi__text text = {0};

  epi__redirect_iptables(redirect, EPI_ADDR_IPV4, 2, &text);
  cr_assert_not_null(text.block);
  cr_expect_str_eq(text.block,
                   "*nat\n"
                   ":EPI_REDIRECT - [0:0]\n"
                   "-D OUTPUT -p tcp -j EPI_REDIRECT\n"
                   "-D OUTPUT -p tcp -j EPI_REDIRECT\n"
                   "-A EPI_REDIRECT -m mark --mark 0x657069 -j RETURN\n"
                   "-A EPI_REDIRECT -d 127.0.0.0/8 -j RETURN\n"
                   "-A EPI_REDIRECT -p tcp --syn -j REDIRECT --to-ports 9\n"
                   "-I OUTPUT -p tcp -j EPI_REDIRECT\n"
                   "COMMIT\n");
  epi__text_clear(&text);
  epi__redirect_iptables_undo(1, &text);
  cr_assert_not_null(text.block);
  cr_expect_str_eq(text.block, "*nat\n"
                               "-D OUTPUT -p tcp -j EPI_REDIRECT\n"
                               "-F EPI_REDIRECT\n"
                               "-X EPI_REDIRECT\n"
                               "COMMIT\n");
  epi__text_clear(&text);
  epi_redirect_free(redirect);
}

Test(redirect, refuses_what_it_cannot_intercept) {
  epi_redirect *untouched = NULL;
  epi_redirect *redirect = make(65535);
  epi_addr name;
  epi_addr none = {0};
  char *rules = NULL;

  cr_expect_eq(epi_redirect_new(&untouched, 0), EPI_EINVAL);
  cr_expect_eq(epi_redirect_new(&untouched, 65536), EPI_EINVAL);
  cr_expect_null(untouched);
  cr_expect_eq(epi_redirect_add_port(redirect, 0), EPI_EINVAL);
  cr_expect_eq(epi_redirect_add_port(redirect, 65536), EPI_EINVAL);
  cr_expect_eq(epi_redirect_add_range(redirect, "10.0.0.1/8"), EPI_EINVAL);
  cr_expect_eq(epi_redirect_add_range(redirect, "umc.example"), EPI_EINVAL);
  cr_expect_eq(epi_redirect_add_range(redirect, ""), EPI_EINVAL);
  cr_assert_eq(epi_addr_parse(&name, "proxy.example:1080", 0), 0);
  cr_expect_eq(epi_redirect_except(redirect, &name), EPI_EINVAL);
  cr_expect(strstr(epi_error_detail(), "not a name"));
  cr_expect_eq(epi_redirect_except(redirect, &none), EPI_EINVAL);
  cr_expect_eq(epi_redirect_except_uid(redirect, -1), EPI_EINVAL);
  cr_expect_eq(epi_redirect_except_uid(redirect, 4294967295), EPI_EINVAL);
  cr_expect_eq(epi_redirect_except_uid(redirect, 4294967294), 0);
  cr_expect_eq(epi_redirect_render(redirect, 3, 4, &rules), EPI_EINVAL);
  cr_expect_eq(epi_redirect_render(redirect, EPI_BACKEND_IPTABLES, 0, &rules),
               EPI_EINVAL);
  cr_expect_null(rules);
  epi_redirect_free(redirect);
  epi_redirect_free(NULL);
}

Test(redirect, stops_at_its_limits_and_takes_no_place_for_the_same_again) {
  epi_redirect *redirect = make(1);
  char text[32];

  for (int i = 1; i <= 128; i++) {
    snprintf(text, sizeof text, "10.0.0.%d", i);
    for (int again = 0; again < 2; again++) {
      cr_assert_eq(epi_redirect_add_port(redirect, i), 0);
      cr_assert_eq(epi_redirect_add_range(redirect, text), 0);
      cr_assert_eq(except(redirect, text), 0);
    }
  }
  cr_expect_eq(epi_redirect_add_port(redirect, 129), EPI_ELIMIT);
  cr_expect_eq(epi_redirect_add_range(redirect, "10.0.0.1/32"), 0);
  cr_expect_eq(epi_redirect_add_range(redirect, "::/0"), EPI_ELIMIT);
  cr_expect_eq(except(redirect, "10.0.0.1:1"), EPI_ELIMIT);
  for (int uid = 0; uid < 16; uid++) {
    cr_assert_eq(epi_redirect_except_uid(redirect, uid), 0);
    cr_assert_eq(epi_redirect_except_uid(redirect, uid), 0);
  }
  cr_expect_eq(epi_redirect_except_uid(redirect, 16), EPI_ELIMIT);
  epi_redirect_free(redirect);
}

Test(redirect, survives_failing_allocations) {
  static const int families[] = {0, 4, 6};

  for (alloc_fail_start(); alloc_fail_more();) {
    epi_redirect *redirect = NULL;

    if (epi_redirect_new(&redirect, 1)) {
      cr_assert_null(redirect);
      continue;
    }
    epi_redirect_add_range(redirect, "10.0.0.0/8");
    for (size_t i = 0; i < 3; i++) {
      char *rules = NULL;
      int error = epi_redirect_render(
          redirect, families[i] ? EPI_BACKEND_IPTABLES : EPI_BACKEND_NFTABLES,
          families[i], &rules);

      cr_assert_eq(error == EPI_ENOMEM, rules == NULL);
      epi_free(rules);
    }
    epi_redirect_free(redirect);
  }
}
