/* test_compress.c: what is compressed here is expanded there, within bounds. */
#include "base/bytes.h"
#include "engine/compressor.h"
#include "epi/error.h"
#include "filter/builtin.h"
#include "filter/filter_chain.h"
#include "support/alloc_fail.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* Two proxies: what one puts into its queue is fed to the other. */
typedef struct side {
  epi_filter *filter;
  epi__filter_chain *chain;
  epi__queue queues[2];
} side;

static int open_side(side *my, int expander, int level, int ratio) {
  memset(my, 0, sizeof *my);
  if (epi__compress_new(&my->filter, expander, epi__compression_zstd(), level,
                        ratio)) {
    return EPI_ENOMEM;
  }
  return epi__filter_chain_new(
      &my->chain, &my->filter, 1, NULL,
      (epi__queue *[2]){&my->queues[0], &my->queues[1]}, NULL);
}

static void open_both(side *near, side *far) {
  if (!epi__compression_zstd()) {
    cr_skip_test("built without zstd");
  }
  cr_assert_eq(open_side(near, 0, EPI__COMPRESS_LEVEL, EPI__COMPRESS_RATIO), 0);
  cr_assert_eq(open_side(far, 1, EPI__COMPRESS_LEVEL, EPI__COMPRESS_RATIO), 0);
}

static void close_side(side *my) {
  epi__filter_chain_free(my->chain);
  epi_filter_free(my->filter);
  epi__queue_clear(&my->queues[0], 0);
  epi__queue_clear(&my->queues[1], 0);
}

/* Move what waits in from's queue into to, step bytes at a time, each in a
 * block of its size. */
static int move(side *from, side *to, int direction, size_t step) {
  const uint8_t *data;
  size_t len;
  int result = 0;

  while (!result && (len = epi__queue_peek(&from->queues[direction], &data))) {
    uint8_t *copy;

    len = len < step ? len : step;
    copy = malloc(len);
    memcpy(copy, data, len);
    result = epi__filter_chain_feed(to->chain, direction, copy, len);
    free(copy);
    epi__queue_ack(&from->queues[direction], len);
  }
  return result;
}

static void expect(side *my, int direction, const char *text, size_t len) {
  const uint8_t *data;

  cr_assert_eq(epi__queue_peek(&my->queues[direction], &data), len);
  cr_expect(len == 0 || !memcmp(data, text, len));
  epi__queue_ack(&my->queues[direction], len);
}

Test(compress, goes_both_ways_at_every_split_and_nothing_waits) {
  for (size_t step = 1; step < 60; step++) {
    side near, far;

    open_both(&near, &far);
    for (int i = 0; i < 3; i++) {
      cr_assert_eq(
          epi__filter_chain_feed(near.chain, EPI_FORWARD, "question", 8), 0);
      cr_assert_eq(move(&near, &far, EPI_FORWARD, step), 0);
      expect(&far, EPI_FORWARD, "question", 8);
      cr_assert_eq(epi__filter_chain_feed(far.chain, EPI_BACKWARD, "answer", 6),
                   0);
      cr_assert_eq(move(&far, &near, EPI_BACKWARD, step), 0);
      expect(&near, EPI_BACKWARD, "answer", 6);
    }
    cr_assert_eq(epi__filter_chain_end(near.chain, EPI_FORWARD), 0);
    cr_assert_eq(move(&near, &far, EPI_FORWARD, step), 0);
    cr_assert_eq(epi__filter_chain_end(far.chain, EPI_FORWARD), 0);
    cr_assert_eq(epi__filter_chain_end(far.chain, EPI_BACKWARD), 0);
    cr_assert_eq(move(&far, &near, EPI_BACKWARD, step), 0);
    cr_assert_eq(epi__filter_chain_end(near.chain, EPI_BACKWARD), 0);
    close_side(&near);
    close_side(&far);
  }
}

static void survives(const char *data, size_t len, int level, double at_least,
                     double at_most) {
  const uint8_t *wire;
  side near, far;
  double size;

  open_both(&near, &far);
  close_side(&near);
  cr_assert_eq(open_side(&near, 0, level, EPI__COMPRESS_RATIO), 0);
  for (size_t done = 0; done < len; done += 65536) {
    size_t part = len - done < 65536 ? len - done : 65536;

    cr_assert_eq(
        epi__filter_chain_feed(near.chain, EPI_FORWARD, data + done, part), 0);
  }
  size = (double)epi__queue_peek(&near.queues[EPI_FORWARD], &wire);
  cr_expect_geq(size, at_least * (double)len);
  cr_expect_leq(size, at_most * (double)len);
  cr_assert_eq(move(&near, &far, EPI_FORWARD, 65536), 0, "%s",
               epi_error_detail());
  expect(&far, EPI_FORWARD, data, len);
  close_side(&near);
  close_side(&far);
}

Test(compress, text_shrinks_noise_hardly_grows_zeros_shrink_to_the_bound) {
  size_t len = 1000 * 1000;
  char *data = malloc(len);
  uint32_t noise = 7;

  for (size_t i = 0; i < len; i++) {
    data[i] = "patient 4711, heart rate 72; "[i * i % 29];
  }
  survives(data, len, 1, 0.04, 0.3);
  survives(data, len, 19, 0.04, 0.3);
  for (size_t i = 0; i < len; i++) {
    noise = noise * 1664525 + 1013904223;
    data[i] = (char)(noise >> 24);
  }
  survives(data, len, 3, 0.99, 1.01);
  memset(data, 0, len);
  survives(data, len, 3, 0.05, 0.051);
  free(data);
}

Test(compress, what_expands_too_much_is_cut) {
  size_t len = 256 * 1024;
  char *zeros = calloc(len, 1);
  const uint8_t *data;
  side near, far;

  open_both(&near, &far);
  close_side(&near);
  cr_assert_eq(open_side(&near, 0, 3, EPI__COMPRESS_RATIO_MAX), 0);
  cr_assert_eq(epi__filter_chain_feed(near.chain, EPI_FORWARD, zeros, len), 0);
  cr_expect_eq(move(&near, &far, EPI_FORWARD, 65536), EPI_ELIMIT);
  cr_expect(strstr(epi_error_detail(), "20 times"));
  cr_expect_leq(epi__queue_peek(&far.queues[EPI_FORWARD], &data), 65536);
  close_side(&near);
  close_side(&far);
  free(zeros);
}

static int expanded(const void *wire, size_t len) {
  side near, far;
  int result;

  open_both(&near, &far);
  result = epi__filter_chain_feed(far.chain, EPI_FORWARD, wire, len);
  result = result ? result : epi__filter_chain_end(far.chain, EPI_FORWARD);
  close_side(&near);
  close_side(&far);
  return result;
}

Test(compress, garbage_and_what_is_cut_off_are_errors) {
  uint8_t wire[256];
  const uint8_t *data;
  side near, far;
  size_t len;

  cr_expect_eq(expanded("GET / HTTP/1.1\r\n", 16), EPI_EPROTO);
  cr_expect_eq(expanded("EPZ2\1\0\0", 7), EPI_EPROTO);
  cr_expect_eq(expanded("EPZ1\3\0\0", 7), EPI_EPROTO, "no such type");
  cr_expect_eq(expanded("EPZ1\1\0\1x", 8), EPI_EPROTO, "an end with data");
  cr_expect_eq(expanded("EPZ1\0\0\4okay", 11), EPI_EPROTO, "no zstd");
  cr_expect_eq(expanded("EPZ1\1\0\0\1\0\0", 10), EPI_EPROTO, "two ends");
  cr_expect_eq(expanded("EPZ1\2\0\2xx\1\0\0", 12), 0, "padding");
  open_both(&near, &far);
  epi__filter_chain_feed(near.chain, EPI_FORWARD, "question", 8);
  epi__filter_chain_end(near.chain, EPI_FORWARD);
  len = epi__queue_peek(&near.queues[EPI_FORWARD], &data);
  cr_assert_leq(len, sizeof wire);
  memcpy(wire, data, len);
  close_side(&near);
  close_side(&far);
  cr_expect_eq(expanded(wire, len), 0);
  for (size_t cut = 0; cut < len; cut++) {
    cr_expect_eq(expanded(wire, cut), EPI_EPROTO, "%zu bytes", cut);
  }
}

Test(compress, lives_with_every_allocation_failing) {
  if (!epi__compression_zstd()) {
    cr_skip_test("built without zstd");
  }
  for (alloc_fail_start(); alloc_fail_more();) {
    side near = {0}, far = {0};

    if (!open_side(&near, 0, 1, 20) && !open_side(&far, 1, 1, 20) &&
        !epi__filter_chain_feed(near.chain, EPI_FORWARD, "question", 8)) {
      move(&near, &far, EPI_FORWARD, 5);
    }
    close_side(&near);
    close_side(&far);
  }
}
