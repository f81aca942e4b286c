/* fuzz_socks_reply.c: replies, read and written and read again.
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
static void check_again(const epi_reply *reply, int version) {
  ptrdiff_t size = epi_reply_write(reply, version, NULL, 0);
  uint8_t *first, *second;
  epi_reply *again = NULL;

  if (size == EPI_ELIMIT && version == EPI_SOCKSX) {
    return; /* the padding that libepi puts is too much for it */
  }
  must(size > 0 && !epi_reply_new(&again));
  first = malloc((size_t)size);
  second = malloc((size_t)size);
  must(first && second);
  must(epi_reply_write(reply, version, first, (size_t)size) == size);
  must(epi_reply_read(again, version, first, (size_t)size) == size);
  must(epi_addr_equal(epi_reply_bound(again), epi_reply_bound(reply)));
  must(epi_reply_write(again, version, second, (size_t)size) == size);
  must(!memcmp(first, second, (size_t)size));
  free(first);
  free(second);
  epi_reply_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  static const int versions[] = {EPI_SOCKS5, EPI_SOCKS6, EPI_SOCKS6_12,
                                 EPI_SOCKSX};
  epi_reply *reply;
  ptrdiff_t used;
  int version;

  if (!len || epi_reply_new(&reply)) {
    return 0;
  }
  version = versions[data[0] % 4];
  data++;
  len--;
  used = epi_reply_read(reply, version, data, len);
  must(used <= (ptrdiff_t)len);
  if (used > 0) {
    if (version != EPI_SOCKS5 || epi_reply_code(reply) != 9) {
      check_again(reply, version); /* SOCKS 5 writes a 9 as 4 */
    }
    must(epi_reply_read(reply, version, data, (size_t)used) == used);
    must(epi_reply_read(reply, version, data, (size_t)used - 1) == 0);
  }
  if (len) { /* a beginning says the same, or waits */
    ptrdiff_t part = epi_reply_read(reply, version, data, len - 1);

    must(part == 0 || part == used);
  }
  epi_reply_free(reply);
  return 0;
}
