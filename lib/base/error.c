/* error.c: error codes, this thread's detail, reports. */
#include "base/fail.h"
#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
  DETAIL_MAX = 512,
  REPORT_LINES = 1000,
  REPORT_LINE_MAX = 1024,
};

static _Thread_local char detail[DETAIL_MAX];

const char *epi_strerror(int error) {
  switch (error) {
#define EPI__TEXT(code, text)                                                  \
  case code:                                                                   \
    return text;
    EPI_ERRORS(EPI__TEXT)
#undef EPI__TEXT
  case 0:
    return "success";
  default:
    return "no error of libepi";
  }
}

const char *epi_error_detail(void) {
  return detail;
}

int epi__fail(int code, const char *format, ...) {
  char text[DETAIL_MAX]; /* an argument may be the detail itself */
  va_list args;

  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  memcpy(detail, text, sizeof detail);
  return code;
}

void epi__fail_forget(void) {
  detail[0] = '\0';
}

struct epi_report {
  char **lines;
  size_t count, capacity;
  size_t more; /* lines past REPORT_LINES */
};

int epi_report_new(epi_report **out) {
  epi_report *report = epi__alloc(sizeof *report);

  if (!report) {
    return EPI_ENOMEM;
  }
  *out = report;
  return 0;
}

void epi_report_free(epi_report *report) {
  if (!report) {
    return;
  }
  for (size_t i = 0; i < report->count; i++) {
    epi__free(report->lines[i]);
  }
  epi__free(report->lines);
  epi__free(report);
}

size_t epi_report_count(const epi_report *report) {
  return report->count;
}

const char *epi_report_line(const epi_report *report, size_t index) {
  return index < report->count ? report->lines[index] : NULL;
}

int epi__report_add(epi_report *report, const char *format, ...) {
  char text[REPORT_LINE_MAX];
  va_list args;
  char **moved;
  char *line;

  if (!report) {
    return 0;
  }
  if (report->count == REPORT_LINES) {
    report->more++;
    snprintf(text, sizeof text, "and %zu more", report->more + 1);
  } else {
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
  }
  line = epi__strdup(text);
  if (!line) {
    return EPI_ENOMEM;
  }
  if (report->count == REPORT_LINES) {
    epi__free(report->lines[REPORT_LINES - 1]);
    report->lines[REPORT_LINES - 1] = line;
    return 0;
  }
  moved = epi__grow(report->lines, report->count, &report->capacity,
                    sizeof *report->lines);
  if (!moved) {
    epi__free(line);
    return EPI_ENOMEM;
  }
  report->lines = moved;
  report->lines[report->count++] = line;
  return 0;
}

const char *epi__printable(char *buf, size_t size, const char *text) {
  size_t i = 0;

  for (; text[i] && i + 1 < size; i++) {
    unsigned char c = (unsigned char)text[i];

    buf[i] = c < 0x20 || c == 0x7f ? '?' : (char)c;
  }
  buf[i] = '\0';
  return buf;
}
