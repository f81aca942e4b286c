/* annotated_hex.c: bytes as text that people can read. */
#include "support/annotated_hex.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned digit(const char *at, const char *text) {
  static const char digits[] = "0123456789abcdef";
  const char *found = *at ? strchr(digits, tolower((unsigned char)*at)) : NULL;

  if (!found) {
    fprintf(stderr, "not hexadecimal: %s\nin: %s\n", at, text);
    abort();
  }
  return (unsigned)(found - digits);
}

size_t annotated_hex(uint8_t *out, size_t size, const char *text) {
  const char *at = text;
  size_t len = 0;

  while (*at) {
    unsigned long count = 1;
    uint8_t byte;

    if (isspace((unsigned char)*at)) {
      at++;
      continue;
    }
    if (*at == '#') {
      at += strcspn(at, "\n");
      continue;
    }
    byte = (uint8_t)(digit(at, text) << 4);
    byte |= (uint8_t)digit(at + 1, text);
    at += 2;
    if (*at == '*') {
      char *end;

      count = strtoul(at + 1, &end, 10);
      at = end;
    }
    if (count > size - len) {
      fprintf(stderr, "over %zu bytes: %s\n", size, text);
      abort();
    }
    memset(out + len, byte, count);
    len += count;
  }
  return len;
}
