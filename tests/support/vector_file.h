/* vector_file.h: the wire cases of tests/vectors, which tells their format. */
#ifndef TEST_VECTOR_FILE_H
#define TEST_VECTOR_FILE_H

#include <stddef.h>
#include <stdint.h>

enum { VECTOR_FIELDS = 48, VECTOR_BYTES = 32768 };

/* A case: what it says, line by line. */
typedef struct vector {
  int count;
  char *keys[VECTOR_FIELDS], *values[VECTOR_FIELDS];
} vector;

/* The text of a key, or NULL. */
const char *vector_text(const vector *v, const char *key);

/* 1 if a key has this text. */
int vector_is(const vector *v, const char *key, const char *text);

/* The number of a key, decimal, or another one if it is not there. */
int64_t vector_number(const vector *v, const char *key, int64_t otherwise);

/* The bytes of a key, at most VECTOR_BYTES; none if it is not there. */
size_t vector_bytes(const vector *v, const char *key, uint8_t *out);

/* The error that the case ends in, EPI_E*, or 0. */
int vector_error(const vector *v);

/* Give every case of a folder under tests/vectors to a function. Returns how
 * many there are. */
int vectors_each(const char *folder, void (*check)(const vector *v));

#endif
