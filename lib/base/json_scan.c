/* json_scan.c: a document is looked over before cJSON reads it: for what cJSON
 * would take although it is no JSON, and for what would cost it too much. */
#include "base/json_scan.h"
#include "base/fail.h"

#include <string.h>

typedef struct scan {
  const uint8_t *text;
  size_t len, at;
  size_t depth, tokens;
} scan;

static int fail_at(const scan *in, size_t at, const char *what) {
  return epi__fail(EPI_EMODEL, "line %u: %s", epi__json_line(in->text, at),
                   what);
}

unsigned epi__json_line(const uint8_t *text, size_t offset) {
  unsigned line = 1;

  for (size_t i = 0; i < offset; i++) {
    line += text[i] == '\n';
  }
  return line;
}

static int byte_at(const scan *in, size_t at) {
  return at < in->len ? in->text[at] : -1;
}

static int is_digit(int byte) {
  return byte >= '0' && byte <= '9';
}

/* A string; whether its escapes are right is seen by cJSON, but it would end
 * the string at an escaped NUL, silently. */
static int scan_string(scan *in) {
  size_t start = in->at++;

  while (in->at < in->len && in->text[in->at] != '"') {
    uint8_t byte = in->text[in->at];
    size_t step = 1;

    if (byte >= 0x80) {
      step = epi__utf8_len(in->text + in->at, in->len - in->at);
    }
    if (byte < 0x20) {
      return fail_at(in, in->at, "a control character in a string");
    }
    if (!step) {
      return fail_at(in, in->at, "not UTF-8");
    }
    if (byte == '\\') {
      if (in->len - in->at >= 6 && !memcmp(in->text + in->at, "\\u0000", 6)) {
        return fail_at(in, in->at, "\\u0000 is not taken");
      }
      in->at++; /* what is escaped: a quote perhaps */
      step = in->at < in->len;
      if (step && in->text[in->at] >= 0x80) {
        return fail_at(in, in->at, "no such escape");
      }
    }
    in->at += step;
  }
  if (in->at == in->len) {
    return fail_at(in, start, "a string has no end");
  }
  in->at++;
  return 0;
}

/* RFC 8259 section 6; cJSON would take 01, 1. and 1e too. */
static int scan_number(scan *in) {
  size_t start = in->at, digits;

  in->at += byte_at(in, in->at) == '-';
  digits = in->at;
  while (is_digit(byte_at(in, in->at))) {
    in->at++;
  }
  if (in->at == digits || (in->text[digits] == '0' && in->at > digits + 1)) {
    return fail_at(in, start, "this is no number of JSON");
  }
  if (byte_at(in, in->at) == '.') {
    digits = ++in->at;
    while (is_digit(byte_at(in, in->at))) {
      in->at++;
    }
    if (in->at == digits) {
      return fail_at(in, start, "this is no number of JSON");
    }
  }
  if ((byte_at(in, in->at) | 0x20) == 'e') {
    in->at++;
    in->at += byte_at(in, in->at) == '+' || byte_at(in, in->at) == '-';
    digits = in->at;
    while (is_digit(byte_at(in, in->at))) {
      in->at++;
    }
    if (in->at == digits) {
      return fail_at(in, start, "this is no number of JSON");
    }
  }
  return in->at - start < EPI__JSON_NUMBER_MAX
             ? 0
             : fail_at(in, start, "a number is too long");
}

/* true, false or null, or what cJSON will refuse. */
static int scan_word(scan *in) {
  while (byte_at(in, in->at) >= 'a' && byte_at(in, in->at) <= 'z') {
    in->at++;
  }
  return 0;
}

static int scan_token(scan *in, int byte) {
  if (++in->tokens > EPI__JSON_TOKENS_MAX) {
    return epi__fail(EPI_EMODEL,
                     "the document has more than %d values and"
                     " keys",
                     EPI__JSON_TOKENS_MAX);
  }
  if (byte == '"') {
    return scan_string(in);
  }
  if (byte == '-' || is_digit(byte)) {
    return scan_number(in);
  }
  if (byte >= 'a' && byte <= 'z') {
    return scan_word(in);
  }
  if (byte != '[' && byte != '{') {
    return fail_at(in, in->at, "this is not JSON");
  }
  if (++in->depth > EPI__JSON_DEPTH_MAX) {
    return fail_at(in, in->at, "nested too deep");
  }
  in->at++;
  return 0;
}

int epi__json_scan(const uint8_t *text, size_t len) {
  scan in = {.text = text, .len = len};

  while (in.at < len) {
    int byte = text[in.at];

    if (memchr(" \t\r\n,:", byte, 6)) {
      in.at++;
    } else if (byte == ']' || byte == '}') {
      in.at++;
      in.depth -= in.depth > 0; /* cJSON sees which ones belong together */
    } else if (scan_token(&in, byte)) {
      return EPI_EMODEL;
    }
  }
  return 0;
}
