/* test_names.c: texts and their numbers. */
#include "base/names.h"
#include "epi/error.h"
#include "support/alloc_fail.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

Test(names, each_text_has_one_number) {
  epi__names names = {0};
  char text[16];

  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < 5000; i++) {
      snprintf(text, sizeof text, "name-%d", i);
      cr_assert_eq(epi__names_add(&names, text), i);
    }
  }
  cr_expect_eq(names.count, 5000);
  cr_expect_str_eq(names.texts[4321], "name-4321");
  cr_expect_eq(epi__names_find(&names, "name-5000"), EPI_ENOENT);
  epi__names_clear(&names);
  cr_expect_eq(epi__names_find(&names, "name-1"), EPI_ENOENT);
}

enum {
  BLOCK = 5,
  BLOCKS = 12, /* pairs of blocks: 4096 names */
  LOW = 20,    /* bits */
};

/* FNV-1a, a hash without a key. */
static uint32_t fnv(uint32_t hash, const char *text, size_t len) {
  while (len--) {
    hash = (hash ^ (unsigned char)*text++) * 16777619u;
  }
  return hash;
}

static void write_block(char *out, uint32_t number) {
  for (size_t i = 0; i < BLOCK; i++, number /= 26) {
    out[i] = (char)('a' + number % 26);
  }
}

/* Two blocks that lead from a hash to the same lower bits; the hash behind. */
static uint32_t find_twins(uint32_t hash, char twins[2][BLOCK]) {
  static uint32_t seen[1 << LOW]; /* 0, or a number + 1 */

  memset(seen, 0, sizeof seen);
  for (uint32_t number = 0;; number++) {
    uint32_t behind, *slot;

    write_block(twins[0], number);
    behind = fnv(hash, twins[0], BLOCK);
    slot = &seen[behind & ((1u << LOW) - 1)];
    if (*slot) {
      write_block(twins[1], *slot - 1);
      return behind;
    }
    *slot = number + 1;
  }
}

static size_t longest_run(const epi__names *names) {
  size_t longest = 0, run = 0;

  for (size_t i = 0; i < names->slot_count; i++) {
    run = names->slots[i] ? run + 1 : 0;
    longest = run > longest ? run : longest;
  }
  return longest;
}

Test(names, names_made_to_collide_do_not) {
  char twins[BLOCKS][2][BLOCK], text[BLOCKS * BLOCK + 1] = "";
  epi__names names = {0};
  uint32_t start = 2166136261u, hash = start;

  for (size_t i = 0; i < BLOCKS; i++) {
    hash = find_twins(hash, twins[i]);
  }
  for (unsigned chosen = 0; chosen < 1u << BLOCKS; chosen++) {
    for (size_t i = 0; i < BLOCKS; i++) {
      memcpy(text + i * BLOCK, twins[i][chosen >> i & 1], BLOCK);
    }
    cr_assert_eq(fnv(start, text, strlen(text)) << (32 - LOW),
                 hash << (32 - LOW));
    cr_assert_eq(epi__names_add(&names, text), chosen);
  }
  cr_expect_lt(longest_run(&names), 300); /* one of 4096 without a key */
  epi__names_clear(&names);
}

Test(names, finds_what_was_meant) {
  epi__names names = {0};

  epi__names_add(&names, "encryption");
  epi__names_add(&names, "firewall");
  cr_expect_str_eq(epi__names_near(&names, "encrypton"), "encryption");
  cr_expect_str_eq(epi__names_near(&names, "firewal"), "firewall");
  cr_expect_null(epi__names_near(&names, "zebra"));
  epi__names_clear(&names);
}

Test(names, survives_failing_allocations) {
  for (alloc_fail_start(); alloc_fail_more();) {
    epi__names names = {0};
    char text[16];

    for (int i = 0; i < 40; i++) {
      snprintf(text, sizeof text, "%d", i);
      if (epi__names_add(&names, text) == EPI_ENOMEM) {
        break;
      }
    }
    for (size_t i = 0; i < names.count; i++) {
      cr_assert_eq(epi__names_find(&names, names.texts[i]), (ptrdiff_t)i);
    }
    epi__names_clear(&names);
  }
}
