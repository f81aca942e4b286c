/* meter.c: counters of one worker. */
#include "engine/meter.h"

#include "base/memory.h"

const int64_t epi__meter_bounds[EPI__METER_BUCKETS] = {
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 30000, 120000};

void epi__meter_names_start(epi__meter_names *names) {
  epi__labels_start(&names->rules, EPI__METER_RULES);
  epi__labels_start(&names->chains, EPI__METER_CHAINS);
  epi__labels_start(&names->filters, EPI__METER_FILTERS);
}

void epi__meter_names_clear(epi__meter_names *names) {
  epi__labels_clear(&names->rules);
  epi__labels_clear(&names->chains);
  epi__labels_clear(&names->filters);
}

int epi__meter_new(epi__meter **out) {
  epi__meter *meter = epi__alloc(sizeof *meter);

  if (!meter) {
    return EPI_ENOMEM;
  }
  pthread_mutex_init(&meter->lock, NULL);
  *out = meter;
  return 0;
}

void epi__meter_free(epi__meter *meter) {
  if (meter) {
    pthread_mutex_destroy(&meter->lock);
    epi__free(meter);
  }
}

void epi__meter_add(epi__meter *meter, int count, int64_t more) {
  if (meter) {
    epi__meter_more(&meter->counts[count], more);
  }
}

void epi__meter_set(epi__meter *meter, int count, int64_t level) {
  if (meter) {
    atomic_store_explicit(&meter->counts[count], level, memory_order_relaxed);
  }
}

void epi__meter_time(epi__meter *meter, int what, int64_t ms) {
  int bucket = 0;

  if (!meter) {
    return;
  }
  while (bucket < EPI__METER_BUCKETS && ms > epi__meter_bounds[bucket]) {
    bucket++;
  }
  epi__meter_more(&meter->times[what].buckets[bucket], 1);
  epi__meter_more(&meter->times[what].sum_ms, ms);
}

void epi__meter_refusal(epi__meter *meter, const epi__refusal *refusal) {
  pthread_mutex_lock(&meter->lock);
  meter->refusals[meter->refused++ % EPI__REFUSALS] = *refusal;
  pthread_mutex_unlock(&meter->lock);
}
