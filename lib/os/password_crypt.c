/* password_crypt.c: hashes of passwords, by libcrypt (libxcrypt). */
#include "os/password_hash.h"

#include "base/bytes.h"
#include "base/fail.h"
#include "base/memory.h"

#include <crypt.h>
#include <errno.h>
#include <string.h>

enum {
  COST = 5, /* of yescrypt: 16 MiB, 50 to 100 ms; what Debian takes too */
};

_Static_assert(EPI__HASH_MAX >= CRYPT_OUTPUT_SIZE, "a hash has room");

static int is_taken(const char *hash) {
  static const char *const kinds[] = {"$y$", "$7$", "$6$"};

  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    if (!strncmp(hash, kinds[i], strlen(kinds[i]))) {
      return 1;
    }
  }
  return 0;
}

int epi__hash_check(const char *hash) {
  int checked;

  if (!is_taken(hash) || strlen(hash) >= EPI__HASH_MAX) {
    return epi__fail(EPI_EINVAL, "a hash of this kind is not taken, only "
                                 "yescrypt ($y$), scrypt ($7$) and SHA-512 "
                                 "($6$)");
  }
  checked = crypt_checksalt(hash);
  return checked == CRYPT_SALT_INVALID || checked == CRYPT_SALT_METHOD_DISABLED
             ? epi__fail(EPI_EINVAL, "this is no hash that libcrypt takes")
             : 0;
}

static void drop(struct crypt_data *data) {
  if (data) {
    epi_wipe(data, sizeof *data);
    epi__free(data);
  }
}

int epi__hash_fits(const char *hash, const char *password) {
  struct crypt_data *data = epi__alloc(sizeof *data);
  const char *made = data ? crypt_r(password, hash, data) : NULL;
  size_t len = strlen(hash);
  int result;

  if (!data) {
    return EPI_ENOMEM;
  }
  if (!made || *made == '*') {
    result = errno == ENOMEM ? EPI_ENOMEM : EPI_ECRYPTO;
    epi__fail(result, "libcrypt cannot hash a password: %s", strerror(errno));
  } else {
    result = strlen(made) == len && epi__equal_secret(made, hash, len);
  }
  drop(data);
  return result;
}

int epi__hash_make(char out[EPI__HASH_MAX], const char *password) {
  struct crypt_data *data = epi__alloc(sizeof *data);
  char setting[CRYPT_GENSALT_OUTPUT_SIZE];
  const char *made = NULL;
  int result = 0;

  if (!data) {
    return EPI_ENOMEM;
  }
  if (crypt_gensalt_rn("$y$", COST, NULL, 0, setting, sizeof setting)) {
    made = crypt_r(password, setting, data);
  }
  if (!made || *made == '*') {
    result = epi__fail(EPI_ECRYPTO, "libcrypt cannot hash a password: %s",
                       strerror(errno));
  } else {
    memcpy(out, made, strlen(made) + 1);
  }
  drop(data);
  return result;
}
