/* seal.c: authenticated encryption between two proxies.
 *
 * `seal` encrypts forward and decrypts backward; `open`, at the other proxy,
 * does the reverse. Each direction is a stream of its own:
 *
 *     header  "EPS1", 32 random bytes (the salt)
 *     frame   type (1 byte), length of the sealed part (2 bytes), sealed part
 *
 * Type 0 carries up to 16,384 bytes, type 1 ends the direction: a stream that
 * ends without it was cut by somebody. A frame is sealed with ChaCha20-Poly1305
 * (RFC 8439), its first three bytes authenticated too; the nonce is the number
 * of the frame in its direction, the key is derived (HKDF, RFC 5869) for this
 * flow and direction alone:
 *
 *     forward   from the shared secret and the forward salt
 *     backward  from the shared secret and both salts
 *
 * so that no nonce is used twice with a key, frames cannot be moved, repeated
 * or sent back, and the answers of another flow do not fit. Where a plan put
 * the filters into place, the keys also depend on the flow's source and
 * destination: a stream that is slipped into another flow does not open there.
 * The opener can write backward only once it has seen the forward header, which
 * the sealer sends on opening; until then it pauses that direction. */
#include "base/bytes.h"
#include "base/fail.h"
#include "base/memory.h"
#include "filter/builtin.h"
#include "filter/filter_chain.h"

#include <stdio.h>
#include <string.h>

enum {
  SALT = 32,
  MAGIC = 4,
  HEADER = MAGIC + SALT,
  FRAME_HEADER = 3,
  INFO_MAX = 2 * EPI_ADDR_TEXT_MAX + 64,
  FRAME_MAX = FRAME_HEADER + EPI__SEAL_FRAME + EPI__AEAD_TAG,
  TYPE_DATA = 0,
  TYPE_END = 1,
};

static const char magic[MAGIC + 1] = "EPS1";

typedef struct sealer {
  const epi__crypto *crypto;
  int opener;
  size_t key_len;
  uint8_t key[];
} sealer;

typedef struct stream {
  int keyed, ended;
  uint64_t frames;
  uint8_t salt[SALT];
  uint8_t key[EPI__AEAD_KEY];
} stream;

typedef struct passage {
  stream streams[2]; /* by direction */
  epi__queue in;     /* sealed bytes of a frame that is not all there */
  uint8_t frame[FRAME_MAX];
} passage;

/* The direction in which this filter encrypts. */
static int sealing(const sealer *my) {
  return my->opener ? EPI_BACKWARD : EPI_FORWARD;
}

static int make_key(const sealer *my, passage *at, const epi_pipe *pipe,
                    int direction) {
  stream *this = &at->streams[direction];
  const char *binding = epi__pipe_binding(pipe);
  uint8_t salts[2 * SALT];
  char info[INFO_MAX];
  size_t len = 0;
  int result;

  if (!at->streams[EPI_FORWARD].keyed && direction == EPI_BACKWARD) {
    return epi__fail(EPI_ESTATE, "backward data before the forward header");
  }
  memcpy(salts, at->streams[EPI_FORWARD].salt, SALT);
  len += SALT;
  if (direction == EPI_BACKWARD) {
    memcpy(salts + len, this->salt, SALT);
    len += SALT;
  }
  snprintf(info, sizeof info, "epi seal 1 %s%s%s",
           direction == EPI_FORWARD ? "forward" : "backward",
           *binding ? " " : "", binding);
  result = my->crypto->derive(this->key, sizeof this->key, my->key, my->key_len,
                              salts, len, info);
  this->keyed = !result;
  return result;
}

static void nonce_of(stream *this, uint8_t nonce[EPI__AEAD_NONCE]) {
  epi__writer out = epi__writer_over(nonce, EPI__AEAD_NONCE);

  epi__write_u32(&out, 0);
  epi__write_u64(&out, this->frames++);
}

/* Choose a salt and send the header. */
static int start_sealing(const sealer *my, passage *at, epi_pipe *pipe) {
  int direction = sealing(my);
  stream *this = &at->streams[direction];
  uint8_t header[HEADER];
  int result = my->crypto->random(this->salt, SALT);

  if (result || (result = make_key(my, at, pipe, direction))) {
    return result;
  }
  memcpy(header, magic, MAGIC);
  memcpy(header + MAGIC, this->salt, SALT);
  return epi_pipe_write(pipe, direction, header, sizeof header);
}

static int seal_frame(const sealer *my, passage *at, epi_pipe *pipe, int type,
                      const uint8_t *data, size_t len) {
  int direction = sealing(my);
  stream *this = &at->streams[direction];
  uint8_t nonce[EPI__AEAD_NONCE];
  epi__writer out = epi__writer_over(at->frame, sizeof at->frame);
  int result;

  epi__write_u8(&out, (unsigned)type);
  epi__write_u16(&out, (unsigned)(len + EPI__AEAD_TAG));
  nonce_of(this, nonce);
  result = my->crypto->seal(at->frame + FRAME_HEADER, this->key, nonce,
                            at->frame, FRAME_HEADER, data, len);
  if (result) {
    return result;
  }
  return epi_pipe_write(pipe, direction, at->frame,
                        FRAME_HEADER + len + EPI__AEAD_TAG);
}

static int seal_data(const sealer *my, passage *at, epi_pipe *pipe,
                     const uint8_t *data, size_t len) {
  stream *this = &at->streams[sealing(my)];
  int result = 0;

  if (!this->keyed) {
    result = start_sealing(my, at, pipe);
  }
  while (!result && len) {
    size_t part = len < EPI__SEAL_FRAME ? len : EPI__SEAL_FRAME;

    result = seal_frame(my, at, pipe, TYPE_DATA, data, part);
    data += part;
    len -= part;
  }
  return result;
}

static int seal_end(const sealer *my, passage *at, epi_pipe *pipe) {
  int result = 0;

  if (!at->streams[sealing(my)].keyed) {
    result = start_sealing(my, at, pipe);
  }
  return result ? result : seal_frame(my, at, pipe, TYPE_END, NULL, 0);
}

/* The header or one frame of a sealed stream from the front of data. Returns
 * the bytes used, 0 while it is not all there, or an error. */
static ptrdiff_t open_one(const sealer *my, passage *at, epi_pipe *pipe,
                          int direction, const uint8_t *data, size_t len) {
  stream *this = &at->streams[direction];
  epi__reader in = epi__reader_over(data, len);
  uint8_t nonce[EPI__AEAD_NONCE];
  const uint8_t *sealed;
  unsigned type, size;
  int result;

  if (!this->keyed) {
    const uint8_t *header = epi__read_bytes(&in, HEADER);

    if (!header) {
      return 0;
    }
    if (memcmp(header, magic, MAGIC)) {
      return epi__fail(EPI_ECRYPTO, "this is no sealed data");
    }
    memcpy(this->salt, header + MAGIC, SALT);
    result = make_key(my, at, pipe, direction);
    if (my->opener) {
      epi_pipe_pause(pipe, EPI_BACKWARD, 0);
    }
    return result ? result : HEADER;
  }
  type = epi__read_u8(&in);
  size = epi__read_u16(&in);
  if (!in.missing && (type > TYPE_END || size < EPI__AEAD_TAG ||
                      size > EPI__SEAL_FRAME + EPI__AEAD_TAG || this->ended)) {
    return epi__fail(EPI_ECRYPTO, "sealed data is damaged");
  }
  sealed = epi__read_bytes(&in, size);
  if (!sealed) {
    return 0;
  }
  nonce_of(this, nonce);
  result = my->crypto->open(at->frame, this->key, nonce, data, FRAME_HEADER,
                            sealed, size);
  if (result) {
    return result;
  }
  size -= EPI__AEAD_TAG;
  if (type == TYPE_END) {
    this->ended = 1;
  } else {
    result = epi_pipe_write(pipe, direction, at->frame, size);
  }
  epi_wipe(at->frame, size);
  return result ? result : (ptrdiff_t)in.used;
}

static int open_data(const sealer *my, passage *at, epi_pipe *pipe,
                     int direction, const uint8_t *data, size_t len) {
  size_t waiting;
  ptrdiff_t used = 0;
  int result;

  result = epi__queue_append(&at->in, data, len);
  if (result) {
    return result;
  }
  while ((waiting = epi__queue_peek(&at->in, &data)) > 0) {
    used = open_one(my, at, pipe, direction, data, waiting);
    if (used <= 0) {
      break;
    }
    epi__queue_ack(&at->in, (size_t)used);
  }
  return used < 0 ? (int)used : 0;
}

static int on_open(epi_pipe *pipe, void *user) {
  passage *at = epi__alloc(sizeof *at);

  epi_pipe_set_state(pipe, at);
  if (!at) {
    return EPI_ENOMEM;
  }
  if (((sealer *)user)->opener) {
    epi_pipe_pause(pipe, EPI_BACKWARD, 1);
  } else {
    int result = start_sealing(user, at, pipe);

    if (result) { /* on_close comes only after a good opening */
      epi_wipe(at, sizeof *at);
      epi__free(at);
      return result;
    }
  }
  return 0;
}

static int on_data(epi_pipe *pipe, int direction, const void *data, size_t len,
                   void *user) {
  passage *at = epi_pipe_state(pipe);

  return direction == sealing(user)
             ? seal_data(user, at, pipe, data, len)
             : open_data(user, at, pipe, direction, data, len);
}

static int on_end(epi_pipe *pipe, int direction, void *user) {
  passage *at = epi_pipe_state(pipe);
  const sealer *my = user;

  if (direction != sealing(my)) {
    return at->streams[direction].ended
               ? 0
               : epi__fail(EPI_ECRYPTO, "sealed data was cut off");
  }
  return seal_end(my, at, pipe);
}

static void on_close(epi_pipe *pipe, void *user) {
  passage *at = epi_pipe_state(pipe);

  (void)user;
  epi__queue_clear(&at->in, 1);
  epi_wipe(at, sizeof *at);
  epi__free(at);
}

static void on_free(void *user) {
  sealer *my = user;

  epi_wipe(my->key, my->key_len);
  epi__free(my);
}

int epi__seal_new(epi_filter **out, int opener, const epi__crypto *crypto,
                  const void *key, size_t key_len) {
  epi_filter *filter;
  sealer *my;
  int result;

  if (key_len < EPI__SEAL_KEY_MIN || key_len > EPI__SEAL_KEY_MAX) {
    return epi__fail(EPI_EINVAL, "a key has %d to %d bytes, not %zu",
                     EPI__SEAL_KEY_MIN, EPI__SEAL_KEY_MAX, key_len);
  }
  my = epi__alloc(sizeof *my + key_len);
  if (!my) {
    return EPI_ENOMEM;
  }
  result = epi_filter_new(&filter, opener ? "open" : "seal");
  if (result) {
    epi__free(my);
    return result;
  }
  my->crypto = crypto;
  my->opener = opener;
  my->key_len = key_len;
  memcpy(my->key, key, key_len);
  epi_filter_on_open(filter, on_open, my);
  epi_filter_on_data(filter, on_data, my);
  epi_filter_on_end(filter, on_end, my);
  epi_filter_on_close(filter, on_close, my);
  epi_filter_on_free(filter, on_free, my);
  *out = filter;
  return 0;
}
