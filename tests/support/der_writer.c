/* der_writer.c: writes DER backwards. */
#include "support/der_writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void der_init(der *out) {
  out->start = DER_MAX;
}

const uint8_t *der_bytes(const der *out, size_t *len_out) {
  *len_out = DER_MAX - out->start;
  return out->block + out->start;
}

void der_put(der *out, const void *data, size_t len) {
  if (len > out->start) {
    fprintf(stderr, "der_writer: over %d bytes\n", DER_MAX);
    abort();
  }
  out->start -= len;
  if (len) {
    memcpy(out->block + out->start, data, len);
  }
}

size_t der_mark(const der *out) {
  return DER_MAX - out->start;
}

void der_wrap(der *out, int tag, size_t mark) {
  size_t len = der_mark(out) - mark;
  uint8_t head[4] = {(uint8_t)tag, 0x82, (uint8_t)(len >> 8), (uint8_t)len};

  if (len < 0x80) {
    head[1] = (uint8_t)len;
    der_put(out, head, 2);
  } else if (len < 0x100) {
    head[1] = 0x81;
    head[2] = (uint8_t)len;
    der_put(out, head, 3);
  } else {
    der_put(out, head, 4);
  }
}

void der_value(der *out, int tag, const void *data, size_t len) {
  size_t mark = der_mark(out);

  der_put(out, data, len);
  der_wrap(out, tag, mark);
}

void der_text(der *out, int tag, const char *text) {
  der_value(out, tag, text, strlen(text));
}

void der_number(der *out, int tag, unsigned number) {
  uint8_t bytes[5] = {0, (uint8_t)(number >> 24), (uint8_t)(number >> 16),
                      (uint8_t)(number >> 8), (uint8_t)number};
  size_t at = 0;

  while (at < 4 && !bytes[at] && bytes[at + 1] < 0x80) {
    at++;
  }
  der_value(out, tag, bytes + at, sizeof bytes - at);
}

void der_time(der *out, int64_t seconds, int always_general) {
  time_t at = (time_t)seconds;
  struct tm utc;
  char text[32];
  int general = always_general || !gmtime_r(&at, &utc) || utc.tm_year >= 150;

  gmtime_r(&at, &utc);
  strftime(text, sizeof text, general ? "%Y%m%d%H%M%SZ" : "%y%m%d%H%M%SZ",
           &utc);
  der_text(out, general ? 0x18 : 0x17, text);
}
