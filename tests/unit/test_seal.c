/* test_seal.c: what is sealed here is opened there, and nothing else is. */
#include "base/bytes.h"
#include "epi/error.h"
#include "filter/builtin.h"
#include "filter/filter_chain.h"
#include "support/alloc_fail.h"
#include "tls/primitives.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum {
  HEADER = 37,
  CIPHER = 4,         /* where the header says it */
  FRAME = 3 + 3 + 16, /* of three bytes of data */
};

/* Two proxies: what `near` puts into its forward queue is fed to `far`. */
typedef struct side {
  epi_filter *filter;
  epi__filter_chain *chain;
  epi__queue queues[2];
} side;

static const char key[] = "a shared secret of some length";

static epi__seal_options options; /* of the filters that are made next */

static epi_filter *make(int opener, const char *secret) {
  epi_filter *filter = NULL;

  options.crypto = epi__crypto_wolfssl();
  options.opener = opener;
  cr_assert_eq(epi__seal_new(&filter, &options, secret, strlen(secret)), 0);
  return filter;
}

static void open_bound(side *my, int opener, const char *secret,
                       const char *text) {
  epi__binding binding = {text, 0};
  epi__queue *const queues[2] = {&my->queues[0], &my->queues[1]};

  memset(my, 0, sizeof *my);
  my->filter = make(opener, secret);
  cr_assert_eq(epi__filter_chain_new(&my->chain, &my->filter, 1, NULL, queues,
                                     text ? &binding : NULL),
               0);
}

static void open_side(side *my, int opener, const char *secret) {
  open_bound(my, opener, secret, NULL);
}

static void close_side(side *my) {
  epi__filter_chain_free(my->chain);
  epi_filter_free(my->filter);
  epi__queue_clear(&my->queues[0], 0);
  epi__queue_clear(&my->queues[1], 0);
}

/* Move what waits in from's queue into to, step bytes at a time. */
static int move(side *from, side *to, int direction, size_t step) {
  const uint8_t *data;
  size_t len;
  int result = 0;

  while (!result && (len = epi__queue_peek(&from->queues[direction], &data))) {
    len = len < step ? len : step;
    result = epi__filter_chain_feed(to->chain, direction, data, len);
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

Test(seal, goes_both_ways_at_every_split) {
  for (size_t step = 1; step < 70; step++) {
    side near, far;

    open_side(&near, 0, key);
    open_side(&far, 1, key);
    cr_assert_eq(epi__filter_chain_feed(near.chain, EPI_FORWARD, "question", 8),
                 0);
    cr_assert_eq(epi__filter_chain_end(near.chain, EPI_FORWARD), 0);
    cr_assert_eq(move(&near, &far, EPI_FORWARD, step), 0);
    cr_assert_eq(epi__filter_chain_end(far.chain, EPI_FORWARD), 0);
    expect(&far, EPI_FORWARD, "question", 8);
    cr_assert_eq(epi__filter_chain_feed(far.chain, EPI_BACKWARD, "answer", 6),
                 0);
    cr_assert_eq(epi__filter_chain_end(far.chain, EPI_BACKWARD), 0);
    cr_assert_eq(move(&far, &near, EPI_BACKWARD, step), 0);
    cr_assert_eq(epi__filter_chain_end(near.chain, EPI_BACKWARD), 0);
    expect(&near, EPI_BACKWARD, "answer", 6);
    close_side(&near);
    close_side(&far);
  }
}

Test(seal, large_data_survives) {
  size_t len = 1000 * 1000;
  char *data = malloc(len);
  side near, far;

  for (size_t i = 0; i < len; i++) {
    data[i] = (char)(i * 7 + i / 251);
  }
  open_side(&near, 0, key);
  open_side(&far, 1, key);
  cr_assert_eq(epi__filter_chain_feed(near.chain, EPI_FORWARD, data, len), 0);
  cr_assert_eq(move(&near, &far, EPI_FORWARD, 65536), 0);
  expect(&far, EPI_FORWARD, data, len);
  close_side(&near);
  close_side(&far);
  free(data);
}

Test(seal, nothing_readable_is_on_the_wire_and_nothing_twice) {
  const uint8_t *first, *second;
  side a, b;
  size_t len;

  open_side(&a, 0, key);
  open_side(&b, 0, key);
  epi__filter_chain_feed(a.chain, EPI_FORWARD, "patient 4711", 12);
  epi__filter_chain_feed(b.chain, EPI_FORWARD, "patient 4711", 12);
  len = epi__queue_peek(&a.queues[EPI_FORWARD], &first);
  cr_assert_eq(epi__queue_peek(&b.queues[EPI_FORWARD], &second), len);
  cr_expect_null(memmem(first, len, "patient", 7));
  cr_expect_neq(memcmp(first + HEADER, second + HEADER, len - HEADER), 0,
                "every flow has a key of its own");
  close_side(&a);
  close_side(&b);
}

Test(seal, opens_only_in_the_flow_that_it_is_bound_to) {
  static const char *const flows[] = {"10.1.0.5:4000 > 10.2.0.9:80",
                                      "10.1.0.6:4000 > 10.2.0.9:80", NULL};

  for (int i = 0; i < 3; i++) {
    side near, far;

    open_bound(&near, 0, key, flows[0]);
    open_bound(&far, 1, key, flows[i]);
    epi__filter_chain_feed(near.chain, EPI_FORWARD, "question", 8);
    cr_expect_eq(move(&near, &far, EPI_FORWARD, 4096), i ? EPI_ECRYPTO : 0,
                 "flow %d", i);
    expect(&far, EPI_FORWARD, "question", i ? 0 : 8);
    close_side(&near);
    close_side(&far);
  }
}

Test(seal, the_opener_asks_for_no_backward_data_before_the_header) {
  side near, far;

  open_side(&near, 0, key);
  open_side(&far, 1, key);
  cr_expect(epi__filter_chain_paused(far.chain, EPI_BACKWARD));
  cr_expect_eq(move(&near, &far, EPI_FORWARD, HEADER), 0);
  cr_expect_not(epi__filter_chain_paused(far.chain, EPI_BACKWARD));
  close_side(&near);
  close_side(&far);
}

/* Seal one message, change the wire by fn, and give it to an opener. */
static int tampered(void (*fn)(uint8_t *wire, size_t *len), const char *secret,
                    int end) {
  uint8_t wire[512];
  const uint8_t *data;
  side near, far;
  size_t len;
  int result;

  open_side(&near, 0, key);
  open_side(&far, 1, secret);
  epi__filter_chain_feed(near.chain, EPI_FORWARD, "one", 3);
  epi__filter_chain_feed(near.chain, EPI_FORWARD, "two", 3);
  epi__filter_chain_end(near.chain, EPI_FORWARD);
  len = epi__queue_peek(&near.queues[EPI_FORWARD], &data);
  cr_assert_leq(len, sizeof wire);
  memcpy(wire, data, len);
  if (fn) {
    fn(wire, &len);
  }
  result = epi__filter_chain_feed(far.chain, EPI_FORWARD, wire, len);
  if (!result && end) {
    result = epi__filter_chain_end(far.chain, EPI_FORWARD);
  }
  close_side(&near);
  close_side(&far);
  return result;
}

static void flip_data(uint8_t *wire, size_t *len) {
  (void)len;
  wire[HEADER + 4] ^= 1;
}

static void flip_salt(uint8_t *wire, size_t *len) {
  (void)len;
  wire[10] ^= 1;
}

static void other_cipher(uint8_t *wire, size_t *len) {
  (void)len;
  wire[CIPHER] = (uint8_t)(3 - wire[CIPHER]);
}

static void no_cipher(uint8_t *wire, size_t *len) {
  (void)len;
  wire[CIPHER] = 3;
}

static void other_version(uint8_t *wire, size_t *len) {
  (void)len;
  wire[CIPHER - 1] = '1';
}

static void swap_frames(uint8_t *wire, size_t *len) {
  uint8_t frame[FRAME];

  (void)len;
  memcpy(frame, wire + HEADER, FRAME);
  memmove(wire + HEADER, wire + HEADER + FRAME, FRAME);
  memcpy(wire + HEADER + FRAME, frame, FRAME);
}

static void repeat_frame(uint8_t *wire, size_t *len) {
  (void)len;
  memcpy(wire + HEADER + FRAME, wire + HEADER, FRAME);
}

static void cut_end(uint8_t *wire, size_t *len) {
  (void)wire;
  *len -= 3 + 16;
}

static void end_early(uint8_t *wire, size_t *len) {
  wire[HEADER] = 1; /* a data frame dressed as the end */
  *len = HEADER + FRAME;
}

Test(seal, whatever_is_changed_on_the_way_is_noticed) {
  cr_expect_eq(tampered(NULL, key, 1), 0);
  cr_expect_eq(tampered(NULL, "another secret, as long", 1), EPI_ECRYPTO);
  cr_expect_eq(tampered(flip_data, key, 1), EPI_ECRYPTO);
  cr_expect_eq(tampered(flip_salt, key, 1), EPI_ECRYPTO);
  cr_expect_eq(tampered(other_cipher, key, 1), EPI_ECRYPTO);
  cr_expect_eq(tampered(no_cipher, key, 1), EPI_ECRYPTO);
  cr_expect_eq(tampered(other_version, key, 1), EPI_EVERSION);
  cr_expect_eq(tampered(swap_frames, key, 1), EPI_ECRYPTO);
  cr_expect_eq(tampered(repeat_frame, key, 1), EPI_ECRYPTO);
  cr_expect_eq(tampered(cut_end, key, 0), 0, "nothing wrong yet");
  cr_expect_eq(tampered(cut_end, key, 1), EPI_ECRYPTO);
  cr_expect_eq(tampered(end_early, key, 1), EPI_ECRYPTO);
}

Test(seal, plain_data_is_not_taken_for_sealed) {
  static const char plain[] = "GET / HTTP/1.1\r\nHost: www.example\r\n\r\n";
  side far;

  open_side(&far, 1, key);
  cr_assert_gt(sizeof plain, HEADER);
  cr_expect_eq(
      epi__filter_chain_feed(far.chain, EPI_FORWARD, plain, sizeof plain - 1),
      EPI_ECRYPTO);
  expect(&far, EPI_FORWARD, "", 0);
  close_side(&far);
}

Test(seal, answers_of_another_flow_do_not_fit) {
  side near, far, other_near, other_far;

  open_side(&near, 0, key);
  open_side(&far, 1, key);
  open_side(&other_near, 0, key);
  open_side(&other_far, 1, key);
  move(&near, &far, EPI_FORWARD, 100);
  move(&other_near, &other_far, EPI_FORWARD, 100);
  epi__filter_chain_feed(other_far.chain, EPI_BACKWARD, "stolen", 6);
  cr_expect_eq(move(&other_far, &near, EPI_BACKWARD, 100), EPI_ECRYPTO);
  close_side(&near);
  close_side(&far);
  close_side(&other_near);
  close_side(&other_far);
}

/* A question and an answer, through openers that take any cipher. */
static void ask_and_answer(const epi__seal_options *near_options,
                           const epi__seal_options *far_options, size_t step) {
  side near, far;

  options = *near_options;
  open_side(&near, 0, key);
  options = *far_options;
  open_side(&far, 1, key);
  for (int i = 0; i < 20; i++) {
    cr_assert_eq(epi__filter_chain_feed(near.chain, EPI_FORWARD, "question", 8),
                 0);
    cr_assert_eq(move(&near, &far, EPI_FORWARD, step), 0, "%s",
                 epi_error_detail());
    expect(&far, EPI_FORWARD, "question", 8);
    cr_assert_eq(epi__filter_chain_feed(far.chain, EPI_BACKWARD, "answer", 6),
                 0);
    cr_assert_eq(move(&far, &near, EPI_BACKWARD, step), 0, "%s",
                 epi_error_detail());
    expect(&near, EPI_BACKWARD, "answer", 6);
  }
  close_side(&near);
  close_side(&far);
}

Test(seal, the_opener_follows_the_sealers_cipher) {
  static const int ciphers[] = {0, EPI__CHACHA20_POLY1305, EPI__AES_256_GCM};

  for (size_t i = 0; i < 3; i++) {
    for (size_t step = 1; step < 40; step++) {
      ask_and_answer(&(epi__seal_options){.cipher = ciphers[i]},
                     &(epi__seal_options){0}, step);
    }
  }
}

Test(seal, an_opener_may_insist_on_a_cipher) {
  side near, far;

  options.cipher = EPI__AES_256_GCM;
  open_side(&near, 0, key);
  options.cipher = EPI__CHACHA20_POLY1305;
  open_side(&far, 1, key);
  cr_expect_eq(move(&near, &far, EPI_FORWARD, 100), EPI_ECRYPTO);
  cr_expect(strstr(epi_error_detail(), "aes-256-gcm, not in chacha20"));
  close_side(&near);
  close_side(&far);
}

Test(seal, keys_change_after_frames_and_after_bytes) {
  static const int ciphers[] = {EPI__CHACHA20_POLY1305, EPI__AES_256_GCM};

  for (size_t i = 0; i < 2; i++) {
    epi__seal_options few = {.cipher = ciphers[i], .rekey_frames = 3};
    epi__seal_options small = {.cipher = ciphers[i], .rekey_bytes = 20};

    ask_and_answer(&few, &few, 7);
    ask_and_answer(&small, &small, 1000);
  }
}

Test(seal, after_a_change_the_old_key_opens_nothing) {
  side near, far;

  options.rekey_frames = 2;
  open_side(&near, 0, key);
  options.rekey_frames = 3;
  open_side(&far, 1, key);
  for (int i = 0; i < 2; i++) {
    epi__filter_chain_feed(near.chain, EPI_FORWARD, "same key", 8);
    cr_expect_eq(move(&near, &far, EPI_FORWARD, 100), 0);
  }
  epi__filter_chain_feed(near.chain, EPI_FORWARD, "next key", 8);
  cr_expect_eq(move(&near, &far, EPI_FORWARD, 100), EPI_ECRYPTO);
  close_side(&near);
  close_side(&far);
}

Test(seal, a_frame_of_the_key_before_is_not_taken_again) {
  uint8_t old[FRAME];
  const uint8_t *data;
  side near, far;

  options.rekey_frames = 1;
  open_side(&near, 0, key);
  open_side(&far, 1, key);
  move(&near, &far, EPI_FORWARD, 100);
  epi__filter_chain_feed(near.chain, EPI_FORWARD, "one", 3);
  cr_assert_eq(epi__queue_peek(&near.queues[EPI_FORWARD], &data), FRAME);
  memcpy(old, data, FRAME);
  cr_expect_eq(move(&near, &far, EPI_FORWARD, 100), 0);
  cr_expect_eq(epi__filter_chain_feed(far.chain, EPI_FORWARD, old, FRAME),
               EPI_ECRYPTO);
  close_side(&near);
  close_side(&far);
}

Test(seal, lives_with_every_allocation_failing) {
  for (alloc_fail_start(); alloc_fail_more();) {
    epi__queue queues[2] = {{0}, {0}}, back[2] = {{0}, {0}};
    epi_filter *near = NULL, *far = NULL;
    epi__filter_chain *near_chain = NULL, *far_chain = NULL;
    const uint8_t *data;
    size_t len;
    int result;

    options.crypto = epi__crypto_wolfssl();
    options.cipher = EPI__AES_256_GCM;
    options.rekey_frames = 1;
    options.opener = 0;
    result = epi__seal_new(&near, &options, key, sizeof key);
    options.opener = 1;
    result = result ? result : epi__seal_new(&far, &options, key, sizeof key);
    if (!result &&
        !epi__filter_chain_new(&near_chain, &near, 1, NULL,
                               (epi__queue *[2]){&queues[0], &queues[1]},
                               NULL) &&
        !epi__filter_chain_new(&far_chain, &far, 1, NULL,
                               (epi__queue *[2]){&back[0], &back[1]}, NULL) &&
        !epi__filter_chain_feed(near_chain, EPI_FORWARD, "data", 4)) {
      len = epi__queue_peek(&queues[0], &data);
      result = epi__filter_chain_feed(far_chain, EPI_FORWARD, data, len - 1);
      if (!result) {
        epi__filter_chain_feed(far_chain, EPI_FORWARD, data + len - 1, 1);
      }
    }
    epi__filter_chain_free(near_chain);
    epi__filter_chain_free(far_chain);
    epi_filter_free(near);
    epi_filter_free(far);
    for (int i = 0; i < 2; i++) {
      epi__queue_clear(&queues[i], 0);
      epi__queue_clear(&back[i], 0);
    }
  }
}

Test(seal, weak_keys_are_refused) {
  static const char *const weak[] = {"short", "aaaaaaaaaaaaaaaaaaaaaaaa",
                                     "abcabcabcabcabcabcabcabc"};
  epi_filter *filter = NULL;

  options.crypto = epi__crypto_wolfssl();
  for (size_t i = 0; i < 3; i++) {
    cr_expect_eq(epi__seal_new(&filter, &options, weak[i], strlen(weak[i])),
                 EPI_EINVAL);
  }
}
