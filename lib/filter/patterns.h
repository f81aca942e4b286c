/* patterns.h: the byte sequences that a matcher looks for. */
#ifndef EPI__PATTERNS_H
#define EPI__PATTERNS_H

#include "epi/error.h"

enum {
  EPI__PATTERN_MAX = 1024,       /* bytes of one */
  EPI__PATTERNS_MAX = 65536,     /* how many */
  EPI__PATTERNS_BYTES = 1 << 20, /* of all */
};

typedef struct epi__pattern {
  size_t at; /* in bytes */
  size_t len;
  uint32_t number; /* from 1, in the order of adding */
} epi__pattern;

typedef struct epi__patterns {
  uint8_t *bytes;
  size_t used, bytes_capacity;
  epi__pattern *items;
  size_t count, capacity;
  uint32_t number; /* of the last */
} epi__patterns;

/* Add a pattern. An empty one takes up a number and is not looked for. Returns
 * 0, EPI_ELIMIT or EPI_ENOMEM. */
int epi__patterns_add(epi__patterns *patterns, const void *bytes, size_t len);

/* Add every line of a text, without its LF or CR LF: its number is that of the
 * line if there was none before. Returns as epi__patterns_add(). */
int epi__patterns_add_lines(epi__patterns *patterns, const char *text,
                            size_t len);

void epi__patterns_clear(epi__patterns *patterns);

#endif
