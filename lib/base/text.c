/* text.c: texts that grow, UTF-8, and hexadecimal. */
#include "base/bytes.h"
#include "base/fail.h"
#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void epi__text_add(epi__text *text, const char *data, size_t len) {
  if (text->failed) {
    return;
  }
  if (text->capacity - text->len <= len) {
    size_t wanted = text->capacity ? text->capacity * 2 : 128;
    char *moved;

    while (wanted - text->len <= len) {
      wanted *= 2;
    }
    moved = epi__realloc_array(text->block, wanted, 1);
    if (!moved) {
      text->failed = 1;
      return;
    }
    text->block = moved;
    text->capacity = wanted;
  }
  memcpy(text->block + text->len, data, len);
  text->len += len;
  text->block[text->len] = '\0';
}

void epi__text_puts(epi__text *text, const char *string) {
  epi__text_add(text, string, strlen(string));
}

void epi__text_printf(epi__text *text, const char *format, ...) {
  char small[512];
  va_list args;
  char *large;
  int len;

  va_start(args, format);
  len = vsnprintf(small, sizeof small, format, args);
  va_end(args);
  if (len < (int)sizeof small) {
    epi__text_add(text, small, (size_t)len);
    return;
  }
  large = epi__alloc((size_t)len + 1);
  if (!large) {
    text->failed = 1;
    return;
  }
  va_start(args, format);
  vsnprintf(large, (size_t)len + 1, format, args);
  va_end(args);
  epi__text_add(text, large, (size_t)len);
  epi__free(large);
}

char *epi__text_take(epi__text *text) {
  char *block;

  epi__text_add(text, "", 0);
  if (text->failed) {
    epi__text_clear(text);
    return NULL;
  }
  block = text->block;
  memset(text, 0, sizeof *text);
  return block;
}

void epi__text_clear(epi__text *text) {
  epi__free(text->block);
  memset(text, 0, sizeof *text);
}

size_t epi__utf8_len(const uint8_t *bytes, size_t left) {
  static const struct {
    uint8_t low, high, second_low, second_high, len;
  } forms[] = {
      {0x01, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2},
      {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
      {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
      {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4},
      {0xf4, 0xf4, 0x80, 0x8f, 4},
  };

  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
    size_t len = forms[i].len;

    if (bytes[0] < forms[i].low || bytes[0] > forms[i].high) {
      continue;
    }
    if (left < len || (len > 1 && (bytes[1] < forms[i].second_low ||
                                   bytes[1] > forms[i].second_high))) {
      return 0;
    }
    for (size_t k = 2; k < len; k++) {
      if ((bytes[k] & 0xc0) != 0x80) {
        return 0;
      }
    }
    return len;
  }
  return 0;
}

void epi__hex(char *out, const uint8_t *data, size_t len) {
  static const char digits[] = "0123456789abcdef";

  for (size_t i = 0; i < len; i++) {
    *out++ = digits[data[i] >> 4];
    *out++ = digits[data[i] & 15];
  }
  *out = '\0';
}

static int digit_value(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int epi__unhex(uint8_t *out, size_t len, const char *text) {
  if (strlen(text) != len * 2) {
    return epi__fail(EPI_EINVAL, "expected %zu hexadecimal digits", len * 2);
  }
  for (size_t i = 0; i < len * 2; i++) {
    if (digit_value(text[i]) < 0) {
      return epi__fail(EPI_EINVAL, "not hexadecimal at digit %zu", i + 1);
    }
  }
  for (size_t i = 0; i < len; i++, text += 2) {
    out[i] = (uint8_t)(digit_value(text[0]) << 4 | digit_value(text[1]));
  }
  return 0;
}
