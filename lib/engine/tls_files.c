/* tls_files.c: the settings of TLS, and contexts made of their files. */
#include "engine/tls_files.h"

#include "base/fail.h"
#include "base/memory.h"
#include "base/sha256.h"
#include "engine/tls_load.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { DIGEST = 32, PROTOCOLS_TEXT = 512 };

struct epi__tls_files {
  atomic_int references;
  int server;
  char *values[EPI__TLS_VALUES];
  char *name;
  epi__tls_marks marks;   /* as they were read last */
  uint8_t digest[DIGEST]; /* of what the context was made of */
  pthread_mutex_t lock;
  epi__tls_context *context; /* guarded by it */
};

static const char *const names[EPI__TLS_VALUES] = {
    "cert", "key", "ca", "crl", "staple", "alpn", "tls", "client"};

int epi__tls_value_find(const char *name) {
  for (int i = 0; i < EPI__TLS_VALUES; i++) {
    if (!strcmp(names[i], name)) {
      return i;
    }
  }
  return EPI_ENOENT;
}

epi__tls_values epi__tls_values_of(const epi__url *url,
                                   const epi__tls_values *rest) {
  epi__tls_values out = {{NULL}};

  for (int i = 0; i < EPI__TLS_VALUES; i++) {
    out.items[i] = epi__url_setting(url, names[i]);
  }
  for (int i = 0; rest && i < EPI__TLS_VALUES; i++) {
    if (!out.items[i] && (i != EPI__TLS_KEY || !out.items[EPI__TLS_CERT])) {
      out.items[i] = rest->items[i];
    }
  }
  if (rest && epi__url_setting(url, "cert")) {
    out.items[EPI__TLS_KEY] = epi__url_setting(url, "key");
  }
  return out;
}

/* ---- what needs no file ---- */

static int read_lowest(const char *text, int *out) {
  *out = text && !strcmp(text, "1.3") ? 13 : 12;
  return !text || !strcmp(text, "1.2") || !strcmp(text, "1.3")
             ? 0
             : epi__fail(EPI_EINVAL, "tls is 1.2 or 1.3, not %s", text);
}

static int read_peer(const char *text, int has_ca, int *out) {
  *out = !text                      ? EPI__TLS_PEER_NONE
         : !strcmp(text, "require") ? EPI__TLS_PEER_REQUIRE
                                    : EPI__TLS_PEER_ASK;
  if (text && strcmp(text, "ask") && strcmp(text, "require")) {
    return epi__fail(EPI_EINVAL, "client is ask or require, not %s", text);
  }
  if (text && !has_ca) {
    return epi__fail(EPI_EINVAL, "client=%s needs ca=FILE", text);
  }
  return !text && has_ca
             ? epi__fail(EPI_EINVAL, "ca= is for client=ask or client=require")
             : 0;
}

/* The names point into buf. */
static int read_alpn(const char *text, char *buf, const char **out,
                     size_t *count) {
  *count = 0;
  if (!text) {
    return 0;
  }
  if (strlen(text) >= PROTOCOLS_TEXT) {
    return epi__fail(EPI_EINVAL, "alpn is too long");
  }
  strcpy(buf, text);
  for (char *next = buf; next; (*count)++) {
    char *end = strchr(next, ',');

    if (end) {
      *end++ = '\0';
    }
    if (!*next || *count == EPI__TLS_ALPN) {
      return epi__fail(EPI_EINVAL, "alpn has 1 to %d names", EPI__TLS_ALPN);
    }
    out[*count] = next;
    next = end;
  }
  return 0;
}

/* ---- making a context ---- */

static int make(const epi__tls_files *files, epi__tls_loaded *loaded,
                epi__tls_context **out) {
  char *const *values = files->values;
  const char *protocols[EPI__TLS_ALPN];
  char text[PROTOCOLS_TEXT];
  epi__tls_setup setup = {.server = files->server};
  int result = read_lowest(values[EPI__TLS_LOWEST], &setup.lowest);

  if (!result && files->server) {
    result = read_peer(values[EPI__TLS_CLIENT], values[EPI__TLS_CA] != NULL,
                       &setup.peer);
  }
  if (!result) {
    result = read_alpn(values[EPI__TLS_ALPN_LIST], text, protocols,
                       &setup.alpn_count);
  }
  if (result) {
    return result;
  }
  setup.alpn = protocols;
  setup.staple = !files->server && values[EPI__TLS_STAPLE];
  epi__tls_loaded_fill(loaded, &setup);
  result = epi__tls_context_new(out, &setup);
  if (result) {
    char why[400];

    snprintf(why, sizeof why, "%s", epi_error_detail());
    epi__fail(result, "%s: %s", files->name, why);
  }
  return result;
}

static int check(const epi__tls_files *files) {
  char *const *values = files->values;
  const char *staple = values[EPI__TLS_STAPLE];

  if (files->server && !values[EPI__TLS_CERT]) {
    return epi__fail(EPI_EINVAL, "TLS needs cert=FILE and key=FILE");
  }
  if (!files->server && values[EPI__TLS_CLIENT]) {
    return epi__fail(EPI_EINVAL, "client is a setting of listeners");
  }
  return !files->server && staple && strcmp(staple, "require")
             ? epi__fail(EPI_EINVAL, "staple is require, not %s", staple)
             : 0;
}

static int load(const epi__tls_files *files, epi__tls_loaded *out,
                epi__tls_marks *marks) {
  char *const *values = files->values;

  return epi__tls_load(out, marks, files->server,
                       &(epi__tls_values){{values[0], values[1], values[2],
                                           values[3], values[4]}});
}

static void put_in_force(epi__tls_files *files, epi__tls_context *context,
                         const uint8_t *digest) {
  epi__tls_context *old;

  memcpy(files->digest, digest, DIGEST);
  pthread_mutex_lock(&files->lock);
  old = files->context;
  files->context = context;
  pthread_mutex_unlock(&files->lock);
  epi__tls_context_free(old);
}

/* Returns as epi__tls_files_reread(). */
static int read_files(epi__tls_files *files) {
  epi__tls_context *context = NULL;
  epi__tls_loaded loaded = {0};
  uint8_t digest[DIGEST];
  int result = load(files, &loaded, &files->marks);

  if (!result) {
    epi__tls_loaded_digest(&loaded, digest);
    if (files->context && !memcmp(digest, files->digest, DIGEST)) {
      epi__tls_loaded_clear(&loaded);
      return 0;
    }
    result = make(files, &loaded, &context);
  }
  epi__tls_loaded_clear(&loaded);
  if (result) {
    return result;
  }
  put_in_force(files, context, digest);
  return 1;
}

static char *name_of(const epi__tls_files *files) {
  const char *cert = files->values[EPI__TLS_CERT];
  const char *ca = files->values[EPI__TLS_CA];

  return epi__strdup(cert ? cert : ca ? ca : "the system's authorities");
}

int epi__tls_files_new(epi__tls_files **out, const epi__tls_values *values,
                       int server) {
  epi__tls_files *files = epi__alloc(sizeof *files);
  int result = files ? 0 : EPI_ENOMEM;

  if (result) {
    return result;
  }
  atomic_init(&files->references, 1);
  pthread_mutex_init(&files->lock, NULL);
  files->server = server;
  for (int i = 0; i < EPI__TLS_VALUES && !result; i++) {
    files->values[i] = values->items[i] ? epi__strdup(values->items[i]) : NULL;
    result = values->items[i] && !files->values[i] ? EPI_ENOMEM : 0;
  }
  if (!result && !(files->name = name_of(files))) {
    result = EPI_ENOMEM;
  }
  if (!result) {
    result = check(files);
  }
  if (!result) {
    result = read_files(files);
  }
  if (result < 0) {
    epi__tls_files_free(files);
    return result;
  }
  *out = files;
  return 0;
}

epi__tls_files *epi__tls_files_ref(epi__tls_files *files) {
  atomic_fetch_add(&files->references, 1);
  return files;
}

int epi__tls_files_are_used(const epi__tls_files *files) {
  return atomic_load(&files->references) > 1;
}

void epi__tls_files_free(epi__tls_files *files) {
  if (!files || atomic_fetch_sub(&files->references, 1) > 1) {
    return;
  }
  epi__tls_context_free(files->context);
  epi__tls_marks_clear(&files->marks);
  for (int i = 0; i < EPI__TLS_VALUES; i++) {
    epi__free(files->values[i]);
  }
  epi__free(files->name);
  pthread_mutex_destroy(&files->lock);
  epi__free(files);
}

int epi__tls_files_are(const epi__tls_files *files,
                       const epi__tls_values *values) {
  for (int i = 0; i < EPI__TLS_VALUES; i++) {
    const char *a = files->values[i], *b = values->items[i];

    if ((a != NULL) != (b != NULL) || (a && strcmp(a, b))) {
      return 0;
    }
  }
  return 1;
}

epi__tls_context *epi__tls_files_context(epi__tls_files *files) {
  epi__tls_context *context;

  pthread_mutex_lock(&files->lock);
  context = epi__tls_context_hold(files->context);
  pthread_mutex_unlock(&files->lock);
  return context;
}

int epi__tls_files_reread(epi__tls_files *files, int all) {
  return all || epi__tls_marks_differ(&files->marks) ? read_files(files) : 0;
}

int epi__tls_files_each(const epi__tls_files *files,
                        int (*call)(void *user, const char *path), void *user) {
  int result = 0;

  for (size_t i = 0; i < files->marks.count && !result; i++) {
    result = call(user, files->marks.items[i].path);
  }
  return result;
}

const char *epi__tls_files_name(const epi__tls_files *files) {
  return files->name;
}
