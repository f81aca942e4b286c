/* user_table.h: what a users file says; it never changes. */
#ifndef EPI__USER_TABLE_H
#define EPI__USER_TABLE_H

#include "epi/socks.h"
#include "os/password_hash.h"

typedef struct epi__user_table epi__user_table;

/* Read a file. Returns 0 or an error that names file and line. */
int epi__user_table_read(epi__user_table **out, const char *path);
void epi__user_table_free(epi__user_table *table);

/* How many users it has, and how many of those with their password as it is. */
size_t epi__user_table_count(const epi__user_table *table);
size_t epi__user_table_plain(const epi__user_table *table);

/* The number of a user, or -1. */
ptrdiff_t epi__user_table_find(const epi__user_table *table, const char *user);

/* Is it the password of a user who has no hash, where number -1 is nobody? In a
 * time that does not depend on where they differ. */
int epi__user_table_is(const epi__user_table *table, ptrdiff_t number,
                       const char *password);

/* The hash of a user, or NULL if there is none; of -1 and of who has none it is
 * that of another one, which takes as long, if anybody has one. *own is 1 if it
 * is the user's. */
const char *epi__user_table_hash(const epi__user_table *table, ptrdiff_t number,
                                 int *own);

#endif
