/* users.h: the users file of a listener: who may log in.
 *
 *     socks://HOST:PORT?users=FILE
 *
 * It has a line `NAME:HASH` for each user, with a hash as crypt(5) has it:
 * yescrypt ($y$), which these functions make, scrypt ($7$) or SHA-512 ($6$). A
 * line `NAME:PASSWORD` is taken too, and warned about. Lines that are empty or
 * begin with # are passed over. Others than its owner and group must not be
 * able to read it. A running engine reads it again with
 * epi_engine_reload_users(). */
#ifndef EPI_USERS_H
#define EPI_USERS_H

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Put a user into a users file, which is made if it is not there; or give one
 * that it has another password. All other lines stay as they are. Whoever reads
 * the file sees the old or the new one, whole; it keeps its mode and owner, and
 * a new one is its owner's alone. Others who call this wait.
 *
 * user and password have 1 to 255 bytes, the user no ':' and no control
 * character. Takes 50 to 100 ms, as the hash does, and 16 MiB.
 * Returns 0, EPI_EINVAL, EPI_ENOENT (no such folder), EPI_EPERM (also if
 * everybody can read the file), EPI_ELIMIT (it has over 16 MiB), EPI_ESYS,
 * EPI_ECRYPTO, EPI_ENOTSUP (this build has no hashes) or EPI_ENOMEM; the file
 * is then as it was. Threads: any. */
EPI_API int epi_users_set(const char *path, const char *user,
                          const char *password);

/* Take a user out. Returns as epi_users_set(), EPI_ENOENT also if there is no
 * such user. Threads: any. */
EPI_API int epi_users_remove(const char *path, const char *user);

#ifdef __cplusplus
}
#endif

#endif
