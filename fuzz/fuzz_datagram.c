/* fuzz_datagram.c: messages of UDP ASSOCIATE, read and written and read again.
 *
 * The first byte chooses the version, the rest is the message. */
#include "epi/datagram.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int holds) {
  if (!holds) {
    abort();
  }
}

/* What was read is written; that reads as the same, in bytes. */
static void check_again(const epi_datagram *datagram, int version) {
  ptrdiff_t size = epi_datagram_write(datagram, version, NULL, 0);
  uint8_t *first, *second;
  epi_datagram *again = NULL;
  const void *data;

  must(size > 0 && !epi_datagram_new(&again));
  first = malloc((size_t)size);
  second = malloc((size_t)size);
  must(first && second);
  must(epi_datagram_write(datagram, version, first, (size_t)size) == size);
  must(epi_datagram_write(datagram, version, second, (size_t)size - 1) ==
       EPI_ELIMIT);
  must(epi_datagram_read(again, version, first, (size_t)size) == size);
  must(epi_datagram_type(again) == epi_datagram_type(datagram));
  must(epi_addr_equal(epi_datagram_remote(again),
                      epi_datagram_remote(datagram)));
  must(epi_datagram_data(again, &data) == epi_datagram_data(datagram, &data));
  must(epi_datagram_write(again, version, second, (size_t)size) == size);
  must(!memcmp(first, second, (size_t)size));
  free(first);
  free(second);
  epi_datagram_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  static const int versions[] = {EPI_SOCKS5, EPI_SOCKS6, EPI_SOCKS6_12};
  epi_datagram *datagram;
  ptrdiff_t used;
  int version;

  if (!len || epi_datagram_new(&datagram)) {
    return 0;
  }
  version = versions[data[0] % 3];
  used = epi_datagram_read(datagram, version, ++data, --len);
  must(used <= (ptrdiff_t)len);
  if (used > 0) {
    check_again(datagram, version);
    must(version != EPI_SOCKS5 || used == (ptrdiff_t)len);
  }
  if (len && version != EPI_SOCKS5) { /* a beginning says the same, or waits */
    ptrdiff_t part = epi_datagram_read(datagram, version, data, len - 1);

    must(part == 0 || part == used);
  }
  epi_datagram_free(datagram);
  return 0;
}
