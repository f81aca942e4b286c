/* patterns.c: the byte sequences that a matcher looks for. */
#include "filter/patterns.h"

#include "base/fail.h"
#include "base/memory.h"

#include <string.h>

static int make_room(epi__patterns *patterns, size_t len) {
  size_t wanted = patterns->bytes_capacity ? patterns->bytes_capacity : 256;
  uint8_t *moved;

  if (patterns->bytes_capacity - patterns->used >= len) {
    return 0;
  }
  while (wanted - patterns->used < len) {
    wanted *= 2;
  }
  moved = epi__realloc_array(patterns->bytes, wanted, 1);
  if (!moved) {
    return EPI_ENOMEM;
  }
  patterns->bytes = moved;
  patterns->bytes_capacity = wanted;
  return 0;
}

int epi__patterns_add(epi__patterns *patterns, const void *bytes, size_t len) {
  uint32_t number = patterns->number + 1;
  epi__pattern *moved;

  if (number > EPI__PATTERNS_MAX) {
    return epi__fail(EPI_ELIMIT, "over %d patterns", EPI__PATTERNS_MAX);
  }
  if (len > EPI__PATTERN_MAX) {
    return epi__fail(EPI_ELIMIT, "pattern %u is over %d bytes",
                     (unsigned)number, EPI__PATTERN_MAX);
  }
  if (len > EPI__PATTERNS_BYTES - patterns->used) {
    return epi__fail(EPI_ELIMIT, "all patterns are over %d bytes",
                     EPI__PATTERNS_BYTES);
  }
  moved = epi__grow(patterns->items, patterns->count, &patterns->capacity,
                    sizeof *patterns->items);
  if (!moved) {
    return EPI_ENOMEM;
  }
  patterns->items = moved;
  if (make_room(patterns, len)) {
    return EPI_ENOMEM;
  }
  patterns->number = number;
  if (len) {
    memcpy(patterns->bytes + patterns->used, bytes, len);
    moved[patterns->count++] = (epi__pattern){patterns->used, len, number};
    patterns->used += len;
  }
  return 0;
}

int epi__patterns_add_lines(epi__patterns *patterns, const char *text,
                            size_t len) {
  while (len) {
    const char *end = memchr(text, '\n', len);
    size_t line = end ? (size_t)(end - text) : len;
    size_t bytes = line && text[line - 1] == '\r' ? line - 1 : line;
    int result = epi__patterns_add(patterns, text, bytes);

    if (result) {
      return result;
    }
    line += end ? 1 : 0;
    text += line;
    len -= line;
  }
  return 0;
}

void epi__patterns_clear(epi__patterns *patterns) {
  epi__free(patterns->bytes);
  epi__free(patterns->items);
  memset(patterns, 0, sizeof *patterns);
}
