/* der_writer.h: writes DER (X.690) from its end to its beginning, so that the
 * length of what is inside is known when its head is written. */
#ifndef TEST_DER_WRITER_H
#define TEST_DER_WRITER_H

#include <stddef.h>
#include <stdint.h>

enum { DER_MAX = 8192 };

typedef struct der {
  uint8_t block[DER_MAX];
  size_t start; /* where it begins in block */
} der;

void der_init(der *out);
const uint8_t *der_bytes(const der *out, size_t *len_out);

/* Put something in front. */
void der_put(der *out, const void *data, size_t len);

/* How much there is; and wrap what was put in front since then. */
size_t der_mark(const der *out);
void der_wrap(der *out, int tag, size_t mark);

/* Whole values. */
void der_value(der *out, int tag, const void *data, size_t len);
void der_text(der *out, int tag, const char *text);
void der_number(der *out, int tag, unsigned number);
void der_time(der *out, int64_t seconds, int always_general);

#endif
