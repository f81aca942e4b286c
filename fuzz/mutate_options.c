/* mutate_options.c: changes options of SOCKS 6 and keeps the lengths right.
 *
 * Bytes changed at random hardly ever leave options that are read to the end:
 * three lengths must agree. So every other change takes a list of options out
 * of the input, changes, adds, removes, doubles or swaps options, and puts the
 * list back with its length. It goes by lengths alone: whatever looks like a
 * message with options is one. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { HEAD = 4, OPTIONS = 16, OPTION_MAX = 64, AT_MAX = 48 };

size_t LLVMFuzzerMutate(uint8_t *data, size_t len, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t size,
                               unsigned seed);

typedef struct item {
  size_t len;
  uint8_t bytes[OPTION_MAX];
} item;

/* Options in an input, and where they are and their length is. */
typedef struct list {
  size_t length_at, start, len;
  size_t count;
  item options[OPTIONS];
} list;

static unsigned draw(unsigned *state, unsigned below) {
  *state = *state * 1103515245u + 12345u;
  return (*state >> 16) % below;
}

static size_t u16_at(const uint8_t *at) {
  return (size_t)at[0] << 8 | at[1];
}

static size_t pad4(size_t len) {
  return (len + 3) / 4 * 4;
}

/* The bytes of an address of SOCKS behind its type, or 0. In a draft a name
 * has padding, at the dialect's start it has none. */
static size_t addr_len(const uint8_t *data, size_t len, size_t type_at,
                       int padded) {
  switch (type_at + 1 < len ? data[type_at] : 0) {
  case 1:
    return 4;
  case 3:
    return padded ? pad4(1u + data[type_at + 1]) : 1u + data[type_at + 1];
  case 4:
    return 16;
  default:
    return 0;
  }
}

/* Where the list of a message at `at` is, by one of three layouts: requests and
 * replies of a draft, authentication replies, and socksx's dialect. */
static int place(list *out, const uint8_t *data, size_t len, size_t at,
                 unsigned layout) {
  size_t addr;

  if (at + 4 > len || data[at] != 6) {
    return 0;
  }
  out->length_at = at + 2;
  out->start = at + 4;
  if (layout == 0) {
    addr = addr_len(data, len, at + 7, 1);
    out->start = at + 8 + addr;
  } else if (layout == 2) {
    addr = addr_len(data, len, at + 2, 0);
    out->length_at = at + 3 + addr + 3;
    out->start = out->length_at + 2;
  } else {
    addr = 1;
  }
  if (!addr || out->start > len) {
    return 0;
  }
  out->len = u16_at(data + out->length_at);
  return out->len <= len - out->start;
}

/* Takes the options out. Returns 0 if their lengths are wrong, or too great. */
static int take(list *out, const uint8_t *data) {
  const uint8_t *at = data + out->start;
  size_t left = out->len;

  for (out->count = 0; left; out->count++) {
    size_t len = left < HEAD ? 0 : u16_at(at + 2);

    if (len < HEAD || len > left || len > OPTION_MAX || out->count == OPTIONS) {
      return 0;
    }
    out->options[out->count].len = len;
    memcpy(out->options[out->count].bytes, at, len);
    at += len;
    left -= len;
  }
  return 1;
}

/* Looks for a list from a place drawn on. */
static int find(list *out, const uint8_t *data, size_t len, unsigned *state) {
  size_t first = draw(state, AT_MAX);
  unsigned layout = draw(state, 3);

  for (size_t i = 0; i < AT_MAX; i++) {
    for (unsigned j = 0; j < 3; j++) {
      if (place(out, data, len, (first + i) % AT_MAX, (layout + j) % 3) &&
          take(out, data)) {
        return 1;
      }
    }
  }
  return 0;
}

/* An option that there is, with a body that may be right. */
static size_t new_option(uint8_t *out, unsigned *state) {
  static const uint8_t options[][16] = {
      {0, 1, 0, 8, 0xc1, 1, 16},
      {0, 1, 0, 8, 0x81, 2, 1},
      {0, 1, 0, 8, 0xc1, 3, 64},
      {0, 1, 0, 8, 0xc1, 4, 2},
      {0, 1, 0, 8, 0x84, 1, 5},
      {0, 1, 0, 8, 0x84, 2, 1},
      {0, 1, 0, 8, 0x84, 3, 0, 5},
      {0, 1, 0, 8, 0x85, 1, 2},
      {0, 1, 0, 8, 0x85, 2, 1, 1},
      {0, 2, 0, 8, 0, 3, 2},
      {0, 3, 0, 8, 2},
      {0, 4, 0, 12, 2, 1, 1, 'u', 1, 'p'},
      {0, 4, 0, 8, 2, 1},
      {0, 5, 0, 4},
      {0, 6, 0, 8, 'i', 'd'},
      {0, 8, 0, 4},
      {0, 9, 0, 4},
      {0, 10, 0, 4},
      {0, 11, 0, 8, 0, 0, 0, 8},
      {0, 12, 0, 12, 0, 0, 0, 0, 0, 0, 0, 8},
      {0, 13, 0, 8, 0, 0, 0, 1},
      {0, 14, 0, 4},
      {0, 15, 0, 4},
      {0xfd, 0xe8, 0, 12, 0, 1, 0, 1, 'a'},
      {0xfc, 0, 0, 4},
  };
  const uint8_t *option = options[draw(state, sizeof options / 16)];

  memcpy(out, option, option[3]);
  return option[3];
}

/* Changes the body; its padding, or some of it, is changed with it. */
static size_t change_body(uint8_t *option, size_t len) {
  size_t body = LLVMFuzzerMutate(option + HEAD, len - HEAD, OPTION_MAX - HEAD);
  size_t padded = pad4(body);

  memset(option + HEAD + body, 0, padded - body);
  option[2] = 0;
  option[3] = (uint8_t)(HEAD + padded);
  return HEAD + padded;
}

static void change(list *of, unsigned *state) {
  unsigned count = (unsigned)of->count;
  unsigned what = count ? draw(state, 5) : 0;
  unsigned which = count ? draw(state, count) : 0;
  unsigned other = count ? draw(state, count) : 0;
  item swapped;

  if (what < 2 && count == OPTIONS) {
    what = 2;
  }
  switch (what) {
  case 0:
    of->options[count].len = new_option(of->options[count].bytes, state);
    of->count++;
    break;
  case 1:
    of->options[of->count++] = of->options[which];
    break;
  case 2:
    of->options[which] = of->options[--of->count];
    break;
  case 3:
    swapped = of->options[which];
    of->options[which] = of->options[other];
    of->options[other] = swapped;
    break;
  default:
    of->options[which].len =
        change_body(of->options[which].bytes, of->options[which].len);
  }
}

/* Puts a list where it was taken from. Returns the length of the input, or 0:
 * it is too long now. */
static size_t put_back(const list *of, uint8_t *data, size_t len, size_t size) {
  size_t behind = len - of->start - of->len;
  uint8_t *at = data + of->start;
  size_t now = 0;

  for (size_t i = 0; i < of->count; i++) {
    now += of->options[i].len;
  }
  if (of->start + now + behind > size) {
    return 0;
  }
  memmove(at + now, at + of->len, behind);
  for (size_t i = 0; i < of->count; i++) {
    memcpy(at, of->options[i].bytes, of->options[i].len);
    at += of->options[i].len;
  }
  data[of->length_at] = (uint8_t)(now >> 8);
  data[of->length_at + 1] = (uint8_t)now;
  return of->start + now + behind;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t size,
                               unsigned seed) {
  unsigned state = seed;
  size_t now = 0;
  list options;

  if (draw(&state, 2) && find(&options, data, len, &state)) {
    change(&options, &state);
    now = put_back(&options, data, len, size);
  }
  return now ? now : LLVMFuzzerMutate(data, len, size);
}
