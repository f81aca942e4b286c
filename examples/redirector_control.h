/* redirector_control.h: what became of a redirector, and its end. */
#ifndef REDIRECTOR_CONTROL_H
#define REDIRECTOR_CONTROL_H

#include <epi/epi.h>

enum {
  BACKENDS_END = EPI_BACKEND_IPTABLES + 1,
};

extern const char *const backend_names[BACKENDS_END]; /* by EPI_BACKEND_* */

/* Find out of which backends there are rules; one that this system has not got
 * has none. Returns 0, or the exit code after a message. */
int backends_find(int found[BACKENDS_END]);

/* The commands `status` and `stop`. Return the exit code. */
int control_status(void);
int control_stop(void);

#endif
