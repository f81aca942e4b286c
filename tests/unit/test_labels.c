/* test_labels.c: names that counters are kept for. */
#include "base/memory.h"
#include "engine/labels.h"
#include "support/alloc_fail.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

Test(labels, a_name_has_one_index_and_keeps_it) {
  epi__labels labels = {0};

  epi__labels_start(&labels, 4);
  cr_expect_eq(epi__labels_index(&labels, "one"), 0);
  cr_expect_eq(epi__labels_index(&labels, "two"), 1);
  cr_expect_eq(epi__labels_index(&labels, "one"), 0);
  cr_expect_eq(epi__labels_count(&labels), 2);
  cr_expect_str_eq(epi__labels_text(&labels, 1), "two");
  epi__labels_clear(&labels);
}

Test(labels, what_has_no_room_is_counted_as_one) {
  epi__labels labels = {0};
  char name[16];

  epi__labels_start(&labels, EPI__LABELS_MAX);
  for (size_t i = 0; i < EPI__LABELS_MAX + 100; i++) {
    size_t expected = i < EPI__LABELS_MAX ? i : EPI__LABELS_MAX;

    snprintf(name, sizeof name, "rule %zu", i);
    cr_assert_eq(epi__labels_index(&labels, name), expected);
  }
  cr_expect_eq(epi__labels_index(&labels, "rule 5"), 5);
  cr_expect_eq(epi__labels_count(&labels), EPI__LABELS_MAX);
  epi__labels_clear(&labels);
}

Test(labels, are_short_text_that_is_utf8) {
  epi__labels labels = {0};
  char longest[EPI__LABEL_BYTES + 3];

  epi__labels_start(&labels, 8);
  cr_expect_eq(epi__labels_index(&labels, "a\n\xff\x80z\177"), 0);
  cr_expect_str_eq(epi__labels_text(&labels, 0), "a???z?");
  cr_expect_eq(epi__labels_index(&labels, "a\n\xff\x80z\177"), 0);
  memset(longest, 'x', sizeof longest);
  memcpy(longest + EPI__LABEL_BYTES - 1, "\xc3\xa9", 3);
  cr_expect_eq(epi__labels_index(&labels, longest), 1);
  cr_expect_eq(strlen(epi__labels_text(&labels, 1)), EPI__LABEL_BYTES - 1);
  cr_expect_eq(epi__labels_index(&labels, longest), 1);
  epi__labels_clear(&labels);
}

Test(labels, without_memory_a_name_is_one_of_the_others) {
  for (alloc_fail_start(); alloc_fail_more();) {
    epi__labels labels = {0};
    size_t index;

    epi__labels_start(&labels, 4);
    index = epi__labels_index(&labels, "one");
    cr_expect_eq(index, alloc_fail_happened() ? 4 : 0);
    cr_expect_eq(epi__labels_index(&labels, "one"), 0);
    epi__labels_clear(&labels);
  }
}
