/* test_socks6_codec.c: messages of SOCKS 6, draft-11 and draft-12. */
#include "socks/wire.h"
#include "support/alloc_fail.h"
#include "support/annotated_hex.h"
#include "support/splits.h"

#include <criterion/criterion.h>
#include <string.h>

static uint8_t message[32768], again[32768];

typedef struct draft_out {
  int draft;
  epi_request *request;
  epi_reply *reply;
  epi_auth_reply *auth;
} draft_out;

static ptrdiff_t read_request(void *user, const void *buf, size_t len) {
  draft_out *out = user;

  return epi_request_read(out->request, out->draft, buf, len);
}

static ptrdiff_t read_reply(void *user, const void *buf, size_t len) {
  draft_out *out = user;

  return epi_reply_read(out->reply, out->draft, buf, len);
}

static ptrdiff_t read_auth(void *user, const void *buf, size_t len) {
  draft_out *out = user;

  return epi_auth_reply_read(out->auth, out->draft, buf, len);
}

/* Reads a message that is whole, and every beginning of it. */
static ptrdiff_t check(splits_read *read, draft_out *out, const char *hex) {
  size_t len = annotated_hex(message, sizeof message, hex);

  cr_expect_eq(splits_not_waiting(read, out, message, len), 0, "%s", hex);
  return splits_whole(read, out, message, len);
}

static ptrdiff_t whole(splits_read *read, draft_out *out, const char *hex) {
  return splits_whole(read, out, message,
                      annotated_hex(message, sizeof message, hex));
}

static draft_out new_out(int draft) {
  draft_out out = {.draft = draft};

  cr_assert_eq(epi_request_new(&out.request), 0);
  cr_assert_eq(epi_reply_new(&out.reply), 0);
  cr_assert_eq(epi_auth_reply_new(&out.auth), 0);
  return out;
}

static void free_out(draft_out *out) {
  epi_request_free(out->request);
  epi_reply_free(out->reply);
  epi_auth_reply_free(out->auth);
}

Test(socks6_codec, addresses_go_both_ways) {
  static const char *const cases[] = {
      "06 01 0000 0050 00 01 0a010203",
      "06 02 0000 01bb 00 04 20010db8 00*11 01",
      "06 00 0000 0000 00 01 00000000",
      "06 01 0000 0050 00 03 03 612e62",
  };

  for (int draft = EPI_SOCKS6;; draft = EPI_SOCKS6_12) {
    draft_out out = new_out(draft);

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
      ptrdiff_t len = check(read_request, &out, cases[i]);

      cr_expect_gt(len, 0);
      cr_expect_eq(epi_request_write(out.request, draft, NULL, 0), len);
      cr_expect_eq(
          epi_request_write(out.request, draft, again, (size_t)len - 1),
          EPI_ELIMIT);
      cr_expect_eq(epi_request_write(out.request, draft, again, (size_t)len),
                   len);
      cr_expect_arr_eq(again, message, (size_t)len);
    }
    free_out(&out);
    if (draft == EPI_SOCKS6_12) {
      break;
    }
  }
}

Test(socks6_codec, each_draft_writes_its_names_and_reads_both) {
  static const char *const padded = "06 01 0000 0050 00 03 02 6162 00";
  static const char *const counted = "06 01 0000 0050 00 03 03 6162 00";

  for (int i = 0; i < 2; i++) {
    int draft = i ? EPI_SOCKS6_12 : EPI_SOCKS6;
    draft_out out = new_out(draft);

    for (int k = 0; k < 2; k++) {
      cr_expect_eq(check(read_request, &out, k ? counted : padded), 12);
      cr_expect_str_eq(epi_request_dest(out.request)->name, "ab");
      cr_expect_eq(epi_request_write(out.request, draft, again, sizeof again),
                   12);
      annotated_hex(message, sizeof message, i ? counted : padded);
      cr_expect_arr_eq(again, message, 12);
    }
    free_out(&out);
  }
}

Test(socks6_codec, names_of_every_length_come_back) {
  for (int i = 0; i < 2; i++) {
    int draft = i ? EPI_SOCKS6_12 : EPI_SOCKS6;
    draft_out out = new_out(draft);
    char name[EPI_NAME_MAX];

    memset(name, 'n', sizeof name);
    for (size_t len = 1; len <= sizeof name; len++) {
      ptrdiff_t size;
      epi_addr dest;

      cr_assert_eq(epi_addr_set_name(&dest, name, len, 80), 0);
      epi_request_set_dest(out.request, &dest);
      size = epi_request_write(out.request, draft, again, sizeof again);
      cr_assert_eq(size % 4, 0);
      cr_assert_eq(splits_whole(read_request, &out, again, (size_t)size), size);
      cr_assert(epi_addr_equal(epi_request_dest(out.request), &dest));
    }
    free_out(&out);
  }
}

Test(socks6_codec, padding_may_hold_anything) {
  draft_out out = new_out(EPI_SOCKS6);

  cr_expect_eq(check(read_request, &out, "06 01 0000 0050 ff 03 02 6162 ff"),
               12);
  cr_expect_str_eq(epi_request_dest(out.request)->name, "ab");
  free_out(&out);
}

Test(socks6_codec, the_fields_of_a_noop_have_no_meaning) {
  draft_out out = new_out(EPI_SOCKS6);

  cr_expect_eq(check(read_request, &out, "06 00 0000 0050 00 01 01020304"), 12);
  cr_expect_eq(epi_request_dest(out.request)->port, 0);
  free_out(&out);
}

Test(socks6_codec, options_are_read_and_written) {
  draft_out out = new_out(EPI_SOCKS6);
  ptrdiff_t len = check(read_request, &out,
                        "06 01 0034 0050 00 01 01020304"
                        "0002 0008 0010 02 00      # advertisement, 16 bytes"
                        "\n0004 000c 02 01 0161 0162 0000 # login a, b"
                        "\n0001 0008 01020304      # a stack option"
                        "\nfde8 000c 0001 0003 787978 00"
                        "\nfde8 000c 07d4 0004 c3a961 62");

  cr_assert_eq(len, 12 + 0x34);
  cr_expect(out.request->advert.present);
  cr_expect_eq(out.request->advert.initial_data, 16);
  cr_expect(epi__advert_has(&out.request->advert, 2));
  cr_expect_not(epi__advert_has(&out.request->advert, 1));
  cr_expect_str_eq(epi_request_user(out.request), "a");
  cr_expect_str_eq(epi_request_password(out.request), "b");
  cr_expect_str_eq(epi_request_metadata(out.request, 1), "xyx");
  cr_expect_str_eq(epi_request_metadata(out.request, EPI_META_USER), "\xc3\xa9"
                                                                     "ab");
  len = epi_request_write(out.request, EPI_SOCKS6, again, sizeof again);
  cr_expect_eq(len, 12 + 0x34 - 8, "all but the stack option");
  cr_expect_arr_eq(again + 12, message + 12, 20);
  cr_expect_arr_eq(again + 32, message + 40, 24);
  free_out(&out);
}

/* Alone in their byte of the set, next to each other, first and last. */
Test(socks6_codec, the_methods_that_are_advertised_come_back) {
  static const int methods[] = {1, 2, 7, 8, 31, 64, 254};
  draft_out out = new_out(EPI_SOCKS6), back = new_out(EPI_SOCKS6);
  epi_addr dest;
  ptrdiff_t len;
  size_t next = 0;

  epi_addr_parse(&dest, "10.0.0.1:80", -1);
  epi_request_set_dest(out.request, &dest);
  for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
    cr_assert_eq(epi_request_offer_method(out.request, methods[i]), 0);
  }
  len = epi_request_write(out.request, EPI_SOCKS6, again, sizeof again);
  cr_assert_eq(len, 8 + 4 + 16); /* 4 and 2 before 7 methods, 3 behind */
  cr_assert_eq(splits_whole(read_request, &back, again, (size_t)len), len);
  for (int method = 1; method < 255; method++) {
    int offered =
        next < sizeof methods / sizeof *methods && methods[next] == method;

    cr_expect_eq(epi_request_offers_method(back.request, method), offered, "%d",
                 method);
    next += (size_t)offered;
  }
  free_out(&out);
  free_out(&back);
}

Test(socks6_codec, the_last_of_equal_keys_wins) {
  draft_out out = new_out(EPI_SOCKS6);

  cr_expect_eq(check(read_request, &out,
                     "06 01 0018 0050 00 01 01020304"
                     "fde8 000c 0001 0001 61 000000"
                     "fde8 000c 0001 0001 62 ffffff"),
               36);
  cr_expect_str_eq(epi_request_metadata(out.request, 1), "b");
  cr_expect_eq(epi_request_metadata_key(out.request, 1), EPI_ENOENT);
  free_out(&out);
}

Test(socks6_codec, more_padding_than_needed_is_taken) {
  draft_out out = new_out(EPI_SOCKS6);

  cr_expect_eq(check(read_request, &out,
                     "06 01 0010 0050 00 01 01020304"
                     "fde8 0010 0001 0004 61626364 00000000"),
               28);
  cr_expect_str_eq(epi_request_metadata(out.request, 1), "abcd");
  free_out(&out);
}

Test(socks6_codec, refuses_what_no_client_may_send) {
  static const struct {
    const char *hex;
    int error;
    const char *detail;
  } cases[] = {
      {"05", EPI_EVERSION, "version 5"},
      {"06 01 4004", EPI_EPROTO, "bytes of options"},
      {"06 01 0006", EPI_EPROTO, "options length of 6"},
      {"06 01 0000 0050 00 02", EPI_EPROTO, "address type 2"},
      {"06 01 0000 0050 00 03 00 000000", EPI_EPROTO, "host name"},
      {"06 01 0000 0050 00 03 03 000000", EPI_EPROTO, "host name"},
      {"06 01 0000 0050 00 03 03 610062", EPI_EPROTO, "host name"},
      {"06 04 0000 0050 00 01 01020304", EPI_EPROTO, "command 4"},
      {"06 01 0004 0050 00 01 01020304 00630000", EPI_EPROTO, "length 0"},
      {"06 01 0008 0050 00 01 01020304 00630006 00000000", EPI_EPROTO,
       "length 6"},
      {"06 01 0004 0050 00 01 01020304 00630008", EPI_EPROTO, "kind 99"},
      {"06 01 0004 0050 00 01 01020304 00020004", EPI_EPROTO, "too short"},
      {"06 01 0008 0050 00 01 01020304 00020008 40010000", EPI_EPROTO,
       "initial data"},
      {"06 01 0010 0050 00 01 01020304 00020008 00000200 00020008 00000200",
       EPI_EPROTO, "twice"},
      {"06 01 0004 0050 00 01 01020304 00040004", EPI_EPROTO, "no method"},
      {"06 01 0008 0050 00 01 01020304 00040008 02010261", EPI_EPROTO, "login"},
      {"06 01 000c 0050 00 01 01020304 0004000c 02050161 01620000", EPI_EPROTO,
       "login has version 5"},
      {"06 01 000c 0050 00 01 01020304 0004000c 02010001 62000000", EPI_EPROTO,
       "user name"},
      {"06 01 0018 0050 00 01 01020304 0004000c 02010161 01620000"
       "0004000c 02010161 01620000",
       EPI_EPROTO, "twice"},
      {"06 01 0004 0050 00 01 01020304 fde80004", EPI_EPROTO, "metadata"},
      {"06 01 000c 0050 00 01 01020304 fde8000c 00010005 61626364", EPI_EPROTO,
       "metadata"},
      {"06 01 000c 0050 00 01 01020304 fde8000c 00010001 00000000", EPI_EPROTO,
       "metadata 1"},
      {"06 01 000c 0050 00 01 01020304 fde8000c 00010001 ff000000", EPI_EPROTO,
       "metadata 1"},
  };
  draft_out out = new_out(EPI_SOCKS6);

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cr_expect_eq(whole(read_request, &out, cases[i].hex), cases[i].error, "%s",
                 cases[i].hex);
    cr_expect(strstr(epi_error_detail(), cases[i].detail), "%s: %s",
              cases[i].hex, epi_error_detail());
  }
  cr_expect_eq(epi_request_dest(out.request)->kind, EPI_ADDR_NONE, "untouched");
  free_out(&out);
}

Test(socks6_codec, each_draft_has_its_limit_of_options) {
  static const size_t limits[2] = {EPI_OPTIONS_MAX, EPI_OPTIONS_MAX_12};

  for (int i = 0; i < 2; i++) {
    draft_out out = new_out(i ? EPI_SOCKS6_12 : EPI_SOCKS6);
    size_t len = annotated_hex(message, sizeof message,
                               "06 01 0000 0050 00 01 01020304");
    char value[EPI_METADATA_VALUE_MAX + 1];

    memset(message + len, 0, limits[i] + 4);
    for (size_t at = len; at < len + limits[i]; at += 4) {
      memcpy(message + at, "\0\x63\0\4", 4); /* options without data */
    }
    message[2] = (uint8_t)(limits[i] >> 8);
    cr_expect_eq(splits_whole(read_request, &out, message, len + limits[i]),
                 (ptrdiff_t)(len + limits[i]));
    message[3] = 4;
    cr_expect_eq(splits_whole(read_request, &out, message, len + limits[i]),
                 EPI_EPROTO);

    memset(value, 'v', EPI_METADATA_VALUE_MAX);
    value[EPI_METADATA_VALUE_MAX] = '\0';
    for (int key = 0; key < 3 + i; key++) {
      epi_request_set_metadata(out.request, key, value);
    }
    cr_expect_gt(epi_request_write(out.request, out.draft, again, sizeof again),
                 0);
    epi_request_set_metadata(out.request, 3 + i, value);
    epi_request_set_metadata(out.request, 4 + i, value);
    cr_expect_eq(epi_request_write(out.request, out.draft, again, sizeof again),
                 EPI_ELIMIT);
    free_out(&out);
  }
}

Test(socks6_codec, too_many_metadata_are_refused) {
  draft_out out = new_out(EPI_SOCKS6);

  for (size_t count = EPI_METADATA_MAX; count <= EPI_METADATA_MAX + 1;
       count++) {
    epi__writer to = epi__writer_over(message, sizeof message);

    epi__write_bytes(&to, "\6\1", 2);
    epi__write_u16(&to, (unsigned)count * 8);
    epi__write_bytes(&to, "\0\x50\0\1\1\2\3\4", 8);
    for (size_t key = 0; key < count; key++) {
      epi__write_u16(&to, 65000);
      epi__write_u16(&to, 8);
      epi__write_u16(&to, (unsigned)key);
      epi__write_u16(&to, 0);
    }
    cr_expect_eq(splits_whole(read_request, &out, message, to.used),
                 count == EPI_METADATA_MAX ? (ptrdiff_t)to.used : EPI_EPROTO);
  }
  free_out(&out);
}

Test(socks6_codec, operation_replies_go_both_ways) {
  draft_out out = new_out(EPI_SOCKS6);

  cr_expect_eq(epi_reply_write(out.reply, EPI_SOCKS6, again, sizeof again), 12);
  cr_expect_arr_eq(again, "\6\0\0\0\0\0\0\1\0\0\0\0", 12);
  cr_expect_eq(check(read_reply, &out,
                     "06 09 0014 0438 00 03 03 610000"
                     "0001 0008 01020304"
                     "fde8 000c 07db 0002 6e6f 0000"),
               32);
  cr_expect_eq(epi_reply_code(out.reply), EPI_REPLY_TIMED_OUT);
  cr_expect_str_eq(epi_reply_bound(out.reply)->name, "a");
  cr_expect_str_eq(epi_reply_metadata(out.reply, EPI_META_REASON), "no");
  cr_expect_eq(epi_reply_write(out.reply, EPI_SOCKS6, again, sizeof again), 24);
  cr_expect_eq(again[8], 1, "the length of a name in draft-11");
  epi_reply_write(out.reply, EPI_SOCKS6_12, again, sizeof again);
  cr_expect_eq(again[8], 3, "the length of a name in draft-12");
  cr_expect_eq(whole(read_reply, &out, "05"), EPI_EVERSION);
  cr_expect_eq(whole(read_reply, &out, "06 00 0000 0000 00 05"), EPI_EPROTO);
  cr_expect_eq(whole(read_reply, &out, "06 00 0002"), EPI_EPROTO);
  free_out(&out);
}

Test(socks6_codec, authentication_replies_go_both_ways) {
  static const struct {
    const char *hex;
    int ok, method, login;
  } cases[] = {
      {"06 00 0000", 1, -1, -1},
      {"06 01 0000", 0, -1, -1},
      {"06 01 0008 0003 0008 02000000", 0, 2, -1},
      {"06 01 0008 0003 0008 ff000000", 0, 255, -1},
      {"06 00 0008 0004 0008 02010000", 1, -1, 0},
      {"06 01 0010 0003 0008 ff000000 0004 0008 02010100", 0, 255, 1},
  };
  draft_out out = new_out(EPI_SOCKS6);

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    ptrdiff_t len = check(read_auth, &out, cases[i].hex);

    cr_assert_gt(len, 0);
    cr_expect_eq(epi_auth_reply_ok(out.auth), cases[i].ok);
    cr_expect_eq(epi_auth_reply_method(out.auth), cases[i].method);
    cr_expect_eq(epi_auth_reply_login(out.auth), cases[i].login);
    cr_expect_eq(
        epi_auth_reply_write(out.auth, EPI_SOCKS6, again, sizeof again), len);
    cr_expect_arr_eq(again, message, (size_t)len);
  }
  cr_expect_eq(check(read_auth, &out, "06 00 0004 0011 0004"), 8);
  cr_expect_eq(whole(read_auth, &out, "05"), EPI_EVERSION);
  cr_expect_eq(whole(read_auth, &out, "06 02"), EPI_EPROTO);
  cr_expect_eq(whole(read_auth, &out, "06 01 0004 0003 0004"), EPI_EPROTO);
  cr_expect_eq(whole(read_auth, &out, "06 01 0004 0004 0004"), EPI_EPROTO);
  cr_expect_eq(whole(read_auth, &out, "06 01 0008 0004 0008 02050000"),
               EPI_EPROTO);
  free_out(&out);
}

Test(socks6_codec, survives_failing_allocations) {
  size_t len = annotated_hex(message, sizeof message,
                             "06 01 0018 0050 00 01 01020304"
                             "fde8 000c 0001 0001 61 000000"
                             "fde8 000c 0002 0001 62 000000");

  for (alloc_fail_start(); alloc_fail_more();) {
    epi_request *request;
    epi_reply *reply;

    if (epi_request_new(&request)) {
      continue;
    }
    cr_expect_eq(epi_request_read(request, EPI_SOCKS6, message, len),
                 alloc_fail_happened() ? EPI_ENOMEM : (ptrdiff_t)len);
    epi_request_free(request);
    if (epi_reply_new(&reply)) {
      continue;
    }
    if (!alloc_fail_happened()) {
      ptrdiff_t n = epi_reply_read(reply, EPI_SOCKS6, message, len);

      cr_expect_eq(n, alloc_fail_happened() ? EPI_ENOMEM : (ptrdiff_t)len);
    }
    epi_reply_free(reply);
  }
}

Test(socks6_codec, reading_without_metadata_allocates_nothing) {
  epi_request *request;
  size_t len = annotated_hex(message, sizeof message,
                             "06 01 000c 0050 00 01 01020304"
                             "0004 000c 02 01 0161 0162 0000");

  epi_request_new(&request);
  for (alloc_fail_start(); alloc_fail_more();) {
    cr_expect_eq(epi_request_read(request, EPI_SOCKS6, message, len), 24);
    cr_expect_not(alloc_fail_happened());
  }
  epi_request_free(request);
}

Test(socks6_codec, a_reply_with_too_much_metadata_is_not_written) {
  static const int versions[] = {EPI_SOCKS6, EPI_SOCKS6_12, EPI_SOCKSX};
  char value[EPI_METADATA_VALUE_MAX + 1];
  epi_reply *out;

  memset(value, 'a', sizeof value - 1);
  value[sizeof value - 1] = '\0';
  cr_assert_eq(epi_reply_new(&out), 0);
  for (int key = 1; key <= 5; key++) {
    cr_assert_eq(epi_reply_set_metadata(out, key, value), 0);
  }
  for (int i = 0; i < 3; i++) {
    cr_expect_eq(epi_reply_write(out, versions[i], NULL, 0), EPI_ELIMIT);
  }
  epi_reply_set_metadata(out, 5, NULL);
  epi_reply_set_metadata(out, 4, NULL);
  cr_expect_gt(epi_reply_write(out, EPI_SOCKS6, NULL, 0), 0);
  epi_reply_free(out);
}
