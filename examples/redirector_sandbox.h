/* redirector_sandbox.h: what epi-redirector gives up before it intercepts. */
#ifndef REDIRECTOR_SANDBOX_H
#define REDIRECTOR_SANDBOX_H

#include "redirector_options.h"

/* Enter the sandbox: all is bound and read, no thread is there yet. The rules
 * can be changed inside; programs is 1 if programs do that, or find them.
 * Returns 0, or the exit code after a message. */
int sandbox_enter(const redirector_options *options, const epi_engine *engine,
                  int programs);

#endif
