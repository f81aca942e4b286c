/* filter_make.c: built-in filters by their name, with what they need of the
 * layers above the core: files and cryptography. */
#include "base/fail.h"
#include "base/memory.h"
#include "epi/engine.h"
#include "filter/builtin.h"
#include "filter/filter_args.h"
#include "os/os.h"
#include "tls/primitives.h"

#include <stdio.h>
#include <string.h>

/* What a filter is made from. */
typedef struct recipe {
  const char *name;
  const char *args; /* "" for none */
  const void *key;  /* of the proxies, or NULL */
  size_t key_len;
} recipe;

static int make_count(epi_filter **out, const recipe *from) {
  return *from->args ? epi__fail(EPI_EINVAL, "filter count takes no arguments")
                     : epi__count_new(out);
}

static int make_gate(epi_filter **out, const recipe *from) {
  return epi__gate_new(out, from->args);
}

static int read_patterns(const char *path, size_t max, char **text,
                         size_t *len) {
  return epi__file_read(path, max, 0, text, len);
}

static int make_inspect(epi_filter **out, const recipe *from) {
  return epi__inspect_new(out, from->args, read_patterns);
}

static int seal_with_file(epi_filter **out, int opener, const char *path) {
  char *secret = NULL;
  size_t len = 0;
  int result = epi__file_read(path, EPI__SEAL_KEY_MAX, 1, &secret, &len);

  if (result) {
    return result;
  }
  result = epi__seal_new(out, opener, epi__crypto_wolfssl(), secret, len);
  epi_wipe(secret, len);
  epi__free(secret);
  return result;
}

static int make_either(epi_filter **out, const recipe *from, int opener) {
  epi__filter_args args;
  int more;

  epi__filter_args_begin(&args, from->args);
  more = epi__filter_args_next(&args);
  if (more < 0) {
    return more;
  }
  if (more) {
    return strcmp(args.key, "key") || *args.rest
               ? epi__filter_args_unknown(&args, from->name, "key=FILE")
               : seal_with_file(out, opener, args.value);
  }
  if (!from->key) {
    return epi__fail(EPI_EINVAL,
                     "filter %s needs a key: %s:key=FILE, or the proxies' "
                     "chain key",
                     from->name, from->name);
  }
  return epi__seal_new(out, opener, epi__crypto_wolfssl(), from->key,
                       from->key_len);
}

static int make_seal(epi_filter **out, const recipe *from) {
  return make_either(out, from, 0);
}

static int make_open(epi_filter **out, const recipe *from) {
  return make_either(out, from, 1);
}

static const struct {
  const char *name;
  int (*make)(epi_filter **out, const recipe *from);
} builtins[] = {
    {"count", make_count}, {"gate", make_gate}, {"inspect", make_inspect},
    {"open", make_open},   {"seal", make_seal},
};

enum { BUILTINS = sizeof builtins / sizeof *builtins };

static int no_such(const char *name, size_t len) {
  char names[256] = "";
  size_t used = 0;

  for (size_t i = 0; i < BUILTINS; i++) {
    used += (size_t)snprintf(names + used, sizeof names - used, "%s%s",
                             i == 0              ? ""
                             : i + 1 == BUILTINS ? " and "
                                                 : ", ",
                             builtins[i].name);
  }
  return epi__fail(EPI_ENOENT, "no filter '%.*s'; there are %s",
                   (int)(len < 80 ? len : 80), name, names);
}

int epi_filter_new_builtin(epi_filter **out, const char *spec, const void *key,
                           size_t key_len) {
  const char *colon = strchr(spec, ':');
  size_t len = colon ? (size_t)(colon - spec) : strlen(spec);
  recipe from = {NULL, colon ? colon + 1 : "", key, key_len};

  for (size_t i = 0; i < BUILTINS; i++) {
    from.name = builtins[i].name;
    if (len == strlen(from.name) && !memcmp(spec, from.name, len)) {
      return builtins[i].make(out, &from);
    }
  }
  return no_such(spec, len);
}
