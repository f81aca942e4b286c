/* test_tally.c: counts by client address. */
#include "base/bytes.h"
#include "engine/tally.h"
#include "support/alloc_fail.h"

#include <criterion/criterion.h>

static epi_addr addr_of(int i) {
  uint8_t ip[4] = {10, 0, (uint8_t)(i >> 8), (uint8_t)i};
  epi_addr addr;

  epi_addr_set_ip(&addr, ip, 4, (uint16_t)i);
  return addr;
}

Test(tally, each_address_has_a_limit_of_its_own) {
  epi__tally tally = {0};
  epi_addr one = addr_of(1), two = addr_of(2), other_port = addr_of(1);

  other_port.port = 99;
  cr_expect_eq(epi__tally_add(&tally, &one, 2), 0);
  cr_expect_eq(epi__tally_add(&tally, &other_port, 2), 0);
  cr_expect_eq(epi__tally_add(&tally, &one, 2), EPI_ELIMIT);
  cr_expect_eq(epi__tally_add(&tally, &two, 2), 0);
  cr_expect_eq(epi__tally_count(&tally, &one), 2);
  cr_expect_eq(epi__tally_count(&tally, &two), 1);
  epi__tally_remove(&tally, &one);
  cr_expect_eq(epi__tally_add(&tally, &one, 2), 0);
  cr_expect_eq(epi__tally_add(&tally, &one, 0), EPI_ELIMIT);
  epi__tally_clear(&tally);
}

Test(tally, forgets_addresses_that_have_none) {
  epi__tally tally = {0};

  for (int i = 0; i < 2000; i++) {
    epi_addr addr = addr_of(i);

    cr_expect_eq(epi__tally_add(&tally, &addr, 1), 0);
  }
  for (int i = 0; i < 2000; i++) {
    epi_addr addr = addr_of(i);

    epi__tally_remove(&tally, &addr);
    epi__tally_remove(&tally, &addr); /* nothing left: does nothing */
  }
  for (int i = 0; i < EPI__TALLY_BUCKETS; i++) {
    cr_expect_null(tally.buckets[i]);
  }
  cr_expect_eq(epi__tally_count(&tally, &(epi_addr){0}), 0);
}

Test(tally, survives_failing_allocations) {
  for (alloc_fail_start(); alloc_fail_more();) {
    epi__tally tally = {0};
    epi_addr addr = addr_of(7);

    if (epi__tally_add(&tally, &addr, 1) == 0) {
      cr_expect_eq(epi__tally_add(&tally, &addr, 1), EPI_ELIMIT);
    }
    epi__tally_clear(&tally);
  }
}
