/* admin_text.h: an engine's answers to admins, for people. */
#ifndef EPI__ADMIN_TEXT_H
#define EPI__ADMIN_TEXT_H

#include "base/admin_request.h"

/* Write the result of a request, which is a line as it was sent, in lines and
 * tables. NULL is no result. Returns 0, EPI_EPROTO (it is none of that request)
 * or EPI_ENOMEM. */
int epi__admin_text(char **out, const epi__text *request,
                    const epi__json *result);

/* ---- admin_table.c ---- */

/* A column: the key of a member, and what stands above it. */
typedef struct epi__admin_column {
  const char *key, *title;
  int kind;
} epi__admin_column;

enum {
  EPI__COLUMN_TEXT,
  EPI__COLUMN_NUMBER, /* flush right */
  EPI__COLUMN_BYTES,
  EPI__COLUMN_TIME, /* milliseconds */
};

/* A value in a cell, or behind a key; NULL is none. */
void epi__admin_put_value(epi__text *out, const epi__json *value, int kind);

/* A list of objects as a table; nothing for an empty one. */
void epi__admin_put_table(epi__text *out, const epi__json *list,
                          const epi__admin_column *columns, size_t count);

/* An object as lines `key  value`; objects and lists of objects in it follow,
 * with their keys above. */
void epi__admin_put_object(epi__text *out, const epi__json *object, int depth);

#endif
