/* week.c: the hours of a week, in UTC, in which something is open. */
#include "filter/week.h"

#include "base/fail.h"

#include <string.h>

enum {
  DAYS = 7,
  DAY = 24 * 60,
  THURSDAY = 3, /* 1970-01-01 */
};

/* Read "HH:MM". Returns the text behind it, or NULL. */
static const char *read_time(const char *text, int *out) {
  int hours, minutes;

  for (int i = 0; i < 5; i++) {
    if (i == 2 ? text[i] != ':' : text[i] < '0' || text[i] > '9') {
      return NULL;
    }
  }
  hours = (text[0] - '0') * 10 + (text[1] - '0');
  minutes = (text[3] - '0') * 10 + (text[4] - '0');
  *out = hours * 60 + minutes;
  return minutes < 60 && *out <= DAY ? text + 5 : NULL;
}

int epi__week_add_hours(epi__week *week, const char *text) {
  const char *at = text;
  int from, to;

  if (!(at = read_time(at, &from)) || *at != '-' ||
      !(at = read_time(at + 1, &to)) || *at || from == to || from == DAY) {
    return epi__fail(EPI_EINVAL, "hours are as 08:00-18:00, not '%.80s'", text);
  }
  if (week->count == EPI__WEEK_SPANS) {
    return epi__fail(EPI_ELIMIT, "over %d spans of hours", EPI__WEEK_SPANS);
  }
  week->spans[week->count].from = from;
  week->spans[week->count++].to = to;
  return 0;
}

static int read_day(const char *text, unsigned *out) {
  static const char names[DAYS][4] = {"mon", "tue", "wed", "thu",
                                      "fri", "sat", "sun"};

  for (unsigned i = 0; i < DAYS; i++) {
    if (!strncmp(text, names[i], 3)) {
      *out = i;
      return 1;
    }
  }
  return 0;
}

int epi__week_add_days(epi__week *week, const char *text) {
  unsigned first, last;
  int fine = read_day(text, &first);

  last = first = fine ? first : 0;
  if (fine && text[3] == '-') {
    fine = read_day(text + 4, &last) && !text[7];
  } else if (fine) {
    fine = !text[3];
  }
  if (!fine) {
    return epi__fail(EPI_EINVAL, "days are as mon or mon-fri, not '%.80s'",
                     text);
  }
  for (unsigned day = first;; day = (day + 1) % DAYS) {
    week->days |= 1u << day;
    if (day == last) {
      return 0;
    }
  }
}

int epi__week_limited(const epi__week *week) {
  return week->count || week->days;
}

static void open_span(epi__week *week, int day, int from, int to) {
  int end = to > from ? to : to + DAY;

  for (int i = from; i < end; i++) {
    int minute = (day * DAY + i) % EPI__WEEK_MINUTES;

    week->open[minute / 8] |= (uint8_t)(1u << minute % 8);
  }
}

void epi__week_settle(epi__week *week) {
  for (int day = 0; day < DAYS; day++) {
    if (week->days && !(week->days >> day & 1)) {
      continue;
    }
    for (size_t i = 0; i < week->count; i++) {
      open_span(week, day, week->spans[i].from, week->spans[i].to);
    }
    if (!week->count) {
      open_span(week, day, 0, DAY);
    }
  }
}

int64_t epi__week_left(const epi__week *week, int64_t now) {
  int64_t length = EPI__WEEK_MINUTES * 60;
  int64_t second = ((now + THURSDAY * DAY * 60) % length + length) % length;
  int minute = (int)(second / 60);

  if (!epi__week_limited(week)) {
    return -1;
  }
  for (int i = 0; i < EPI__WEEK_MINUTES; i++) {
    int at = (minute + i) % EPI__WEEK_MINUTES;

    if (!(week->open[at / 8] >> at % 8 & 1)) {
      return i ? i * 60 - second % 60 : 0;
    }
  }
  return -1;
}
