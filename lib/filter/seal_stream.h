/* seal_stream.h: one direction of sealed data.
 *
 *     header  "EPS2", the cipher (1 byte), 32 random bytes (the salt)
 *     frame   type (1 byte), length of the sealed part (2 bytes), sealed part
 *
 * Type 0 carries up to 16,384 bytes, type 1 ends the direction: a stream that
 * ends without it was cut by somebody. A frame's first three bytes are
 * authenticated too; the nonce is the number of the frame in its direction, the
 * key is derived (HKDF, RFC 5869) for this flow, direction and cipher alone:
 *
 *     forward   from the shared secret and the forward salt
 *     backward  from the shared secret and both salts
 *
 * so that no nonce is used twice with a key, frames cannot be moved, repeated
 * or sent back, and the answers of another flow do not fit. Where a plan put
 * the filters into place, the keys also depend on the flow's source and
 * destination: a stream that is slipped into another flow does not open there.
 *
 * After EPI__SEAL_REKEY_FRAMES frames or EPI__SEAL_REKEY_BYTES bytes, each end
 * puts a key derived from the last one in its place: ciphers keep their margin,
 * and whoever finds a key in memory cannot open what was sent before. */
#ifndef EPI__SEAL_STREAM_H
#define EPI__SEAL_STREAM_H

#include "filter/builtin.h"

enum {
  EPI__SEAL_SALT = 32,
  EPI__SEAL_HEADER = 5 + EPI__SEAL_SALT,
  EPI__SEAL_FRAME_HEADER = 3,
  EPI__SEAL_FRAME_MAX =
      EPI__SEAL_FRAME_HEADER + EPI__SEAL_FRAME + EPI__AEAD_TAG,
};

#define EPI__SEAL_DATA 0
#define EPI__SEAL_END  1

typedef struct epi__seal_stream {
  const epi__seal_options *options;
  int cipher;
  int ended;              /* the last frame is through */
  epi__aead *aead;        /* NULL: there is no key yet */
  uint64_t number;        /* of the next frame */
  uint64_t frames, bytes; /* under this key */
  uint8_t salt[EPI__SEAL_SALT];
  uint8_t key[EPI__AEAD_KEY];
} epi__seal_stream;

/* What the keys of a flow's streams are made from. */
typedef struct epi__seal_secret {
  const void *key;
  size_t key_len;
  const epi__seal_stream *forward; /* NULL for the forward stream itself */
  const char *binding;             /* the flow's ends, or "" */
} epi__seal_secret;

/* Choose a salt, make the key, write the header: EPI__SEAL_HEADER bytes. The
 * stream's options and cipher are set. Returns 0, EPI_ECRYPTO, EPI_ESYS or
 * EPI_ENOMEM. */
int epi__seal_start(epi__seal_stream *stream, const epi__seal_secret *secret,
                    uint8_t header[EPI__SEAL_HEADER]);

/* Seal a frame of at most EPI__SEAL_FRAME bytes into EPI__SEAL_FRAME_MAX.
 * Returns its length or an error. */
ptrdiff_t epi__seal_frame(epi__seal_stream *stream, int type,
                          const uint8_t *data, size_t len, uint8_t *frame);

/* Read a header, and make the key. A cipher that is set already is the only one
 * to be taken. Returns EPI__SEAL_HEADER, 0 while it is not all there,
 * EPI_ECRYPTO, EPI_EVERSION or EPI_ENOMEM. */
ptrdiff_t epi__open_header(epi__seal_stream *stream,
                           const epi__seal_secret *secret, const uint8_t *data,
                           size_t len);

/* Open the frame in front of data into out, which has room for
 * EPI__SEAL_FRAME; *plain_len is how long it is. Returns the bytes used, 0
 * while it is not all there, EPI_ECRYPTO or EPI_ENOMEM. */
ptrdiff_t epi__open_frame(epi__seal_stream *stream, const uint8_t *data,
                          size_t len, uint8_t *out, size_t *plain_len);

/* Wipe a stream's keys. */
void epi__seal_stream_clear(epi__seal_stream *stream);

#endif
