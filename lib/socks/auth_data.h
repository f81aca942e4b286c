/* auth_data.h: the authentication data of a message: bytes by method. */
#ifndef EPI__AUTH_DATA_H
#define EPI__AUTH_DATA_H

#include "epi/auth.h"

typedef struct epi__auth_entry {
  int method;
  size_t len;
  uint8_t *data;
} epi__auth_entry;

/* In the order of setting; at most EPI_AUTH_DATA_MAX entries. All zero is an
 * empty one, and holds no memory. */
typedef struct epi__auth_data {
  epi__auth_entry *entries;
  size_t count, capacity;
} epi__auth_data;

/* 1 if a method may have data here: 1 to 254 without 2, which is the login. */
int epi__auth_data_is_of(int method);

/* As epi_request_set_auth_data() and epi_request_auth_data(). */
int epi__auth_data_set(epi__auth_data *all, int method, const void *data,
                       size_t len);
ptrdiff_t epi__auth_data_get(const epi__auth_data *all, int method,
                             const void **out);

/* Copy into an empty one. Returns 0 or EPI_ENOMEM, and out is then empty. */
int epi__auth_data_copy(epi__auth_data *out, const epi__auth_data *all);

/* Wipe and empty. */
void epi__auth_data_clear(epi__auth_data *all);

#endif
