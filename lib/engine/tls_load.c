/* tls_load.c: reading the files of TLS. */
#include "engine/tls_load.h"

#include "base/fail.h"
#include "base/memory.h"
#include "base/sha256.h"

#include <stdlib.h>
#include <string.h>

enum {
  KEY_MAX = 256 * 1024,
  LIST_MAX = EPI__TLS_PEM,
};

/* Where systems have the authorities that their users trust. */
static const char *const stores[] = {
    "/etc/ssl/certs/ca-certificates.crt", /* Debian, Arch, Alpine */
    "/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora, RHEL */
    "/etc/ssl/ca-bundle.pem",             /* SUSE */
    "/etc/ssl/cert.pem",
};

/* The next path of a list. Returns 1, 0 at its end, or EPI_EINVAL. */
static int next_path(const char **list, char path[EPI__URL_MAX]) {
  size_t len = *list ? strcspn(*list, ",") : 0;

  if (!*list) {
    return 0;
  }
  if (!len || len >= EPI__URL_MAX) {
    return epi__fail(EPI_EINVAL, "a list of files has an empty name, or one "
                                 "that is too long");
  }
  memcpy(path, *list, len);
  path[len] = '\0';
  *list = (*list)[len] ? *list + len + 1 : NULL;
  return 1;
}

static int mark_list(epi__tls_marks *marks, const char *list) {
  char path[EPI__URL_MAX];
  int result;

  while ((result = next_path(&list, path)) > 0) {
    char *copy;

    if (marks->count == EPI__TLS_FILES) {
      return epi__fail(EPI_EINVAL, "over %d files for TLS", EPI__TLS_FILES);
    }
    copy = epi__strdup(path);
    if (!copy) {
      return EPI_ENOMEM;
    }
    epi__file_mark_take(&marks->items[marks->count].mark, path);
    marks->items[marks->count++].path = copy;
  }
  return result;
}

static int read_one(epi__tls_loaded *out, int what, const char *path,
                    int secret) {
  epi__tls_file *file = &out->files[out->count];
  int result;

  if (!strcmp(path, "-")) {
    return epi__fail(EPI_EINVAL, "standard input cannot be read again: name a "
                                 "file");
  }
  result = epi__file_read(path, secret ? KEY_MAX : LIST_MAX, secret,
                          &file->text, &file->len);
  if (!result) {
    file->what = what;
    out->count++;
  }
  return result;
}

/* Read the files of a list. *count is how many there are. */
static int read_list(epi__tls_loaded *out, int what, const char *list,
                     int secret, size_t *count) {
  char path[EPI__URL_MAX];
  int result;

  *count = 0;
  while ((result = next_path(&list, path)) > 0) {
    result = read_one(out, what, path, secret);
    if (result) {
      break;
    }
    ++*count;
  }
  return result;
}

/* The nth file of a kind; there is one. */
static epi__tls_text nth(const epi__tls_loaded *loaded, int what, size_t n) {
  epi__tls_text none = {NULL, 0};

  for (size_t i = 0; i < loaded->count; i++) {
    if (loaded->files[i].what == what && !n--) {
      return (epi__tls_text){loaded->files[i].text, loaded->files[i].len};
    }
  }
  return none;
}

static int read_pairs(epi__tls_loaded *out, const epi__tls_values *values) {
  const char *cert = values->items[EPI__TLS_CERT];
  const char *key = values->items[EPI__TLS_KEY];
  size_t certs, keys;
  int result = read_list(out, EPI__TLS_CERT, cert, !key, &certs);

  if (!result) {
    result = read_list(out, EPI__TLS_KEY, key, 1, &keys);
  }
  if (!result && key && keys != certs) {
    result = epi__fail(EPI_EINVAL, "as many keys as certificates are needed");
  }
  for (size_t i = 0; !result && i < certs; i++) {
    out->pairs[i].chain = nth(out, EPI__TLS_CERT, i);
    out->pairs[i].key = nth(out, key ? EPI__TLS_KEY : EPI__TLS_CERT, i);
    out->pair_count++;
  }
  return result;
}

/* What the user's environment says counts, as with other programs. */
static const char *system_store(void) {
  const char *named = getenv("SSL_CERT_FILE");

  if (named && *named) {
    return named;
  }
  for (size_t i = 0; i < sizeof stores / sizeof *stores; i++) {
    epi__file_mark mark;

    epi__file_mark_take(&mark, stores[i]);
    if (mark.size) {
      return stores[i];
    }
  }
  return NULL;
}

/* Texts of several files become one, in the place of the first. */
static int join(epi__tls_loaded *loaded, int what) {
  epi__tls_file *first = NULL;
  char *moved;

  for (size_t i = 0; i < loaded->count; i++) {
    epi__tls_file *file = &loaded->files[i];

    if (file->what != what) {
      continue;
    }
    if (!first) {
      first = file;
      continue;
    }
    moved = epi__realloc_array(first->text, first->len + file->len + 2, 1);
    if (!moved) {
      return EPI_ENOMEM;
    }
    moved[first->len] = '\n';
    memcpy(moved + first->len + 1, file->text, file->len + 1);
    first->text = moved;
    first->len += 1 + file->len;
  }
  return 0;
}

/* Before reading, so that what changes meanwhile is seen later; all of them,
 * also those behind one that cannot be read. */
static int mark_all(epi__tls_marks *marks, const epi__tls_values *values) {
  int result = 0;

  epi__tls_marks_clear(marks);
  for (int i = EPI__TLS_CERT; i <= EPI__TLS_CRL && !result; i++) {
    result = mark_list(marks, values->items[i]);
  }
  return result;
}

static int read_all(epi__tls_loaded *out, const epi__tls_values *values) {
  size_t count;
  int result = read_pairs(out, values);

  if (!result) {
    result = read_list(out, EPI__TLS_CA, values->items[EPI__TLS_CA], 0, &count);
  }
  if (!result) {
    result =
        read_list(out, EPI__TLS_CRL, values->items[EPI__TLS_CRL], 0, &count);
  }
  if (!result) {
    result = join(out, EPI__TLS_CA);
  }
  return result ? result : join(out, EPI__TLS_CRL);
}

int epi__tls_load(epi__tls_loaded *out, epi__tls_marks *marks, int server,
                  const epi__tls_values *values) {
  epi__tls_values all = *values;
  int result;

  if (!server && !all.items[EPI__TLS_CA]) {
    all.items[EPI__TLS_CA] = system_store();
    out->lenient = 1;
  }
  result = mark_all(marks, &all);
  if (!result && !server && !all.items[EPI__TLS_CA]) {
    result = epi__fail(EPI_ENOENT, "this system has no store of authorities: "
                                   "ca=FILE names one");
  }
  return result ? result : read_all(out, &all);
}

/* Everybody expects it to be read. */
static int is_known(const char *store) {
  for (size_t i = 0; i < sizeof stores / sizeof *stores; i++) {
    if (!strcmp(store, stores[i])) {
      return 1;
    }
  }
  return 0;
}

int epi__tls_values_each_file(const epi__tls_values *values,
                              int (*call)(void *user, const char *path),
                              void *user) {
  const char *store = system_store();
  char path[EPI__URL_MAX];
  int result = store && !is_known(store) ? call(user, store) : 0;

  for (int i = EPI__TLS_CERT; i <= EPI__TLS_CRL && !result; i++) {
    const char *list = values->items[i];

    while (!result && next_path(&list, path) > 0) {
      result = call(user, path);
    }
  }
  return result;
}

void epi__tls_loaded_fill(epi__tls_loaded *loaded, epi__tls_setup *out) {
  out->pairs = loaded->pairs;
  out->pair_count = loaded->pair_count;
  out->ca = nth(loaded, EPI__TLS_CA, 0);
  out->ca_lenient = loaded->lenient;
  out->crl = nth(loaded, EPI__TLS_CRL, 0);
}

void epi__tls_loaded_digest(const epi__tls_loaded *loaded, uint8_t out[32]) {
  epi__sha256 hash;

  epi__sha256_start(&hash);
  for (size_t i = 0; i < loaded->count; i++) {
    const epi__tls_file *file = &loaded->files[i];

    epi__sha256_add(&hash, &file->what, sizeof file->what);
    epi__sha256_add(&hash, &file->len, sizeof file->len);
    epi__sha256_add(&hash, file->text, file->len);
  }
  epi__sha256_end(&hash, out);
  epi_wipe(&hash, sizeof hash);
}

void epi__tls_loaded_clear(epi__tls_loaded *loaded) {
  for (size_t i = 0; i < loaded->count; i++) {
    epi_wipe(loaded->files[i].text, loaded->files[i].len);
    epi__free(loaded->files[i].text);
  }
  memset(loaded, 0, sizeof *loaded);
}

int epi__tls_marks_differ(const epi__tls_marks *marks) {
  epi__file_mark now;

  for (size_t i = 0; i < marks->count; i++) {
    epi__file_mark_take(&now, marks->items[i].path);
    if (!epi__file_mark_equal(&now, &marks->items[i].mark)) {
      return 1;
    }
  }
  return 0;
}

void epi__tls_marks_clear(epi__tls_marks *marks) {
  for (size_t i = 0; i < marks->count; i++) {
    epi__free(marks->items[i].path);
  }
  memset(marks, 0, sizeof *marks);
}
