/* iptables_run.h: a program of the iptables package, run to its end. */
#ifndef EPI__IPTABLES_RUN_H
#define EPI__IPTABLES_RUN_H

#include "base/bytes.h"

/* Run a program, looked for in PATH and where Debian has it.
 *
 * arguments begin with its name and end with NULL; input is what it reads, or
 * NULL; what it prints is appended to output, or dropped if that is NULL.
 * Returns 0; EPI_ENOTSUP (it is not installed); EPI_EPERM or EPI_ESYS with
 * the program's words; or EPI_ENOMEM. output is empty then. */
int epi__iptables_run(const char *const *arguments, const char *input,
                      epi__text *output);

#endif
