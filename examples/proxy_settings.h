/* proxy_settings.h: epi-proxy's file of settings, which may change while it
 * runs. */
#ifndef PROXY_SETTINGS_H
#define PROXY_SETTINGS_H

#include "proxy_options.h"

/* What is in force: the command line's, but for what the file says. */
typedef struct proxy_settings {
  const char *path;       /* NULL: there is no file */
  proxy_options *options; /* the command line */
  char *text;             /* of the file that is in force; its listens' */
  many listens;           /* of the file */
  int64_t base[PARAMETERS], now[PARAMETERS];
  int64_t base_drain_ms;
} proxy_settings;

/* Read a file into options, which hold -1 for what is not said. *text is the
 * file's, which the options point into. Returns 0, or EXIT_USAGE after a
 * message that names the line. */
int settings_read(proxy_options *out, char **text, const char *path);

/* Set the engine's parameters before it listens, by command line and file.
 * Returns 0 or EXIT_USAGE. */
int settings_begin(proxy_settings *all, epi_engine *engine,
                   proxy_options *options);

/* Read the file again, and have the engine do what it says; a bad one is
 * reported and changes nothing. Returns 0 or EXIT_USAGE. */
int settings_again(proxy_settings *all, epi_engine *engine);

/* Free what it holds. */
void settings_free(proxy_settings *all);

#endif
