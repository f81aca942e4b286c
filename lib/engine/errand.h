/* errand.h: a program that is run for its answer, beside a loop: the first line
 * that it prints, or its last words when it fails. */
#ifndef EPI__ERRAND_H
#define EPI__ERRAND_H

#include "engine/loop.h"

enum {
  EPI__ERRAND_LINE = 2048,    /* of the first line, with NUL */
  EPI__ERRAND_WORDS = 256,    /* of the last one, with NUL */
  EPI__ERRAND_TERM_MS = 1000, /* from being asked to end to being made to */
};

typedef struct epi__errand epi__errand;

/* Run a program (os/child.h) for at most ms milliseconds. Then, or when it
 * prints over 64 KiB, it is asked to end, and made to 1 s later.
 *
 * Once it has ended, callback is called, and the errand is over: result is 0
 * and text the first line that it printed; or an error, and text says why: its
 * last line, of standard error before standard output. text is printable.
 * Returns 0, EPI_ESYS or EPI_ENOMEM. */
int epi__errand_start(
    epi__errand **out, epi__loop *loop, const char *path,
    const char *const *arguments, const char *const *settings, int64_t ms,
    void (*callback)(void *user, int result, const char *text), void *user);

/* Its time is over now; why is its error then. */
void epi__errand_hurry(epi__errand *errand, const char *why);

/* End it at once, whatever it does; the callback does not run. NULL is fine. */
void epi__errand_free(epi__errand *errand);

#endif
