/* proxy_listens.h: where epi-proxy listens by its file of settings, beside the
 * command line's. */
#ifndef PROXY_LISTENS_H
#define PROXY_LISTENS_H

#include "proxy_options.h"

/* Say so if one is named twice. Returns 0 or EXIT_USAGE. */
int listens_check(const many *command_line, const many *file);

/* Have a running engine listen with those of `after` in place of `before`; at
 * the same address the sockets stay. Returns 0, or EXIT_USAGE after a message:
 * then nothing has changed. */
int listens_change(epi_engine *engine, const many *command_line,
                   const many *before, const many *after);

#endif
