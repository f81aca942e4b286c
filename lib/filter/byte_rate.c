/* byte_rate.c: a token bucket for the bytes of one flow. */
#include "filter/byte_rate.h"

enum {
  PER_BYTE = 1000,
  SAVED_MS = 100,
};

epi__byte_rate epi__byte_rate_begin(int64_t rate, int64_t now_ms) {
  return (epi__byte_rate){rate, rate * SAVED_MS, now_ms};
}

/* A byte a second is a thousandth of one a millisecond. */
static void fill(epi__byte_rate *bucket, int64_t now_ms) {
  int64_t full = bucket->rate * SAVED_MS;
  int64_t passed = now_ms - bucket->at_ms;

  if (passed <= 0) {
    return;
  }
  bucket->at_ms = now_ms;
  if (passed > (full - bucket->left) / bucket->rate) {
    bucket->left = full;
  } else {
    bucket->left += passed * bucket->rate;
  }
}

void epi__byte_rate_take(epi__byte_rate *bucket, size_t bytes, int64_t now_ms) {
  if (bucket->rate) {
    fill(bucket, now_ms);
    bucket->left -= (int64_t)bytes * PER_BYTE;
  }
}

int64_t epi__byte_rate_wait(epi__byte_rate *bucket, int64_t now_ms) {
  if (!bucket->rate) {
    return 0;
  }
  fill(bucket, now_ms);
  return bucket->left < 0 ? (-bucket->left + bucket->rate - 1) / bucket->rate
                          : 0;
}
