/* fuzz_client_hello.c: the beginning of a TLS client's stream, whole and byte
 * by byte. */
#include "filter/client_hello.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  epi__hello whole = {0}, slow = {0};
  epi_addr name = {0}, again = {0};
  int result = epi__hello_feed(&whole, data, len, &name), other = 0;

  for (size_t i = 0; i < len && !other; i++) {
    other = epi__hello_feed(&slow, data + i, 1, &again);
  }
  if (result != other || !epi_addr_equal(&name, &again) ||
      (name.kind != EPI_ADDR_NONE && name.kind != EPI_ADDR_NAME)) {
    abort();
  }
  epi__hello_clear(&whole);
  epi__hello_clear(&slow);
  return 0;
}
