/* test_stack.c: stack options of messages, set and asked for. */
#include "epi/stack.h"

#include <criterion/criterion.h>

static epi_request *request;
static epi_reply *reply;

static void start(void) {
  cr_assert_eq(epi_request_new(&request), 0);
  cr_assert_eq(epi_reply_new(&reply), 0);
}

static void end(void) {
  epi_request_free(request);
  epi_reply_free(reply);
}

TestSuite(stack, .init = start, .fini = end);

Test(stack, an_option_is_set_for_a_leg_or_both) {
  cr_expect_eq(epi_request_stack(request, EPI_LEG_CLIENT, EPI_STACK_TTL),
               EPI_ENOENT);
  cr_expect_eq(epi_request_set_stack(request, EPI_LEG_BOTH, EPI_STACK_TTL, 64),
               0);
  cr_expect_eq(epi_request_set_stack(request, EPI_LEG_REMOTE, EPI_STACK_TTL, 3),
               0);
  cr_expect_eq(epi_request_stack(request, EPI_LEG_CLIENT, EPI_STACK_TTL), 64);
  cr_expect_eq(epi_request_stack(request, EPI_LEG_REMOTE, EPI_STACK_TTL), 3);
  cr_expect_eq(
      epi_request_set_stack(request, EPI_LEG_CLIENT, EPI_STACK_TTL, -1), 0);
  cr_expect_eq(epi_request_stack(request, EPI_LEG_CLIENT, EPI_STACK_TTL),
               EPI_ENOENT);
  cr_expect_eq(epi_request_stack(request, EPI_LEG_REMOTE, EPI_STACK_TTL), 3);
  cr_expect_eq(epi_reply_set_stack(reply, EPI_LEG_REMOTE, EPI_STACK_TFO, 0), 0);
  cr_expect_eq(epi_reply_stack(reply, EPI_LEG_REMOTE, EPI_STACK_TFO), 0);
}

Test(stack, what_there_is_not_is_refused) {
  static const struct {
    int leg, option, value;
  } cases[] = {
      {EPI_LEG_REMOTE, 0, 0},
      {EPI_LEG_REMOTE, 0x199, 0},
      {0, EPI_STACK_TTL, 0},
      {4, EPI_STACK_TTL, 0},
      {EPI_LEG_CLIENT, EPI_STACK_TFO, 0},
      {EPI_LEG_BOTH, EPI_STACK_HAPPY_EYEBALLS, EPI_STACK_YES},
      {EPI_LEG_CLIENT, EPI_STACK_TTL, 256},
      {EPI_LEG_CLIENT, EPI_STACK_TTL, -2},
      {EPI_LEG_REMOTE, EPI_STACK_MULTIPATH, 0},
      {EPI_LEG_REMOTE, EPI_STACK_MULTIPATH, 3},
      {EPI_LEG_REMOTE, EPI_STACK_BACKLOG, 65536},
      {EPI_LEG_REMOTE, EPI_STACK_PORT_PARITY, EPI_PARITY_EVEN + 2},
      {EPI_LEG_REMOTE, EPI_STACK_PORT_PARITY, 0x300},
  };

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cr_expect_eq(epi_request_set_stack(request, cases[i].leg, cases[i].option,
                                       cases[i].value),
                 EPI_EINVAL, "case %zu", i);
    cr_expect_eq(epi_reply_set_stack(reply, cases[i].leg, cases[i].option,
                                     cases[i].value),
                 EPI_EINVAL, "case %zu", i);
  }
  cr_expect_eq(epi_request_stack(request, EPI_LEG_BOTH, EPI_STACK_TTL),
               EPI_EINVAL);
  cr_expect_eq(epi_reply_stack(reply, EPI_LEG_CLIENT, 0x199), EPI_EINVAL);
}
