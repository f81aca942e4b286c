/* proxy_audit.h: the audit log of epi-proxy while another process takes over.
 */
#ifndef PROXY_AUDIT_H
#define PROXY_AUDIT_H

#include "proxy_options.h"

/* One process alone writes to a file: leave --audit's to the one that takes
 * over, and go on in FILE.PID. Returns 0, or -1 after a message. */
int audit_leave(epi_engine *engine, const proxy_options *set);

/* None took over: have it again. A file that the other one made is kept beside
 * it, as FILE.PID.failed. */
void audit_have(epi_engine *engine, const proxy_options *set);

#endif
