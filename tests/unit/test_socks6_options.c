/* test_socks6_options.c: options of requests and of operation replies. */
#include "epi/auth.h"
#include "epi/stack.h"
#include "support/alloc_fail.h"
#include "support/annotated_hex.h"
#include "support/splits.h"

#include <criterion/criterion.h>
#include <string.h>

static uint8_t message[32768], again[32768];
static epi_request *request;
static epi_reply *reply;

static void start(void) {
  cr_assert_eq(epi_request_new(&request), 0);
  cr_assert_eq(epi_reply_new(&reply), 0);
}

static void end(void) {
  epi_request_free(request);
  epi_reply_free(reply);
}

TestSuite(socks6_options, .init = start, .fini = end);

static ptrdiff_t read_request(void *user, const void *buf, size_t len) {
  (void)user;
  return epi_request_read(request, EPI_SOCKS6, buf, len);
}

static ptrdiff_t read_reply(void *user, const void *buf, size_t len) {
  (void)user;
  return epi_reply_read(reply, EPI_SOCKS6, buf, len);
}

/* A message to or of 1.2.3.4:80 with these options. Returns its length. */
static size_t with_options(unsigned second, const char *hex) {
  size_t len = annotated_hex(message + 12, sizeof message - 12, hex);
  const uint8_t head[12] = {6,
                            (uint8_t)second,
                            (uint8_t)(len >> 8),
                            (uint8_t)len,
                            0,
                            80,
                            0,
                            1,
                            1,
                            2,
                            3,
                            4};

  memcpy(message, head, sizeof head);
  return 12 + len;
}

/* A request that is read, at every split. Returns what reading gave. */
static int reads(const char *hex) {
  size_t len = with_options(1, hex);
  ptrdiff_t n = splits_whole(read_request, NULL, message, len);

  cr_expect_eq(splits_not_waiting(read_request, NULL, message, len), 0, "%s",
               hex);
  return n == (ptrdiff_t)len ? 0 : (int)n;
}

static void expect_same(const char *hex) {
  size_t len = with_options(1, hex);

  cr_expect_eq(epi_request_write(request, EPI_SOCKS6, again, sizeof again),
               (ptrdiff_t)len, "%s", hex);
  cr_expect_arr_eq(again, message, len, "%s", hex);
}

static int refused(const char *hex, const char *detail) {
  int error = reads(hex);

  cr_expect(strstr(epi_error_detail(), detail), "%s: %s", hex,
            epi_error_detail());
  return error;
}

/* ---- stack options: each has its cases in tests/vectors ---- */

Test(socks6_options, legs_with_equal_values_share_an_option) {
  cr_expect_eq(reads("0001 0008 c103 4000"), 0);
  cr_expect_eq(epi_request_stack(request, EPI_LEG_CLIENT, EPI_STACK_TTL), 64);
  cr_expect_eq(epi_request_stack(request, EPI_LEG_REMOTE, EPI_STACK_TTL), 64);
  expect_same("0001 0008 c103 4000");
  cr_expect_eq(reads("0001 0008 4103 4000 0001 0008 8103 4000"), 0);
  expect_same("0001 0008 c103 4000");
  cr_expect_eq(reads("0001 0008 8103 3f00 0001 0008 4103 4000"), 0);
  expect_same("0001 0008 4103 4000 0001 0008 8103 3f00");
}

Test(socks6_options, unknown_stack_options_and_legs_are_ignored) {
  cr_expect_eq(reads("0001 0008 0101 1000 0001 0008 c102 0200"
                     "0001 0008 4401 0000 0001 0008 8105 0100"
                     "0001 0008 8201 0100 0001 0008 bfff 0100"
                     "0001 0008 4403 0001 0001 000c 8199 00000000 0000"),
               0);
  expect_same("");
}

Test(socks6_options, longer_stack_options_are_taken) {
  cr_expect_eq(reads("0001 000c 8103 4000 00000000"), 0);
  expect_same("0001 0008 8103 4000");
}

Test(socks6_options, impossible_or_repeated_stack_options_are_refused) {
  static const struct {
    const char *hex, *detail;
  } cases[] = {
      {"0001 0004", "no code"},
      {"0001 0008 8102 0000", "happy eyeballs"},
      {"0001 0008 8102 0300", "happy eyeballs"},
      {"0001 0008 8104 0300", "no fragmentation"},
      {"0001 0008 8402 0000", "multipath"},
      {"0001 0008 8501 ff00", "UDP error"},
      {"0001 0008 8502 0300", "port parity"},
      {"0001 0008 8502 0102", "port parity"},
      {"0001 0008 8502 0201 0001 0008 8502 0201", "port parity"},
      {"0001 0008 4101 1000 0001 0008 4101 1000", "TOS"},
      {"0001 0008 c101 1000 0001 0008 8101 2000", "TOS"},
      {"0001 0008 8103 1000 0001 0008 c103 1000", "TTL"},
  };

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cr_expect_eq(refused(cases[i].hex, cases[i].detail), EPI_EPROTO, "%s",
                 cases[i].hex);
  }
}

/* ---- authentication ---- */

Test(socks6_options, methods_and_initial_data_go_both_ways) {
  cr_expect_eq(epi_request_offers_method(request, 0), 1);
  cr_expect_eq(reads("0002 0008 0102 0205"), 0);
  cr_expect_eq(epi_request_initial_data(request), 0x102);
  for (int method = -1; method <= 256; method++) {
    cr_expect_eq(epi_request_offers_method(request, method),
                 method == 0 || method == 2 || method == 5);
  }
  expect_same("0002 0008 0102 0205");
  cr_expect_eq(reads("0002 000c 0000 fe000000 0000"), 0);
  expect_same("0002 0008 0000 fe00");
  cr_expect_eq(refused("0002 0004", "too short"), EPI_EPROTO);
  cr_expect_eq(refused("0002 0008 4001 0200", "16385"), EPI_EPROTO);
  cr_expect_eq(refused("0002 0008 0000 0200 0002 0008 0000 0200", "twice"),
               EPI_EPROTO);
}

Test(socks6_options, data_of_any_method_passes_as_it_is) {
  static const char *const hex = "0004 0008 06 616263 0004 000c fe 00*7";
  const void *data;

  cr_expect_eq(reads(hex), 0);
  cr_expect_eq(epi_request_auth_data(request, 6, &data), 3);
  cr_expect_arr_eq(data, "abc", 3);
  cr_expect_eq(epi_request_auth_data(request, 254, &data), 7);
  cr_expect_eq(epi_request_auth_data(request, 2, &data), EPI_ENOENT);
  expect_same(hex);
  cr_expect_eq(reads("0004 0008 00 616263 0004 0008 ff 616263"), 0);
  expect_same("");
  cr_expect_eq(refused("0004 0004", "no method"), EPI_EPROTO);
  cr_expect_eq(refused("0004 0008 06 616263 0004 0008 06 616263", "method 6"),
               EPI_EPROTO);
  cr_expect_eq(refused("0004 0008 03 000000 0004 0008 04 000000"
                       "0004 0008 05 000000 0004 0008 06 000000"
                       "0004 0008 07 000000 0004 0008 08 000000"
                       "0004 0008 09 000000 0004 0008 0a 000000"
                       "0004 0008 0b 000000",
                       "methods"),
               EPI_ELIMIT);
}

/* ---- sessions and tokens ---- */

Test(socks6_options, sessions_and_tokens_go_both_ways) {
  static const struct {
    const char *hex;
    int session;
    size_t id_len;
    int64_t window, token;
  } cases[] = {
      {"", EPI_SESSION_NONE, 0, 0, -1},
      {"0005 0004", EPI_SESSION_BEGIN, 0, 0, -1},
      {"0006 0008 01020304", EPI_SESSION_JOIN, 4, 0, -1},
      {"0006 0104 07*256", EPI_SESSION_JOIN, 256, 0, -1},
      {"0006 000c 01020304 05060708 000a 0004", EPI_SESSION_END, 8, 0, -1},
      {"0005 0004 000b 0008 00000001", EPI_SESSION_BEGIN, 0, 1, -1},
      {"0005 0004 000b 0008 7fffffff", EPI_SESSION_BEGIN, 0, EPI_TOKENS_MAX,
       -1},
      {"0006 0008 01020304 000d 0008 00000000", EPI_SESSION_JOIN, 4, 0, 0},
      {"0006 0008 01020304 000d 0008 ffffffff", EPI_SESSION_JOIN, 4, 0,
       4294967295},
      {"000b 0008 00000002 000d 0008 00000003", EPI_SESSION_NONE, 0, 2, 3},
  };

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const void *id;

    cr_expect_eq(reads(cases[i].hex), 0, "%s", cases[i].hex);
    cr_expect_eq(epi_request_session(request), cases[i].session);
    cr_expect_eq(epi_request_session_id(request, &id), cases[i].id_len);
    cr_expect_eq(epi_request_token_window(request), cases[i].window);
    cr_expect_eq(epi_request_token(request), cases[i].token);
    expect_same(cases[i].hex);
  }
  cr_expect_eq(reads("000a 0004 0006 0008 01020304"), 0, "in any order");
  cr_expect_eq(epi_request_session(request), EPI_SESSION_END);
}

Test(socks6_options, senseless_sessions_and_tokens_are_refused) {
  static const struct {
    const char *hex, *detail;
    int error;
  } cases[] = {
      {"0005 0004 0005 0004", "session request comes twice", EPI_EPROTO},
      {"0006 0008 01020304 0006 0008 01020304", "session id comes twice",
       EPI_EPROTO},
      {"0005 0004 0006 0008 01020304", "within a session", EPI_EPROTO},
      {"0006 0008 01020304 0005 0004", "within a session", EPI_EPROTO},
      {"000a 0004", "without a session id", EPI_EPROTO},
      {"000a 0004 000a 0004", "session teardown comes twice", EPI_EPROTO},
      {"0005 0004 000a 0004", "session teardown", EPI_EPROTO},
      {"000a 0004 0005 0004", "within a session", EPI_EPROTO},
      {"0006 0004", "session id has 0 bytes", EPI_EPROTO},
      {"0006 0108 00*260", "session id has 260 bytes", EPI_ELIMIT},
      {"000b 0004", "no size", EPI_EPROTO},
      {"000b 0008 00000000", "has 0 tokens", EPI_EPROTO},
      {"000b 0008 80000000", "has 2147483648 tokens", EPI_EPROTO},
      {"000b 0008 00000001 000b 0008 00000001", "token request comes twice",
       EPI_EPROTO},
      {"000d 0004", "no token", EPI_EPROTO},
      {"000d 0008 00000001 000d 0008 00000001", "token expenditure comes twice",
       EPI_EPROTO},
  };

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cr_expect_eq(refused(cases[i].hex, cases[i].detail), cases[i].error, "%s",
                 cases[i].hex);
  }
}

Test(socks6_options, an_operation_reply_may_have_a_session_id) {
  size_t len = with_options(0, "0006 0008 01020304");
  const void *id;

  cr_expect_eq(splits_whole(read_reply, NULL, message, len), (ptrdiff_t)len);
  cr_expect_eq(epi_reply_session_id(reply, &id), 4);
  cr_expect_arr_eq(id, "\1\2\3\4", 4);
  cr_expect_eq(epi_reply_write(reply, EPI_SOCKS6, again, sizeof again),
               (ptrdiff_t)len);
  cr_expect_arr_eq(again, message, len);
  len = with_options(0, "0006 0008 01020304 0006 0008 01020304");
  cr_expect_eq(splits_whole(read_reply, NULL, message, len), EPI_EPROTO);
}

/* ---- memory ---- */

static const char *const everything =
    "0001 0008 c103 4000 0002 0008 0102 0205 0004 000c 02 01 0161 0162 0000"
    "0004 0008 06 616263 0004 0008 07 616263 0006 0008 01020304"
    "000b 0008 00000001 000d 0008 00000001 fde8 000c 0001 0001 61 000000";

Test(socks6_options, reading_survives_failing_allocations) {
  size_t len = with_options(1, everything);

  for (alloc_fail_start(); alloc_fail_more();) {
    epi_request *out;

    if (epi_request_new(&out)) {
      continue;
    }
    cr_expect_eq(epi_request_read(out, EPI_SOCKS6, message, len),
                 alloc_fail_happened() ? EPI_ENOMEM : (ptrdiff_t)len);
    epi_request_free(out);
  }
  cr_expect_eq(reads(everything), 0);
  expect_same(everything);
}

Test(socks6_options, only_metadata_and_data_of_methods_take_memory) {
  size_t len = annotated_hex(
      message, sizeof message,
      "06 01 0144 0050 00 03 03 612e62"
      "0001 0008 c101 1000 0001 0008 8102 0200 0001 0008 c103 4000"
      "0001 0008 c104 0200 0001 0008 8401 0000 0001 0008 8402 0200"
      "0001 0008 8403 0001 0001 0008 8501 0200 0001 0008 8502 0101"
      "0002 0008 0102 0205 0004 000c 02 01 0161 0162 0000"
      "0006 0084 07*128 000b 0008 00000001 000d 0008 00000001"
      "fc00 0054 00*80");

  for (alloc_fail_start(); alloc_fail_more();) {
    cr_expect_eq(epi_request_read(request, EPI_SOCKS6, message, len),
                 (ptrdiff_t)len);
    cr_expect_not(alloc_fail_happened());
  }
}
