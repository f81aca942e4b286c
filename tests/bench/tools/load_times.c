/* load_times.c: how long requests took. */
#include "load.h"

#include <stdlib.h>
#include <time.h>

#define MOST 4000000

uint64_t load_now_ns(void) {
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void load_times_add(load_result *result, uint64_t ns) {
  if (result->requests >= MOST) {
    return;
  }
  if (result->requests == result->times_room) {
    size_t room = result->times_room ? 2 * result->times_room : 4096;
    uint64_t *larger = realloc(result->times, room * sizeof *larger);

    if (!larger) {
      abort(); /* a measurement with holes is worse than none */
    }
    result->times = larger;
    result->times_room = room;
  }
  result->times[result->requests] = ns;
}

static size_t kept(const load_result *result) {
  return result->requests < MOST ? (size_t)result->requests : MOST;
}

static int by_size(const void *a, const void *b) {
  uint64_t first = *(const uint64_t *)a, second = *(const uint64_t *)b;

  return (first > second) - (first < second);
}

void load_times_sort(load_result *result) {
  if (result->requests) {
    qsort(result->times, kept(result), sizeof *result->times, by_size);
  }
}

double load_times_at(const load_result *result, double part) {
  size_t count = kept(result);
  size_t at = (size_t)(part * (double)count);

  if (!count) {
    return 0;
  }
  return (double)result->times[at < count ? at : count - 1] / 1e6;
}

double load_times_mean(const load_result *result) {
  size_t count = kept(result);
  double sum = 0;

  for (size_t i = 0; i < count; i++) {
    sum += (double)result->times[i];
  }
  return count ? sum / (double)count / 1e6 : 0;
}
