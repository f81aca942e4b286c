/* fuzz_url.c: URLs of listeners and hops, which also come from peers. */
#include "base/net.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  char *text = malloc(len + 1);
  char public[EPI__URL_MAX + 8], again[EPI_ADDR_TEXT_MAX];
  epi__url *url = malloc(sizeof *url);
  epi_addr addr;

  if (!text || !url) {
    abort();
  }
  if (len) {
    memcpy(text, data, len);
  }
  text[len] = '\0';
  if (!epi__url_parse(url, text)) {
    /* An address that was read can be written and read again. */
    if (epi_addr_format(&url->addr, 1, again, sizeof again) < 0 ||
        epi_addr_parse(&addr, again, -1) ||
        !epi_addr_equal(&addr, &url->addr)) {
      abort();
    }
    /* All of a login is behind three stars. */
    epi__url_public(text, public, sizeof public);
    if (url->has_login && strncmp(strstr(public, "://"), "://***@", 7)) {
      abort();
    }
  }
  free(url);
  free(text);
  return 0;
}
