/* inspect_speed.c: how long `inspect` looks at a byte, and what its patterns
 * take:
 *
 *     ninja -C build tests/bench/inspect_speed
 *     build/tests/bench/inspect_speed
 *
 * `plain` is data that rarely begins a pattern further than some letters;
 * `near` is made of beginnings of patterns, which is the worst that it can be
 * given. */
#include "filter/matcher.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
  DATA = 16 << 20,
  PIECE = 16384,
  LONGEST = 24,
  ROUNDS = 3,
};

static uint32_t seed = 1;

static uint32_t random_below(uint32_t limit) {
  seed = seed * 1664525 + 1013904223;
  return (seed >> 8) % limit;
}

/* Of this process alone: others may be at work. */
static double now_ms(void) {
  struct timespec now;

  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Something like words: letters that are not equally frequent, and spaces. */
static uint8_t letter(void) {
  static const char letters[] = "eeeeeaaaaiiiooouutttnnnsssrrrlldhcmpbgfyvkw";

  return (uint8_t)letters[random_below(sizeof letters - 1)];
}

static void make_patterns(epi__patterns *patterns, size_t count) {
  for (size_t i = 0; i < count; i++) {
    uint8_t one[LONGEST];
    size_t len = 8 + random_below(LONGEST - 7);

    for (size_t k = 0; k < len; k++) {
      one[k] = letter();
    }
    if (epi__patterns_add(patterns, one, len)) {
      abort();
    }
  }
}

static void fill_plain(uint8_t *data) {
  for (size_t i = 0; i < DATA; i++) {
    data[i] = random_below(6) ? letter() : ' ';
  }
}

static void fill_near(uint8_t *data, const epi__patterns *patterns) {
  for (size_t at = 0; at < DATA;) {
    const epi__pattern *one =
        &patterns->items[random_below((uint32_t)patterns->count)];
    size_t len = one->len - 1 < DATA - at ? one->len - 1 : DATA - at;

    memcpy(data + at, patterns->bytes + one->at, len);
    at += len;
  }
}

/* The best of some rounds, in nanoseconds for each byte. */
static double measure(const epi__matcher *matcher, const uint8_t *data,
                      size_t *hits) {
  double best = 1e9;

  for (int round = 0; round < ROUNDS; round++) {
    double start = now_ms(), took;
    uint32_t state = 0, hit;

    *hits = 0;
    for (size_t at = 0; at < DATA; at += PIECE) {
      size_t used = 0;

      while (used < PIECE) {
        used += epi__matcher_find(matcher, &state, data + at + used,
                                  PIECE - used, &hit);
        *hits += hit != 0;
      }
    }
    took = (now_ms() - start) * 1e6 / DATA;
    best = took < best ? took : best;
  }
  return best;
}

static void show(size_t count, uint8_t *data) {
  epi__patterns patterns = {0};
  epi__matcher *matcher;
  size_t hits, near_hits;
  double start, built, plain, near;

  make_patterns(&patterns, count);
  start = now_ms();
  if (epi__matcher_new(&matcher, &patterns, 0)) {
    abort();
  }
  built = now_ms() - start;
  fill_plain(data);
  plain = measure(matcher, data, &hits);
  fill_near(data, &patterns);
  near = measure(matcher, data, &near_hits);
  printf("%8zu %9.2f %9.0f %9.2f %6zu %9.2f %6zu\n", count, built,
         (double)epi__matcher_memory(matcher) / 1024, plain, hits, near,
         near_hits);
  epi__matcher_free(matcher);
  epi__patterns_clear(&patterns);
}

int main(void) {
  static const size_t counts[] = {1, 100, 10000};
  uint8_t *data = malloc(DATA);

  if (!data) {
    return 1;
  }
  printf("%8s %9s %9s %9s %6s %9s %6s\n", "patterns", "build ms", "KiB",
         "plain ns", "hits", "near ns", "hits");
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
    show(counts[i], data);
  }
  free(data);
  return 0;
}
