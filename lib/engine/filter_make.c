/* filter_make.c: built-in filters by their name, with what they need of the
 * layers above the core: files and cryptography. */
#include "base/fail.h"
#include "base/memory.h"
#include "epi/engine.h"
#include "filter/builtin.h"
#include "os/os.h"
#include "tls/primitives.h"

#include <string.h>

static int make_count(epi_filter **out, const char *args) {
  return *args ? epi__fail(EPI_EINVAL, "filter count takes no arguments")
               : epi__count_new(out);
}

static int make_seal(epi_filter **out, int opener, const char *args,
                     const void *key, size_t key_len) {
  const char *name = opener ? "open" : "seal";
  char *secret = NULL;
  size_t len = 0;
  int result;

  if (!*args) {
    return key ? epi__seal_new(out, opener, epi__crypto_wolfssl(), key, key_len)
               : epi__fail(EPI_EINVAL,
                           "filter %s needs a key: %s:key=FILE, or the "
                           "proxies' chain key",
                           name, name);
  }
  if (strncmp(args, "key=", 4)) {
    return epi__fail(EPI_EINVAL, "filter %s takes key=FILE, not '%s'", name,
                     args);
  }
  result = epi__file_read(args + 4, EPI__SEAL_KEY_MAX, 1, &secret, &len);
  if (result) {
    return result;
  }
  result = epi__seal_new(out, opener, epi__crypto_wolfssl(), secret, len);
  epi_wipe(secret, len);
  epi__free(secret);
  return result;
}

int epi_filter_new_builtin(epi_filter **out, const char *spec, const void *key,
                           size_t key_len) {
  const char *colon = strchr(spec, ':');
  size_t len = colon ? (size_t)(colon - spec) : strlen(spec);
  const char *args = colon ? colon + 1 : "";

  if (len == 5 && !memcmp(spec, "count", len)) {
    return make_count(out, args);
  }
  if (len == 4 && !memcmp(spec, "seal", len)) {
    return make_seal(out, 0, args, key, key_len);
  }
  if (len == 4 && !memcmp(spec, "open", len)) {
    return make_seal(out, 1, args, key, key_len);
  }
  return epi__fail(EPI_ENOENT,
                   "no filter '%.*s'; there are count, seal and open", (int)len,
                   spec);
}
