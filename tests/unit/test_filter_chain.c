/* test_filter_chain.c: data through the filters of a flow. */
#include "base/bytes.h"
#include "epi/error.h"
#include "filter/builtin.h"
#include "filter/filter_chain.h"
#include "support/alloc_fail.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static epi__queue forward, backward;
static epi__queue *const queues[2] = {&forward, &backward};

/* A filter that puts its letter around whatever passes. */
static int wrap(epi_pipe *pipe, int direction, const void *data, size_t len,
                void *user) {
  int result = epi_pipe_write(pipe, direction, user, 1);

  if (!result) {
    result = epi_pipe_write(pipe, direction, data, len);
  }
  return result ? result : epi_pipe_write(pipe, direction, user, 1);
}

static int wrap_end(epi_pipe *pipe, int direction, void *user) {
  (void)user;
  return epi_pipe_write(pipe, direction, ".", 1);
}

static epi_filter *make(const char *letter,
                        int (*on_data)(epi_pipe *, int, const void *, size_t,
                                       void *)) {
  epi_filter *filter;

  cr_assert_eq(epi_filter_new(&filter, letter), 0);
  epi_filter_on_data(filter, on_data, (void *)(uintptr_t)letter);
  return filter;
}

static const char *queued(epi__queue *queue) {
  static char text[256];
  const uint8_t *data;
  size_t len = epi__queue_peek(queue, &data);

  cr_assert_lt(len, sizeof text);
  if (len) {
    memcpy(text, data, len);
  }
  text[len] = '\0';
  epi__queue_clear(queue, 0);
  return text;
}

Test(filter_chain, goes_forward_in_order_and_backward_in_reverse) {
  epi_filter *filters[2] = {make("a", wrap), make("b", wrap)};
  epi__filter_chain *chain;

  cr_assert_eq(epi__filter_chain_new(&chain, filters, 2, NULL, queues, NULL),
               0);
  cr_expect_eq(epi__filter_chain_feed(chain, EPI_FORWARD, "-", 1), 0);
  cr_expect_str_eq(queued(&forward), "babb-bbab");
  cr_expect_eq(epi__filter_chain_feed(chain, EPI_BACKWARD, "-", 1), 0);
  cr_expect_str_eq(queued(&backward), "abaa-aaba");
  epi__filter_chain_free(chain);
  epi_filter_free(filters[0]);
  epi_filter_free(filters[1]);
}

Test(filter_chain, a_filter_may_still_write_at_the_end_and_not_after) {
  epi_filter *filters[2] = {make("a", wrap), make("b", wrap)};
  epi__filter_chain *chain;

  epi_filter_on_end(filters[0], wrap_end, NULL);
  cr_assert_eq(epi__filter_chain_new(&chain, filters, 2, NULL, queues, NULL),
               0);
  cr_expect_eq(epi__filter_chain_end(chain, EPI_FORWARD), 0);
  cr_expect_str_eq(queued(&forward), "b.b");
  cr_expect_eq(epi__filter_chain_feed(chain, EPI_FORWARD, "-", 1), EPI_ESTATE);
  epi__filter_chain_free(chain);
  epi_filter_free(filters[0]);
  epi_filter_free(filters[1]);
}

static int pass_second(epi_pipe *pipe, int direction, const void *data,
                       size_t len, void *user) {
  if (epi_pipe_state(pipe)) {
    return EPI_PASS;
  }
  epi_pipe_set_state(pipe, pipe);
  (void)user;
  return epi_pipe_write(pipe, direction, data, len);
}

Test(filter_chain, a_filter_that_passes_is_called_no_more_and_loses_nothing) {
  epi_filter *filter = make("p", pass_second);
  epi__filter_chain *chain;

  cr_assert_eq(epi__filter_chain_new(&chain, &filter, 1, NULL, queues, NULL),
               0);
  cr_expect_not(epi__filter_chain_passed(chain));
  for (int i = 0; i < 4; i++) {
    char digit = (char)('0' + i);

    cr_expect_eq(epi__filter_chain_feed(chain, EPI_FORWARD, &digit, 1), 0);
  }
  cr_expect(epi__filter_chain_passed(chain));
  cr_expect_str_eq(queued(&forward), "0123");
  epi__filter_chain_free(chain);
  epi_filter_free(filter);
}

static int refuse(epi_pipe *pipe, void *user) {
  (void)pipe;
  (void)user;
  return EPI_EDENIED;
}

static void count_close(epi_pipe *pipe, void *user) {
  (void)pipe;
  ++*(int *)user;
}

static int fine(epi_pipe *pipe, void *user) {
  (void)pipe;
  (void)user;
  return 0;
}

Test(filter_chain, a_refusal_closes_those_that_had_opened) {
  epi_filter *filters[2] = {make("refuser", wrap), make("b", wrap)};
  epi__filter_chain *chain = NULL;
  int closed = 0;

  epi_filter_on_open(filters[0], refuse, NULL);
  epi_filter_on_open(filters[1], fine, NULL);
  epi_filter_on_close(filters[0], count_close, &closed);
  epi_filter_on_close(filters[1], count_close, &closed);
  cr_expect_eq(epi__filter_chain_new(&chain, filters, 2, NULL, queues, NULL),
               EPI_EFILTER);
  cr_expect(strstr(epi_error_detail(), "refuser"));
  cr_expect_eq(closed, 1);
  epi_filter_free(filters[0]);
  epi_filter_free(filters[1]);
}

static int answer(epi_pipe *pipe, int direction, const void *data, size_t len,
                  void *user) {
  (void)user;
  return epi_pipe_write(pipe, !direction, data, len);
}

static int deny(epi_pipe *pipe, int direction, const void *data, size_t len,
                void *user) {
  (void)pipe;
  (void)direction;
  (void)data;
  (void)len;
  (void)user;
  return EPI_EDENIED;
}

Test(filter_chain, a_bare_error_is_not_explained_by_an_older_one) {
  epi_filter *filter = make("denier", deny);
  epi__filter_chain *chain;

  cr_assert_eq(epi__filter_chain_new(&chain, &filter, 1, NULL, queues, NULL),
               0);
  cr_assert_lt(epi_filter_new(&(epi_filter *){NULL}, ""), 0);
  cr_expect_eq(epi__filter_chain_feed(chain, EPI_FORWARD, "-", 1), EPI_EDENIED);
  cr_expect_str_eq(epi_error_detail(), "filter denier: not allowed by policy");
  epi__filter_chain_free(chain);
  epi_filter_free(filter);
}

Test(filter_chain, filters_that_answer_each_other_are_stopped) {
  epi_filter *filters[2] = {make("a", answer), make("b", answer)};
  epi__filter_chain *chain;

  cr_assert_eq(epi__filter_chain_new(&chain, filters, 2, NULL, queues, NULL),
               0);
  cr_expect_eq(epi__filter_chain_feed(chain, EPI_FORWARD, "x", 1), 0);
  cr_expect_str_eq(queued(&backward), "x", "the first one answers by itself");
  epi__filter_chain_free(chain);
  epi_filter_free(filters[0]);
  filters[0] = make("a", wrap);
  cr_assert_eq(epi__filter_chain_new(&chain, filters, 2, NULL, queues, NULL),
               0);
  cr_expect_eq(epi__filter_chain_feed(chain, EPI_FORWARD, "x", 1), 0);
  queued(&backward);
  epi__filter_chain_free(chain);
  epi_filter_free(filters[0]);
  epi_filter_free(filters[1]);
}

static int flood(epi_pipe *pipe, int direction, const void *data, size_t len,
                 void *user) {
  (void)user;
  (void)data;
  (void)len;
  for (;;) {
    static const char zeros[65536];
    int result = epi_pipe_write(pipe, direction, zeros, sizeof zeros);

    if (result) {
      return 0; /* even a filter that ignores the error is stopped */
    }
  }
}

Test(filter_chain, a_flooding_filter_is_stopped) {
  epi_filter *filter = make("flood", flood);
  epi__filter_chain *chain;

  cr_assert_eq(epi__filter_chain_new(&chain, &filter, 1, NULL, queues, NULL),
               0);
  cr_expect_eq(epi__filter_chain_feed(chain, EPI_FORWARD, "x", 1), EPI_ELIMIT);
  cr_expect_eq(epi__filter_chain_feed(chain, EPI_FORWARD, "x", 1), EPI_ELIMIT,
               "it stays stopped");
  epi__filter_chain_free(chain);
  epi_filter_free(filter);
  epi__queue_clear(&forward, 0);
}

Test(filter_chain, counting_changes_nothing_and_notes_the_bytes) {
  epi_filter *filter;
  epi__filter_chain *chain;

  cr_assert_eq(epi__count_new(&filter), 0);
  cr_assert_eq(epi__filter_chain_new(&chain, &filter, 1, NULL, queues, NULL),
               0);
  epi__filter_chain_feed(chain, EPI_FORWARD, "hello", 5);
  epi__filter_chain_feed(chain, EPI_FORWARD, "!", 1);
  epi__filter_chain_feed(chain, EPI_BACKWARD, "yes", 3);
  epi__filter_chain_end(chain, EPI_FORWARD);
  epi__filter_chain_end(chain, EPI_BACKWARD);
  cr_expect_str_eq(queued(&forward), "hello!");
  cr_expect_str_eq(queued(&backward), "yes");
  cr_expect_str_eq(epi__filter_chain_notes(chain),
                   "counted 6 bytes out, counted 3 bytes back");
  epi__filter_chain_free(chain);
  epi_filter_free(filter);
}

Test(filter_chain, survives_failing_allocations) {
  for (alloc_fail_start(); alloc_fail_more();) {
    epi_filter *filters[2] = {NULL, NULL};
    epi__filter_chain *chain = NULL;
    int result = epi__count_new(&filters[0]);

    if (!result) {
      result = epi__count_new(&filters[1]);
    }
    if (!result) {
      result = epi__filter_chain_new(&chain, filters, 2, NULL, queues, NULL);
    }
    if (!result) {
      result = epi__filter_chain_feed(chain, EPI_FORWARD, "hello", 5);
    }
    cr_expect_eq(result != 0, alloc_fail_happened());
    epi__filter_chain_free(chain);
    epi_filter_free(filters[0]);
    epi_filter_free(filters[1]);
    epi__queue_clear(&forward, 0);
  }
}

/* ---- writing on opening and on closing ---- */

static int greet(epi_pipe *pipe, void *user) {
  return epi_pipe_write(pipe, EPI_BACKWARD, user, 1);
}

/* Its data may only come once it is open, and before it is closed. */
static int open_wrap(epi_pipe *pipe, void *user) {
  epi_pipe_set_state(pipe, user);
  return 0;
}

static int wrap_state(epi_pipe *pipe, int direction, const void *data,
                      size_t len, void *user) {
  cr_assert_not_null(epi_pipe_state(pipe));
  return wrap(pipe, direction, data, len, user);
}

static void close_wrap(epi_pipe *pipe, void *user) {
  (void)user;
  epi_pipe_set_state(pipe, NULL);
}

static epi_filter *make_with_state(const char *letter) {
  epi_filter *filter = make(letter, wrap_state);

  epi_filter_on_open(filter, open_wrap, (void *)(uintptr_t)letter);
  epi_filter_on_close(filter, close_wrap, NULL);
  return filter;
}

Test(filter_chain, what_is_written_backward_on_opening_waits_for_those_before) {
  epi_filter *filters[4] = {make_with_state("a"), make("b", wrap),
                            make_with_state("c"), make("d", wrap)};
  epi__filter_chain *chain;

  epi_filter_on_open(filters[1], greet, (void *)(uintptr_t) "1");
  epi_filter_on_open(filters[3], greet, (void *)(uintptr_t) "2");
  cr_assert_eq(epi__filter_chain_new(&chain, filters, 4, NULL, queues, NULL),
               0);
  cr_expect_str_eq(queued(&backward), "a1bc2cba");
  epi__filter_chain_free(chain);
  for (int i = 0; i < 4; i++) {
    epi_filter_free(filters[i]);
  }
}

Test(filter_chain, what_waits_for_those_before_survives_a_lack_of_memory) {
  for (alloc_fail_start(); alloc_fail_more();) {
    epi_filter *filters[3] = {NULL, NULL, NULL};
    epi__filter_chain *chain = NULL;
    int result = epi__count_new(&filters[0]);

    if (!result) {
      result = epi__count_new(&filters[1]);
    }
    if (!result) {
      result = epi_filter_new(&filters[2], "greeter");
    }
    if (!result) {
      epi_filter_on_open(filters[2], greet, (void *)(uintptr_t) "1");
      result = epi__filter_chain_new(&chain, filters, 3, NULL, queues, NULL);
    }
    cr_expect_eq(result != 0, alloc_fail_happened());
    epi__filter_chain_free(chain);
    for (int i = 0; i < 3; i++) {
      epi_filter_free(filters[i]);
    }
    epi__queue_clear(&backward, 0);
  }
}

static int refuse_data(epi_pipe *pipe, int direction, const void *data,
                       size_t len, void *user) {
  (void)direction;
  (void)data;
  (void)len;
  (void)user;
  return epi_pipe_refuse(pipe, "no greetings");
}

Test(filter_chain, what_was_written_on_opening_may_be_refused) {
  epi_filter *filters[2] = {make("a", refuse_data), make("b", wrap)};
  epi__filter_chain *chain;

  epi_filter_on_open(filters[1], greet, (void *)(uintptr_t) "1");
  cr_expect_eq(epi__filter_chain_new(&chain, filters, 2, NULL, queues, NULL),
               EPI_EDENIED);
  cr_expect_str_eq(epi_error_detail(),
                   "filter a refuses the flow: no greetings");
  epi_filter_free(filters[0]);
  epi_filter_free(filters[1]);
}

static int written_on_close;

static void write_on_close(epi_pipe *pipe, void *user) {
  (void)user;
  written_on_close = epi_pipe_write(pipe, EPI_BACKWARD, "x", 1);
}

Test(filter_chain, nothing_is_written_to_what_is_closed) {
  epi_filter *filters[2] = {make_with_state("a"), make("b", wrap)};
  epi__filter_chain *chain;

  epi_filter_on_close(filters[1], write_on_close, NULL);
  cr_assert_eq(epi__filter_chain_new(&chain, filters, 2, NULL, queues, NULL),
               0);
  epi__filter_chain_free(chain);
  cr_expect_eq(written_on_close, EPI_ESTATE);
  cr_expect_str_eq(queued(&backward), "");
  epi_filter_free(filters[0]);
  epi_filter_free(filters[1]);
}
