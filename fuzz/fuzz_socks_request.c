/* fuzz_socks_request.c: requests, read and written and read again.
 *
 * The first byte chooses the version, the rest is the message. */
#include "epi/socks.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int holds) {
  if (!holds) {
    abort();
  }
}

/* What was read is written; that reads as the same, in bytes. */
static void check_again(const epi_request *request, int version) {
  ptrdiff_t size = epi_request_write(request, version, NULL, 0);
  uint8_t *first, *second;
  epi_request *again = NULL;

  if (size == EPI_ELIMIT && version == EPI_SOCKSX) {
    return; /* the padding that libepi puts is too much for it */
  }
  must(size > 0 && !epi_request_new(&again));
  first = malloc((size_t)size);
  second = malloc((size_t)size);
  must(first && second);
  must(epi_request_write(request, version, first, (size_t)size) == size);
  must(epi_request_write(request, version, second, (size_t)size - 1) ==
       EPI_ELIMIT);
  must(epi_request_read(again, version, first, (size_t)size) == size);
  must(epi_request_command(again) == epi_request_command(request));
  must(epi_addr_equal(epi_request_dest(again), epi_request_dest(request)));
  must(epi_request_write(again, version, second, (size_t)size) == size);
  must(!memcmp(first, second, (size_t)size));
  free(first);
  free(second);
  epi_request_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  static const int versions[] = {EPI_SOCKS5, EPI_SOCKS6, EPI_SOCKS6_12,
                                 EPI_SOCKSX};
  epi_request *request;
  ptrdiff_t used;
  int version;

  if (!len || epi_request_new(&request)) {
    return 0;
  }
  version = versions[data[0] % 4];
  used = epi_request_read(request, version, ++data, --len);
  must(used <= (ptrdiff_t)len);
  if (used > 0) {
    check_again(request, version);
    must(epi_request_read(request, version, data, (size_t)used) == used);
    must(epi_request_read(request, version, data, (size_t)used - 1) == 0);
  } else if (used < 0) {
    must(epi_request_dest(request)->kind == EPI_ADDR_NONE);
  }
  if (len) { /* a beginning says the same, or waits */
    ptrdiff_t part = epi_request_read(request, version, data, len - 1);

    must(part == 0 || part == used);
  }
  epi_request_free(request);
  return 0;
}
