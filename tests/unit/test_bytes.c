/* test_bytes.c: reader, writer, queue, text, hexadecimal. */
#include "base/bytes.h"
#include "epi/error.h"
#include "support/alloc_fail.h"

#include <criterion/criterion.h>
#include <string.h>

Test(bytes, reader_is_sticky_at_the_end) {
  epi__reader in = epi__reader_over("\x01\x02\x03\x04\x05", 5);

  cr_expect_eq(epi__read_u32(&in), 0x01020304);
  cr_expect_eq(epi__read_u16(&in), 0);
  cr_expect(in.missing);
  cr_expect_eq(epi__read_u8(&in), 0, "nothing more once something is missing");
  cr_expect_eq(in.used, 4);
}

Test(bytes, a_part_ends_where_it_ends) {
  epi__reader in = epi__reader_over("abcdef", 6);
  epi__reader part = epi__read_part(&in, 2);

  cr_expect_eq(epi__read_u16(&part), 'a' << 8 | 'b');
  epi__skip(&part, 1);
  cr_expect(part.missing);
  cr_expect_eq(epi__read_u8(&in), 'c');
  part = epi__read_part(&in, 9);
  cr_expect(part.missing && in.missing);
}

Test(bytes, writer_counts_past_its_end) {
  uint8_t buf[4] = {9, 9, 9, 9};
  epi__writer out = epi__writer_over(buf, 3);

  epi__write_u16(&out, 0x0102);
  epi__write_u16(&out, 0x0304);
  cr_expect_eq(epi__writer_end(&out), EPI_ELIMIT);
  cr_expect_eq(buf[3], 9);
  out = epi__writer_over(NULL, 0);
  epi__write_u64(&out, 1);
  epi__write_zeros(&out, 3);
  cr_expect_eq(epi__writer_end(&out), 11);
}

Test(bytes, queue_gives_back_what_was_appended) {
  epi__queue queue = {0};
  uint8_t in[3000], next_in = 0, next_out = 0;
  const uint8_t *data;

  for (int round = 0; round < 200; round++) {
    size_t len = (size_t)(round * 37 % 3000);
    size_t held;

    for (size_t i = 0; i < len; i++) {
      in[i] = next_in++;
    }
    cr_assert_eq(epi__queue_append(&queue, in, len), 0);
    held = epi__queue_peek(&queue, &data);
    for (size_t i = 0; i < held / 2; i++) {
      cr_assert_eq(data[i], next_out++);
    }
    epi__queue_ack(&queue, held / 2);
  }
  epi__queue_ack(&queue, SIZE_MAX);
  cr_expect_null(queue.block, "an empty queue holds no memory");
}

Test(bytes, text_survives_a_failing_allocation) {
  for (alloc_fail_start(); alloc_fail_more();) {
    epi__text text = {0};
    char *block;

    for (int i = 0; i < 100; i++) {
      epi__text_printf(&text, "%d %s", i, "and some words to make it longer");
    }
    block = epi__text_take(&text);
    cr_expect_eq(block == NULL, alloc_fail_happened());
    epi_free(block);
  }
}

Test(bytes, text_takes_long_pieces) {
  char piece[2000];
  epi__text text = {0};
  char *block;

  memset(piece, 'x', sizeof piece - 1);
  piece[sizeof piece - 1] = '\0';
  epi__text_printf(&text, "<%s>", piece);
  block = epi__text_take(&text);
  cr_assert(block);
  cr_expect_eq(strlen(block), 2001);
  epi_free(block);
}

Test(bytes, hexadecimal_goes_both_ways) {
  uint8_t bytes[4] = {0, 0x7f, 0x80, 0xff}, back[4];
  char text[9];

  epi__hex(text, bytes, 4);
  cr_expect_str_eq(text, "007f80ff");
  cr_expect_eq(epi__unhex(back, 4, "007F80fF"), 0);
  cr_expect_arr_eq(bytes, back, 4);
  cr_expect_eq(epi__unhex(back, 4, "007f80f"), EPI_EINVAL);
  cr_expect_eq(epi__unhex(back, 4, "007f80fg"), EPI_EINVAL);
}

Test(bytes, secrets_compare_by_value) {
  cr_expect(epi__equal_secret("abc", "abc", 3));
  cr_expect_not(epi__equal_secret("abc", "abd", 3));
}

Test(bytes, utf8_is_told_from_other_bytes) {
  static const struct {
    const char *bytes;
    size_t left, len;
  } cases[] = {
      {"a", 1, 1},
      {"\xc3\xa9", 2, 2},
      {"\xc3", 1, 0},
      {"\xe2\x82\xac", 3, 3},
      {"\xf0\x9f\x8c\x8d", 4, 4},
      {"\xc0\x80", 2, 0},
      {"\xed\xa0\x80", 3, 0},
      {"\xf4\x90\x80\x80", 4, 0},
      {"\x80", 1, 0},
      {"", 1, 0},
  };

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cr_expect_eq(epi__utf8_len((const uint8_t *)cases[i].bytes, cases[i].left),
                 cases[i].len, "case %zu", i);
  }
}
