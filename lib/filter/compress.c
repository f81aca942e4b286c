/* compress.c: compression between two proxies.
 *
 * `compress` packs forward and unpacks backward; `expand`, at the other proxy,
 * does the reverse. Each direction is a stream of its own:
 *
 *     header  "EPZ1"
 *     frame   type (1 byte), length (2 bytes), so many bytes
 *
 * Type 0 carries compressed data, type 1 is empty and ends the direction, type
 * 2 is padding. Every piece of data is flushed: nothing waits for the next one.
 *
 * Nothing shrinks to less than 1/ratio of what it was, by padding before it: so
 * the other end can cut what expands to more, which nobody but an attacker
 * makes, and what a filter makes of one read stays within EPI_PIPE_MAX. */
#include "base/bytes.h"
#include "base/fail.h"
#include "base/memory.h"
#include "filter/builtin.h"

#include <string.h>

enum {
  MAGIC = 4,
  FRAME_HEADER = 3,
  PIECE = 16384,           /* plain bytes that are packed at once */
  FRAME_MAX = PIECE + 256, /* what is not random shrinks; zstd adds little */
  DATA = 0,
  END = 1,
  PADDING = 2,
};

static const char magic[MAGIC + 1] = "EPZ1";

typedef struct compressor {
  const epi__compression *by;
  int expander;
  int level;
  uint64_t ratio;
} compressor;

typedef struct stream {
  epi__packer *packer;  /* NULL: nothing went through yet */
  int begun, ended;     /* the header, and the last frame, are through */
  uint64_t plain, wire; /* bytes so far */
} stream;

typedef struct passage {
  stream streams[2]; /* by direction */
  epi__queue in;     /* bytes of a frame that is not all there */
} passage;

/* The direction in which this filter packs. */
static int packing(const compressor *my) {
  return my->expander ? EPI_BACKWARD : EPI_FORWARD;
}

/* ---- packing ---- */

static int send(epi_pipe *pipe, stream *this, int direction, const void *data,
                size_t len) {
  this->wire += len;
  return epi_pipe_write(pipe, direction, data, len);
}

static int begin(epi_pipe *pipe, stream *this, int direction) {
  if (this->begun) {
    return 0;
  }
  this->begun = 1;
  return send(pipe, this, direction, magic, MAGIC);
}

static int send_frame(epi_pipe *pipe, stream *this, int direction, int type,
                      uint8_t *frame, size_t len) {
  epi__writer out = epi__writer_over(frame, FRAME_HEADER);

  epi__write_u8(&out, (unsigned)type);
  epi__write_u16(&out, (unsigned)len);
  return send(pipe, this, direction, frame, FRAME_HEADER + len);
}

/* Make up for what a frame of len bytes is too short for all data so far. */
static int pad(const compressor *my, epi_pipe *pipe, stream *this,
               int direction, size_t len) {
  uint8_t zeros[FRAME_HEADER + PIECE] = {0};
  uint64_t least = this->plain / my->ratio + 1;
  uint64_t there = this->wire + FRAME_HEADER + len;

  return there < least ? send_frame(pipe, this, direction, PADDING, zeros,
                                    (size_t)(least - there))
                       : 0;
}

static int pack_piece(const compressor *my, epi_pipe *pipe, stream *this,
                      int direction, const uint8_t *data, size_t len) {
  uint8_t frame[FRAME_HEADER + FRAME_MAX];
  int more = 1, result = 0;

  this->plain += len;
  while (more > 0 && !result) {
    size_t made = 0;

    more = my->by->pack(this->packer, &data, &len, frame + FRAME_HEADER,
                        FRAME_MAX, &made);
    if (more < 0) {
      return more;
    }
    result = pad(my, pipe, this, direction, made);
    if (!result && made) {
      result = send_frame(pipe, this, direction, DATA, frame, made);
    }
  }
  return result;
}

static int pack_data(const compressor *my, epi_pipe *pipe, stream *this,
                     int direction, const uint8_t *data, size_t len) {
  int result = begin(pipe, this, direction);

  if (!result && !this->packer) {
    result = my->by->pack_new(&this->packer, my->level);
  }
  while (!result && len) {
    size_t part = len < PIECE ? len : PIECE;

    result = pack_piece(my, pipe, this, direction, data, part);
    data += part;
    len -= part;
  }
  return result;
}

/* ---- unpacking ---- */

static int unpack_frame(const compressor *my, epi_pipe *pipe, stream *this,
                        int direction, const uint8_t *data, size_t len) {
  uint8_t plain[PIECE];
  int more = this->packer ? 0 : my->by->unpack_new(&this->packer);
  int result = 0;

  if (more) {
    return more;
  }
  do {
    size_t made = 0;

    more =
        my->by->unpack(this->packer, &data, &len, plain, sizeof plain, &made);
    if (more < 0) {
      return more;
    }
    this->plain += made;
    if (this->plain > this->wire * my->ratio) {
      return epi__fail(EPI_ELIMIT,
                       "compressed data expands to over %u times its size",
                       (unsigned)my->ratio);
    }
    result = epi_pipe_write(pipe, direction, plain, made);
  } while (more && !result);
  return result;
}

/* The header or one frame from the front of data. Returns the bytes used, 0
 * while it is not all there, or an error. */
static ptrdiff_t unpack_one(const compressor *my, epi_pipe *pipe, stream *this,
                            int direction, const uint8_t *data, size_t len) {
  epi__reader in = epi__reader_over(data, len);
  const uint8_t *bytes;
  unsigned type, size;
  int result = 0;

  if (!this->begun) {
    bytes = epi__read_bytes(&in, MAGIC);
    if (bytes && memcmp(bytes, magic, MAGIC)) {
      return epi__fail(EPI_EPROTO, "this is no compressed data of version 1");
    }
    this->begun = bytes != NULL;
    this->wire += bytes ? MAGIC : 0;
    return bytes ? MAGIC : 0;
  }
  type = epi__read_u8(&in);
  size = epi__read_u16(&in);
  if (this->ended || (!in.missing && (type > PADDING ||
                                      size > (type == END ? 0 : FRAME_MAX)))) {
    return epi__fail(EPI_EPROTO, "compressed data is damaged");
  }
  bytes = epi__read_bytes(&in, size);
  if (!bytes) {
    return 0;
  }
  this->wire += in.used;
  this->ended = type == END;
  if (type == DATA) {
    result = unpack_frame(my, pipe, this, direction, bytes, size);
  }
  return result ? result : (ptrdiff_t)in.used;
}

/* Only what is not complete is copied. */
static int unpack_data(const compressor *my, epi_pipe *pipe, passage *at,
                       int direction, const uint8_t *data, size_t len) {
  stream *this = &at->streams[direction];
  int waits = at->in.end > at->in.start;
  size_t done = 0;
  ptrdiff_t used = 1;

  if (waits) {
    int result = epi__queue_append(&at->in, data, len);

    if (result) {
      return result;
    }
    len = epi__queue_peek(&at->in, &data);
  }
  while (done < len && used > 0) {
    used = unpack_one(my, pipe, this, direction, data + done, len - done);
    if (used < 0) {
      return (int)used;
    }
    done += (size_t)used;
  }
  if (waits) {
    epi__queue_ack(&at->in, done);
    return 0;
  }
  return done < len ? epi__queue_append(&at->in, data + done, len - done) : 0;
}

/* ---- the filter ---- */

static int on_open(epi_pipe *pipe, void *user) {
  passage *at = epi__alloc(sizeof *at);

  (void)user;
  epi_pipe_set_state(pipe, at);
  return at ? 0 : EPI_ENOMEM;
}

static int on_data(epi_pipe *pipe, int direction, const void *data, size_t len,
                   void *user) {
  passage *at = epi_pipe_state(pipe);

  return direction == packing(user)
             ? pack_data(user, pipe, &at->streams[direction], direction, data,
                         len)
             : unpack_data(user, pipe, at, direction, data, len);
}

static int on_end(epi_pipe *pipe, int direction, void *user) {
  passage *at = epi_pipe_state(pipe);
  stream *this = &at->streams[direction];
  uint8_t frame[FRAME_HEADER];
  int result;

  if (direction != packing(user)) {
    return this->ended ? 0
                       : epi__fail(EPI_EPROTO, "compressed data was cut off");
  }
  result = begin(pipe, this, direction);
  return result ? result : send_frame(pipe, this, direction, END, frame, 0);
}

static void on_close(epi_pipe *pipe, void *user) {
  const compressor *my = user;
  passage *at = epi_pipe_state(pipe);

  my->by->free(at->streams[EPI_FORWARD].packer);
  my->by->free(at->streams[EPI_BACKWARD].packer);
  epi__queue_clear(&at->in, 0);
  epi__free(at);
}

int epi__compress_new(epi_filter **out, int expander,
                      const epi__compression *by, int level, int ratio) {
  epi_filter *filter;
  compressor *my = epi__alloc(sizeof *my);
  int result;

  if (!my) {
    return EPI_ENOMEM;
  }
  result = epi_filter_new(&filter, expander ? "expand" : "compress");
  if (result) {
    epi__free(my);
    return result;
  }
  my->by = by;
  my->expander = expander;
  my->level = level;
  my->ratio = (uint64_t)ratio;
  epi_filter_on_open(filter, on_open, my);
  epi_filter_on_data(filter, on_data, my);
  epi_filter_on_end(filter, on_end, my);
  epi_filter_on_close(filter, on_close, my);
  epi_filter_on_free(filter, epi__free, my);
  *out = filter;
  return 0;
}
