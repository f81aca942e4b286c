/* test_estimate.c: Eq. 6 to 9. */
#include "epi/estimate.h"

#include <criterion/criterion.h>
#include <math.h>

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
  };

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cr_expect_float_eq(epi_estimate_ms(cases[i].method, 10, 20, 30, 1),
                       cases[i].ms, 1e-9);
  }
}

Test(estimate, refuses_what_is_no_method_or_time) {
  cr_expect_lt(epi_estimate_ms(0, 1, 1, 1, 1), 0);
  cr_expect_lt(epi_estimate_ms(7, 1, 1, 1, 1), 0);
  cr_expect_lt(epi_estimate_ms(EPI_METHOD_DIRECT, 1, 1, -1, 1), 0);
  cr_expect_lt(epi_estimate_ms(EPI_METHOD_DIRECT, 1, NAN, 1, 1), 0);
  cr_expect_lt(epi_estimate_ms(EPI_METHOD_DIRECT, 1, 1, 1, INFINITY), 0);
}
