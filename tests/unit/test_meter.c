/* test_meter.c: what a worker counts, and an engine's metrics. */
#include "engine/metrics.h"
#include "engine/status.h"
#include "support/alloc_fail.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static long long at(const epi__meter *meter, int bucket) {
  return atomic_load(&meter->times[EPI__METER_CONNECT].buckets[bucket]);
}

Test(meter, a_time_is_in_the_first_bucket_that_has_it) {
  epi__meter *meter = NULL;

  cr_assert_eq(epi__meter_new(&meter), 0);
  epi__meter_time(meter, EPI__METER_CONNECT, 0);
  epi__meter_time(meter, EPI__METER_CONNECT, 1);
  epi__meter_time(meter, EPI__METER_CONNECT, 2);
  epi__meter_time(meter, EPI__METER_CONNECT, 120000);
  epi__meter_time(meter, EPI__METER_CONNECT, 120001);
  cr_expect_eq(at(meter, 0), 2);
  cr_expect_eq(at(meter, 1), 1);
  cr_expect_eq(at(meter, EPI__METER_BUCKETS - 1), 1);
  cr_expect_eq(at(meter, EPI__METER_BUCKETS), 1);
  cr_expect_eq(atomic_load(&meter->times[EPI__METER_CONNECT].sum_ms), 240004);
  epi__meter_free(meter);
}

Test(meter, a_meter_that_is_none_counts_nothing) {
  epi__meter_add(NULL, EPI__METER_ACCEPTED, 1);
  epi__meter_set(NULL, EPI__METER_WARM_OPEN, 1);
  epi__meter_time(NULL, EPI__METER_LOOKUP, 1);
  epi__meter_free(NULL);
}

static epi__refusal refusal_of(int number) {
  epi__refusal refusal = {.flow = number, .at = number / 2, .reply = 2};

  snprintf(refusal.why, sizeof refusal.why, "\"%d\"", number);
  return refusal;
}

Test(meter, the_last_refusals_are_remembered_newest_first) {
  epi_engine *engine = NULL;
  epi__text text = {0};

  cr_assert_eq(epi_engine_new(&engine), 0);
  epi__refusals_put(&text, engine);
  cr_expect_str_eq(text.block, "[]");
  epi__text_clear(&text);
  for (int worker = 0; worker < 2; worker++) {
    epi__meter *meter = NULL;

    cr_assert_eq(epi__meter_new(&meter), 0);
    atomic_store(&engine->meters[worker], meter);
    for (int i = 0; i < 100; i++) {
      epi__refusal refusal = refusal_of(2 * i + worker + 1);

      epi__meter_refusal(meter, &refusal);
    }
  }
  epi__refusals_put(&text, engine);
  cr_expect(
      strstr(text.block,
             "[{\"flow\":200,\"time\":\"1970-01-01T00:01:40Z\""
             ",\"what\":\"refused\",\"reply\":2,\"source\":null,\"dest\":null,"
             "\"why\":\"\\\"200\\\"\"},{\"flow\":199,") == text.block,
      "%s", text.block);
  cr_expect(strstr(text.block, "{\"flow\":161,"));
  cr_expect_not(strstr(text.block, "{\"flow\":160,"));
  epi__text_clear(&text);
  epi_engine_free(engine);
}

typedef int make(epi_engine *engine, char **out);

static int metrics(epi_engine *engine, char **out) {
  return epi_engine_metrics(engine, EPI_METRICS_OPEN, out);
}

Test(meter, texts_are_whole_or_not_there) {
  static make *const makes[] = {metrics, epi__status_json, epi__status_areas};

  for (size_t i = 0; i < sizeof makes / sizeof *makes; i++) {
    for (alloc_fail_start(); alloc_fail_more();) {
      epi_engine *engine = NULL;
      char *text = NULL;
      int result = epi_engine_new(&engine);

      if (!result) {
        result = makes[i](engine, &text);
        cr_expect_eq(!result, text != NULL);
      }
      cr_expect(!result || result == EPI_ENOMEM, "%d", result);
      epi_free(text);
      epi_engine_free(engine);
    }
  }
}
