/* json_write.c: JSON, written. */
#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void epi__json_put_string(epi__text *out, const char *string) {
  epi__json_put_part(out, string, strlen(string));
}

void epi__json_put_part(epi__text *out, const char *string, size_t len) {
  epi__text_puts(out, "\"");
  for (; len; string++, len--) {
    unsigned char c = (unsigned char)*string;

    if (c == '"' || c == '\\') {
      char escaped[2] = {'\\', (char)c};

      epi__text_add(out, escaped, sizeof escaped);
    } else if (c < 0x20) {
      epi__text_printf(out, "\\u%04x", c);
    } else {
      epi__text_add(out, string, 1);
    }
  }
  epi__text_puts(out, "\"");
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
