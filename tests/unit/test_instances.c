/* test_instances.c: which instance of a function carries a flow. */
#include "base/memory.h"
#include "engine/instances.h"
#include "epi/epi.h"
#include "support/alloc_fail.h"
#include "support/model_text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char three[] =
    "{'epi':1,'nodes':{'a':{}},'functions':{'gate':{'endpoints':["
    "'socks6://10.0.0.1:1','socks6://10.0.0.2:1','socks6://10.0.0.3:1']}}}";

static const char two_of_two[] =
    "{'epi':1,'nodes':{'a':{}},'functions':{'gate':{'capacity':2,'endpoints':["
    "'socks6://10.0.0.1:1','socks6://10.0.0.2:1']}}}";

typedef struct world {
  epi_engine *engine;
  epi__instances *table;
} world;

static void set_model(world *w, const char *text) {
  epi_model *model = text ? model_of(text) : NULL;

  cr_assert_eq(epi__instances_set_model(w->table, model), 0);
  epi_model_free(model);
}

static world start(const char *text) {
  world w = {0};

  cr_assert_eq(epi_engine_new(&w.engine), 0);
  cr_assert_eq(epi__instances_new(&w.table, w.engine), 0);
  set_model(&w, text);
  return w;
}

static void end(world *w) {
  epi__instances_free(w->table);
  epi_engine_free(w->engine);
}

static epi__instance *take(world *w) {
  epi__instance *out = NULL;

  cr_assert_eq(epi__instance_take(w->table, "gate", NULL, 0, &out), 0, "%s",
               epi_error_detail());
  return out;
}

/* Which one it is, by the last byte of its address. */
static int host(const epi__instance *instance) {
  return epi__instance_url(instance)[strlen("socks6://10.0.0.")] - '0';
}

/* "1:F 2:F", the flows of each, with ! if it does not answer and - if it is
 * retired. */
static const char *state(world *w) {
  static char out[200];
  epi__text text = {0};
  size_t len = 0;

  epi__instances_put(&text, w->table);
  out[0] = '\0';
  for (const char *at = text.block; (at = strstr(at, "10.0.0.")) != NULL;
       at++) {
    len += (size_t)snprintf(
        out + len, sizeof out - len, "%s%c%s%s:%d", len ? " " : "", at[7],
        strstr(at, "answers\":f") == strstr(at, "answers\":") ? "!" : "",
        strstr(at, "retired\":t") == strstr(at, "retired\":") ? "-" : "",
        atoi(strstr(at, "flows\":") + 7));
  }
  epi__text_clear(&text);
  return out;
}

Test(instances, take_turns_among_equals) {
  world w = start(three);
  epi__instance *held[6];

  for (int i = 0; i < 6; i++) {
    held[i] = take(&w);
    cr_expect_eq(host(held[i]), i % 3 + 1);
  }
  cr_expect_str_eq(state(&w), "1:2 2:2 3:2");
  for (int i = 0; i < 6; i++) {
    epi__instance_release(held[i]);
  }
  cr_expect_eq(host(held[0] = take(&w)), 1);
  epi__instance_release(held[0]);
  cr_expect_eq(host(held[0] = take(&w)), 2, "idle ones take turns, too");
  epi__instance_release(held[0]);
  end(&w);
}

Test(instances, the_one_with_the_fewest_flows_is_chosen) {
  world w = start(three);
  epi__instance *held[6];

  for (int i = 0; i < 6; i++) {
    held[i] = take(&w);
  }
  epi__instance_release(held[1]);
  epi__instance_release(held[4]);
  cr_expect_str_eq(state(&w), "1:2 2:0 3:2");
  held[1] = take(&w);
  held[4] = take(&w);
  cr_expect_str_eq(state(&w), "1:2 2:2 3:2");
  for (int i = 0; i < 6; i++) {
    epi__instance_release(held[i]);
  }
  end(&w);
}

Test(instances, carry_no_more_than_they_can) {
  world w = start(two_of_two);
  epi__instance *held[4], *more = NULL;

  for (int i = 0; i < 4; i++) {
    held[i] = take(&w);
  }
  cr_expect_eq(epi__instance_take(w.table, "gate", NULL, 0, &more), EPI_ELIMIT);
  cr_expect_str_eq(epi_error_detail(), "\"gate\" has as many flows as its 2 "
                                       "instances can carry, 2 each");
  epi__instance_failed(held[0], "tired");
  cr_expect_eq(epi__instance_take(w.table, "gate", NULL, 0, &more), EPI_ELIMIT);
  epi__instance_release(held[1]);
  cr_expect_eq(host(held[1] = take(&w)), 2);
  for (int i = 0; i < 4; i++) {
    epi__instance_release(held[i]);
  }
  end(&w);
}

Test(instances, what_does_not_answer_is_passed_over) {
  world w = start(three);
  epi__instance *first = take(&w), *held[4];

  epi__instance_failed(first, "refused");
  for (int i = 0; i < 4; i++) {
    held[i] = take(&w);
  }
  cr_expect_str_eq(state(&w), "1!:1 2:2 3:2");
  epi__instance_works(first);
  for (int i = 0; i < 4; i++) {
    epi__instance_release(held[i]);
  }
  epi__instance_release(first);
  cr_expect_str_eq(state(&w), "1:0 2:0 3:0");
  end(&w);
}

Test(instances, where_none_answers_the_oldest_failure_is_tried) {
  world w = start(three);
  epi__instance *held[3], *more;

  for (int i = 0; i < 3; i++) {
    held[i] = take(&w);
  }
  epi__instance_failed(held[1], "first");
  epi__instance_failed(held[0], "second");
  epi__instance_failed(held[2], "third");
  cr_expect_eq(host(more = take(&w)), 2);
  epi__instance_release(more);
  epi__instance_failed(held[1], "again");
  cr_expect_eq(host(more = take(&w)), 1);
  epi__instance_release(more);
  for (int i = 0; i < 3; i++) {
    epi__instance_release(held[i]);
  }
  end(&w);
}

Test(instances, what_was_tried_is_passed_over) {
  world w = start(three);
  int64_t tried[3];
  epi__instance *held = NULL;

  for (size_t i = 0; i < 3; i++) {
    cr_assert_eq(epi__instance_take(w.table, "gate", tried, i, &held), 0);
    tried[i] = epi__instance_number(held);
    epi__instance_release(held);
  }
  cr_expect(tried[0] != tried[1] && tried[1] != tried[2]);
  cr_expect_eq(epi__instance_take(w.table, "gate", tried, 3, &held),
               EPI_EFILTER);
  cr_expect_str_eq(epi_error_detail(), "\"gate\" has no other instance");
  cr_expect_eq(epi__instance_take(w.table, "other", NULL, 0, &held),
               EPI_EFILTER);
  cr_expect_str_eq(epi_error_detail(), "\"other\" has no instance");
  end(&w);
}

Test(instances, a_new_model_keeps_counts_and_what_is_known) {
  world w = start(three);
  epi__instance *held[3];

  for (int i = 0; i < 3; i++) {
    held[i] = take(&w);
  }
  epi__instance_failed(held[1], "refused");
  set_model(&w, "{'epi':1,'nodes':{'a':{}},'functions':{'gate':{'endpoints':["
                "'socks6://10.0.0.4:1','socks6://10.0.0.2:1',"
                "'socks6://10.0.0.3:1']}}}");
  cr_expect_str_eq(state(&w), "1-:1 2!:1 3:1 4:0");
  cr_expect(epi__instance_is_gone(held[0]));
  cr_expect(!epi__instance_is_gone(held[1]));
  epi__instance_release(held[0]);
  cr_expect_str_eq(state(&w), "2!:1 3:1 4:0");
  set_model(&w, NULL);
  cr_expect_str_eq(state(&w), "2!-:1 3-:1");
  cr_expect_eq(epi__instance_take(w.table, "gate", NULL, 0, &held[0]),
               EPI_EFILTER);
  set_model(&w, three);
  cr_expect_str_eq(state(&w), "2!:1 3:1 1:0");
  cr_expect(!epi__instance_is_gone(held[1]));
  epi__instance_release(held[1]);
  epi__instance_release(held[2]);
  set_model(&w, NULL);
  cr_expect_str_eq(state(&w), "");
  end(&w);
}

Test(instances, what_was_started_besides_comes_and_goes) {
  world w = start(two_of_two);
  epi__instance *added = NULL, *again = NULL, *held[6];
  int64_t idle = 0;

  cr_assert_eq(
      epi__instance_add(w.table, "gate", "socks6://10.0.0.9:1", &added), 0);
  cr_expect_eq(
      epi__instance_add(w.table, "gate", "socks6://10.0.0.9:1", &again),
      EPI_EBUSY);
  cr_expect_eq(
      epi__instance_add(w.table, "door", "socks6://10.0.0.9:1", &again),
      EPI_ENOENT);
  for (int i = 0; i < 6; i++) {
    held[i] = take(&w);
  }
  cr_expect_str_eq(state(&w), "1:2 2:2 9:2");
  cr_expect_eq(epi__instance_flows(added, &idle), 2);
  set_model(&w, three);
  cr_expect_str_eq(state(&w), "1:2 2:2 9:2 3:0");
  cr_expect(!epi__instance_is_gone(added));
  epi__instance_retire(added);
  cr_expect_str_eq(state(&w), "1:2 2:2 9-:2 3:0");
  cr_expect(!epi__instance_is_gone(held[2]), "its flows may end by themselves");
  for (int i = 0; i < 6; i++) {
    epi__instance_release(held[i]);
  }
  cr_expect_str_eq(state(&w), "1:0 2:0 3:0");
  end(&w);
}

/* How many are due, if what failed shall wait this long. */
static size_t due(world *w, int64_t interval_ms) {
  size_t count = 0;
  epi__instance **list = epi__instances_due(w->table, interval_ms, &count);

  for (size_t i = 0; i < count; i++) {
    epi__instance_let_go(list[i]);
  }
  epi__free(list);
  return count;
}

Test(instances, are_probed_where_that_helps) {
  enum { LONG_MS = 1000000 };
  world w = start("{'epi':1,'nodes':{'a':{}},'functions':{'gate':{'endpoints':["
                  "'socks6://10.0.0.1:1']}}}");
  epi__instance *held = take(&w);

  cr_expect_eq(due(&w, LONG_MS), 0, "one alone that answers");
  epi__instance_failed(held, "refused");
  cr_expect_eq(due(&w, LONG_MS), 0, "it failed just now");
  cr_expect_eq(due(&w, 0), 1);
  epi__instance_reached(held);
  cr_expect_eq(due(&w, 0), 0);
  epi__instance_missed(held, "a probe saw nobody");
  cr_expect_eq(due(&w, LONG_MS), 1, "no flow suffers by it");
  set_model(&w, three);
  cr_expect_eq(due(&w, LONG_MS), 3, "there are several");
  set_model(&w, NULL);
  cr_expect_eq(due(&w, 0), 0, "it is retired");
  epi__instance_release(held);
  end(&w);
}

Test(instances, without_probes_flows_find_out_what_is_back) {
  world w = start(two_of_two);
  epi__instance *held[3];

  cr_assert_eq(epi_engine_set(w.engine, EPI_ENGINE_HEALTH_MS, 0), 0);
  held[0] = take(&w);
  epi__instance_failed(held[0], "refused");
  held[1] = take(&w);
  held[2] = take(&w);
  cr_expect_str_eq(state(&w), "1!:1 2:2");
  epi__instance_release(held[0]);
  cr_expect_eq(host(held[0] = take(&w)), 1, "the other one is full");
  for (int i = 0; i < 3; i++) {
    epi__instance_release(held[i]);
  }
  end(&w);
}

Test(instances, are_told_without_passwords) {
  world w = start("{'epi':1,'nodes':{'a':{}},'functions':{'gate':{'endpoints':["
                  "'socks6://ada:secret@10.0.0.1:1']}}}");
  epi__text text = {0};

  epi__instances_put(&text, w.table);
  cr_expect(strstr(text.block, "10.0.0.1:1"));
  cr_expect_null(strstr(text.block, "secret"));
  epi__text_clear(&text);
  end(&w);
}

/* With every allocation failing in turn. */
static void change_models(epi_model *before, epi_model *after) {
  world w = {0};
  epi__instance *held = NULL;

  if (epi__instances_new(&w.table, NULL)) {
    return;
  }
  if (!epi__instances_set_model(w.table, before) &&
      !epi__instance_take(w.table, "gate", NULL, 0, &held)) {
    epi__instances_set_model(w.table, after);
    epi__instance_release(held);
  }
  epi__instances_free(w.table);
}

Test(instances, survive_failing_allocations) {
  epi_model *before = model_of(two_of_two), *after = model_of(three);

  for (alloc_fail_start(); alloc_fail_more();) {
    change_models(before, after);
  }
  epi_model_free(before);
  epi_model_free(after);
}

Test(instances, a_model_that_does_not_fit_changes_nothing) {
  epi_model *after = model_of(three);
  world w = start(two_of_two);
  int failed = 0;

  for (int round = 0; round < 2; round++) {
    alloc_fail_start();
    alloc_fail_more();
    failed += epi__instances_set_model(w.table, after) == EPI_ENOMEM;
    epi_set_allocator(NULL, NULL, NULL);
    cr_expect_str_eq(state(&w), "1:0 2:0");
  }
  cr_expect_eq(failed, 2);
  epi_model_free(after);
  end(&w);
}
