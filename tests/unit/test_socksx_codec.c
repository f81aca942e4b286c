/* test_socksx_codec.c: the dialect of socksx, and how it is told apart. */
#include "socks/wire.h"
#include "support/annotated_hex.h"
#include "support/splits.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static uint8_t message[32768], again[32768];

static ptrdiff_t read_request(void *user, const void *buf, size_t len) {
  return epi_request_read(user, EPI_SOCKSX, buf, len);
}

static ptrdiff_t read_reply(void *user, const void *buf, size_t len) {
  return epi_reply_read(user, EPI_SOCKSX, buf, len);
}

static ptrdiff_t read_auth(void *user, const void *buf, size_t len) {
  return epi_auth_reply_read(user, EPI_SOCKSX, buf, len);
}

/* Reads a message that is whole, and every beginning of it. */
static ptrdiff_t check(splits_read *read, void *out, const char *hex) {
  size_t len = annotated_hex(message, sizeof message, hex);

  cr_expect_eq(splits_not_waiting(read, out, message, len), 0, "%s", hex);
  return splits_whole(read, out, message, len);
}

static ptrdiff_t whole(splits_read *read, void *out, const char *hex) {
  return splits_whole(read, out, message,
                      annotated_hex(message, sizeof message, hex));
}

Test(socksx_codec, requests_go_both_ways) {
  static const struct {
    const char *hex, *dest;
  } cases[] = {
      {"06 01 01 ac10ee06 3039 00 0008 0002000800000000", "172.16.238.6:12345"},
      {"06 01 04 20010db8 00*11 01 01bb 00 0008 0002000800000000",
       "[2001:db8::1]:443"},
      {"06 01 03 02 6162 0050 00 0008 0002000800000000", "ab:80"},
      {"06 01 01 ac10ee06 3039 00 0018 0002000800000000"
       "fde8 0010 03e6 0004 30303030 00000000",
       "172.16.238.6:12345"},
  };
  epi_request *request;

  cr_assert_eq(epi_request_new(&request), 0);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    ptrdiff_t len = check(read_request, request, cases[i].hex);
    char text[EPI_ADDR_TEXT_MAX];

    cr_assert_gt(len, 0, "%s", cases[i].hex);
    epi_addr_format(epi_request_dest(request), 1, text, sizeof text);
    cr_expect_str_eq(text, cases[i].dest);
    cr_expect_eq(epi_request_write(request, EPI_SOCKSX, again, sizeof again),
                 len);
    cr_expect_arr_eq(again, message, (size_t)len, "%s", cases[i].hex);
  }
  epi_request_free(request);
}

Test(socksx_codec, options_are_read_with_any_padding) {
  epi_request *request;

  cr_assert_eq(epi_request_new(&request), 0);
  cr_expect_eq(check(read_request, request,
                     "06 01 01 01020304 0050 00 000c"
                     "fde8 000c 0001 0004 61626364"),
               24);
  cr_expect_str_eq(epi_request_metadata(request, 1), "abcd");
  cr_expect_eq(check(read_request, request,
                     "06 01 01 01020304 0050 00 0009"
                     "fde8 0009 0001 0001 62"),
               21);
  cr_expect_str_eq(epi_request_metadata(request, 1), "b");
  epi_request_free(request);
}

Test(socksx_codec, what_makes_socksx_panic_is_malformed) {
  static const char *const cases[] = {
      "06 01 05",
      "06 01 00",
      "06 00 01 01020304 0050 00 0000",
      "06 02 01 01020304 0050 00 0000",
      "06 01 03 00 0050 00 0000",
      "06 01 01 01020304 0050 00 0004 0002 0000",
      "06 01 01 01020304 0050 00 0004 fde8 0003",
      "06 01 01 01020304 0050 00 0004 0002 0008",
      "06 01 01 01020304 0050 00 0002 0002",
      "06 01 01 01020304 0050 00 0008 fde8 0008 0001 0001",
      "06 01 01 01020304 0050 00 0008 0002 0008 4001 0000",
      "06 01 01 01020304 0050 00 4001",
      "06 01 01 01020304 0050 00 0006 0006 0006 0102",
  };
  epi_request *request;

  cr_assert_eq(epi_request_new(&request), 0);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cr_expect_eq(whole(read_request, request, cases[i]), EPI_EPROTO, "%s",
                 cases[i]);
  }
  cr_expect_eq(whole(read_request, request, "05"), EPI_EVERSION);
  epi_request_free(request);
}

Test(socksx_codec, an_unknown_address_type_has_a_reply_code) {
  cr_expect_eq(epi__socks6_refusal(EPI_SOCKSX, "\6\1\5", 3),
               EPI_REPLY_NO_ADDRESS_TYPE);
  cr_expect_eq(epi__socks6_refusal(EPI_SOCKSX, "\6\1\1", 3), -1);
  cr_expect_eq(epi__socks6_refusal(EPI_SOCKSX, "\6\1", 2), -1);
}

Test(socksx_codec, connect_is_the_only_command) {
  epi_request *request;
  epi_addr dest;

  cr_assert_eq(epi_request_new(&request), 0);
  cr_expect_eq(epi_request_write(request, EPI_SOCKSX, again, sizeof again),
               EPI_EINVAL);
  cr_assert_eq(epi_addr_set_ip(&dest, "\1\2\3\4", 4, 80), 0);
  epi_request_set_dest(request, &dest);
  cr_expect_eq(epi_request_write(request, EPI_SOCKSX, again, sizeof again), 20);
  for (int command = EPI_NOOP; command <= EPI_UDP_ASSOCIATE; command++) {
    epi_request_set_command(request, command);
    cr_expect_eq(epi_request_write(request, EPI_SOCKSX, again, sizeof again),
                 command == EPI_CONNECT ? 20 : EPI_EINVAL);
  }
  epi_request_free(request);
}

Test(socksx_codec, replies_go_both_ways) {
  static const char *const cases[] = {
      "06 00 00 01 00000000 0000 0000",
      "06 05 00 01 00000000 0000 0000",
      "06 00 00 04 20010db8 00*11 01 01bb 0000",
      "06 00 00 03 02 6162 0050 0000",
      "06 02 00 01 00000000 0000 000c fde8 000c 07db 0002 6e6f 0000",
  };
  epi_reply *reply;

  cr_assert_eq(epi_reply_new(&reply), 0);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    ptrdiff_t len = check(read_reply, reply, cases[i]);

    cr_assert_gt(len, 0, "%s", cases[i]);
    cr_expect_eq(epi_reply_write(reply, EPI_SOCKSX, again, sizeof again), len);
    cr_expect_arr_eq(again, message, (size_t)len, "%s", cases[i]);
  }
  cr_expect_eq(epi_reply_code(reply), EPI_REPLY_NOT_ALLOWED);
  cr_expect_str_eq(epi_reply_metadata(reply, EPI_META_REASON), "no");
  cr_expect_eq(whole(read_reply, reply, "06 00 00 05"), EPI_EPROTO);
  cr_expect_eq(whole(read_reply, reply, "05 00"), EPI_EVERSION);
  epi_reply_free(reply);
}

Test(socksx_codec, a_reply_over_the_limit_is_no_authentication_reply) {
  epi_auth_reply *reply;

  cr_assert_eq(epi_auth_reply_new(&reply), 0);
  cr_expect_eq(check(read_auth, reply, "06 00 0000"), 4);
  cr_expect_eq(epi_auth_reply_write(reply, EPI_SOCKSX, again, sizeof again), 4);
  cr_expect_arr_eq(again, "\6\0\0\0", 4);
  cr_expect_eq(whole(read_auth, reply, "06 05 00 01 00000000 0000 0000"),
               EPI_EREFUSED);
  epi_auth_reply_free(reply);
}

/* ---- telling apart ---- */

static int tell(const char *hex) {
  size_t len = annotated_hex(message, sizeof message, hex);
  int answer = epi__socksx_tell(message, len);

  for (size_t cut = 0; cut < len; cut++) {
    void *copy = cut ? malloc(cut) : NULL;
    int early;

    if (cut) {
      memcpy(copy, message, cut);
    }
    early = epi__socksx_tell(copy, cut);
    cr_expect(early == -1 || early == answer, "%s at %zu", hex, cut);
    free(copy);
  }
  return answer;
}

Test(socksx_codec, the_first_bytes_tell_the_layout) {
  cr_expect_eq(tell("06 01 01 ac10ee06 3039 00 0008 0002000800000000"), 1);
  cr_expect_eq(tell("06 01 0008 3039 00 01 ac10ee06 0002000800000000"), 0);
  cr_expect_eq(tell("06 01 0108 3039 00 01 ac10ee06"), 0);
  cr_expect_eq(tell("06 01 0408 3039 00 03 016100"), 0);
  cr_expect_eq(tell("06 01 0308 3039 00 04"), 0);
  cr_expect_eq(tell("06 01 0308 3039 00 05"), 1);
  cr_expect_eq(tell("06 01 0308 3039 01"), 1);
  cr_expect_eq(tell("06 01 0309"), 1);
  cr_expect_eq(tell("06 01 02"), 0);
  cr_expect_eq(tell("06 01 01 ac10ee00 3039"), 1, "an address ending in .0");
  cr_expect_eq(tell("06 01 01 ac10ee00 01bb"), 0, "and port 256 to 511");
  cr_expect_eq(tell(""), -1);
  cr_expect_eq(tell("06 01"), -1);
  cr_expect_eq(tell("06 01 01 ac"), -1);
  cr_expect_eq(tell("06 01 01 ac10ee"), -1);
  cr_expect_eq(tell("06 01 01 ac10ee00"), -1);
}
