/* fuzz_tls_certificate.c: certificates, DER and PEM. */
#include "base/memory.h"
#include "tls/tls_certificate.h"
#include "tls/tls_pem.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void look_at(const void *der, size_t len) {
  char buf[EPI__CERTIFICATE_LABEL], name[256], when[32];
  epi__certificate *certificate = NULL;
  const char *kind = NULL;
  epi_addr host;

  if (epi__certificate_read(&certificate, der, len)) {
    return;
  }
  epi_addr_set_name(&host, "hop.example.org", 15, 0);
  epi__certificate_is_for(certificate, &host);
  epi_addr_set_name(&host, "192.0.2.1", 9, 0);
  epi__certificate_is_for(certificate, &host);
  if (!epi__certificate_identity(certificate, name, sizeof name, &kind) &&
      (!kind || !*name || strchr(name, '\n'))) {
    abort();
  }
  epi__certificate_label(certificate, buf);
  epi__certificate_issuer(certificate, buf);
  epi__certificate_hosts(certificate, name, sizeof name);
  epi__certificate_is_weak(certificate);
  epi__certificate_is_authority(certificate);
  epi__certificate_time(epi__certificate_ends(certificate), when);
  epi__certificate_free(certificate);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  epi__tls_text rest = {(const char *)data, len};
  uint8_t *block = NULL;
  ptrdiff_t got;

  look_at(data, len);
  while ((got = epi__pem_next(&rest, "CERTIFICATE", &block)) > 0) {
    look_at(block, (size_t)got);
    epi__free(block);
  }
  return 0;
}
