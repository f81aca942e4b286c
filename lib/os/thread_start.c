/* thread_start.c: threads of the library's own. */
#include "base/fail.h"
#include "os/os.h"

#include <signal.h>
#include <string.h>

int epi__thread_start(pthread_t *out, void *(*run)(void *user), void *user) {
  sigset_t all, before;
  int why;

  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  why = pthread_create(out, NULL, run, user);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return why ? epi__fail(EPI_ESYS, "no thread: %s", strerror(why)) : 0;
}
