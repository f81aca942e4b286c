/* compression_zstd.c: compression, by zstd. */
#include "base/fail.h"
#include "base/memory.h"
#include "engine/compressor.h"

#include <zstd.h>

enum {
  WINDOW_LOG = 18, /* 256 KiB: what both ends keep of each stream */
};

struct epi__packer {
  ZSTD_CCtx *packing; /* one of the two */
  ZSTD_DCtx *unpacking;
};

static void end(epi__packer *packer) {
  if (packer) {
    ZSTD_freeCCtx(packer->packing);
    ZSTD_freeDCtx(packer->unpacking);
    epi__free(packer);
  }
}

static int no_memory(epi__packer *packer) {
  end(packer);
  return epi__fail(EPI_ENOMEM, "zstd has no memory for a stream");
}

static int pack_new(epi__packer **out, int level) {
  epi__packer *packer = epi__alloc(sizeof *packer);

  if (!packer) {
    return EPI_ENOMEM;
  }
  packer->packing = ZSTD_createCCtx();
  if (!packer->packing ||
      ZSTD_isError(ZSTD_CCtx_setParameter(packer->packing,
                                          ZSTD_c_compressionLevel, level)) ||
      ZSTD_isError(ZSTD_CCtx_setParameter(packer->packing, ZSTD_c_windowLog,
                                          WINDOW_LOG))) {
    return no_memory(packer);
  }
  *out = packer;
  return 0;
}

static int unpack_new(epi__packer **out) {
  epi__packer *packer = epi__alloc(sizeof *packer);

  if (!packer) {
    return EPI_ENOMEM;
  }
  packer->unpacking = ZSTD_createDCtx();
  if (!packer->unpacking ||
      ZSTD_isError(ZSTD_DCtx_setParameter(packer->unpacking,
                                          ZSTD_d_windowLogMax, WINDOW_LOG))) {
    return no_memory(packer);
  }
  *out = packer;
  return 0;
}

static int pack(epi__packer *packer, const uint8_t **data, size_t *len,
                uint8_t *out, size_t size, size_t *made) {
  ZSTD_inBuffer from = {*data, *len, 0};
  ZSTD_outBuffer to = {out, size, 0};
  size_t left = ZSTD_compressStream2(packer->packing, &to, &from, ZSTD_e_flush);

  if (ZSTD_isError(left)) {
    return epi__fail(EPI_ENOMEM, "zstd cannot compress: %s",
                     ZSTD_getErrorName(left));
  }
  *data += from.pos;
  *len -= from.pos;
  *made = to.pos;
  return left > 0;
}

static int unpack(epi__packer *packer, const uint8_t **data, size_t *len,
                  uint8_t *out, size_t size, size_t *made) {
  ZSTD_inBuffer from = {*data, *len, 0};
  ZSTD_outBuffer to = {out, size, 0};
  size_t left = ZSTD_decompressStream(packer->unpacking, &to, &from);

  if (ZSTD_isError(left)) {
    return epi__fail(EPI_EPROTO, "compressed data is damaged: %s",
                     ZSTD_getErrorName(left));
  }
  if (!left && from.pos) { /* a stream is one zstd frame, never ended */
    return epi__fail(EPI_EPROTO, "compressed data is damaged");
  }
  *data += from.pos;
  *len -= from.pos;
  *made = to.pos;
  return *len || to.pos == size;
}

const epi__compression *epi__compression_zstd(void) {
  static const epi__compression table = {pack_new, unpack_new, end, pack,
                                         unpack};

  return &table;
}
