/* redirector_control.c: epi-redirector status and stop. */
#include "redirector_control.h"

#include "redirector_lock.h"
#include "redirector_options.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
  STOP_MS = 30000, /* what a redirector may take to end */
};

const char *const backend_names[BACKENDS_END] = {NULL, "nftables", "iptables"};

int backends_find(int found[BACKENDS_END]) {
  for (int i = EPI_BACKEND_NFTABLES; i < BACKENDS_END; i++) {
    found[i] = epi_redirect_present(i);
    if (found[i] == EPI_ENOTSUP) {
      found[i] = 0;
    } else if (found[i] < 0) {
      return say("%s", epi_error_detail());
    }
  }
  return 0;
}

int control_status(void) {
  lock_holder holder;
  int runs = lock_find(&holder);
  int any = 0;

  if (runs < 0) {
    return say("the lock of this network namespace: %s", strerror(errno));
  }
  if (runs) {
    printf("redirector: running, pid %ld\n", (long)holder.pid);
  } else {
    printf("redirector: not running\n");
  }
  for (int i = EPI_BACKEND_NFTABLES; i < BACKENDS_END; i++) {
    int found = epi_redirect_present(i);

    if (found > 0) {
      printf("rules: %s%s\n", backend_names[i],
             runs ? ""
                  : ", left by a killed redirector: connections are refused "
                    "('" REDIRECTOR " stop' removes them)");
    } else if (found < 0 && found != EPI_ENOTSUP) {
      printf("rules: unknown: %s\n", epi_error_detail());
      any = 1;
      break;
    }
    any |= found > 0;
  }
  if (!any) {
    printf("rules: none\n");
  }
  return runs ? 0 : 1;
}

/* End the redirector that runs. The lock is anyone's to take: what a stranger
 * says there must not choose whom root kills. */
static int stop_running(int *stopped) {
  lock_holder holder;
  int runs = lock_find(&holder);

  if (runs <= 0) {
    return runs ? say("the lock of this network namespace: %s", strerror(errno))
                : 0;
  }
  if (!holder.pid) {
    return say("the redirector is in another PID namespace: stop it "
               "there");
  }
  if (holder.uid && holder.uid != geteuid()) {
    return say("pid %ld, which runs, is of user %lu: stop it as that "
               "user",
               (long)holder.pid, (unsigned long)holder.uid);
  }
  if (kill(holder.pid, SIGTERM) && errno != ESRCH) {
    return say("pid %ld: %s", (long)holder.pid, strerror(errno));
  }
  if (lock_wait(STOP_MS)) {
    say("pid %ld does not end", (long)holder.pid);
    return 1;
  }
  printf("stopped pid %ld\n", (long)holder.pid);
  *stopped = 1;
  return 0;
}

int control_stop(void) {
  int found[BACKENDS_END];
  int stopped = 0;
  int error = stop_running(&stopped);

  error = error ? error : backends_find(found);
  for (int i = EPI_BACKEND_NFTABLES; i < BACKENDS_END && !error; i++) {
    if (!found[i]) {
      continue;
    }
    if (epi_redirect_remove(i) < 0) {
      return say("%s", epi_error_detail());
    }
    printf("removed the %s rules that a killed redirector left\n",
           backend_names[i]);
    stopped = 1;
  }
  if (!error && !stopped) {
    printf("nothing to stop\n");
  }
  return error;
}
