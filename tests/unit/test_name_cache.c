/* test_name_cache.c: names that are remembered, and when they are forgotten. */
#include "engine/name_cache.h"
#include "support/alloc_fail.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static epi_addr name_of(int i, uint16_t port) {
  char text[32];
  epi_addr addr;

  snprintf(text, sizeof text, "n%d.example", i);
  epi_addr_set_name(&addr, text, strlen(text), port);
  return addr;
}

static void put(epi__name_cache *cache, int i, int64_t ttl, int64_t now) {
  uint8_t v4[4] = {10, 0, 0, (uint8_t)i}, v6[16] = {0x20, 1, [15] = (uint8_t)i};
  epi_addr name = name_of(i, 0);
  epi_addr addrs[2];

  epi_addr_set_ip(&addrs[0], v6, 16, 0);
  epi_addr_set_ip(&addrs[1], v4, 4, 0);
  epi__name_cache_put(cache, name.name, addrs, 2, ttl, now);
}

static size_t get(epi__name_cache *cache, int i, int64_t now) {
  epi_addr name = name_of(i, 80);
  epi_addr out[16];

  return epi__name_cache_get(cache, &name, now, out, 16);
}

static epi__name_cache *cache_of(size_t capacity) {
  epi__name_cache *cache = NULL;

  cr_assert_eq(epi__name_cache_new(&cache, capacity), 0);
  return cache;
}

Test(name_cache, gives_addresses_with_the_port_of_the_name) {
  epi__name_cache *cache = cache_of(4);
  epi_addr name = name_of(7, 443), out[2];
  char text[EPI_ADDR_TEXT_MAX];

  put(cache, 7, 60, 0);
  cr_assert_eq(epi__name_cache_get(cache, &name, 1, out, 2), 2);
  epi_addr_format(&out[0], 1, text, sizeof text);
  cr_expect_str_eq(text, "[2001::7]:443");
  epi_addr_format(&out[1], 1, text, sizeof text);
  cr_expect_str_eq(text, "10.0.0.7:443");
  cr_expect_eq(epi__name_cache_get(cache, &name, 1, out, 1), 1);
  cr_expect_eq(get(cache, 8, 1), 0);
  epi__name_cache_free(cache);
}

Test(name_cache, forgets_when_the_time_is_over) {
  epi__name_cache *cache = cache_of(4);

  put(cache, 1, 60, 1000);
  cr_expect_eq(get(cache, 1, 60999), 2);
  cr_expect_eq(get(cache, 1, 61000), 0);
  put(cache, 1, INT64_MAX, 0);
  cr_expect_eq(get(cache, 1, 3599999), 2);
  cr_expect_eq(get(cache, 1, 3600000), 0);
  put(cache, 1, 0, 0);
  cr_expect_eq(get(cache, 1, 0), 0);
  epi__name_cache_free(cache);
}

Test(name_cache, a_new_answer_takes_the_place_of_the_old_one) {
  epi__name_cache *cache = cache_of(1);
  epi_addr name = name_of(1, 0), one, out[2];

  put(cache, 1, 60, 0);
  epi_addr_set_ip(&one, "\x7f\0\0\1", 4, 0);
  epi__name_cache_put(cache, name.name, &one, 1, 60, 30000);
  cr_expect_eq(epi__name_cache_get(cache, &name, 80000, out, 2), 1);
  cr_expect(epi_addr_equal(&out[0], &one));
  epi__name_cache_free(cache);
}

Test(name_cache, makes_room_where_nobody_asked_for_longest) {
  enum { MANY = 50 };
  epi__name_cache *cache = cache_of(MANY);

  for (int i = 0; i < MANY; i++) {
    put(cache, i, 60, 0);
  }
  for (int i = 0; i < MANY; i += 2) {
    cr_expect_eq(get(cache, i, 0), 2);
  }
  for (int i = 0; i < MANY / 2; i++) {
    put(cache, 100 + i, 60, 0);
  }
  for (int i = 0; i < MANY; i++) {
    cr_expect_eq(get(cache, i, 0), i % 2 ? 0 : 2);
  }
  for (int i = 0; i < MANY / 2; i++) {
    cr_expect_eq(get(cache, 100 + i, 0), 2);
  }
  epi__name_cache_free(cache);
}

Test(name_cache, remembers_nothing_without_room) {
  epi__name_cache *cache = cache_of(0);

  put(cache, 1, 60, 0);
  cr_expect_eq(get(cache, 1, 0), 0);
  epi__name_cache_free(cache);
  epi__name_cache_free(NULL);
}

Test(name_cache, survives_failing_allocations) {
  for (alloc_fail_start(); alloc_fail_more();) {
    epi__name_cache *cache = NULL;

    if (!epi__name_cache_new(&cache, 2)) {
      put(cache, 1, 60, 0);
      put(cache, 2, 60, 0);
      put(cache, 3, 60, 0);
      get(cache, 3, 0);
    }
    epi__name_cache_free(cache);
  }
}
