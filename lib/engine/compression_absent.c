/* compression_absent.c: in the place of zstd in builds without it. */
#include "engine/compressor.h"

const epi__compression *epi__compression_zstd(void) {
  return NULL;
}
