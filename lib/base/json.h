/* json.h: JSON is read through cJSON, in json_cjson.c only, and written by
 * hand, in json_write.c. */
#ifndef EPI__JSON_H
#define EPI__JSON_H

#include "base/bytes.h"

typedef struct epi__json epi__json; /* a value of a document */

enum {
  EPI__JSON_NULL = 1,
  EPI__JSON_BOOL,
  EPI__JSON_NUMBER,
  EPI__JSON_STRING,
  EPI__JSON_LIST,
  EPI__JSON_OBJECT,
};

/* Read a document: UTF-8, one value, nothing behind it; json_scan.h says how
 * large and deep it may be. The detail says at which line it is broken.
 * Returns 0, EPI_EMODEL or EPI_ENOMEM. */
int epi__json_read(epi__json **out, const void *text, size_t len);
void epi__json_free(epi__json *root);

int epi__json_type(const epi__json *value);
const char *epi__json_type_name(int type); /* "a list", "an object" ... */
double epi__json_number(const epi__json *value);
const char *epi__json_string(const epi__json *value);
int epi__json_bool(const epi__json *value);

/* Members and elements in document order; the key is NULL in a list. */
const epi__json *epi__json_first(const epi__json *value);
const epi__json *epi__json_next(const epi__json *value);
const char *epi__json_key(const epi__json *value);

/* ---- writing ---- */

/* Append a string with quotes and escapes. */
void epi__json_put_string(epi__text *out, const char *string);

/* The same with the first len bytes of one. */
void epi__json_put_part(epi__text *out, const char *string, size_t len);

/* Append a number in the shortest decimal form that reads back the same. */
void epi__json_put_number(epi__text *out, double number);

#endif
