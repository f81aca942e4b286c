/* redirector_lock.h: one redirector in a network namespace.
 *
 * The lock is an abstract Unix socket: its name is known in one network
 * namespace only, as the rules are, and ends with its process. */
#ifndef REDIRECTOR_LOCK_H
#define REDIRECTOR_LOCK_H

#include <sys/types.h>

typedef struct lock_holder {
  pid_t pid; /* 0 if it is in a PID namespace that cannot be seen from here */
  uid_t uid;
} lock_holder;

/* Take the lock. Returns a descriptor to be kept open, or -1 with errno;
 * EADDRINUSE if it is taken. */
int lock_take(void);

/* Say who holds the lock. Returns 1, or 0 if nobody does, or -1 with errno. */
int lock_find(lock_holder *out);

/* Hold the lock until one of the signals comes that this thread has blocked
 * for it: TERM, INT or HUP. Returns the signal, or -1 with errno. */
int lock_hold(int lock);

/* Wait until nobody holds the lock. Returns 0, or -1 if that takes longer. */
int lock_wait(int timeout_ms);

#endif
