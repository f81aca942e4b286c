/* seal.c: authenticated encryption between two proxies.
 *
 * `seal` encrypts forward and decrypts backward; `open`, at the other proxy,
 * does the reverse. Each direction is a stream of its own (seal_stream.h). The
 * opener can write backward only once it has seen the forward header, which
 * the sealer sends on opening; until then it pauses that direction. */
#include "base/bytes.h"
#include "base/fail.h"
#include "base/memory.h"
#include "filter/filter_chain.h"
#include "filter/seal_stream.h"

#include <string.h>

typedef struct sealer {
  epi__seal_options options;
  size_t key_len;
  uint8_t key[];
} sealer;

typedef struct passage {
  epi__seal_stream streams[2]; /* by direction */
  epi__queue in; /* sealed bytes of a frame that is not all there */
} passage;

/* The direction in which this filter encrypts. */
static int sealing(const sealer *my) {
  return my->options.opener ? EPI_BACKWARD : EPI_FORWARD;
}

static epi__seal_secret secret_of(const sealer *my, const passage *at,
                                  const epi_pipe *pipe, int direction) {
  return (epi__seal_secret){
      my->key, my->key_len,
      direction == EPI_BACKWARD ? &at->streams[EPI_FORWARD] : NULL,
      epi__pipe_binding(pipe)};
}

/* Send the header, if it was not sent. */
static int start_sealing(const sealer *my, passage *at, epi_pipe *pipe) {
  int direction = sealing(my);
  epi__seal_stream *stream = &at->streams[direction];
  epi__seal_secret secret = secret_of(my, at, pipe, direction);
  uint8_t header[EPI__SEAL_HEADER];
  int result;

  if (stream->aead) {
    return 0;
  }
  if (direction == EPI_BACKWARD) {
    if (!at->streams[EPI_FORWARD].aead) {
      return epi__fail(EPI_ESTATE, "backward data before the forward header");
    }
    stream->cipher = at->streams[EPI_FORWARD].cipher;
  }
  result = epi__seal_start(stream, &secret, header);
  return result ? result
                : epi_pipe_write(pipe, direction, header, sizeof header);
}

static int seal_one(const sealer *my, passage *at, epi_pipe *pipe, int type,
                    const uint8_t *data, size_t len) {
  uint8_t frame[EPI__SEAL_FRAME_MAX];
  ptrdiff_t made =
      epi__seal_frame(&at->streams[sealing(my)], type, data, len, frame);

  return made < 0 ? (int)made
                  : epi_pipe_write(pipe, sealing(my), frame, (size_t)made);
}

static int seal_data(const sealer *my, passage *at, epi_pipe *pipe,
                     const uint8_t *data, size_t len) {
  int result = start_sealing(my, at, pipe);

  while (!result && len) {
    size_t part = len < EPI__SEAL_FRAME ? len : EPI__SEAL_FRAME;

    result = seal_one(my, at, pipe, EPI__SEAL_DATA, data, part);
    data += part;
    len -= part;
  }
  return result;
}

/* The header or one frame of a sealed stream from the front of data. Returns
 * the bytes used, 0 while it is not all there, or an error. */
static ptrdiff_t open_one(const sealer *my, passage *at, epi_pipe *pipe,
                          int direction, const uint8_t *data, size_t len) {
  epi__seal_stream *stream = &at->streams[direction];
  uint8_t plain[EPI__SEAL_FRAME];
  size_t plain_len = 0;
  ptrdiff_t used;
  int result;

  if (!stream->aead) {
    epi__seal_secret secret = secret_of(my, at, pipe, direction);

    used = epi__open_header(stream, &secret, data, len);
    if (used > 0 && my->options.opener) {
      epi_pipe_pause(pipe, EPI_BACKWARD, 0);
    }
    return used;
  }
  used = epi__open_frame(stream, data, len, plain, &plain_len);
  if (used <= 0 || !plain_len) {
    return used;
  }
  result = epi_pipe_write(pipe, direction, plain, plain_len);
  epi_wipe(plain, plain_len);
  return result ? result : used;
}

/* All that is complete in front of data. Returns the bytes used, or an error.
 */
static ptrdiff_t open_all(const sealer *my, passage *at, epi_pipe *pipe,
                          int direction, const uint8_t *data, size_t len) {
  size_t done = 0;

  while (done < len) {
    ptrdiff_t used = open_one(my, at, pipe, direction, data + done, len - done);

    if (used < 0) {
      return used;
    }
    if (!used) {
      break;
    }
    done += (size_t)used;
  }
  return (ptrdiff_t)done;
}

/* Only what is not complete is copied. */
static int open_data(const sealer *my, passage *at, epi_pipe *pipe,
                     int direction, const uint8_t *data, size_t len) {
  int waits = at->in.end > at->in.start;
  ptrdiff_t used;

  if (waits) {
    int result = epi__queue_append(&at->in, data, len);

    if (result) {
      return result;
    }
    len = epi__queue_peek(&at->in, &data);
  }
  used = open_all(my, at, pipe, direction, data, len);
  if (used < 0) {
    return (int)used;
  }
  if (waits) {
    epi__queue_ack(&at->in, (size_t)used);
    return 0;
  }
  return (size_t)used < len
             ? epi__queue_append(&at->in, data + used, len - (size_t)used)
             : 0;
}

static void end_passage(passage *at) {
  epi__queue_clear(&at->in, 1);
  epi__seal_stream_clear(&at->streams[EPI_FORWARD]);
  epi__seal_stream_clear(&at->streams[EPI_BACKWARD]);
  epi__free(at);
}

static int on_open(epi_pipe *pipe, void *user) {
  const sealer *my = user;
  passage *at = epi__alloc(sizeof *at);
  int result;

  if (!at) {
    return EPI_ENOMEM;
  }
  for (int i = 0; i < 2; i++) {
    at->streams[i].options = &my->options;
    at->streams[i].cipher = my->options.cipher;
  }
  epi_pipe_set_state(pipe, at);
  if (my->options.opener) {
    epi_pipe_pause(pipe, EPI_BACKWARD, 1);
    return 0;
  }
  result = start_sealing(my, at, pipe);
  if (result) { /* on_close comes only after a good opening */
    end_passage(at);
  }
  return result;
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
  int result;

  if (direction != sealing(my)) {
    return at->streams[direction].ended
               ? 0
               : epi__fail(EPI_ECRYPTO, "sealed data was cut off");
  }
  result = start_sealing(my, at, pipe);
  return result ? result : seal_one(my, at, pipe, EPI__SEAL_END, NULL, 0);
}

static void on_close(epi_pipe *pipe, void *user) {
  (void)user;
  end_passage(epi_pipe_state(pipe));
}

static void on_free(void *user) {
  sealer *my = user;

  epi_wipe(my->key, my->key_len);
  epi__free(my);
}

/* Whoever can try all secrets of a kind opens everything: refuse what was
 * typed for want of a better one. */
static int check_key(const uint8_t *key, size_t len) {
  uint8_t seen[256] = {0};
  int kinds = 0;

  if (len < EPI__SEAL_KEY_MIN || len > EPI__SEAL_KEY_MAX) {
    return epi__fail(EPI_EINVAL, "a key has %d to %d bytes, not %zu",
                     EPI__SEAL_KEY_MIN, EPI__SEAL_KEY_MAX, len);
  }
  for (size_t i = 0; i < len; i++) {
    kinds += !seen[key[i]];
    seen[key[i]] = 1;
  }
  return kinds < EPI__SEAL_KEY_KINDS
             ? epi__fail(EPI_EINVAL,
                         "the key can be guessed, it has %d different bytes: "
                         "use random ones",
                         kinds)
             : 0;
}

int epi__seal_new(epi_filter **out, const epi__seal_options *options,
                  const void *key, size_t key_len) {
  epi_filter *filter;
  sealer *my;
  int result = check_key(key, key_len);

  if (result) {
    return result;
  }
  my = epi__alloc(sizeof *my + key_len);
  if (!my) {
    return EPI_ENOMEM;
  }
  result = epi_filter_new(&filter, options->opener ? "open" : "seal");
  if (result) {
    epi__free(my);
    return result;
  }
  my->options = *options;
  if (!options->opener && !options->cipher) {
    my->options.cipher = options->crypto->aead_fast();
  }
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
