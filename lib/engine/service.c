/* service.c: what a service manager is told. */
#include "base/fail.h"
#include "epi/engine.h"
#include "os/os.h"

#include <inttypes.h>
#include <stdio.h>

int epi_service_pass_on(int64_t pid) {
  char text[64];

  if (pid <= 0) {
    return epi__fail(EPI_EINVAL, "%" PRId64 " is no process", pid);
  }
  snprintf(text, sizeof text, "MAINPID=%" PRId64, pid);
  return epi__notify(text);
}

int epi_service_tell(int state) {
  char text[64];

  switch (state) {
  case EPI_SERVICE_READY:
    return epi__notify("READY=1");
  case EPI_SERVICE_RELOADING: /* when, so that it knows an older READY=1 */
    snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
             epi__clock_steady() * 1000);
    return epi__notify(text);
  case EPI_SERVICE_STOPPING:
    return epi__notify("STOPPING=1");
  default:
    return epi__fail(EPI_EINVAL, "there is no state %d of a service", state);
  }
}
