/* test_socks5_codec.c: messages of SOCKS 5, RFC 1928 and RFC 1929. */
#include "socks/wire.h"
#include "support/alloc_fail.h"
#include "support/annotated_hex.h"
#include "support/splits.h"

#include <criterion/criterion.h>
#include <string.h>

static ptrdiff_t read_request(void *user, const void *buf, size_t len) {
  return epi_request_read(user, EPI_SOCKS5, buf, len);
}

static ptrdiff_t read_reply(void *user, const void *buf, size_t len) {
  return epi_reply_read(user, EPI_SOCKS5, buf, len);
}

static ptrdiff_t read_greeting(void *user, const void *buf, size_t len) {
  return epi__socks5_greeting_read(user, buf, len);
}

static ptrdiff_t read_method(void *user, const void *buf, size_t len) {
  return epi__socks5_method_read(user, buf, len);
}

static ptrdiff_t read_login(void *user, const void *buf, size_t len) {
  return epi__login_read(user, buf, len);
}

static ptrdiff_t read_login_reply(void *user, const void *buf, size_t len) {
  return epi__login_reply_read(user, buf, len);
}

/* Reads a message that is whole, and every beginning of it. */
static ptrdiff_t check(splits_read *read, void *out, const char *hex) {
  uint8_t message[2048];
  size_t len = annotated_hex(message, sizeof message, hex);

  cr_expect_eq(splits_not_waiting(read, out, message, len), 0, "%s", hex);
  return splits_whole(read, out, message, len);
}

static ptrdiff_t whole(splits_read *read, void *out, const char *hex) {
  uint8_t message[2048];

  return splits_whole(read, out, message,
                      annotated_hex(message, sizeof message, hex));
}

Test(socks5_codec, reads_and_writes_every_kind_of_address) {
  static const struct {
    const char *hex, *text;
  } cases[] = {
      {"05 01 00 01 0a010203 0050", "10.1.2.3:80"},
      {"05 02 00 04 20010db8 00*11 01 01bb", "[2001:db8::1]:443"},
      {"05 03 00 03 0b 6865616c74682e74657374 0000", NULL},
      {"05 01 00 03 09 6c6f63616c686f7374 0050", "localhost:80"},
      {"05 01 00 03 ff 61*255 ffff", NULL},
  };

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    uint8_t message[512], again[512];
    size_t len = annotated_hex(message, sizeof message, cases[i].hex);
    char text[EPI_ADDR_TEXT_MAX];
    epi_request *request;

    cr_assert_eq(epi_request_new(&request), 0);
    cr_expect_eq(check(read_request, request, cases[i].hex), (ptrdiff_t)len);
    cr_expect_eq(epi_request_command(request), message[1]);
    epi_addr_format(epi_request_dest(request), 1, text, sizeof text);
    if (cases[i].text) {
      cr_expect_str_eq(text, cases[i].text);
    }
    cr_expect_eq(epi_request_write(request, EPI_SOCKS5, NULL, 0),
                 (ptrdiff_t)len);
    cr_expect_eq(epi_request_write(request, EPI_SOCKS5, again, len - 1),
                 EPI_ELIMIT);
    cr_expect_eq(epi_request_write(request, EPI_SOCKS5, again, len),
                 (ptrdiff_t)len);
    cr_expect_arr_eq(again, message, len);
    epi_request_free(request);
  }
}

Test(socks5_codec, takes_any_rsv_and_leaves_what_follows) {
  epi_request *request;

  epi_request_new(&request);
  cr_expect_eq(whole(read_request, request, "05 01 ff 01 01020304 0050 dead"),
               10);
  epi_request_free(request);
}

Test(socks5_codec, a_name_that_is_an_ip_address_becomes_it) {
  epi_request *request;

  epi_request_new(&request);
  cr_expect_eq(
      check(read_request, request, "05 01 00 03 08 31302e312e322e33 0050"), 15);
  cr_expect_eq(epi_request_dest(request)->kind, EPI_ADDR_IPV4);
  epi_request_free(request);
}

Test(socks5_codec, refuses_what_no_client_may_send) {
  static const struct {
    const char *hex;
    int error;
    const char *detail;
  } cases[] = {
      {"04", EPI_EVERSION, "version 4"},
      {"06 01 00 01", EPI_EVERSION, "version 6"},
      {"05 01 00 02", EPI_EPROTO, "address type 2"},
      {"05 01 00 00", EPI_EPROTO, "address type 0"},
      {"05 01 00 03 00", EPI_EPROTO, "host name"},
      {"05 01 00 03 02 6120", EPI_EPROTO, "host name"},
      {"05 01 00 03 02 6100", EPI_EPROTO, "host name"},
      {"05 01 00 03 04 612e2e62", EPI_EPROTO, "host name"},
      {"05 00 00 01 01020304 0050", EPI_EPROTO, "command 0"},
      {"05 04 00 01 01020304 0050", EPI_EPROTO, "command 4"},
  };
  epi_request *request;

  epi_request_new(&request);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cr_expect_eq(whole(read_request, request, cases[i].hex), cases[i].error,
                 "%s", cases[i].hex);
    cr_expect(strstr(epi_error_detail(), cases[i].detail), "%s: %s",
              cases[i].hex, epi_error_detail());
  }
  cr_expect_eq(epi_request_dest(request)->kind, EPI_ADDR_NONE, "untouched");
  epi_request_free(request);
}

Test(socks5_codec, a_request_that_cannot_be_said_is_not_written) {
  epi_request *request;
  uint8_t buf[300];

  epi_request_new(&request);
  cr_expect_eq(epi_request_write(request, EPI_SOCKS5, buf, sizeof buf),
               EPI_EINVAL, "nowhere to connect to");
  cr_expect_eq(epi_request_write(request, 4, buf, sizeof buf), EPI_EINVAL);
  cr_expect_eq(epi_request_read(request, 4, buf, sizeof buf), EPI_EINVAL);
  epi_request_set_command(request, EPI_UDP_ASSOCIATE);
  cr_expect_eq(epi_request_write(request, EPI_SOCKS5, buf, sizeof buf), 10);
  cr_expect_arr_eq(buf, "\5\3\0\1\0\0\0\0\0\0", 10);
  epi_request_set_command(request, EPI_NOOP);
  cr_expect_eq(epi_request_write(request, EPI_SOCKS5, buf, sizeof buf),
               EPI_EINVAL);
  cr_expect_eq(epi_request_set_command(request, 4), EPI_EINVAL);
  epi_request_free(request);
}

Test(socks5_codec, replies_go_both_ways) {
  epi_reply *reply;
  uint8_t buf[300];

  epi_reply_new(&reply);
  cr_expect_eq(epi_reply_write(reply, EPI_SOCKS5, buf, sizeof buf), 10);
  cr_expect_arr_eq(buf, "\5\0\0\1\0\0\0\0\0\0", 10);
  cr_expect_eq(check(read_reply, reply, "05 05 07 01 7f000001 0438"), 10);
  cr_expect_eq(epi_reply_code(reply), EPI_REPLY_REFUSED);
  cr_expect_eq(epi_reply_bound(reply)->port, 1080);
  cr_expect_eq(check(read_reply, reply, "05 00 00 03 01 61 0001"), 8);
  cr_expect_str_eq(epi_reply_bound(reply)->name, "a");
  cr_expect_eq(whole(read_reply, reply, "05 00 00 05"), EPI_EPROTO);
  cr_expect_eq(whole(read_reply, reply, "48 54 54 50"), EPI_EVERSION);
  epi_reply_set_code(reply, EPI_REPLY_TIMED_OUT);
  epi_reply_set_metadata(reply, 1, "no room in SOCKS 5");
  cr_expect_eq(epi_reply_write(reply, EPI_SOCKS5, buf, sizeof buf), 8);
  cr_expect_eq(buf[1], EPI_REPLY_HOST_UNREACHABLE, "there is no 9");
  cr_expect_eq(epi_reply_set_code(reply, 256), EPI_EINVAL);
  epi_reply_free(reply);
}

Test(socks5_codec, greeting_and_method) {
  epi__advert offer;
  unsigned method;

  cr_expect_eq(check(read_greeting, &offer, "05 03 00 02 80"), 5);
  cr_expect(epi__advert_has(&offer, 0) && epi__advert_has(&offer, 2) &&
            epi__advert_has(&offer, 0x80) && !epi__advert_has(&offer, 1));
  cr_expect_eq(check(read_greeting, &offer, "05 ff 01*255"), 257);
  cr_expect_eq(whole(read_greeting, &offer, "05 00"), EPI_EPROTO);
  cr_expect_eq(whole(read_greeting, &offer, "04"), EPI_EVERSION);
  cr_expect_eq(check(read_method, &method, "05 ff"), 2);
  cr_expect_eq(method, EPI__METHOD_REFUSED);
  cr_expect_eq(whole(read_method, &method, "06"), EPI_EVERSION);
}

Test(socks5_codec, login_and_its_reply) {
  epi__login login = {0};
  uint8_t buf[600];
  epi__writer out = epi__writer_over(buf, sizeof buf);
  unsigned status;

  cr_expect_eq(check(read_login, &login, "01 02 6d65 03 707764"), 8);
  cr_expect_str_eq(login.user, "me");
  cr_expect_str_eq(login.password, "pwd");
  epi__login_write(&out, &login);
  cr_expect_eq(epi__writer_end(&out), 8);
  cr_expect_arr_eq(buf, "\1\2me\3pwd", 8);
  cr_expect_eq(check(read_login, &login, "01 ff 61*255 ff 62*255"), 513);
  cr_expect_eq(strlen(login.password), 255);
  cr_expect_eq(check(read_login, &login, "01 01 61 00"), 4);
  cr_expect_str_eq(login.password, "");
  cr_expect_eq(whole(read_login, &login, "01 00 01 61"), EPI_EPROTO);
  cr_expect_eq(whole(read_login, &login, "01 02 6100 01 61"), EPI_EPROTO);
  cr_expect_eq(whole(read_login, &login, "01 01 61 02 6100"), EPI_EPROTO);
  cr_expect_eq(whole(read_login, &login, "05 01 61 01 61"), EPI_EVERSION);
  cr_expect_eq(check(read_login_reply, &status, "01 07"), 2);
  cr_expect_eq(status, 7);
  cr_expect_eq(whole(read_login_reply, &status, "05"), EPI_EVERSION);
}

Test(socks5_codec, logins_have_limits) {
  char long_text[EPI_LOGIN_MAX + 2];
  epi_request *request;

  memset(long_text, 'u', sizeof long_text);
  long_text[EPI_LOGIN_MAX + 1] = '\0';
  epi_request_new(&request);
  cr_expect_eq(epi_request_set_login(request, "", "p"), EPI_EINVAL);
  cr_expect_eq(epi_request_set_login(request, "u", NULL), EPI_EINVAL);
  cr_expect_eq(epi_request_set_login(request, NULL, "p"), EPI_EINVAL);
  cr_expect_eq(epi_request_set_login(request, long_text, "p"), EPI_EINVAL);
  cr_expect_eq(epi_request_set_login(request, "u", long_text), EPI_EINVAL);
  cr_expect_null(epi_request_user(request));
  cr_expect_eq(epi_request_set_login(request, "u", ""), 0);
  cr_expect_str_eq(epi_request_user(request), "u");
  cr_expect_str_eq(epi_request_password(request), "");
  cr_expect_eq(epi_request_set_login(request, NULL, NULL), 0);
  cr_expect_null(epi_request_password(request));
  epi_request_free(request);
}

Test(socks5_codec, reading_allocates_nothing) {
  epi_request *request;

  epi_request_new(&request);
  for (alloc_fail_start(); alloc_fail_more();) {
    cr_expect_eq(
        epi_request_read(request, EPI_SOCKS5, "\5\1\0\1\1\2\3\4\0\x50", 10),
        10);
    cr_expect_not(alloc_fail_happened());
  }
  epi_request_free(request);
}

Test(socks5_codec, every_reply_code_has_a_text) {
  for (int code = 0; code < 10; code++) {
    cr_expect(strcmp(epi_reply_text(code), "unassigned reply code"));
  }
  cr_expect_str_eq(epi_reply_text(10), "unassigned reply code");
  cr_expect_str_eq(epi_reply_text(-1), "unassigned reply code");
}
