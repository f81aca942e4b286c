/* password_absent.c: built without libcrypt: there are no hashes of passwords,
 * and whoever has some is told so. */
#include "os/password_hash.h"

#include "base/fail.h"

static int absent(void) {
  return epi__fail(EPI_ENOTSUP, "hashes of passwords need a build with "
                                "libcrypt");
}

int epi__hash_check(const char *hash) {
  (void)hash;
  return absent();
}

int epi__hash_fits(const char *hash, const char *password) {
  (void)hash;
  (void)password;
  return absent();
}

int epi__hash_make(char out[EPI__HASH_MAX], const char *password) {
  (void)out;
  (void)password;
  return absent();
}
