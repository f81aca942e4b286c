/* test_session_table.c: sessions that a server keeps: whose they are, for how
 * long, how many, and what they cost. */
#include "socks/session_table.h"
#include "support/alloc_fail.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t key[32] = "0123456789abcdef0123456789abcdef";

static epi_session_table *make(void) {
  epi_session_table *table = NULL;

  cr_assert_eq(epi_session_table_new(&table, key, sizeof key), 0);
  return table;
}

static epi__membership begin(epi_session_table *table, const char *user,
                             const char *owner, int64_t window, int64_t now) {
  epi__membership of = {0};

  cr_assert_eq(epi__session_table_begin(table, user, owner, window, now, &of),
               0);
  return of;
}

/* Joins without a token, and without having to be logged in. */
static int join(epi_session_table *table, const epi__membership *it,
                int64_t now) {
  epi__membership of;

  return epi__session_table_join(table, it->id, sizeof it->id, 0, 0, -1, now,
                                 &of);
}

static int spend(epi_session_table *table, const epi__membership *it,
                 int64_t token) {
  epi__membership of;

  cr_assert_eq(epi__session_table_join(table, it->id, sizeof it->id, 0, 0,
                                       token, 0, &of),
               0);
  return of.token;
}

Test(session_table, a_session_is_found_by_its_id) {
  epi_session_table *table = make();
  epi__membership one = begin(table, "alice", "10.0.0.1", 0, 0);
  epi__membership two = begin(table, NULL, "10.0.0.1", 0, 0);
  epi__membership of;

  cr_expect_eq(one.number, 1);
  cr_expect_eq(two.number, 2);
  cr_expect_neq(memcmp(one.id, two.id, sizeof one.id), 0);
  cr_expect_eq(epi__session_table_join(table, one.id, 16, 0, 0, -1, 1, &of), 0);
  cr_expect_eq(of.number, 1);
  cr_expect_str_eq(of.user, "alice");
  cr_expect_eq(epi__session_table_join(table, two.id, 16, 0, 0, -1, 1, &of), 0);
  cr_expect_eq(of.number, 2);
  cr_expect_str_eq(of.user, "");
  cr_expect_eq(epi__session_table_join(table, one.id, 12, 0, 0, -1, 1, &of),
               EPI_ENOENT);
  one.id[15] ^= 1;
  cr_expect_eq(join(table, &one, 1), EPI_ENOENT);
  epi_session_table_free(table);
  epi_session_table_free(NULL);
}

Test(session_table, ids_depend_on_the_key) {
  epi_session_table *table = make(), *other;
  epi__membership one = begin(table, NULL, "a", 0, 0), two;

  cr_assert_eq(
      epi_session_table_new(&other, "another key of thirty-two bytes.", 32), 0);
  two = begin(other, NULL, "a", 0, 0);
  cr_expect_neq(memcmp(one.id, two.id, sizeof one.id), 0);
  epi_session_table_free(table);
  epi_session_table_free(other);
}

Test(session_table, who_must_log_in_cannot_join_what_nobody_logged_in_to) {
  epi_session_table *table = make();
  epi__membership nobodys = begin(table, NULL, "10.0.0.1", 0, 0);
  epi__membership alices = begin(table, "alice", "10.0.0.1", 0, 0);
  epi__membership of;

  cr_expect_eq(epi__session_table_join(table, nobodys.id, 16, 1, 0, -1, 0, &of),
               EPI_ENOENT);
  cr_expect_eq(epi__session_table_join(table, alices.id, 16, 1, 0, -1, 0, &of),
               0);
  epi_session_table_free(table);
}

Test(session_table, an_ended_session_cannot_be_joined) {
  epi_session_table *table = make();
  epi__membership it = begin(table, NULL, "a", 0, 0);

  epi__session_table_end(table, it.id, 15, 0);
  cr_expect_eq(epi_session_table_count(table), 1);
  epi__session_table_end(table, it.id, 16, 0);
  cr_expect_eq(epi_session_table_count(table), 0);
  cr_expect_eq(join(table, &it, 0), EPI_ENOENT);
  epi__session_table_end(table, it.id, 16, 0);
  cr_expect_eq(begin(table, NULL, "a", 0, 0).number, 2, "never given twice");
  epi_session_table_free(table);
}

Test(session_table, owners_and_all_have_a_limit) {
  epi_session_table *table = make();
  epi__membership first, of;

  cr_expect_eq(epi_session_table_set(table, EPI_SESSIONS_MAX, 5), 0);
  cr_expect_eq(epi_session_table_set(table, EPI_SESSIONS_PER_OWNER, 2), 0);
  first = begin(table, "a", "x", 0, 0);
  begin(table, "a", "x", 0, 0);
  cr_expect_eq(epi__session_table_begin(table, "a", "y", 0, 0, &of),
               EPI_ELIMIT);
  begin(table, NULL, "a", 0, 0); /* an address is not a user */
  begin(table, NULL, "a", 0, 0);
  cr_expect_eq(epi__session_table_begin(table, NULL, "a", 0, 0, &of),
               EPI_ELIMIT);
  begin(table, NULL, "b", 0, 0);
  cr_expect_eq(epi__session_table_begin(table, NULL, "c", 0, 0, &of),
               EPI_ELIMIT, "five in all");
  epi__session_table_end(table, first.id, 16, 0);
  begin(table, "a", "x", 0, 0);
  epi_session_table_free(table);
}

Test(session_table, idle_sessions_are_forgotten_in_order_of_use) {
  epi_session_table *table = make();
  epi__membership one, two, three;

  epi_session_table_set(table, EPI_SESSIONS_IDLE_MS, 100);
  one = begin(table, NULL, "a", 0, 0);
  two = begin(table, NULL, "a", 0, 50);
  three = begin(table, NULL, "a", 0, 60);
  cr_expect_eq(join(table, &one, 90), 0);
  cr_expect_eq(epi_session_table_expire(table, 149), 0);
  cr_expect_eq(epi_session_table_expire(table, 150), 1);
  cr_expect_eq(join(table, &two, 150), EPI_ENOENT);
  cr_expect_eq(join(table, &three, 10), 0, "time does not go back");
  cr_expect_eq(join(table, &one, 190), EPI_ENOENT, "nobody called expire");
  cr_expect_eq(epi_session_table_count(table), 1);
  cr_expect_eq(epi_session_table_expire(table, 250), 1);
  epi_session_table_free(table);
}

Test(session_table, a_session_that_is_held_is_not_idle) {
  epi_session_table *table = make();
  epi__membership it = begin(table, NULL, "a", 0, 0);

  epi_session_table_set(table, EPI_SESSIONS_IDLE_MS, 100);
  cr_expect_eq(epi_session_table_hold(table, it.number), 0);
  cr_expect_eq(epi_session_table_hold(table, it.number), 0);
  epi_session_table_release(table, it.number, 200);
  cr_expect_eq(epi_session_table_expire(table, 1000), 0);
  cr_expect_eq(join(table, &it, 1000), 0);
  epi_session_table_release(table, it.number, 1000);
  epi_session_table_release(table, it.number, 1050); /* one too many */
  cr_expect_eq(epi_session_table_expire(table, 1099), 0);
  cr_expect_eq(epi_session_table_expire(table, 1100), 1);
  cr_expect_eq(epi_session_table_hold(table, it.number), EPI_ENOENT);
  cr_expect_eq(epi_session_table_hold(table, 0), EPI_ENOENT);
  cr_expect_eq(epi_session_table_hold(table, 2), EPI_ENOENT);
  epi_session_table_release(table, it.number, 1100);
  epi_session_table_free(table);
}

Test(session_table, a_held_session_can_be_ended) {
  epi_session_table *table = make();
  epi__membership it = begin(table, NULL, "a", 8, 0);

  epi_session_table_hold(table, it.number);
  epi__session_table_end(table, it.id, 16, 0);
  cr_expect_eq(epi_session_table_count(table), 0);
  epi_session_table_release(table, it.number, 0);
  epi_session_table_free(table);
}

Test(session_table, a_window_is_granted_once_and_kept) {
  epi_session_table *table = make();
  epi__membership it, of;

  epi_session_table_set(table, EPI_SESSIONS_TOKENS, 8);
  it = begin(table, NULL, "a", 0, 0);
  cr_expect_eq(it.window_size, 0);
  cr_expect_eq(spend(table, &it, 0), EPI_TOKEN_REJECTED, "no window yet");
  cr_expect_eq(epi__session_table_join(table, it.id, 16, 0, 9, -1, 0, &of), 0);
  cr_expect_eq(of.window_size, 8, "not the nine that were asked for");
  cr_expect_eq(of.window_base, 0);
  cr_expect_eq(of.token, 0);
  cr_expect_eq(spend(table, &it, 0), EPI_TOKEN_ACCEPTED);
  cr_expect_eq(spend(table, &it, 0), EPI_TOKEN_REJECTED, "a replay");
  cr_expect_eq(epi__session_table_join(table, it.id, 16, 0, 4, 2, 0, &of), 0);
  cr_expect_eq(of.token, EPI_TOKEN_ACCEPTED);
  cr_expect_eq(of.window_size, 8, "no second window");
  cr_expect_eq(of.window_base, 1);
  epi_session_table_free(table);
}

Test(session_table, tokens_belong_to_one_session) {
  epi_session_table *table = make();
  epi__membership one = begin(table, NULL, "a", 4, 0);
  epi__membership two = begin(table, NULL, "a", 4, 0);

  cr_expect_eq(spend(table, &one, 1), EPI_TOKEN_ACCEPTED);
  cr_expect_eq(spend(table, &two, 1), EPI_TOKEN_ACCEPTED);
  cr_expect_eq(spend(table, &one, 1), EPI_TOKEN_REJECTED);
  epi_session_table_free(table);
}

Test(session_table, parameters_have_bounds) {
  epi_session_table *table = make(), *none = NULL;

  cr_expect_eq(epi_session_table_set(table, 0, 5), EPI_EINVAL);
  cr_expect_eq(epi_session_table_set(table, 5, 5), EPI_EINVAL);
  cr_expect_eq(epi_session_table_set(table, EPI_SESSIONS_MAX, 0), EPI_EINVAL);
  cr_expect_eq(epi_session_table_set(table, EPI_SESSIONS_TOKENS, 65537),
               EPI_EINVAL);
  cr_expect_eq(epi_session_table_set(table, EPI_SESSIONS_TOKENS, 65536), 0);
  cr_expect_eq(epi_session_table_new(&none, key, 31), EPI_EINVAL);
  cr_expect_null(none);
  epi_session_table_free(table);
}

/* ---- many ---- */

static int locked, calls;

static void take(void *user) {
  cr_assert_eq(locked++, 0);
  calls += user == &locked;
}

static void give(void *user) {
  cr_assert_eq(--locked, 0);
  (void)user;
}

/* Sessions begin, are joined, held and end in any order, against a list that is
 * searched from end to end. */
Test(session_table, does_as_a_plain_list) {
  enum { MANY = 400, IDLE = 50 };
  static struct {
    epi__membership it;
    int64_t used_at;
    int live, holds;
  } all[MANY];
  epi_session_table *table = make();
  size_t count = 0;

  epi_session_table_on_lock(table, take, give, &locked);
  epi_session_table_set(table, EPI_SESSIONS_IDLE_MS, IDLE);
  epi_session_table_set(table, EPI_SESSIONS_PER_OWNER, MANY);
  srand(7);
  for (int64_t now = 0; now < 20000; now++) {
    int i = rand() % MANY;
    size_t live = 0;

    for (int k = 0; k < MANY; k++) {
      all[k].live &= all[k].holds || now - all[k].used_at < IDLE;
    }
    if (!all[i].live && count < 1000000) {
      char owner[8];

      snprintf(owner, sizeof owner, "%d", rand() % 9);
      all[i].it = begin(table, rand() % 2 ? owner : NULL, owner, 0, now);
      all[i].live = 1;
      all[i].holds = 0;
      all[i].used_at = now;
      cr_assert_eq(all[i].it.number, (int64_t)++count);
    } else if (rand() % 8 == 0) {
      epi__session_table_end(table, all[i].it.id, 16, now);
      all[i].live = 0;
    } else if (rand() % 4 == 0) {
      cr_assert_eq(epi_session_table_hold(table, all[i].it.number), 0);
      all[i].holds++;
    } else if (all[i].holds && rand() % 2) {
      epi_session_table_release(table, all[i].it.number, now);
      all[i].holds--;
      all[i].used_at = now;
    } else {
      cr_assert_eq(join(table, &all[i].it, now), 0);
      all[i].used_at = now;
    }
    epi_session_table_expire(table, now);
    for (int k = 0; k < MANY; k++) {
      live += (size_t)all[k].live;
    }
    cr_assert_eq(epi_session_table_count(table), live, "at %d", (int)now);
    i = rand() % MANY;
    if (all[i].it.number) {
      cr_assert_eq(join(table, &all[i].it, now), all[i].live ? 0 : EPI_ENOENT);
      all[i].used_at = all[i].live ? now : all[i].used_at;
    }
  }
  cr_expect_gt(calls, 20000);
  cr_expect_eq(locked, 0);
  epi_session_table_free(table);
}

/* An allocator that counts. */
static size_t held, blocks;

static void *counted_alloc(size_t size) {
  size_t *block = malloc(2 * sizeof *block + size);

  block[0] = size;
  held += size;
  blocks++;
  return block + 2;
}

static void counted_release(void *data) {
  if (data) {
    held -= ((size_t *)data - 2)[0];
    blocks--;
    free((size_t *)data - 2);
  }
}

static void *counted_resize(void *data, size_t size) {
  cr_assert_null(data);
  return counted_alloc(size);
}

Test(session_table, takes_no_more_memory_than_it_says) {
  enum { MANY = 5000, TOKENS = 1024 };
  epi_session_table *table;
  size_t empty;

  cr_assert_eq(
      epi_set_allocator(counted_alloc, counted_resize, counted_release), 0);
  table = make();
  empty = held;
  for (int i = 0; i < MANY; i++) {
    char owner[24];

    snprintf(owner, sizeof owner, "10.1.%d.%d", i / 250, i % 250);
    begin(table, NULL, owner, 2 * TOKENS, 0);
  }
  cr_expect_leq(held - empty, (size_t)MANY * (256 + TOKENS / 8 + 64));
  cr_expect_leq(blocks, 2 + 3 * (size_t)MANY);
  cr_expect_eq(epi_session_table_expire(table, 600000), MANY);
  cr_expect_eq(blocks, 2, "all of it comes back but the lists");
  epi_session_table_free(table);
  cr_expect_eq(held, 0);
  epi_set_allocator(NULL, NULL, NULL);
}

Test(session_table, survives_failing_allocations) {
  for (alloc_fail_start(); alloc_fail_more();) {
    epi_session_table *table;
    epi__membership of;

    if (epi_session_table_new(&table, key, sizeof key)) {
      continue;
    }
    epi_session_table_set(table, EPI_SESSIONS_PER_OWNER, 100);
    for (size_t i = 0; i < 70; i++) {
      size_t before = epi_session_table_count(table);
      int result = epi__session_table_begin(table, i % 2 ? "u" : NULL, "a",
                                            i % 3, 0, &of);

      cr_assert(!result || (result == EPI_ENOMEM && alloc_fail_happened()));
      cr_assert_eq(epi_session_table_count(table), before + !result);
      if (!result &&
          epi__session_table_join(table, of.id, 16, 0, 5, -1, 0, &of)) {
        cr_assert(alloc_fail_happened());
        cr_assert_eq(
            epi__session_table_join(table, of.id, 16, 0, 5, -1, 0, &of), 0,
            "the next time it works");
      }
    }
    epi_session_table_free(table);
  }
}
