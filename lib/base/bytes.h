/* bytes.h: bytes of peers are read with a reader, written with a writer, and
 * wait in a queue. Each is sticky: do everything, then ask once. */
#ifndef EPI__BYTES_H
#define EPI__BYTES_H

#include "base/fail.h"
#include "epi/addr.h"

/* ---- reader ---- */

typedef struct epi__reader {
  const uint8_t *at;
  size_t left;
  size_t used;
  int missing; /* ran past the end: feed more bytes */
  int bad;     /* something that no further bytes can mend */
} epi__reader;

epi__reader epi__reader_over(const void *buf, size_t len);

/* Numbers in network byte order; 0 once something is missing. */
unsigned epi__read_u8(epi__reader *in);
unsigned epi__read_u16(epi__reader *in);
uint32_t epi__read_u32(epi__reader *in);

void epi__skip(epi__reader *in, size_t len);

/* The next len bytes in place, or NULL. */
const uint8_t *epi__read_bytes(epi__reader *in, size_t len);

/* A reader over the next len bytes, which this one skips. */
epi__reader epi__read_part(epi__reader *in, size_t len);

/* ---- writer ---- */

/* Writes into a fixed block; with at NULL it only counts. */
typedef struct epi__writer {
  uint8_t *at;
  size_t size;
  size_t used; /* counts on past size */
} epi__writer;

epi__writer epi__writer_over(void *buf, size_t size);
void epi__write_u8(epi__writer *out, unsigned value);
void epi__write_u16(epi__writer *out, unsigned value);
void epi__write_u32(epi__writer *out, uint32_t value);
void epi__write_u64(epi__writer *out, uint64_t value);
void epi__write_bytes(epi__writer *out, const void *data, size_t len);
void epi__write_zeros(epi__writer *out, size_t len);

/* The bytes written, or EPI_ELIMIT if they do not fit. */
ptrdiff_t epi__writer_end(const epi__writer *out);

/* ---- queue ---- */

/* Bytes on their way: appended behind, peeked at and acked in front. It holds
 * no memory while it is empty. */
typedef struct epi__queue {
  uint8_t *block;
  size_t capacity;
  size_t start, end;
} epi__queue;

/* Append a copy. Returns 0 or EPI_ENOMEM, and then nothing was appended. */
int epi__queue_append(epi__queue *queue, const void *data, size_t len);

/* The bytes that wait; *out is valid until the queue changes. */
size_t epi__queue_peek(const epi__queue *queue, const uint8_t **out);

/* Drop len bytes in front, at most what waits; memory goes with the last. */
void epi__queue_ack(epi__queue *queue, size_t len);

/* Drop everything; wipe is 1 for secrets. */
void epi__queue_clear(epi__queue *queue, int wipe);

/* ---- text ---- */

/* A text that grows; sticky when out of memory. */
typedef struct epi__text {
  char *block; /* ends in NUL once anything was added */
  size_t len, capacity;
  int failed;
} epi__text;

void epi__text_add(epi__text *text, const char *data, size_t len);
void epi__text_puts(epi__text *text, const char *string);
void epi__text_printf(epi__text *text, const char *format, ...)
    EPI__PRINTF(2, 3);

/* Hand the block over (free it with epi__free()), or NULL if it failed; the
 * text is empty then. An empty text gives "". */
char *epi__text_take(epi__text *text);
void epi__text_clear(epi__text *text);

/* The length of the UTF-8 sequence (RFC 3629) in front of left bytes, at least
 * one; 0 if there is none, or a NUL. */
size_t epi__utf8_len(const uint8_t *bytes, size_t left);

/* ---- hexadecimal ---- */

/* Write 2 * len digits and NUL. */
void epi__hex(char *out, const uint8_t *data, size_t len);

/* Read exactly len bytes from 2 * len digits and NUL. Returns 0 or
 * EPI_EINVAL. */
int epi__unhex(uint8_t *out, size_t len, const char *text);

/* 1 if the blocks are equal, in a time that does not depend on where they
 * differ. */
int epi__equal_secret(const void *a, const void *b, size_t len);

#endif
