/* fuzz_open.c: sealed data from a peer, in two pieces, with a cipher that any
 * fuzzer can forge: what is tested is the reading around it. */
#include "base/bytes.h"
#include "filter/builtin.h"
#include "filter/filter_chain.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int aead_fast(void) {
  return EPI__CHACHA20_POLY1305;
}

static int aead_new(epi__aead **out, int cipher, const uint8_t *key) {
  (void)cipher;
  *out = malloc(1 + key[0] % 2);
  return *out ? 0 : EPI_ENOMEM;
}

static void aead_free(epi__aead *aead) {
  free(aead);
}

static int unseal(epi__aead *aead, uint8_t *out, const uint8_t *nonce,
                  const void *extra, size_t extra_len, const uint8_t *data,
                  size_t len) {
  (void)aead;
  (void)nonce;
  (void)extra;
  (void)extra_len;
  len -= EPI__AEAD_TAG;
  memcpy(out, data, len);
  return data[len] == 0xff ? EPI_ECRYPTO : 0;
}

static int derive(uint8_t *out, size_t out_len, const void *key, size_t key_len,
                  const void *salt, size_t salt_len, const char *info) {
  (void)key;
  (void)key_len;
  (void)salt;
  (void)salt_len;
  (void)info;
  memset(out, 0, out_len);
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  static const epi__crypto crypto = {.aead_fast = aead_fast,
                                     .aead_new = aead_new,
                                     .aead_free = aead_free,
                                     .open = unseal,
                                     .derive = derive};
  epi__seal_options options = {
      .crypto = &crypto, .opener = 1, .rekey_frames = 2};
  epi__queue queues[2] = {{0}, {0}};
  epi__filter_chain *chain;
  epi_filter *filter;
  size_t first = len ? data[len - 1] % len : 0;

  if (epi__seal_new(&filter, &options, "0123456789abcdef", 16) ||
      epi__filter_chain_new(&chain, &filter, 1, NULL,
                            (epi__queue *[2]){&queues[0], &queues[1]}, NULL)) {
    abort();
  }
  if (!epi__filter_chain_feed(chain, EPI_FORWARD, data, first) &&
      !epi__filter_chain_feed(chain, EPI_FORWARD, data + first, len - first)) {
    epi__filter_chain_end(chain, EPI_FORWARD);
  }
  epi__filter_chain_free(chain);
  epi_filter_free(filter);
  epi__queue_clear(&queues[0], 0);
  epi__queue_clear(&queues[1], 0);
  return 0;
}
