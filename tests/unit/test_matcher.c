/* test_matcher.c: many patterns in one pass, against a search without wits. */
#include "base/memory.h"
#include "filter/matcher.h"
#include "support/alloc_fail.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static uint32_t seed = 1;

static uint32_t random_below(uint32_t limit) {
  seed = seed * 1664525 + 1013904223;
  return (seed >> 8) % limit;
}

static uint8_t random_letter(uint32_t letters) {
  uint8_t letter = (uint8_t)('a' + random_below(letters));

  return random_below(4) ? letter : (uint8_t)(letter - 'a' + 'A');
}

static int same(uint8_t a, uint8_t b, int nocase) {
  if (nocase) {
    a = a >= 'A' && a <= 'Z' ? (uint8_t)(a | 0x20) : a;
    b = b >= 'A' && b <= 'Z' ? (uint8_t)(b | 0x20) : b;
  }
  return a == b;
}

/* The longest pattern that ends at text[end - 1], or NULL; the first if there
 * are two alike. */
static const epi__pattern *naive(const epi__patterns *patterns,
                                 const uint8_t *text, size_t end, int nocase) {
  const epi__pattern *best = NULL;

  for (size_t i = 0; i < patterns->count; i++) {
    const epi__pattern *one = &patterns->items[i];
    size_t k = 0;

    while (
        one->len <= end && k < one->len &&
        same(patterns->bytes[one->at + k], text[end - one->len + k], nocase)) {
      k++;
    }
    if (k == one->len && (!best || best->len < k)) {
      best = one;
    }
  }
  return best;
}

/* How many bytes at the end of a text begin a longer pattern. */
static size_t naive_begun(const epi__patterns *patterns, const uint8_t *text,
                          size_t end, int nocase) {
  size_t most = 0;

  for (size_t i = 0; i < patterns->count; i++) {
    const epi__pattern *one = &patterns->items[i];

    for (size_t len = one->len - 1; len > most; len--) {
      size_t k = 0;

      while (len <= end && k < len &&
             same(patterns->bytes[one->at + k], text[end - len + k], nocase)) {
        k++;
      }
      most = k == len ? len : most;
    }
  }
  return most;
}

/* Find everything in a text that comes in random parts, each a block of its
 * exact size. */
static void compare(const epi__patterns *patterns, const uint8_t *text,
                    size_t len, int nocase) {
  epi__matcher *matcher;
  uint32_t state = 0, hit;
  size_t at = 0;

  cr_assert_eq(epi__matcher_new(&matcher, patterns, nocase), 0);
  while (at < len) {
    size_t part = 1 + random_below(9), used = 0;
    uint8_t *copy;

    part = part < len - at ? part : len - at;
    copy = malloc(part);
    memcpy(copy, text + at, part);
    for (size_t from = at; used < part;) {
      size_t more =
          epi__matcher_find(matcher, &state, copy + used, part - used, &hit);
      const epi__pattern *expected =
          naive(patterns, text, from + used + more, nocase);

      for (size_t i = from + used + 1; i < from + used + more; i++) {
        cr_assert_null(naive(patterns, text, i, nocase));
      }
      used += more;
      cr_assert_eq(hit != 0, expected != NULL);
      if (hit) {
        cr_assert_eq(epi__matcher_number(matcher, hit), expected->number);
        cr_assert_eq(epi__matcher_len(matcher, hit), expected->len);
      }
      cr_assert_eq(epi__matcher_begun(matcher, state),
                   naive_begun(patterns, text, from + used, nocase));
    }
    at += part;
    free(copy);
  }
  epi__matcher_free(matcher);
}

Test(matcher, finds_what_a_naive_search_finds) {
  for (int round = 0; round < 400; round++) {
    uint32_t letters = 1 + random_below(4), count = 1 + random_below(12);
    epi__patterns patterns = {0};
    uint8_t text[200], one[12];

    for (uint32_t i = 0; i < count; i++) {
      size_t len = 1 + random_below(round % 2 ? 4 : 12);

      for (size_t k = 0; k < len; k++) {
        one[k] = random_letter(letters);
      }
      cr_assert_eq(epi__patterns_add(&patterns, one, len), 0);
    }
    for (size_t i = 0; i < sizeof text; i++) {
      text[i] = random_letter(letters + random_below(2));
    }
    compare(&patterns, text, sizeof text, round & 1);
    epi__patterns_clear(&patterns);
  }
}

/* Enough states that most have no row. */
Test(matcher, finds_the_same_beyond_its_rows) {
  epi__patterns patterns = {0};
  uint8_t one[32], *text = malloc(3000);
  size_t len = 0;

  for (int i = 0; i < 6000; i++) {
    for (size_t k = 0; k < sizeof one; k++) {
      one[k] = (uint8_t)random_below(256);
    }
    cr_assert_eq(epi__patterns_add(&patterns, one, sizeof one), 0);
  }
  while (len + sizeof one <= 3000) { /* patterns, some whole, some cut off */
    size_t part = random_below(2) ? sizeof one : 1 + random_below(30);

    memcpy(text + len, patterns.bytes + 32 * random_below(6000), part);
    len += part;
  }
  for (size_t end = 1; end < 2; end++) {
    epi__matcher *matcher;
    uint32_t state = 0, hit = 0;
    size_t at = 0, found = 0;

    cr_assert_eq(epi__matcher_new(&matcher, &patterns, 0), 0);
    cr_expect_gt(epi__matcher_memory(matcher), 6000u * 28 * 17);
    cr_expect_lt(epi__matcher_memory(matcher),
                 6001u * 32 * 17 + (4 << 20) + 8192);
    while (at < len) {
      at += epi__matcher_find(matcher, &state, text + at, len - at, &hit);
      if (hit) {
        const epi__pattern *expected = naive(&patterns, text, at, 0);

        cr_assert_not_null(expected);
        cr_assert_eq(epi__matcher_number(matcher, hit), expected->number);
        found++;
      }
    }
    cr_expect_gt(found, 20u);
    for (size_t i = 1; i <= len; i++) {
      found -= naive(&patterns, text, i, 0) != NULL;
    }
    cr_expect_eq(found, 0u);
    epi__matcher_free(matcher);
  }
  epi__patterns_clear(&patterns);
  free(text);
}

Test(matcher, tells_all_patterns_that_end_at_a_byte) {
  static const char *const texts[] = {"she", "he", "hers", "e", "he"};
  epi__patterns patterns = {0};
  epi__matcher *matcher;
  uint32_t state = 0, hit;

  for (size_t i = 0; i < 5; i++) {
    cr_assert_eq(epi__patterns_add(&patterns, texts[i], strlen(texts[i])), 0);
  }
  cr_assert_eq(epi__matcher_new(&matcher, &patterns, 0), 0);
  cr_assert_eq(
      epi__matcher_find(matcher, &state, (const uint8_t *)"ushers", 6, &hit),
      4u);
  cr_expect_eq(epi__matcher_number(matcher, hit), 1u);
  hit = epi__matcher_shorter(matcher, hit);
  cr_expect_eq(epi__matcher_number(matcher, hit), 2u, "the first of two alike");
  hit = epi__matcher_shorter(matcher, hit);
  cr_expect_eq(epi__matcher_number(matcher, hit), 4u);
  cr_expect_eq(epi__matcher_shorter(matcher, hit), 0u);
  epi__matcher_free(matcher);
  epi__patterns_clear(&patterns);
}

Test(matcher, takes_patterns_of_every_byte) {
  epi__patterns patterns = {0};
  uint8_t all[256];

  for (unsigned i = 0; i < 256; i++) {
    all[i] = (uint8_t)i;
    cr_assert_eq(epi__patterns_add(&patterns, all + i, 1), 0);
  }
  compare(&patterns, all, sizeof all, 0);
  compare(&patterns, all, sizeof all, 1);
  epi__patterns_clear(&patterns);
}

Test(patterns, are_lines_that_are_numbered) {
  epi__patterns patterns = {0};

  cr_assert_eq(epi__patterns_add_lines(&patterns, "one\r\n\nthree\nfour", 16),
               0);
  cr_assert_eq(patterns.count, 3u);
  cr_expect_eq(patterns.items[0].len, 3u);
  cr_expect_eq(patterns.items[1].number, 3u);
  cr_expect_eq(patterns.items[2].number, 4u);
  cr_expect_eq(memcmp(patterns.bytes, "onethreefour", 12), 0);
  epi__patterns_clear(&patterns);
}

Test(patterns, are_bounded) {
  static uint8_t zeros[EPI__PATTERN_MAX + 1];
  epi__patterns patterns = {0};
  int result;

  cr_expect_eq(epi__patterns_add(&patterns, zeros, sizeof zeros), EPI_ELIMIT);
  do {
    result = epi__patterns_add(&patterns, zeros, EPI__PATTERN_MAX);
  } while (!result);
  cr_expect_eq(result, EPI_ELIMIT);
  cr_expect_eq(patterns.used, (size_t)EPI__PATTERNS_BYTES);
  epi__patterns_clear(&patterns);
  do {
    result = epi__patterns_add(&patterns, zeros, 1);
  } while (!result);
  cr_expect_eq(result, EPI_ELIMIT);
  cr_expect_eq(patterns.count, (size_t)EPI__PATTERNS_MAX);
  epi__patterns_clear(&patterns);
}

Test(matcher, survives_failing_allocations) {
  for (alloc_fail_start(); alloc_fail_more();) {
    epi__patterns patterns = {0};
    epi__matcher *matcher = NULL;
    int result = epi__patterns_add_lines(&patterns, "one\ntwo\nthree", 13);

    if (!result) {
      result = epi__matcher_new(&matcher, &patterns, 0);
    }
    cr_expect_eq(result != 0, alloc_fail_happened());
    epi__matcher_free(matcher);
    epi__patterns_clear(&patterns);
  }
}
