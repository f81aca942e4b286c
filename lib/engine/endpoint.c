/* endpoint.c: is anybody there yet? */
#include "base/fail.h"
#include "base/net.h"
#include "epi/engine.h"
#include "os/os.h"

#include <stdio.h>

enum {
  BETWEEN_MS = 50,
};

int epi_endpoint_wait(const char *text, int64_t timeout_ms) {
  int64_t end = epi__clock_steady() + timeout_ms;
  epi__addr_buf shown;
  epi_addr addr;
  epi__url url;
  int result = epi__url_parse(&url, text);

  if (result) {
    return result;
  }
  for (;;) {
    int64_t left = end - epi__clock_steady();
    char why[256];

    addr = url.addr;
    result =
        addr.kind == EPI_ADDR_NAME ? epi__resolve_now(&addr, &url.addr) : 0;
    if (!result) {
      result = epi__sock_probe(&addr, left > 0 ? left : 0);
    }
    if (!result) {
      return 0;
    }
    if (left <= BETWEEN_MS) {
      snprintf(why, sizeof why, "%s", epi_error_detail());
      return epi__fail(result == EPI_ERESOLVE ? result : EPI_ETIMEOUT,
                       "nobody answers at %s: %s",
                       epi__addr_text(&url.addr, &shown), why);
    }
    epi__sleep(BETWEEN_MS);
  }
}
