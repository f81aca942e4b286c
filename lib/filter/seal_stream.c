/* seal_stream.c: one direction of sealed data. */
#include "filter/seal_stream.h"

#include "base/bytes.h"
#include "base/fail.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum {
  MAGIC = 3,
  VERSION = '2',
  INFO_MAX = 2 * EPI_ADDR_TEXT_MAX + 96,
};

static const char magic[MAGIC + 1] = "EPS";

const char *epi__seal_cipher_name(int cipher) {
  return cipher == EPI__CHACHA20_POLY1305 ? "chacha20-poly1305"
         : cipher == EPI__AES_256_GCM     ? "aes-256-gcm"
                                          : "";
}

int epi__seal_cipher(const char *name) {
  for (int i = EPI__CHACHA20_POLY1305; i <= EPI__AES_256_GCM; i++) {
    if (!strcmp(name, epi__seal_cipher_name(i))) {
      return i;
    }
  }
  return 0;
}

/* Go on with the key that the stream has. */
static int use_key(epi__seal_stream *stream) {
  const epi__crypto *crypto = stream->options->crypto;

  crypto->aead_free(stream->aead);
  stream->aead = NULL;
  stream->frames = stream->bytes = 0;
  return crypto->aead_new(&stream->aead, stream->cipher, stream->key);
}

static int make_key(epi__seal_stream *stream, const epi__seal_secret *secret) {
  uint8_t salts[2 * EPI__SEAL_SALT];
  char info[INFO_MAX];
  epi__writer out = epi__writer_over(salts, sizeof salts);
  int result;

  if (secret->forward) {
    epi__write_bytes(&out, secret->forward->salt, EPI__SEAL_SALT);
  }
  epi__write_bytes(&out, stream->salt, EPI__SEAL_SALT);
  snprintf(info, sizeof info, "epi seal 2 %s %s%s%s",
           secret->forward ? "backward" : "forward",
           epi__seal_cipher_name(stream->cipher), *secret->binding ? " " : "",
           secret->binding);
  result = stream->options->crypto->derive(stream->key, sizeof stream->key,
                                           secret->key, secret->key_len, salts,
                                           out.used, info);
  return result ? result : use_key(stream);
}

/* Count a frame, and change the key when it has done its share. */
static int count_frame(epi__seal_stream *stream, size_t len) {
  const epi__seal_options *options = stream->options;
  uint8_t next[EPI__AEAD_KEY];
  int result;

  stream->frames++;
  stream->bytes += len;
  if (stream->frames < (options->rekey_frames ? options->rekey_frames
                                              : EPI__SEAL_REKEY_FRAMES) &&
      stream->bytes < (options->rekey_bytes ? options->rekey_bytes
                                            : EPI__SEAL_REKEY_BYTES)) {
    return 0;
  }
  result =
      options->crypto->derive(next, sizeof next, stream->key,
                              sizeof stream->key, "", 0, "epi seal 2 next");
  if (!result) {
    memcpy(stream->key, next, sizeof next);
    result = use_key(stream);
  }
  epi_wipe(next, sizeof next);
  return result;
}

static void nonce_of(epi__seal_stream *stream, uint8_t nonce[EPI__AEAD_NONCE]) {
  epi__writer out = epi__writer_over(nonce, EPI__AEAD_NONCE);

  epi__write_u32(&out, 0);
  epi__write_u64(&out, stream->number++);
}

int epi__seal_start(epi__seal_stream *stream, const epi__seal_secret *secret,
                    uint8_t header[EPI__SEAL_HEADER]) {
  epi__writer out = epi__writer_over(header, EPI__SEAL_HEADER);
  int result = stream->options->crypto->random(stream->salt, EPI__SEAL_SALT);

  if (result || (result = make_key(stream, secret))) {
    return result;
  }
  epi__write_bytes(&out, magic, MAGIC);
  epi__write_u8(&out, VERSION);
  epi__write_u8(&out, (unsigned)stream->cipher);
  epi__write_bytes(&out, stream->salt, EPI__SEAL_SALT);
  return 0;
}

ptrdiff_t epi__seal_frame(epi__seal_stream *stream, int type,
                          const uint8_t *data, size_t len, uint8_t *frame) {
  uint8_t nonce[EPI__AEAD_NONCE];
  epi__writer out = epi__writer_over(frame, EPI__SEAL_FRAME_MAX);
  int result;

  assert(stream->aead && len <= EPI__SEAL_FRAME);
  epi__write_u8(&out, (unsigned)type);
  epi__write_u16(&out, (unsigned)(len + EPI__AEAD_TAG));
  nonce_of(stream, nonce);
  result = stream->options->crypto->seal(
      stream->aead, frame + EPI__SEAL_FRAME_HEADER, nonce, frame,
      EPI__SEAL_FRAME_HEADER, data, len);
  if (!result) {
    result = count_frame(stream, len);
  }
  return result ? result
                : (ptrdiff_t)(EPI__SEAL_FRAME_HEADER + len + EPI__AEAD_TAG);
}

ptrdiff_t epi__open_header(epi__seal_stream *stream,
                           const epi__seal_secret *secret, const uint8_t *data,
                           size_t len) {
  epi__reader in = epi__reader_over(data, len);
  const uint8_t *name = epi__read_bytes(&in, MAGIC);
  unsigned version = epi__read_u8(&in);
  unsigned cipher = epi__read_u8(&in);
  const uint8_t *salt = epi__read_bytes(&in, EPI__SEAL_SALT);
  int result;

  if (name && memcmp(name, magic, MAGIC)) {
    return epi__fail(EPI_ECRYPTO, "this is no sealed data");
  }
  if (!salt) {
    return 0;
  }
  if (version != VERSION) {
    return epi__fail(EPI_EVERSION, "sealed data has version %u, not %u",
                     version - '0', VERSION - '0');
  }
  if (!*epi__seal_cipher_name((int)cipher)) {
    return epi__fail(EPI_ECRYPTO, "sealed data is in cipher %u, which is none",
                     cipher);
  }
  if (stream->cipher && stream->cipher != (int)cipher) {
    return epi__fail(EPI_ECRYPTO, "sealed data is in %s, not in %s",
                     epi__seal_cipher_name((int)cipher),
                     epi__seal_cipher_name(stream->cipher));
  }
  stream->cipher = (int)cipher;
  memcpy(stream->salt, salt, EPI__SEAL_SALT);
  result = make_key(stream, secret);
  return result ? result : EPI__SEAL_HEADER;
}

ptrdiff_t epi__open_frame(epi__seal_stream *stream, const uint8_t *data,
                          size_t len, uint8_t *out, size_t *plain_len) {
  epi__reader in = epi__reader_over(data, len);
  uint8_t nonce[EPI__AEAD_NONCE];
  unsigned type = epi__read_u8(&in);
  unsigned size = epi__read_u16(&in);
  const uint8_t *sealed;
  int result;

  if (stream->ended ||
      (!in.missing && (type > EPI__SEAL_END || size < EPI__AEAD_TAG ||
                       size > (type == EPI__SEAL_END ? 0 : EPI__SEAL_FRAME) +
                                  EPI__AEAD_TAG))) {
    return epi__fail(EPI_ECRYPTO, "sealed data is damaged");
  }
  sealed = epi__read_bytes(&in, size);
  if (!sealed) {
    return 0;
  }
  nonce_of(stream, nonce);
  result = stream->options->crypto->open(stream->aead, out, nonce, data,
                                         EPI__SEAL_FRAME_HEADER, sealed, size);
  if (!result) {
    result = count_frame(stream, size - EPI__AEAD_TAG);
  }
  if (result) {
    return result;
  }
  stream->ended = type == EPI__SEAL_END;
  *plain_len = size - EPI__AEAD_TAG;
  return (ptrdiff_t)in.used;
}

void epi__seal_stream_clear(epi__seal_stream *stream) {
  if (stream->options) {
    stream->options->crypto->aead_free(stream->aead);
  }
  epi_wipe(stream, sizeof *stream);
}
