/* bytes.c: reader, writer and queue. */
#include "base/bytes.h"

#include "base/fail.h"
#include "base/memory.h"

#include <string.h>

epi__reader epi__reader_over(const void *buf, size_t len) {
  epi__reader in = {.at = buf, .left = len};

  return in;
}

const uint8_t *epi__read_bytes(epi__reader *in, size_t len) {
  const uint8_t *bytes = in->at;

  if (in->missing || len > in->left) {
    in->missing = 1;
    return NULL;
  }
  if (len) {
    in->at += len;
  }
  in->left -= len;
  in->used += len;
  return bytes;
}

uint32_t epi__read_u32(epi__reader *in) {
  const uint8_t *b = epi__read_bytes(in, 4);

  return b ? (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 |
                 b[3]
           : 0;
}

unsigned epi__read_u16(epi__reader *in) {
  const uint8_t *b = epi__read_bytes(in, 2);

  return b ? (unsigned)b[0] << 8 | b[1] : 0;
}

unsigned epi__read_u8(epi__reader *in) {
  const uint8_t *b = epi__read_bytes(in, 1);

  return b ? b[0] : 0;
}

void epi__skip(epi__reader *in, size_t len) {
  (void)epi__read_bytes(in, len);
}

epi__reader epi__read_part(epi__reader *in, size_t len) {
  const uint8_t *bytes = epi__read_bytes(in, len);
  epi__reader part = epi__reader_over(bytes, bytes ? len : 0);

  part.missing = !bytes && len;
  return part;
}

epi__writer epi__writer_over(void *buf, size_t size) {
  epi__writer out = {.at = buf, .size = buf ? size : SIZE_MAX};

  return out;
}

void epi__write_bytes(epi__writer *out, const void *data, size_t len) {
  if (len && out->at && out->used <= out->size &&
      len <= out->size - out->used) {
    memcpy(out->at + out->used, data, len);
  }
  out->used += len;
}

void epi__write_zeros(epi__writer *out, size_t len) {
  while (len--) {
    epi__write_u8(out, 0);
  }
}

void epi__write_u8(epi__writer *out, unsigned value) {
  uint8_t b = (uint8_t)value;

  epi__write_bytes(out, &b, 1);
}

void epi__write_u16(epi__writer *out, unsigned value) {
  uint8_t b[2] = {(uint8_t)(value >> 8), (uint8_t)value};

  epi__write_bytes(out, b, sizeof b);
}

void epi__write_u32(epi__writer *out, uint32_t value) {
  epi__write_u16(out, value >> 16);
  epi__write_u16(out, value & 0xffff);
}

void epi__write_u64(epi__writer *out, uint64_t value) {
  epi__write_u32(out, (uint32_t)(value >> 32));
  epi__write_u32(out, (uint32_t)value);
}

ptrdiff_t epi__writer_end(const epi__writer *out) {
  if (out->used > out->size || out->used > PTRDIFF_MAX) {
    return epi__fail(EPI_ELIMIT, "%zu bytes do not fit into %zu", out->used,
                     out->size);
  }
  return (ptrdiff_t)out->used;
}

int epi__queue_append(epi__queue *queue, const void *data, size_t len) {
  size_t held = queue->end - queue->start;

  if (!len) {
    return 0;
  }
  if (queue->start && queue->capacity - queue->end < len) {
    memmove(queue->block, queue->block + queue->start, held);
    queue->start = 0;
    queue->end = held;
  }
  if (queue->capacity - queue->end < len) {
    size_t wanted = queue->capacity ? queue->capacity * 2 : 512;
    uint8_t *moved;

    while (wanted - held < len) {
      wanted *= 2;
    }
    moved = epi__realloc_array(queue->block, wanted, 1);
    if (!moved) {
      return EPI_ENOMEM;
    }
    queue->block = moved;
    queue->capacity = wanted;
  }
  memcpy(queue->block + queue->end, data, len);
  queue->end += len;
  return 0;
}

size_t epi__queue_peek(const epi__queue *queue, const uint8_t **out) {
  *out = queue->block ? queue->block + queue->start : NULL;
  return queue->end - queue->start;
}

void epi__queue_ack(epi__queue *queue, size_t len) {
  size_t held = queue->end - queue->start;

  queue->start += len < held ? len : held;
  if (queue->start == queue->end) {
    epi__queue_clear(queue, 0);
  }
}

void epi__queue_clear(epi__queue *queue, int wipe) {
  if (wipe && queue->block) {
    epi_wipe(queue->block, queue->capacity);
  }
  epi__free(queue->block);
  memset(queue, 0, sizeof *queue);
}

int epi__equal_secret(const void *a, const void *b, size_t len) {
  const volatile uint8_t *x = a;
  const volatile uint8_t *y = b;
  unsigned difference = 0;

  while (len--) {
    difference |= (unsigned)(*x++ ^ *y++);
  }
  return difference == 0;
}
