/* byte_rate.h: a token bucket: how long must one wait after so many bytes?
 *
 * Bytes that are there go through at once and may put the bucket into debt;
 * what comes next waits until the debt is paid. A tenth of a second may be
 * saved up. */
#ifndef EPI__BYTE_RATE_H
#define EPI__BYTE_RATE_H

#include "epi/base.h"

#define EPI__BYTE_RATE_MAX (INT64_C(1) << 40)

typedef struct epi__byte_rate {
  int64_t rate;  /* bytes a second, up to EPI__BYTE_RATE_MAX; 0: no limit */
  int64_t left;  /* thousandths of a byte; below 0: debt */
  int64_t at_ms; /* when left was true */
} epi__byte_rate;

/* A full bucket. */
epi__byte_rate epi__byte_rate_begin(int64_t rate, int64_t now_ms);

/* Take bytes out of it. */
void epi__byte_rate_take(epi__byte_rate *bucket, size_t bytes, int64_t now_ms);

/* The milliseconds to wait before more may pass, 0 for none. */
int64_t epi__byte_rate_wait(epi__byte_rate *bucket, int64_t now_ms);

#endif
