/* filter_make.c: built-in filters by their name, with what they need of the
 * layers above the core: files and cryptography. */
#include "base/fail.h"
#include "base/memory.h"
#include "engine/compressor.h"
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

static int seal_with_file(epi_filter **out, const epi__seal_options *options,
                          const char *path) {
  char *secret = NULL;
  size_t len = 0;
  int result = epi__file_read(path, EPI__SEAL_KEY_MAX, 1, &secret, &len);

  if (result) {
    return result;
  }
  result = epi__seal_new(out, options, secret, len);
  epi_wipe(secret, len);
  epi__free(secret);
  return result;
}

/* Take one argument of seal and open; the filter is made once a key is known,
 * by what comes last. */
static int take_seal_argument(const epi__filter_args *args, const char *filter,
                              epi__seal_options *options, char *file,
                              char *secret) {
  if (!strcmp(args->key, "cipher")) {
    options->cipher = epi__seal_cipher(args->value);
    return options->cipher
               ? 0
               : epi__fail(EPI_EINVAL,
                           "cipher is chacha20-poly1305 or aes-256-gcm, not "
                           "'%.40s'",
                           args->value);
  }
  if (strcmp(args->key, "key") && strcmp(args->key, "secret")) {
    return epi__filter_args_unknown(args, filter,
                                    "key=FILE, secret=TEXT and cipher=NAME");
  }
  if (*file || *secret || !*args->value) {
    return epi__fail(EPI_EINVAL, "filter %s takes one key", filter);
  }
  snprintf(args->key[0] == 'k' ? file : secret, EPI__FILTER_VALUE_MAX + 1, "%s",
           args->value);
  return 0;
}

static int make_either(epi_filter **out, const recipe *from, int opener) {
  epi__seal_options options = {.crypto = epi__crypto_wolfssl(),
                               .opener = opener};
  char file[EPI__FILTER_VALUE_MAX + 1] = "";
  char secret[EPI__FILTER_VALUE_MAX + 1] = "";
  epi__filter_args args;
  int more;

  epi__filter_args_begin(&args, from->args);
  while ((more = epi__filter_args_next(&args)) > 0) {
    more = take_seal_argument(&args, from->name, &options, file, secret);
    if (more) {
      break;
    }
  }
  if (more) {
    /* said already */
  } else if (*file) {
    more = seal_with_file(out, &options, file);
  } else if (*secret) {
    more = epi__seal_new(out, &options, secret, strlen(secret));
  } else if (from->key) {
    more = epi__seal_new(out, &options, from->key, from->key_len);
  } else {
    more = epi__fail(EPI_EINVAL,
                     "filter %s needs a key: %s:key=FILE, or the proxies' "
                     "chain key",
                     from->name, from->name);
  }
  epi_wipe(secret, sizeof secret);
  epi_wipe(&args, sizeof args);
  return more;
}

static int make_seal(epi_filter **out, const recipe *from) {
  return make_either(out, from, 0);
}

static int make_open(epi_filter **out, const recipe *from) {
  return make_either(out, from, 1);
}

static int make_packing(epi_filter **out, const recipe *from, int expander) {
  const epi__compression *by = epi__compression_zstd();
  int64_t level = EPI__COMPRESS_LEVEL, ratio = EPI__COMPRESS_RATIO;
  epi__filter_args args;
  int more;

  if (!by) {
    return epi__fail(EPI_ENOTSUP, "filter %s: libepi was built without zstd",
                     from->name);
  }
  epi__filter_args_begin(&args, from->args);
  while ((more = epi__filter_args_next(&args)) > 0) {
    int result =
        !strcmp(args.key, "level")
            ? epi__filter_args_number(&args, 1, EPI__PACK_LEVEL_MAX, &level)
        : !strcmp(args.key, "ratio")
            ? epi__filter_args_number(&args, 2, EPI__COMPRESS_RATIO_MAX, &ratio)
            : epi__filter_args_unknown(&args, from->name,
                                       "level=N and ratio=N");

    if (result) {
      return result;
    }
  }
  return more ? more
              : epi__compress_new(out, expander, by, (int)level, (int)ratio);
}

static int make_compress(epi_filter **out, const recipe *from) {
  return make_packing(out, from, 0);
}

static int make_expand(epi_filter **out, const recipe *from) {
  return make_packing(out, from, 1);
}

static const struct {
  const char *name;
  int (*make)(epi_filter **out, const recipe *from);
} builtins[] = {
    {"compress", make_compress}, {"count", make_count},
    {"expand", make_expand},     {"gate", make_gate},
    {"inspect", make_inspect},   {"open", make_open},
    {"seal", make_seal},
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
