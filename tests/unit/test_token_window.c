/* test_token_window.c: spending tokens, against a model that forgets nothing.
 */
#include "socks/token_window.h"
#include "support/alloc_fail.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static epi__token_window open_at(uint32_t base, uint32_t size) {
  epi__token_window window = {0};

  cr_assert_eq(epi__token_window_open(&window, base, size), 0);
  return window;
}

Test(token_window, a_token_is_spent_once) {
  epi__token_window window = open_at(0, 8);

  cr_expect_eq(epi__token_window_spend(&window, 3), 1);
  cr_expect_eq(epi__token_window_spend(&window, 3), 0);
  cr_expect_eq(window.base, 0);
  cr_expect_eq(epi__token_window_spend(&window, 8), 0, "beyond the window");
  cr_expect_eq(epi__token_window_spend(&window, UINT32_MAX), 0, "below it");
  epi__token_window_clear(&window);
}

Test(token_window, shifts_as_soon_as_the_lowest_is_spent) {
  epi__token_window window = open_at(100, 8);

  epi__token_window_spend(&window, 101);
  epi__token_window_spend(&window, 102);
  cr_expect_eq(window.base, 100);
  epi__token_window_spend(&window, 100);
  cr_expect_eq(window.base, 103);
  cr_expect_eq(window.size, 8);
  cr_expect_eq(epi__token_window_spend(&window, 110), 1, "one that entered");
  cr_expect_eq(epi__token_window_spend(&window, 102), 0);
  epi__token_window_clear(&window);
}

Test(token_window, shifts_when_a_high_token_is_spent) {
  epi__token_window window = open_at(0, 8);

  epi__token_window_spend(&window, 5);
  cr_expect_eq(window.base, 0, "not in the highest quarter");
  epi__token_window_spend(&window, 7);
  cr_expect_eq(window.base, 2);
  cr_expect_eq(epi__token_window_spend(&window, 1), 0, "forfeited");
  cr_expect_eq(epi__token_window_spend(&window, 2), 1);
  epi__token_window_clear(&window);
}

Test(token_window, does_not_shift_beyond_the_highest_unspent_token) {
  for (uint32_t size = 1; size <= 4; size++) {
    epi__token_window window = open_at(0, size);

    for (uint32_t token = 1; token < size; token++) {
      cr_expect_eq(epi__token_window_spend(&window, token), 1);
      cr_expect_eq(window.base, 0, "0 is the highest that is unspent");
    }
    cr_expect_eq(epi__token_window_spend(&window, 0), 1);
    cr_expect_eq(window.base, size);
    epi__token_window_clear(&window);
  }
}

Test(token_window, tokens_go_round_at_the_end_of_their_space) {
  epi__token_window window = open_at(UINT32_MAX - 2, 8);

  cr_expect_eq(epi__token_window_spend(&window, 1), 1);
  cr_expect_eq(epi__token_window_spend(&window, 5), 0, "beyond the window");
  cr_expect_eq(epi__token_window_spend(&window, UINT32_MAX - 3), 0);
  cr_expect_eq(epi__token_window_spend(&window, UINT32_MAX), 1);
  cr_expect_eq(epi__token_window_spend(&window, UINT32_MAX - 2), 1);
  cr_expect_eq(window.base, UINT32_MAX - 1);
  cr_expect_eq(epi__token_window_spend(&window, UINT32_MAX - 1), 1);
  cr_expect_eq(window.base, 0);
  cr_expect_eq(epi__token_window_spend(&window, 0), 1);
  cr_expect_eq(window.base, 2);
  cr_expect_eq(epi__token_window_spend(&window, UINT32_MAX), 0);
  epi__token_window_clear(&window);
}

/* All tokens that were ever spent, by how far they are from the first base. */
enum { SPACE = 20000 };
static uint8_t ever[SPACE];

/* The highest token that is unspent, by its place in ever; -1 for none. */
static int64_t highest_unspent(int64_t base, int64_t size) {
  int64_t at = base + size;

  while (--at >= base && ever[at]) {
  }
  return at < base ? -1 : at;
}

static void compare(uint32_t first, uint32_t size, unsigned seed) {
  epi__token_window window = open_at(first, size);

  memset(ever, 0, sizeof ever);
  srand(seed);
  for (int round = 0; round < 4000; round++) {
    int64_t base = (int64_t)(uint32_t)(window.base - first);
    /* Around the window, mostly low tokens; some below it, some beyond. */
    int64_t at =
        base - 3 + (rand() % 4 ? rand() % (size / 2 + 6) : rand() % (size + 6));
    int64_t highest, moved;
    int inside, spent;

    if (at < 0 || base + 3 * (int64_t)size + 16 > SPACE) {
      continue;
    }
    inside = at >= base && at < base + size;
    spent = epi__token_window_spend(&window, first + (uint32_t)at);
    cr_assert_eq(spent, inside && !ever[at], "token %d of %u", (int)at, size);
    moved = (int64_t)(uint32_t)(window.base - first);
    cr_assert_eq(window.size, size);
    if (!spent) {
      cr_assert_eq(moved, base, "nothing changes");
      continue;
    }
    ever[at] = 1;
    highest = highest_unspent(base, size);
    cr_assert_geq(moved, base);
    cr_assert(highest < 0 ? moved == base + size : moved <= highest,
              "from %d to %d, highest unspent %d", (int)base, (int)moved,
              (int)highest);
    cr_assert(moved == base || at == base || at - base >= size - size / 4);
    cr_assert_not(ever[moved], "the base is never spent");
  }
  epi__token_window_clear(&window);
}

Test(token_window, does_as_a_model_that_forgets_nothing) {
  static const uint32_t sizes[] = {1, 2, 3, 4, 5, 7, 8, 9, 16, 33, 100, 1024};

  for (unsigned seed = 0; seed < 4; seed++) {
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
      compare(seed % 2 ? UINT32_MAX - 700 : 0, sizes[i], seed);
    }
  }
}

Test(token_window, survives_failing_allocations) {
  for (alloc_fail_start(); alloc_fail_more();) {
    epi__token_window window = {0};

    if (epi__token_window_open(&window, 0, 9)) {
      cr_expect_eq(epi__token_window_spend(&window, 0), 0, "no window");
    }
    epi__token_window_clear(&window);
  }
}
