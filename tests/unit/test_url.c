/* test_url.c: the URLs of listeners and hops. */
#include "base/net.h"
#include "epi/error.h"

#include <criterion/criterion.h>
#include <string.h>

Test(url, reads_every_part) {
  epi__addr_buf buf;
  epi__url url;

  cr_assert_eq(epi__url_parse(&url, "socks6://us%65r:p%3aw@[::1]:1080"
                                    "?draft=12&users=%2ftmp%2fx"),
               0);
  cr_expect_str_eq(url.scheme, "socks6");
  cr_expect_str_eq(url.user, "user");
  cr_expect_str_eq(url.password, "p:w");
  cr_expect_str_eq(epi__addr_text(&url.addr, &buf), "[::1]:1080");
  cr_expect_str_eq(epi__url_setting(&url, "draft"), "12");
  cr_expect_str_eq(epi__url_setting(&url, "users"), "/tmp/x");
  cr_expect_null(epi__url_setting(&url, "draf"));
  cr_expect_eq(url.dest.kind, EPI_ADDR_NONE);
}

Test(url, reads_a_reverse_destination) {
  epi__addr_buf buf;
  epi__url url;

  cr_assert_eq(epi__url_parse(&url, "tcp://0.0.0.0:80=web.example:8080"), 0);
  cr_expect_str_eq(epi__addr_text(&url.dest, &buf), "web.example:8080");
}

Test(url, reads_a_destination_that_speaks_tls) {
  epi__addr_buf buf;
  epi__url url;

  cr_assert_eq(epi__url_parse(&url, "tcp+tls://[::1]:443=tls://web.example:8443"
                                    "?to-name=web.example"),
               0);
  cr_expect_str_eq(url.scheme, "tcp+tls");
  cr_expect_eq(url.dest_tls, 1);
  cr_expect_str_eq(epi__addr_text(&url.dest, &buf), "web.example:8443");
  cr_expect_str_eq(epi__url_setting(&url, "to-name"), "web.example");
  cr_assert_eq(epi__url_parse(&url, "tcp://127.0.0.1:1=web.example:80"), 0);
  cr_expect_eq(url.dest_tls, 0);
  cr_expect_lt(epi__url_parse(&url, "tcp://127.0.0.1:1=http://a:80"), 0);
}

Test(url, refuses_broken_ones) {
  static const char *const bad[] = {
      "",
      "host:1",
      "://h:1",
      "s://h",
      "s://h:1?a",
      "s://h:1?a=1&a=2",
      "s://u@h:1",
      "s://:p@h:1",
      "s://h:1=x",
      "s://h:1?a=%zz",
      "s://h:1?a=%00",
      "a-scheme-of-far-too-many-letters://h:1",
  };
  epi__url url;

  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    cr_expect_eq(epi__url_parse(&url, bad[i]), EPI_EINVAL, "took %s", bad[i]);
  }
}

Test(url, names_a_setting_that_does_not_exist) {
  static const char *const known[] = {"draft", "users", NULL};
  epi__url url;

  epi__url_parse(&url, "socks://h:1?user=x");
  cr_expect_eq(epi__url_check_settings(&url, known), EPI_EINVAL);
  cr_expect(strstr(epi_error_detail(), "'user'"));
}

Test(url, a_password_never_reaches_a_message) {
  char buf[100];

  cr_expect_str_eq(epi__url_public("socks6://u:secret@h:1", buf, sizeof buf),
                   "socks6://***@h:1");
  cr_expect_str_eq(epi__url_public("socks6://h:1", buf, sizeof buf),
                   "socks6://h:1");
}
