/* proxy_sandbox.h: what epi-proxy gives up before its first connection. */
#ifndef PROXY_SANDBOX_H
#define PROXY_SANDBOX_H

#include "proxy_options.h"

/* Read --sandbox, --no-sandbox and --user. Returns 0 or EXIT_USAGE after a
 * message. */
int sandbox_make(epi_sandbox **out, const proxy_options *set);

/* Give up what an engine that was set up does not need; the sandbox's text says
 * what that is. Returns 0 or EXIT_USAGE after a message. */
int sandbox_enter(epi_sandbox *sandbox, const epi_engine *engine,
                  const proxy_options *set);

#endif
