/* fuzz_http_stream.c: HTTP requests of a client, whole and byte by byte: the
 * same hosts at the same places. */
#include "filter/http_stream.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum {
  HEADS = 64,
};

typedef struct seen {
  size_t count, ends[HEADS];
  epi_addr hosts[HEADS];
  int result;
} seen;

static void read_all(seen *out, const uint8_t *data, size_t len, size_t most) {
  epi__http_stream stream = {0};
  size_t at = 0;

  while (at < len && out->result >= 0 && out->count < HEADS) {
    size_t part = len - at < most ? len - at : most, used = 0;

    out->result = epi__http_stream_next(&stream, data + at, part, &used);
    if (out->result >= 0 && (!used || used > part)) {
      abort();
    }
    at += used;
    if (out->result == EPI__HTTP_HEAD) {
      out->hosts[out->count] = stream.request.host;
      out->ends[out->count++] = at;
    }
  }
  epi__http_stream_clear(&stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  seen *whole = calloc(1, sizeof *whole), *slow = calloc(1, sizeof *slow);

  if (!whole || !slow) {
    abort();
  }
  read_all(whole, data, len, len);
  read_all(slow, data, len, 1);
  if (whole->count != slow->count ||
      (whole->result < 0) != (slow->result < 0)) {
    abort();
  }
  for (size_t i = 0; i < whole->count; i++) {
    if (whole->ends[i] != slow->ends[i] ||
        !epi_addr_equal(&whole->hosts[i], &slow->hosts[i])) {
      abort();
    }
  }
  free(whole);
  free(slow);
  return 0;
}
