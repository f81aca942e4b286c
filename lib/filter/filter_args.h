/* filter_args.h: the arguments of a built-in filter.
 *
 * They are KEY=VALUE, with commas between them; a key alone is KEY=. In a value
 * `\,` is a comma and `\\` a backslash, so that paths and patterns can have
 * them. */
#ifndef EPI__FILTER_ARGS_H
#define EPI__FILTER_ARGS_H

#include "epi/error.h"

enum {
  EPI__FILTER_KEY_MAX = 31,
  EPI__FILTER_VALUE_MAX = 4095,
};

typedef struct epi__filter_args {
  const char *rest; /* what was not read yet */
  char key[EPI__FILTER_KEY_MAX + 1];
  char value[EPI__FILTER_VALUE_MAX + 1];
} epi__filter_args;

/* Begin with all arguments, "" for none. */
void epi__filter_args_begin(epi__filter_args *args, const char *text);

/* Go to the next one: key and value are then its own. Returns 1, 0 at the end,
 * or EPI_EINVAL: no key, or one of them is too long. */
int epi__filter_args_next(epi__filter_args *args);

/* Read a number from lowest to highest that args->value is; `k`, `m` and `g`
 * behind it are 1024, 1024^2 and 1024^3. Returns 0 or EPI_EINVAL with the key
 * in the detail. */
int epi__filter_args_number(const epi__filter_args *args, int64_t lowest,
                            int64_t highest, int64_t *out);

/* The error for a key that the filter does not have; takes names those that it
 * has. */
int epi__filter_args_unknown(const epi__filter_args *args, const char *filter,
                             const char *takes);

#endif
