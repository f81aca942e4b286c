/* tls_files.h: what a listener or a hop says about TLS, which is mostly where
 * files are, and the context that their contents make. The files may change
 * while it is used: what is read anew counts for connections from then on. */
#ifndef EPI__TLS_FILES_H
#define EPI__TLS_FILES_H

#include "base/net.h"
#include "tls/tls_session.h"

/* Settings, as they are called in URLs. Files of certificates and keys are
 * lists, with ',' in between. */
enum {
  EPI__TLS_CERT,
  EPI__TLS_KEY, /* left out: the keys are in the files of EPI__TLS_CERT */
  EPI__TLS_CA,  /* a client's, left out: the system's */
  EPI__TLS_CRL,
  EPI__TLS_STAPLE, /* of a client: "require" */
  EPI__TLS_ALPN_LIST,
  EPI__TLS_LOWEST, /* "1.2" or "1.3" */
  EPI__TLS_CLIENT, /* a server's: "ask" or "require" */
  EPI__TLS_VALUES,
};

typedef struct epi__tls_files epi__tls_files;

/* The values of settings, NULL for each that is left out. */
typedef struct epi__tls_values {
  const char *items[EPI__TLS_VALUES];
} epi__tls_values;

/* The number of a setting by its name, or EPI_ENOENT. */
int epi__tls_value_find(const char *name);

/* Those that a URL has, for the others those of `rest`, which may be NULL: a
 * certificate and its key come from one of both. */
epi__tls_values epi__tls_values_of(const epi__url *url,
                                   const epi__tls_values *rest);

/* Read the files and make a context, a server's or a client's.
 *
 * Returns 0; EPI_EINVAL, EPI_EAUTH or EPI_ECRYPTO: the detail says what is
 * wrong with which; or an error of epi__file_read(). */
int epi__tls_files_new(epi__tls_files **out, const epi__tls_values *values,
                       int server);

/* Hold once more, and let go; from any thread. */
epi__tls_files *epi__tls_files_ref(epi__tls_files *files);
void epi__tls_files_free(epi__tls_files *files);

/* 1 if a listener or a hop has it, beside the table of all. */
int epi__tls_files_are_used(const epi__tls_files *files);

/* 1 if it was made of the same settings. */
int epi__tls_files_are(const epi__tls_files *files,
                       const epi__tls_values *values);

/* The context to use now, held once for the caller. Threads: any. */
epi__tls_context *epi__tls_files_context(epi__tls_files *files);

/* Read what has changed, all files if `all` is 1. Returns 1: there is another
 * context; 0: nothing changed; or an error as epi__tls_files_new(), and what
 * was in force stays. One and the same bad state is told once. One thread at a
 * time. */
int epi__tls_files_reread(epi__tls_files *files, int all);

/* Call with each file that was read. Returns 0, or what a call returned that
 * was not 0. Not while files are read again. */
int epi__tls_files_each(const epi__tls_files *files,
                        int (*call)(void *user, const char *path), void *user);

/* Its files in a few words, for messages. */
const char *epi__tls_files_name(const epi__tls_files *files);

#endif
