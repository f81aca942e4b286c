/* proxy_options.h: what the command line of epi-proxy says. */
#ifndef PROXY_OPTIONS_H
#define PROXY_OPTIONS_H

#include <epi/epi.h>

enum {
  EXIT_USAGE = 2,
  EXIT_UNKNOWN = 3, /* of proxy_options_set() */
  MANY = 64,
  PARAMETERS = EPI_ENGINE_MEMORY + 1,
};

typedef struct many {
  char *items[MANY];
  size_t count;
} many;

typedef struct proxy_options {
  many listens, chain, filters, reads, writes;
  const char *model, *name, *chain_key, *dns, *filter_path;
  const char *function, *function_key, *provision, *settings;
  const char *admin;
  const char *audit, *audit_key, *audit_on_error;
  const char *status;
  const char *tls_ca, *tls_cert, *tls_key, *tls_crl;
  const char *host, *port, *socks; /* socksx's */
  /* Engine parameters; -1: not given. */
  int64_t numbers[PARAMETERS];
  int64_t drain_ms;
  const char *sandbox, *user;
  int no_sandbox;
  int print_key; /* `epi-proxy key`: print a function's key, no more */
  int done;      /* --help or --version was answered */
} proxy_options;

/* What --help prints. */
extern const char *const proxy_help[]; /* ends in NULL */

/* Print a line to standard error: what, and about what, which may be NULL.
 * Returns EXIT_USAGE. */
int complain(const char *what, const char *about);

/* Read the command line, and socksx's environment if it has no --listen.
 * Returns 0 or EXIT_USAGE after a message. */
int proxy_options_read(proxy_options *out, int argc, char **argv);

/* Set an option that a file may change while the program runs, by its long
 * name; the text is kept. Returns 0, EXIT_USAGE after a message, or
 * EXIT_UNKNOWN: there is no such option. */
int proxy_options_set(proxy_options *out, const char *name, char *value);

/* The long name of the option that sets a parameter of the engine, or "". */
const char *proxy_options_name(int parameter);

/* The path of --status, or NULL. */
const char *status_path(const proxy_options *set);

/* Put stars in the place of a login in a URL. Returns 1 if there was one. */
int hide_password(char *url);

/* A password must not stay where every user of the machine can read it:
 * overwrite that of a URL, and say how to do better. */
void wipe_password(char *url);

/* The same of the secret=TEXT among a filter's arguments. */
void wipe_secret(char *spec);

#endif
