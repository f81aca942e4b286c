/* compression.h: the table of a compression that core code is given.
 *
 * lib/engine fills it, with zstd; the core has none of its own. */
#ifndef EPI__COMPRESSION_H
#define EPI__COMPRESSION_H

#include "epi/error.h"

typedef struct epi__packer epi__packer; /* a stream, packed or unpacked */

enum {
  EPI__PACK_LEVEL_MAX = 19,
};

typedef struct epi__compression {
  /* Begin to pack at a level from 1 to EPI__PACK_LEVEL_MAX, or to unpack, and
   * end that; NULL is fine there. The memory of a stream is bounded whatever
   * its data says. */
  int (*pack_new)(epi__packer **out, int level);
  int (*unpack_new)(epi__packer **out);
  void (*free)(epi__packer *packer);

  /* Work on *data, which moves past what was used, and write at most size
   * bytes to out, *made of them. All that was put in comes out without more
   * data. Return 1 if there is more to come out, so that it must be called
   * again; 0 if not; EPI_EPROTO (unpacking what was not packed so) or
   * EPI_ENOMEM. */
  int (*pack)(epi__packer *packer, const uint8_t **data, size_t *len,
              uint8_t *out, size_t size, size_t *made);
  int (*unpack)(epi__packer *packer, const uint8_t **data, size_t *len,
                uint8_t *out, size_t size, size_t *made);
} epi__compression;

#endif
