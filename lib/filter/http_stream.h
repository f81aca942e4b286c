/* http_stream.h: the requests that a client sends over one connection, one
 * behind the other: each has a head and perhaps a body. */
#ifndef EPI__HTTP_STREAM_H
#define EPI__HTTP_STREAM_H

#include "base/bytes.h"
#include "filter/http_head.h"

/* What epi__http_stream_next() came upon. */
enum {
  EPI__HTTP_MORE = 0, /* bytes of a head that is not all there: they are kept */
  EPI__HTTP_HEAD = 1, /* the last bytes of a head */
  EPI__HTTP_BODY = 2, /* bytes of a body */
};

/* All zero at first. */
typedef struct epi__http_stream {
  epi__queue head;           /* what is kept of a head */
  size_t line;               /* bytes of the last line, of a body too */
  epi__http_request request; /* the last one */
  int phase, cr;             /* of a body; a CR came */
  int64_t left;              /* of it, or of a chunk */
} epi__http_stream;

/* Go on with bytes, at least one, and say how many are used. At EPI__HTTP_HEAD
 * stream->request is set and stream->head has all of the head until the next
 * call. Returns EPI__HTTP_*, EPI_EPROTO, EPI_EVERSION, EPI_ELIMIT or
 * EPI_ENOMEM; the stream cannot be gone on with after an error. */
int epi__http_stream_next(epi__http_stream *stream, const uint8_t *data,
                          size_t len, size_t *used);

void epi__http_stream_clear(epi__http_stream *stream);

#endif
