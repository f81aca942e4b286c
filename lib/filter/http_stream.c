/* http_stream.c: the requests that a client sends over one connection. */
#include "filter/http_stream.h"

#include <string.h>

enum { /* phases; chunks are RFC 9112 section 7.1 */
       IN_HEAD,
       HEAD_DONE, /* and its text still kept */
       IN_BODY,
       CHUNK_SIZE, /* extensions of chunks are refused: nobody uses them well */
       IN_CHUNK,
       CHUNK_END,
       IN_TRAILER,
};

enum {
  CHUNK_DIGITS = 15,
};

static int malformed(void) {
  return epi__fail(EPI_EPROTO, "a malformed HTTP body");
}

static void finish_body(epi__http_stream *stream) {
  stream->phase = IN_HEAD;
  stream->line = 0;
}

static int read_head(epi__http_stream *stream) {
  const uint8_t *text;
  size_t len = epi__queue_peek(&stream->head, &text);
  int result = epi__http_head_read(&stream->request, (const char *)text, len);

  stream->phase = HEAD_DONE;
  return result ? result : EPI__HTTP_HEAD;
}

/* Keep a head up to its empty line. */
static int next_head(epi__http_stream *stream, const uint8_t *data, size_t len,
                     size_t *used) {
  const uint8_t *end = memchr(data, '\n', len);
  const uint8_t *kept;
  size_t part = end ? (size_t)(end - data) + 1 : len, room;
  int result;

  room = EPI__HTTP_HEAD_MAX - epi__queue_peek(&stream->head, &kept);
  if (part > room) {
    return epi__fail(EPI_ELIMIT, "an HTTP head of over %d bytes",
                     EPI__HTTP_HEAD_MAX);
  }
  result = epi__queue_append(&stream->head, data, part);
  if (result) {
    return result;
  }
  *used = part;
  stream->line += end ? part - 1 : part;
  if (!end) {
    return EPI__HTTP_MORE;
  }
  len = epi__queue_peek(&stream->head, &kept);
  if (stream->line == 1 && kept[len - 2] == '\r') {
    stream->line = 0;
  }
  if (!stream->line) {
    return read_head(stream);
  }
  stream->line = 0;
  return EPI__HTTP_MORE;
}

/* The head was looked at: what is behind it? */
static void leave_head(epi__http_stream *stream) {
  epi__queue_clear(&stream->head, 0);
  stream->left = stream->request.length;
  if (stream->request.chunked) {
    stream->phase = CHUNK_SIZE;
    stream->line = 0;
    stream->left = 0;
  } else if (stream->left) {
    stream->phase = IN_BODY;
  } else {
    finish_body(stream);
  }
}

static int digit_of(uint8_t byte) {
  if (byte >= '0' && byte <= '9') {
    return byte - '0';
  }
  byte |= 0x20;
  return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* A line of what frames chunks ends; line counts what was in it. */
static int end_line(epi__http_stream *stream) {
  size_t line = stream->line;

  stream->line = 0;
  switch (stream->phase) {
  case CHUNK_SIZE:
    stream->phase = stream->left ? IN_CHUNK : IN_TRAILER;
    return line ? 0 : malformed();
  case CHUNK_END:
    stream->phase = CHUNK_SIZE;
    return 0;
  default: /* IN_TRAILER: fields up to an empty line, which say no host */
    if (!line) {
      finish_body(stream);
    }
    return 0;
  }
}

/* One byte of what frames chunks. */
static int next_framing(epi__http_stream *stream, uint8_t byte) {
  int digit = digit_of(byte);

  if (stream->cr || byte == '\n') {
    int fine = stream->cr && byte == '\n';

    stream->cr = 0;
    return fine ? end_line(stream) : malformed();
  }
  if (byte == '\r') {
    stream->cr = 1;
    return 0;
  }
  stream->line++;
  if (stream->phase == CHUNK_SIZE) {
    stream->left = stream->left * 16 + digit;
    return digit < 0 || stream->line > CHUNK_DIGITS ? malformed() : 0;
  }
  return stream->phase == IN_TRAILER && stream->line <= EPI__HTTP_HEAD_MAX
             ? 0
             : malformed();
}

static int next_body(epi__http_stream *stream, const uint8_t *data, size_t len,
                     size_t *used) {
  int result;

  if (stream->phase != IN_BODY && stream->phase != IN_CHUNK) {
    result = next_framing(stream, *data);
    *used = 1;
    return result ? result : EPI__HTTP_BODY;
  }
  *used = (uint64_t)stream->left < len ? (size_t)stream->left : len;
  stream->left -= (int64_t)*used;
  if (!stream->left && stream->phase == IN_BODY) {
    finish_body(stream);
  } else if (!stream->left) {
    stream->phase = CHUNK_END;
    stream->line = 0;
  }
  return EPI__HTTP_BODY;
}

int epi__http_stream_next(epi__http_stream *stream, const uint8_t *data,
                          size_t len, size_t *used) {
  if (stream->phase == HEAD_DONE) {
    leave_head(stream);
  }
  return stream->phase == IN_HEAD ? next_head(stream, data, len, used)
                                  : next_body(stream, data, len, used);
}

void epi__http_stream_clear(epi__http_stream *stream) {
  epi__queue_clear(&stream->head, 0);
}
