/* tls_table.h: all that an engine's listeners and hops say about TLS, each once
 * for all that say the same, so that they share contexts, and what these
 * remember of earlier sessions; and so that all files can be read again. */
#ifndef EPI__TLS_TABLE_H
#define EPI__TLS_TABLE_H

#include "engine/tls_files.h"
#include "epi/engine.h"

typedef struct epi__tls_table epi__tls_table;

enum {
  EPI__TLS_SETS = 256, /* different ones in an engine */
};

/* Returns 0 or EPI_ENOMEM. */
int epi__tls_table_new(epi__tls_table **out);
void epi__tls_table_free(epi__tls_table *table);

/* Hold all that are there, for the caller. Returns how many. Threads: any. */
size_t epi__tls_table_hold(epi__tls_table *table,
                           epi__tls_files *out[EPI__TLS_SETS]);

/* Call with each file that may be read again, or that a hop which is to come
 * may have read. Returns 0, or what a call returned that was not 0. */
int epi__tls_table_each_file(epi__tls_table *table,
                             int (*call)(void *user, const char *path),
                             void *user);

/* What a listener's URL says; url's other settings are not looked at. *out is
 * held once for the caller. Returns 0, EPI_ELIMIT, or an error of
 * epi__tls_files_new(). */
int epi__tls_table_server(epi__tls_table *table, const epi__url *url,
                          epi__tls_files **out);

/* What a listener's URL says of its destination by settings that begin with
 * "to-", and for the rest the engine. The same returns. */
int epi__tls_table_dest(epi__tls_table *table, const epi__url *url,
                        epi__tls_files **out);

/* What a hop's URL says, and for the rest the engine; ours is 0 for a URL that
 * a peer sent, which may name no files. The same returns, or EPI_EINVAL.
 * Threads: any. */
int epi__tls_table_client(epi__tls_table *table, const epi__url *url, int ours,
                          epi__tls_files **out);

/* Tell of each certificate of our own that is in use: its name, and when it, or
 * one above it, expires, in seconds since 1970; server is 1 for a listener's.
 * Threads: any. */
void epi__tls_table_expiries(epi__tls_table *table,
                             void (*tell)(const char *name, int64_t at,
                                          int server, void *user),
                             void *user);

#endif
