/* fuzz_filter_rules.c: arguments of gate and inspect, and files of patterns:
 * the first byte says which. */
#include "base/memory.h"
#include "filter/builtin.h"
#include "filter/matcher.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int no_file(const char *path, size_t max, char **text, size_t *len) {
  (void)path;
  (void)max;
  *len = 0;
  *text = epi__strdup("");
  return *text ? 0 : EPI_ENOMEM;
}

/* All patterns, one behind the other, are full of patterns. */
static void match(const uint8_t *data, size_t len, int nocase) {
  epi__patterns patterns = {0};
  epi__matcher *matcher = NULL;
  uint32_t state = 0, hit;

  if (!epi__patterns_add_lines(&patterns, (const char *)data, len) &&
      !epi__matcher_new(&matcher, &patterns, nocase)) {
    size_t at = 0, found = 0;

    while (at < patterns.used) {
      at += epi__matcher_find(matcher, &state, patterns.bytes + at,
                              patterns.used - at, &hit);
      if (hit && epi__matcher_len(matcher, hit) > at) {
        abort();
      }
      if (epi__matcher_begun(matcher, state) >= epi__matcher_longest(matcher)) {
        abort();
      }
      found += hit != 0;
    }
    if (!found) {
      abort();
    }
  }
  epi__matcher_free(matcher);
  epi__patterns_clear(&patterns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  epi_filter *filter = NULL;
  char *text;

  if (len < 1 || len > 65536) {
    return 0;
  }
  if (data[0] == 'P' || data[0] == 'N') {
    match(data + 1, len - 1, data[0] == 'N');
    return 0;
  }
  text = malloc(len);
  if (!text) {
    abort();
  }
  memcpy(text, data + 1, len - 1);
  text[len - 1] = '\0';
  if (data[0] == 'G') {
    epi__gate_new(&filter, text);
  } else {
    epi__inspect_new(&filter, text, no_file);
  }
  epi_filter_free(filter);
  free(text);
  return 0;
}
