/* week.h: the hours of a week, in UTC, in which something is open. */
#ifndef EPI__WEEK_H
#define EPI__WEEK_H

#include "epi/error.h"

enum {
  EPI__WEEK_MINUTES = 7 * 24 * 60,
  EPI__WEEK_SPANS = 8,
};

typedef struct epi__week {
  size_t count;
  struct {
    int from, to; /* minutes of a day */
  } spans[EPI__WEEK_SPANS];
  unsigned days;                       /* bit 0 is Monday; 0: every day */
  uint8_t open[EPI__WEEK_MINUTES / 8]; /* bit 0 is Monday, 00:00 */
} epi__week;

/* Read "08:00-18:00" or, past midnight, "22:00-06:00", which belongs to the day
 * on which it begins; several spans add up. Returns 0, EPI_EINVAL or
 * EPI_ELIMIT. */
int epi__week_add_hours(epi__week *week, const char *text);

/* Read a day, "sat", or "mon-fri"; several add up. Returns 0 or EPI_EINVAL. */
int epi__week_add_days(epi__week *week, const char *text);

/* Say that all is added. */
void epi__week_settle(epi__week *week);

/* 1 if hours or days were added: else it is always open. */
int epi__week_limited(const epi__week *week);

/* The seconds from a time, seconds since 1970, until it closes: 0 if it is
 * closed, -1 if it never closes. */
int64_t epi__week_left(const epi__week *week, int64_t now);

#endif
