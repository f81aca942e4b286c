/* compressor.h: the compression that libepi was built with. */
#ifndef EPI__COMPRESSOR_H
#define EPI__COMPRESSOR_H

#include "base/compression.h"

/* The table, by zstd; NULL if libepi was built without. */
const epi__compression *epi__compression_zstd(void);

#endif
