/* fuzz_expand.c: compressed data from a peer, in two pieces. */
#include "base/bytes.h"
#include "engine/compressor.h"
#include "filter/builtin.h"
#include "filter/filter_chain.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  epi__queue queues[2] = {{0}, {0}};
  epi__filter_chain *chain;
  epi_filter *filter;
  const uint8_t *plain;
  size_t first = len ? data[len - 1] % len : 0;

  if (epi__compress_new(&filter, 1, epi__compression_zstd(), 1,
                        EPI__COMPRESS_RATIO) ||
      epi__filter_chain_new(&chain, &filter, 1, NULL,
                            (epi__queue *[2]){&queues[0], &queues[1]}, NULL)) {
    abort();
  }
  if (!epi__filter_chain_feed(chain, EPI_FORWARD, data, first) &&
      !epi__filter_chain_feed(chain, EPI_FORWARD, data + first, len - first)) {
    epi__filter_chain_end(chain, EPI_FORWARD);
  }
  if (epi__queue_peek(&queues[EPI_FORWARD], &plain) >
      len * EPI__COMPRESS_RATIO) {
    abort();
  }
  epi__filter_chain_free(chain);
  epi_filter_free(filter);
  epi__queue_clear(&queues[0], 0);
  epi__queue_clear(&queues[1], 0);
  return 0;
}
