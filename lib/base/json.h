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

/* ---- making ---- */

/* Make an empty object, or NULL when out of memory. */
epi__json *epi__json_object(void);

/* The first member of an object with a key, or NULL. */
epi__json *epi__json_member(epi__json *object, const char *key);

/* Put a value behind the members of an object, or with a NULL key behind the
 * elements of a list; text and number are for their types. Returns it, or NULL
 * when out of memory. */
epi__json *epi__json_put(epi__json *parent, const char *key, int type,
                         const char *text, double number);

/* The same with a value that is there; it belongs to the parent then. Returns 0
 * when out of memory. */
int epi__json_take(epi__json *parent, const char *key, epi__json *value);

/* ---- writing ---- */

/* Append a string with quotes and escapes. */
void epi__json_put_string(epi__text *out, const char *string);

/* The same with the first len bytes of one. */
void epi__json_put_part(epi__text *out, const char *string, size_t len);

/* Append a number in the shortest decimal form that reads back the same. */
void epi__json_put_number(epi__text *out, double number);

#endif
