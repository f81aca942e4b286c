/* test_inspect.c: patterns in the data of a flow, however it is cut. */
#include "epi/error.h"
#include "support/inspected.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* The same at every split: what comes out, and what is noted. */
static void expect_out(const char *args, const char *in, const char *out,
                       const char *notes) {
  for (size_t cut = 0; cut <= strlen(in); cut++) {
    char said[INSPECTED_NOTES];

    cr_assert_eq(inspected_send(args, EPI_BACKWARD, in, strlen(in), cut, said),
                 0, "%s: %s", in, epi_error_detail());
    cr_assert_str_eq(inspected_take(EPI_BACKWARD), out, "cut at %zu", cut);
    cr_assert_str_eq(said, notes, "%s", said);
  }
}

Test(inspect, masks_across_every_border) {
  expect_out("pattern=secret,action=mask", "a secret, secrets, secre",
             "a ******, ******s, secre", "masked pattern 1 backward");
  expect_out("pattern=abcd,pattern=bc,action=mask", "xabcx abcd ab",
             "xa**x **** ab",
             "masked pattern 2 backward, masked pattern 1 backward");
  expect_out("pattern=aa,action=mask", "aaaba", "***ba",
             "masked pattern 1 backward");
  expect_out("pattern=Patient,nocase,action=mask", "PATIENT patient",
             "******* *******", "masked pattern 1 backward");
}

Test(inspect, reports_and_changes_nothing) {
  expect_out("pattern=one,pattern=two,action=report", "two of one and one",
             "two of one and one",
             "found pattern 2 backward, found pattern 1 backward");
}

Test(inspect, refuses_before_the_last_byte_of_a_pattern_passes) {
  static const char text[] = "GO: the secret is out";

  cr_expect_eq(inspected_let_in("pattern=secret", text, sizeof text - 1,
                                "pattern 1 is in the data that goes forward"),
               0u);
  for (size_t cut = 1; cut < sizeof text; cut++) {
    char said[INSPECTED_NOTES];

    inspected_send("pattern=secret", EPI_FORWARD, text, sizeof text - 1, cut,
                   said);
    cr_expect_not(strstr(inspected_take(EPI_FORWARD), "secret"));
  }
}

Test(inspect, looks_only_the_way_that_it_was_told) {
  expect_out("pattern=secret,way=forward", "a secret", "a secret", "");
  expect_out("pattern=secret,way=both,action=report", "a secret", "a secret",
             "found pattern 1 backward");
}

Test(inspect, holds_nothing_back_unless_a_pattern_has_begun) {
  epi__filter_chain *chain = inspected_open("pattern=secret,action=mask");

  cr_assert_eq(inspected_feed(chain, EPI_BACKWARD, "all clear", 9), 0);
  cr_expect_str_eq(inspected_take(EPI_BACKWARD), "all clear");
  cr_assert_eq(inspected_feed(chain, EPI_BACKWARD, " sec", 4), 0);
  cr_expect_str_eq(inspected_take(EPI_BACKWARD), " ");
  cr_assert_eq(inspected_feed(chain, EPI_BACKWARD, "se", 2), 0);
  cr_expect_str_eq(inspected_take(EPI_BACKWARD), "sec");
  cr_assert_eq(inspected_feed(chain, EPI_BACKWARD, "cret", 4), 0);
  cr_expect_str_eq(inspected_take(EPI_BACKWARD), "******");
  epi__filter_chain_free(chain);
}

/* A search without wits: mask all that any of three patterns covers. */
static void mask_naively(char *out, const char *in,
                         const char *const patterns[3]) {
  memcpy(out, in, strlen(in) + 1);
  for (size_t i = 0; in[i]; i++) {
    for (int k = 0; k < 3; k++) {
      if (!strncmp(in + i, patterns[k], strlen(patterns[k]))) {
        memset(out + i, '*', strlen(patterns[k]));
      }
    }
  }
}

Test(inspect, masks_what_a_naive_search_masks) {
  uint32_t seed = 7;

  for (int round = 0; round < 300; round++) {
    char words[3][8], in[40], expected[40], args[128], said[INSPECTED_NOTES];
    const char *const patterns[3] = {words[0], words[1], words[2]};

    for (int k = 0; k < 4; k++) {
      char *text = k < 3 ? words[k] : in;
      size_t len = 0, most;

      seed = seed * 1664525 + 1013904223;
      most = k < 3 ? 1 + (seed >> 10) % 6 : sizeof in - 1;
      while (len < most) {
        seed = seed * 1664525 + 1013904223;
        text[len++] = (char)('a' + (seed >> 10) % 3);
      }
      text[len] = '\0';
    }
    snprintf(args, sizeof args, "action=mask,pattern=%s,pattern=%s,pattern=%s",
             words[0], words[1], words[2]);
    mask_naively(expected, in, patterns);
    for (size_t cut = 0; cut < strlen(in); cut += 3) {
      cr_assert_eq(
          inspected_send(args, EPI_BACKWARD, in, strlen(in), cut, said), 0);
      cr_assert_str_eq(inspected_take(EPI_BACKWARD), expected, "%s in %s", args,
                       in);
    }
  }
}

Test(inspect, numbers_the_lines_of_a_file) {
  inspected_words = "alpha\n\nbeta\r\n";
  expect_out("patterns=words,action=mask", "a beta", "a ****",
             "masked pattern 3 backward");
}

Test(inspect, refuses_arguments_that_say_nothing) {
  static const char *const bad[] = {"pattern=", "action=drop",   "way=up",
                                    "sni=",     "host=a b",      "nocase=yes",
                                    "nocases",  "patterns=words"};

  inspected_words = "\n\n";
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    epi_filter *filter = NULL;

    cr_expect_eq(epi__inspect_new(&filter, bad[i], inspected_read), EPI_EINVAL,
                 "%s", bad[i]);
  }
  cr_expect_eq(epi__inspect_new(&(epi_filter *){NULL}, "patterns=words", NULL),
               EPI_ENOTSUP);
}
