/* test_estimate.c: Eq. 6 to 9, what libepi adds, and the choice. */
#include "epi/error.h"
#include "epi/estimate.h"

#include <criterion/criterion.h>
#include <math.h>

/* The methods of the paper, and of libepi. */
#define PAPER                                                                  \
  (1 << EPI_METHOD_REVERSE | 1 << EPI_METHOD_SOCKS5_LOGIN |                    \
   1 << EPI_METHOD_SOCKS6)
#define EARLY (PAPER | 1 << EPI_METHOD_SOCKS6_EARLY)
#define WARM  (EARLY | 1 << EPI_METHOD_SOCKS6_WARM)

Test(estimate, follows_the_equations) {
  static const struct {
    int method;
    double ms;
  } cases[] = {
      {EPI_METHOD_DIRECT, 2 * 30 + 1},
      {EPI_METHOD_REVERSE, 2 * 10 + 2 * 20 + 1},
      {EPI_METHOD_SOCKS5, 4 * 10 + 2 * 20 + 1},
      {EPI_METHOD_SOCKS5_LOGIN, 5 * 10 + 2 * 20 + 1},
      {EPI_METHOD_SOCKS6, 3 * 10 + 2 * 20 + 1},
      {EPI_METHOD_SOCKS6_EARLY, 2 * 10 + 2 * 20 + 1},
      {EPI_METHOD_SOCKS6_WARM, 10 + 2 * 20 + 1},
      {EPI_METHOD_SOCKS6_WARM_TFO, 10 + 20 + 1},
  };

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cr_expect_float_eq(epi_estimate_ms(cases[i].method, 10, 20, 30, 1),
                       cases[i].ms, 1e-9);
  }
}

Test(estimate, refuses_what_is_no_method_or_time) {
  cr_expect_lt(epi_estimate_ms(0, 1, 1, 1, 1), 0);
  cr_expect_lt(epi_estimate_ms(9, 1, 1, 1, 1), 0);
  cr_expect_lt(epi_estimate_ms(EPI_METHOD_DIRECT, 1, 1, -1, 1), 0);
  cr_expect_lt(epi_estimate_ms(EPI_METHOD_DIRECT, 1, NAN, 1, 1), 0);
  cr_expect_lt(epi_estimate_ms(EPI_METHOD_DIRECT, 1, 1, 1, INFINITY), 0);
}

/* The paper's Table I, DOCKER 1 to 6, and what its equations make of it. */
Test(estimate, gives_the_times_of_the_papers_topologies) {
  static const double cp[6] = {5, 5, 10, 1, 5, 10};
  static const double ps[6] = {5, 10, 5, 1, 5, 10};
  static const double cs[6] = {10, 15, 15, 1, 5, 10};
  static const struct {
    int method;
    double ms[6];
  } cases[] = {
      {EPI_METHOD_DIRECT, {20, 30, 30, 2, 10, 20}},
      {EPI_METHOD_REVERSE, {20, 30, 30, 4, 20, 40}},
      {EPI_METHOD_SOCKS5_LOGIN, {35, 45, 60, 7, 35, 70}},
      {EPI_METHOD_SOCKS6, {25, 35, 40, 5, 25, 50}},
      {EPI_METHOD_SOCKS6_WARM, {15, 25, 20, 3, 15, 30}},
      {EPI_METHOD_SOCKS6_WARM_TFO, {10, 15, 15, 2, 10, 20}},
  };

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    for (size_t k = 0; k < 6; k++) {
      cr_expect_float_eq(
          epi_estimate_ms(cases[i].method, cp[k], ps[k], cs[k], 0),
          cases[i].ms[k], 1e-9, "method %d, DOCKER%zu", cases[i].method, k + 1);
    }
  }
}

Test(estimate, adds_the_times_that_the_equations_have) {
  cr_expect_float_eq(epi_estimate_busy_ms(EPI_METHOD_DIRECT, 1, 2, 4), 1, 1e-9);
  cr_expect_float_eq(epi_estimate_busy_ms(EPI_METHOD_REVERSE, 1, 2, 4), 3,
                     1e-9);
  for (int i = EPI_METHOD_SOCKS5; i <= EPI_METHOD_SOCKS6_WARM_TFO; i++) {
    cr_expect_float_eq(epi_estimate_busy_ms(i, 1, 2, 4), 7, 1e-9);
  }
  cr_expect_lt(epi_estimate_busy_ms(0, 1, 2, 4), 0);
  cr_expect_lt(epi_estimate_busy_ms(EPI_METHOD_DIRECT, 1, -2, 4), 0);
  cr_expect_lt(epi_estimate_busy_ms(EPI_METHOD_DIRECT, 1, 2, NAN), 0);
}

Test(estimate, chooses_as_the_paper_does_among_its_methods) {
  cr_expect_eq(epi_estimate_choose(EPI_FOR_LATENCY, PAPER, 5, 5),
               EPI_METHOD_REVERSE);
  cr_expect_eq(epi_estimate_choose(EPI_FOR_RATE, PAPER, 5, 5),
               EPI_METHOD_SOCKS6);
  cr_expect_eq(epi_estimate_choose(EPI_FOR_BOTH, PAPER, 5, 5),
               EPI_METHOD_SOCKS6);
}

Test(estimate, need_not_choose_between_latency_and_rate_with_early_data) {
  for (int need = EPI_FOR_LATENCY; need <= EPI_FOR_BOTH; need++) {
    cr_expect_eq(epi_estimate_choose(need, EARLY, 5, 5),
                 EPI_METHOD_SOCKS6_EARLY);
    cr_expect_eq(epi_estimate_choose(need, WARM, 5, 5), EPI_METHOD_SOCKS6_WARM);
  }
}

Test(estimate, puts_the_proxy_where_it_takes_less_time) {
  /* DOCKER2 and DOCKER3: as far in all, and the client nearer or the server. */
  cr_expect_eq(epi_estimate_place(EPI_FOR_RATE, PAPER, 5, 10, 10, 5), 1);
  cr_expect_eq(epi_estimate_place(EPI_FOR_RATE, PAPER, 10, 5, 5, 10), 0);
  cr_expect_eq(epi_estimate_place(EPI_FOR_LATENCY, PAPER, 10, 5, 5, 10), 1,
               "a reverse proxy has as many round trips to both");
  cr_expect_eq(epi_estimate_place(EPI_FOR_RATE, PAPER, 1, 1, 1, -1),
               EPI_EINVAL);
}

Test(estimate, refuses_what_is_no_choice) {
  cr_expect_eq(epi_estimate_choose(0, PAPER, 5, 5), EPI_EINVAL);
  cr_expect_eq(epi_estimate_choose(4, PAPER, 5, 5), EPI_EINVAL);
  cr_expect_eq(epi_estimate_choose(EPI_FOR_RATE, 0, 5, 5), EPI_EINVAL);
  cr_expect_eq(epi_estimate_choose(EPI_FOR_RATE, -1, 5, 5), EPI_EINVAL);
  cr_expect_eq(epi_estimate_choose(EPI_FOR_RATE, PAPER | 1, 5, 5), EPI_EINVAL);
  cr_expect_eq(
      epi_estimate_choose(EPI_FOR_RATE, PAPER | 1 << EPI_METHOD_DIRECT, 5, 5),
      EPI_EINVAL);
  cr_expect_eq(epi_estimate_choose(EPI_FOR_RATE, PAPER | 1 << 9, 5, 5),
               EPI_EINVAL);
  cr_expect_eq(epi_estimate_choose(EPI_FOR_RATE, PAPER, -5, 5), EPI_EINVAL);
}

/* Table II: six parameters, and the methods with an advantage in each. */
Test(estimate, knows_the_advantages_of_table_2) {
  cr_expect_eq(epi_method_advantages(EPI_METHOD_DIRECT), 0);
  cr_expect_eq(epi_method_advantages(EPI_METHOD_REVERSE), EPI_ADVANTAGE_TIME);
  cr_expect_eq(epi_method_advantages(EPI_METHOD_SOCKS5), 60);
  cr_expect_eq(epi_method_advantages(EPI_METHOD_SOCKS6),
               60 + EPI_ADVANTAGE_RATE);
  cr_expect_eq(epi_method_advantages(EPI_METHOD_SOCKS6_WARM), 63);
  cr_expect_eq(epi_method_advantages(9), EPI_EINVAL);
  for (int i = 0; i <= 64; i++) {
    int is_one = i && i < 64 && !(i & (i - 1));

    cr_expect_eq(epi_advantage_text(i) != NULL, is_one, "%d", i);
  }
  cr_expect_str_eq(epi_method_name(EPI_METHOD_SOCKS6_WARM), "socks6-warm");
  cr_expect_null(epi_method_name(0));
  cr_expect_null(epi_method_name(9));
}
