/* test_flow_counts.c: threads count flows together, and lose none. */
#include "filter/flow_counts.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>

enum {
  THREADS = 4,
  ROUNDS = 20000,
  SOURCES = 3,
  FLOWS = 5,
  PER_SOURCE = 2,
};

static epi__flow_counts *counts;
static atomic_int running, of_source[SOURCES], over, let_in;

static epi_addr source_of(unsigned number) {
  epi_addr addr = {.kind = EPI_ADDR_IPV4, .ip = {10, 0, 0, (uint8_t)number}};

  return addr;
}

static void *work(void *user) {
  unsigned seed = *(const unsigned *)user;

  for (int i = 0; i < ROUNDS; i++) {
    unsigned number = (seed = seed * 1103515245 + 12345) >> 16;
    epi_addr addr = source_of(number %= SOURCES);

    if (epi__flow_counts_begin(counts, &addr, i)) {
      continue;
    }
    let_in++;
    over += ++running > FLOWS;
    over += ++of_source[number] > PER_SOURCE;
    of_source[number]--;
    running--;
    epi__flow_counts_end(counts, &addr);
  }
  return NULL;
}

Test(flow_counts, hold_whatever_threads_do) {
  epi__flow_limits limits = {.flows = FLOWS, .per_source = PER_SOURCE};
  unsigned seeds[THREADS];
  pthread_t threads[THREADS];

  cr_assert_eq(epi__flow_counts_new(&counts, &limits), 0);
  for (unsigned i = 0; i < THREADS; i++) {
    seeds[i] = i;
    cr_assert_eq(pthread_create(&threads[i], NULL, work, &seeds[i]), 0);
  }
  for (unsigned i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
  }
  cr_expect_eq(over, 0);
  cr_expect_gt(let_in, ROUNDS);
  for (unsigned i = 0; i < FLOWS; i++) { /* nothing stayed counted */
    epi_addr addr = source_of(i / PER_SOURCE);

    cr_expect_eq(epi__flow_counts_begin(counts, &addr, 0), 0);
  }
  cr_expect_eq(epi__flow_counts_begin(counts, &(epi_addr){0}, 0), EPI_ELIMIT);
  epi__flow_counts_free(counts);
}

static void *begin_all(void *user) {
  epi_addr addr = source_of(1);

  (void)user;
  for (int i = 0; i < ROUNDS; i++) {
    let_in += !epi__flow_counts_begin(counts, &addr, 5000);
  }
  return NULL;
}

Test(flow_counts, let_no_more_new_flows_in_than_told) {
  epi__flow_limits limits = {.per_second = 100};
  pthread_t threads[THREADS];

  cr_assert_eq(epi__flow_counts_new(&counts, &limits), 0);
  for (unsigned i = 0; i < THREADS; i++) {
    cr_assert_eq(pthread_create(&threads[i], NULL, begin_all, NULL), 0);
  }
  for (unsigned i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
  }
  cr_expect_eq(let_in, 100);
  epi__flow_counts_free(counts);
}
