/* redirector_rules.h: what the command line means as a redirect. */
#ifndef REDIRECTOR_RULES_H
#define REDIRECTOR_RULES_H

#include "redirector_options.h"

/* Make the redirect that the options ask for, with the proxy's addresses as
 * exceptions. Returns 0, or the exit code after a message. */
int rules_make(const redirector_options *options, int port, epi_redirect **out);

/* Write what is intercepted, as in "TCP to ports 80, 443 of 10.0.0.0/8". */
void rules_describe(const redirector_options *options, char *buf, size_t size);

#endif
