/* child.h: a program of its own that runs beside this one. Nothing here waits
 * for it: its descriptors are for a loop to watch. */
#ifndef EPI__CHILD_H
#define EPI__CHILD_H

#include <stddef.h>

typedef struct epi__child {
  int id;  /* of the process, and of the group that it leads; 0: none */
  int end; /* readable once it has ended */
  int out; /* what it prints; both are non-blocking */
  int err; /* and what it says to standard error */
} epi__child;

/* May a file be run? Returns 0, EPI_ENOENT, EPI_EPERM (nobody may run it, or
 * everybody can change it) or EPI_ESYS. */
int epi__child_check(const char *path);

/* Run a file, without a shell. arguments begin with its name; settings are
 * `NAME=VALUE`, and come before what this process has in its environment; both
 * end with NULL. It reads nothing, has no descriptor but the three, and its
 * signals are as a program expects them.
 *
 * Returns 0, EPI_ESYS or EPI_ENOMEM. */
int epi__child_start(epi__child *out, const char *path,
                     const char *const *arguments, const char *const *settings);

/* Read from out or err: a count; 0 at the end, or if it cannot be read; or
 * EPI_ENOENT: nothing there now. */
ptrdiff_t epi__child_read(int fd, void *buf, size_t size);

/* Once `end` is readable: 0 if the program says that all is well, EPI_ESYS if
 * it does not (the detail says how it ended), EPI_EBUSY if it runs on. Its
 * process is gone then, but not what it may have left behind. */
int epi__child_outcome(epi__child *child);

/* Ask it, and what it started in its group, to end; or with hard 1 make it. A
 * child whose outcome is known is left alone. */
void epi__child_kill(const epi__child *child, int hard);

/* Close the descriptors; one that still runs is made to end, and waited for. */
void epi__child_close(epi__child *child);

#endif
