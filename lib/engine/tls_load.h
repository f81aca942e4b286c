/* tls_load.h: the files of TLS: certificates, keys, lists, and whether they
 * have changed since they were read. */
#ifndef EPI__TLS_LOAD_H
#define EPI__TLS_LOAD_H

#include "engine/tls_files.h"
#include "os/os.h"

enum {
  EPI__TLS_FILES = 32, /* of one listener or hop */
};

/* A file's contents. */
typedef struct epi__tls_file {
  int what; /* EPI__TLS_CERT, and so on */
  char *text;
  size_t len;
} epi__tls_file;

typedef struct epi__tls_loaded {
  epi__tls_file files[EPI__TLS_FILES];
  size_t count;
  epi__tls_pair pairs[EPI__TLS_FILES];
  size_t pair_count;
  int lenient; /* the authorities are the system's */
} epi__tls_loaded;

/* Which files were read, and what they were then. */
typedef struct epi__tls_marks {
  struct {
    char *path;
    epi__file_mark mark;
  } items[EPI__TLS_FILES];
  size_t count;
} epi__tls_marks;

/* Read all files that the settings name, and mark them. A file of keys must not
 * be readable by everybody. Returns 0, EPI_EINVAL, EPI_ENOMEM or an error of
 * epi__file_read(); loaded is to be cleared and marks hold all the same. */
int epi__tls_load(epi__tls_loaded *out, epi__tls_marks *marks, int server,
                  const epi__tls_values *values);

/* Call with each file that a client's settings name, and with that of the
 * authorities, if the environment says which. Returns 0, or what a call
 * returned that was not 0. */
int epi__tls_values_each_file(const epi__tls_values *values,
                              int (*call)(void *user, const char *path),
                              void *user);

/* Put what was read into the set-up of a context, which needs it until then. */
void epi__tls_loaded_fill(epi__tls_loaded *loaded, epi__tls_setup *out);

/* A SHA-256 over all of it. */
void epi__tls_loaded_digest(const epi__tls_loaded *loaded, uint8_t out[32]);

/* Free it, and wipe the keys. */
void epi__tls_loaded_clear(epi__tls_loaded *loaded);

/* 1 if a file is not what it was when it was read. */
int epi__tls_marks_differ(const epi__tls_marks *marks);
void epi__tls_marks_clear(epi__tls_marks *marks);

#endif
