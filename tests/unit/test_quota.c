/* test_quota.c: counts of flows that all workers share. */
#include "engine/quota.h"
#include "support/alloc_fail.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

enum {
  THREADS = 4,
  ROUNDS = 20000,
  MOST = 3,
};

static epi__quotas quotas;

static int take(const char *key, int64_t most, epi__quota_entry **out) {
  return epi__quota_take(&quotas, EPI__QUOTA_USER, key, strlen(key), most, out,
                         NULL);
}

Test(quota, each_key_has_a_limit_of_its_own) {
  epi__quota_entry *a[3] = {0}, *b = NULL;

  epi__quotas_init(&quotas);
  cr_expect_eq(take("ada", 2, &a[0]), 0);
  cr_expect_eq(take("ada", 2, &a[1]), 0);
  cr_expect_eq(take("ada", 2, &a[2]), EPI_ELIMIT);
  cr_expect_null(a[2]);
  cr_expect_eq(take("bob", 2, &b), 0);
  cr_expect_eq(take("eve", 0, &a[2]), EPI_ELIMIT);
  epi__quota_give(&quotas, &a[0]);
  cr_expect_null(a[0]);
  cr_expect_eq(take("ada", 2, &a[0]), 0);
  cr_expect_eq(take("ada", EPI__QUOTA_NO_LIMIT, &a[2]), 0);
  cr_expect(epi__quota_is_of(a[0], "ada", 3));
  cr_expect(!epi__quota_is_of(a[0], "ad", 2));
  epi__quota_give(&quotas, &a[0]);
  epi__quota_give(&quotas, &a[0]);
  epi__quotas_clear(&quotas);
}

Test(quota, what_is_counted_are_things_of_their_own) {
  epi__quota_entry *held[EPI__QUOTAS] = {0};

  epi__quotas_init(&quotas);
  for (int i = 0; i < EPI__QUOTAS; i++) {
    cr_expect_eq(epi__quota_take(&quotas, i, "same", 4, 1, &held[i], NULL), 0);
  }
  for (int i = 0; i < EPI__QUOTAS; i++) {
    epi__quota_give(&quotas, &held[i]);
  }
  epi__quotas_clear(&quotas);
}

static int take_addr(const char *text, epi__quota_entry **out, int *first) {
  epi_addr addr;

  cr_assert_eq(epi_addr_parse(&addr, text, -1), 0, "%s", text);
  return epi__quota_take_addr(&quotas, EPI__QUOTA_CLIENT, &addr, 1, out, first);
}

Test(quota, ipv6_counts_by_its_first_64_bits) {
  epi__quota_entry *held[3] = {0}, *none = NULL;

  epi__quotas_init(&quotas);
  cr_expect_eq(take_addr("[2001:db8::1]:1", &held[0], NULL), 0);
  cr_expect_eq(take_addr("[2001:db8::ffff:1]:2", &none, NULL), EPI_ELIMIT);
  cr_expect_eq(take_addr("[2001:db8:0:1::1]:1", &held[1], NULL), 0);
  cr_expect_eq(take_addr("32.1.13.184:1", &held[2], NULL), 0);
  cr_expect_eq(take_addr("32.1.13.184:2", &none, NULL), EPI_ELIMIT);
  epi__quotas_clear(&quotas);
}

Test(quota, the_first_refusal_is_told_apart) {
  epi__quota_entry *held = NULL, *none = NULL;
  int first;

  epi__quotas_init(&quotas);
  cr_expect_eq(take_addr("10.0.0.1:1", &held, &first), 0);
  cr_expect_eq(take_addr("10.0.0.1:2", &none, &first), EPI_ELIMIT);
  cr_expect_eq(first, 1);
  cr_expect_eq(take_addr("10.0.0.1:3", &none, &first), EPI_ELIMIT);
  cr_expect_eq(first, 0);
  epi__quota_give(&quotas, &held);
  cr_expect_eq(take_addr("10.0.0.1:1", &held, &first), 0);
  cr_expect_eq(take_addr("10.0.0.1:2", &none, &first), EPI_ELIMIT);
  cr_expect_eq(first, 1);
  epi__quotas_clear(&quotas);
}

Test(quota, a_key_is_bounded_and_memory_may_be_short) {
  static const char key[EPI__QUOTA_KEY + 1];
  epi__quota_entry *held = NULL;

  epi__quotas_init(&quotas);
  cr_expect_eq(epi__quota_take(&quotas, EPI__QUOTA_USER, key, sizeof key, 1,
                               &held, NULL),
               EPI_EINVAL);
  for (alloc_fail_start(); alloc_fail_more();) {
    int result = take("ada", 1, &held);

    cr_expect_eq(result, alloc_fail_happened() ? EPI_ENOMEM : 0);
    epi__quota_give(&quotas, &held);
  }
  epi__quotas_clear(&quotas);
}

/* Whoever has one counts on not being one of too many. */
static void *run(void *user) {
  atomic_int *most = user;

  for (int i = 0; i < ROUNDS; i++) {
    epi__quota_entry *held = NULL;

    if (!take("all", MOST, &held)) {
      int now = atomic_fetch_add(&most[0], 1) + 1;

      if (now > MOST) {
        atomic_store(&most[1], now);
      }
      atomic_fetch_sub(&most[0], 1);
      epi__quota_give(&quotas, &held);
    }
  }
  return NULL;
}

Test(quota, threads_never_have_more_than_the_limit) {
  pthread_t threads[THREADS];
  atomic_int most[2];
  epi__quota_entry *held = NULL;

  epi__quotas_init(&quotas);
  atomic_init(&most[0], 0);
  atomic_init(&most[1], 0);
  for (int i = 0; i < THREADS; i++) {
    cr_assert_eq(pthread_create(&threads[i], NULL, run, most), 0);
  }
  for (int i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
  }
  cr_expect_eq(atomic_load(&most[1]), 0, "%d at once", atomic_load(&most[1]));
  cr_expect_eq(take("all", 1, &held), 0, "something was not given back");
  epi__quotas_clear(&quotas);
}
