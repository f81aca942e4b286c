/* json_write.c: JSON, written. */
#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void epi__json_put_string(epi__text *out, const char *string) {
  epi__json_put_part(out, string, strlen(string));
}

static int must_escape(unsigned char c) {
  return c < 0x20 || c == '"' || c == '\\';
}

void epi__json_put_part(epi__text *out, const char *string, size_t len) {
  epi__text_add(out, "\"", 1);
  while (len) {
    size_t plain = 0;
    unsigned char c;

    while (plain < len && !must_escape((unsigned char)string[plain])) {
      plain++;
    }
    epi__text_add(out, string, plain);
    string += plain;
    len -= plain;
    if (!len) {
      break;
    }
    c = (unsigned char)*string++;
    len--;
    if (c == '"' || c == '\\') {
      char escaped[2] = {'\\', (char)c};

      epi__text_add(out, escaped, sizeof escaped);
    } else {
      epi__text_printf(out, "\\u%04x", c);
    }
  }
  epi__text_add(out, "\"", 1);
}

void epi__json_put_number(epi__text *out, double number) {
  char text[40];

  if (!isfinite(number)) { /* JSON has no word for these */
    epi__text_puts(out, "null");
    return;
  }
  for (int digits = 1; digits <= 17; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, number);
    if (strtod(text, NULL) == number) {
      break;
    }
  }
  epi__text_puts(out, text);
}
