/* password_hash.h: hashes of passwords, as crypt(5) writes them. */
#ifndef EPI__PASSWORD_HASH_H
#define EPI__PASSWORD_HASH_H

enum {
  EPI__HASH_MAX = 384, /* bytes of a hash, with NUL */
};

/* Does a text look like a hash of any kind: $KIND$...? */
int epi__hash_looks_so(const char *text);

/* May a text be taken for a hash? Returns 0; EPI_EINVAL: it is of another kind
 * than yescrypt ($y$), scrypt ($7$) and SHA-512 ($6$), or malformed; or
 * EPI_ENOTSUP: this build has none. */
int epi__hash_check(const char *hash);

/* Hash a password as a hash was made, and compare in a time that does not
 * depend on where they differ. Takes as long as the hash says, and its memory;
 * blocks. Returns 1, 0, EPI_ENOMEM or EPI_ECRYPTO. Threads: any. */
int epi__hash_fits(const char *hash, const char *password);

/* Hash a password with yescrypt and a salt of its own, for 50 to 100 ms.
 * Returns 0, EPI_ECRYPTO, EPI_ENOMEM or EPI_ENOTSUP. */
int epi__hash_make(char out[EPI__HASH_MAX], const char *password);

#endif
