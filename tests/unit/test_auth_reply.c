/* test_auth_reply.c: authentication replies, and the setters of what they
 * answer in requests. */
#include "epi/auth.h"
#include "support/alloc_fail.h"
#include "support/annotated_hex.h"
#include "support/splits.h"

#include <criterion/criterion.h>
#include <string.h>

static uint8_t message[32768], again[32768];
static epi_auth_reply *reply;
static int version;

static void start(void) {
  version = EPI_SOCKS6;
  cr_assert_eq(epi_auth_reply_new(&reply), 0);
}

static void end(void) {
  epi_auth_reply_free(reply);
}

TestSuite(auth_reply, .init = start, .fini = end);

static ptrdiff_t read_reply(void *user, const void *buf, size_t len) {
  (void)user;
  return epi_auth_reply_read(reply, version, buf, len);
}

/* A reply with these options. Returns its length. */
static size_t with_options(int failed, const char *hex) {
  size_t len = annotated_hex(message + 4, sizeof message - 4, hex);
  const uint8_t head[4] = {6, (uint8_t)failed, (uint8_t)(len >> 8),
                           (uint8_t)len};

  memcpy(message, head, sizeof head);
  return 4 + len;
}

/* Reads a reply at every split. Returns 0 or the error. */
static int reads(int failed, const char *hex) {
  size_t len = with_options(failed, hex);
  ptrdiff_t n = splits_whole(read_reply, NULL, message, len);

  cr_expect_eq(splits_not_waiting(read_reply, NULL, message, len), 0, "%s",
               hex);
  return n == (ptrdiff_t)len ? 0 : (int)n;
}

static void expect_written(int failed, const char *hex) {
  size_t len = with_options(failed, hex);

  cr_expect_eq(epi_auth_reply_write(reply, version, NULL, 0), (ptrdiff_t)len,
               "%s", hex);
  cr_expect_eq(epi_auth_reply_write(reply, version, again, len - 1),
               EPI_ELIMIT);
  cr_expect_eq(epi_auth_reply_write(reply, version, again, len),
               (ptrdiff_t)len);
  cr_expect_arr_eq(again, message, len, "%s", hex);
}

Test(auth_reply, a_new_one_is_success_alone) {
  const void *id;
  int64_t base;

  cr_expect_eq(epi_auth_reply_ok(reply), 1);
  cr_expect_eq(epi_auth_reply_method(reply), -1);
  cr_expect_eq(epi_auth_reply_login(reply), -1);
  cr_expect_eq(epi_auth_reply_session(reply), 0);
  cr_expect_eq(epi_auth_reply_session_id(reply, &id), 0);
  cr_expect_eq(epi_auth_reply_token_window(reply, &base), 0);
  cr_expect_eq(epi_auth_reply_token(reply), 0);
  expect_written(0, "");
}

Test(auth_reply, each_option_goes_both_ways) {
  static const struct {
    const char *hex;
    int failed;
  } cases[] = {
      {"0003 0008 ff000000", 1},
      {"0004 0008 02 0101 00", 1},
      {"0004 0008 06 616263", 0},
      {"0006 0014 00112233 44556677 8899aabb ccddeeff", 0},
      {"0006 0008 01020304 0008 0004", 0},
      {"0008 0004", 0},
      {"0009 0004", 1},
      {"0008 0004 000c 000c fffffff0 00000400", 0},
      {"000c 000c 00000000 7fffffff", 0},
      {"000e 0004", 0},
      {"000e 0004", 1},
      {"000f 0004", 1},
      {"0003 0008 02000000 0004 0008 02 0100 00 0004 0008 07 000000"
       "0006 0008 01020304 0008 0004 000c 000c 00000001 00000002 000e 0004",
       0},
  };

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cr_expect_eq(reads(cases[i].failed, cases[i].hex), 0, "%s", cases[i].hex);
    cr_expect_eq(epi_auth_reply_ok(reply), !cases[i].failed);
    expect_written(cases[i].failed, cases[i].hex);
  }
}

Test(auth_reply, what_was_read_can_be_asked_for) {
  const void *bytes;
  int64_t base;

  cr_assert_eq(reads(0, "0003 0008 05000000 0004 0008 02 0107 00"
                        "0004 0008 06 616263 0006 0008 01020304 0008 0004"
                        "000c 000c ffffffff 00000002 000e 0004"),
               0);
  cr_expect_eq(epi_auth_reply_method(reply), 5);
  cr_expect_eq(epi_auth_reply_login(reply), 7);
  cr_expect_eq(epi_auth_reply_auth_data(reply, 6, &bytes), 3);
  cr_expect_arr_eq(bytes, "abc", 3);
  cr_expect_eq(epi_auth_reply_auth_data(reply, 7, &bytes), EPI_ENOENT);
  cr_expect_eq(epi_auth_reply_session(reply), EPI_SESSION_OK);
  cr_expect_eq(epi_auth_reply_session_id(reply, &bytes), 4);
  cr_expect_arr_eq(bytes, "\1\2\3\4", 4);
  cr_expect_eq(epi_auth_reply_token_window(reply, &base), 2);
  cr_expect_eq(base, 4294967295);
  cr_expect_eq(epi_auth_reply_token_window(reply, NULL), 2);
  cr_expect_eq(epi_auth_reply_token(reply), EPI_TOKEN_ACCEPTED);
  cr_expect_eq(reads(1, "0009 0004 000f 0004"), 0, "the next one replaces it");
  cr_expect_eq(epi_auth_reply_session(reply), EPI_SESSION_INVALID);
  cr_expect_eq(epi_auth_reply_token(reply), EPI_TOKEN_REJECTED);
  cr_expect_eq(epi_auth_reply_auth_data(reply, 6, &bytes), EPI_ENOENT);
}

Test(auth_reply, unknown_options_are_skipped) {
  cr_expect_eq(reads(0, "0001 0008 4101 1000 0005 0004 000a 0004"
                        "000d 0008 00000001 fc00 0004"),
               0);
  expect_written(0, "");
}

Test(auth_reply, contradictions_are_refused) {
  static const struct {
    const char *hex, *detail;
    int failed;
  } cases[] = {
      {"0003 0004", "no method", 1},
      {"0003 0008 02000000 0003 0008 02000000", "selection comes twice", 1},
      {"0004 0004", "no method", 0},
      {"0004 0008 02 0500 00", "login reply", 0},
      {"0004 0008 02 0100 00 0004 0008 02 0100 00", "login reply comes twice",
       0},
      {"0004 0008 06 000000 0004 0008 06 000000", "method 6 comes twice", 0},
      {"0006 0004", "session id", 0},
      {"0006 0008 01020304 0006 0008 01020304", "session id comes twice", 0},
      {"0006 0008 01020304 0009 0004", "a session id", 1},
      {"0008 0004 0008 0004", "session OK comes twice", 0},
      {"0008 0004 0009 0004", "opposite", 1},
      {"0009 0004 0009 0004", "session invalid comes twice", 1},
      {"0009 0004", "an invalid session", 0},
      {"000c 0008 00000000", "too short", 0},
      {"000c 000c 00000000 00000000", "0 tokens", 0},
      {"000c 000c 00000000 80000000", "2147483648 tokens", 0},
      {"000c 000c 00000000 00000001 000c 000c 00000000 00000001",
       "token window comes twice", 0},
      {"000e 0004 000e 0004", "token accepted comes twice", 0},
      {"000e 0004 000f 0004", "opposite", 1},
      {"000f 0004 000f 0004", "token rejected comes twice", 1},
      {"000f 0004", "a rejected token", 0},
  };

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cr_expect_eq(reads(cases[i].failed, cases[i].hex), EPI_EPROTO, "%s",
                 cases[i].hex);
    cr_expect(strstr(epi_error_detail(), cases[i].detail), "%s: %s",
              cases[i].hex, epi_error_detail());
  }
  cr_expect_eq(reads(0, "0006 0108 00*260"), EPI_ELIMIT);
}

Test(auth_reply, contradictions_are_not_written) {
  epi_auth_reply_set_session(reply, EPI_SESSION_INVALID);
  cr_expect_eq(epi_auth_reply_write(reply, version, NULL, 0), EPI_EINVAL);
  epi_auth_reply_set_ok(reply, 0);
  cr_expect_eq(epi_auth_reply_write(reply, version, NULL, 0), 8);
  epi_auth_reply_set_session_id(reply, "1234", 4);
  cr_expect_eq(epi_auth_reply_write(reply, version, NULL, 0), EPI_EINVAL);
  epi_auth_reply_set_session_id(reply, NULL, 0);
  epi_auth_reply_set_session(reply, 0);
  epi_auth_reply_set_token(reply, EPI_TOKEN_REJECTED);
  cr_expect_eq(epi_auth_reply_write(reply, version, NULL, 0), 8);
  epi_auth_reply_set_ok(reply, 1);
  cr_expect_eq(epi_auth_reply_write(reply, version, NULL, 0), EPI_EINVAL);
}

Test(auth_reply, options_have_the_limit_of_the_draft) {
  static uint8_t data[EPI_OPTIONS_MAX_12];

  cr_expect_eq(epi_auth_reply_set_auth_data(reply, 6, data, 16379), 0);
  cr_expect_eq(epi_auth_reply_write(reply, EPI_SOCKS6, again, sizeof again),
               16388);
  cr_expect_eq(epi_auth_reply_read(reply, EPI_SOCKS6, again, 16388), 16388);
  cr_expect_eq(epi_auth_reply_set_auth_data(reply, 6, data, 16380), 0);
  cr_expect_eq(epi_auth_reply_write(reply, EPI_SOCKS6, NULL, 0), EPI_ELIMIT);
  cr_expect_eq(epi_auth_reply_write(reply, EPI_SOCKS6_12, NULL, 0), 16392);
  cr_expect_eq(epi_auth_reply_set_auth_data(reply, 6, data, 20475), 0);
  cr_expect_eq(epi_auth_reply_write(reply, EPI_SOCKS6_12, NULL, 0), 20484);
  cr_expect_eq(epi_auth_reply_set_auth_data(reply, 6, data, 20476), EPI_ELIMIT);
}

Test(auth_reply, socks_5_has_none) {
  cr_expect_eq(epi_auth_reply_read(reply, EPI_SOCKS5, "\5", 1), EPI_EINVAL);
  cr_expect_eq(epi_auth_reply_write(reply, EPI_SOCKS5, NULL, 0), EPI_EINVAL);
  cr_expect_eq(epi_auth_reply_write(reply, 7, NULL, 0), EPI_EINVAL);
}

Test(auth_reply, setters_refuse_what_there_is_not) {
  epi_request *request;
  const void *bytes;
  uint8_t id[260] = {0};

  cr_expect_eq(epi_auth_reply_set_ok(reply, 2), EPI_EINVAL);
  cr_expect_eq(epi_auth_reply_set_method(reply, 256), EPI_EINVAL);
  cr_expect_eq(epi_auth_reply_set_login(reply, -2), EPI_EINVAL);
  cr_expect_eq(epi_auth_reply_set_session(reply, 3), EPI_EINVAL);
  cr_expect_eq(epi_auth_reply_set_session_id(reply, id, 6), EPI_EINVAL);
  cr_expect_eq(epi_auth_reply_set_token_window(reply, -1, 1), EPI_EINVAL);
  cr_expect_eq(epi_auth_reply_set_token_window(reply, 0, 2147483648),
               EPI_EINVAL);
  cr_expect_eq(epi_auth_reply_set_token(reply, -1), EPI_EINVAL);
  expect_written(0, "");

  cr_assert_eq(epi_request_new(&request), 0);
  cr_expect_eq(epi_request_offer_method(request, 0), EPI_EINVAL);
  cr_expect_eq(epi_request_offer_method(request, 255), EPI_EINVAL);
  cr_expect_eq(epi_request_set_initial_data(request, 16385), EPI_EINVAL);
  cr_expect_eq(epi_request_set_auth_data(request, 0, "a", 1), EPI_EINVAL);
  cr_expect_eq(epi_request_set_auth_data(request, 2, "a", 1), EPI_EINVAL);
  cr_expect_eq(epi_request_set_auth_data(request, 255, "a", 1), EPI_EINVAL);
  cr_expect_eq(epi_request_set_session(request, 4, NULL, 0), EPI_EINVAL);
  cr_expect_eq(epi_request_set_session(request, EPI_SESSION_BEGIN, id, 4),
               EPI_EINVAL);
  cr_expect_eq(epi_request_set_session(request, EPI_SESSION_JOIN, id, 0),
               EPI_EINVAL);
  cr_expect_eq(epi_request_set_session(request, EPI_SESSION_END, id, 260),
               EPI_EINVAL);
  cr_expect_eq(epi_request_session(request), EPI_SESSION_NONE);
  cr_expect_eq(epi_request_session_id(request, &bytes), 0);
  cr_expect_eq(epi_request_set_token_window(request, -1), EPI_EINVAL);
  cr_expect_eq(epi_request_set_token(request, 4294967296), EPI_EINVAL);
  epi_request_free(request);
}

Test(auth_reply, data_of_a_method_is_replaced_and_removed) {
  const void *data;

  cr_expect_eq(epi_auth_reply_set_auth_data(reply, 6, "abc", 3), 0);
  cr_expect_eq(epi_auth_reply_set_auth_data(reply, 7, "", 0), 0);
  cr_expect_eq(epi_auth_reply_set_auth_data(reply, 6, "de", 2), 0);
  expect_written(0, "0004 0008 06 646500 0004 0008 07 000000");
  cr_expect_eq(epi_auth_reply_auth_data(reply, 7, &data), 0);
  cr_expect_eq(epi_auth_reply_set_auth_data(reply, 6, NULL, 0), 0);
  cr_expect_eq(epi_auth_reply_set_auth_data(reply, 9, NULL, 0), 0);
  expect_written(0, "0004 0008 07 000000");
}

Test(auth_reply, survives_failing_allocations) {
  size_t len = with_options(0, "0004 0008 06 616263 0004 0008 07 616263");

  for (alloc_fail_start(); alloc_fail_more();) {
    epi_auth_reply *out;

    if (epi_auth_reply_new(&out)) {
      continue;
    }
    cr_expect_eq(epi_auth_reply_read(out, version, message, len),
                 alloc_fail_happened() ? EPI_ENOMEM : (ptrdiff_t)len);
    epi_auth_reply_free(out);
  }
}
