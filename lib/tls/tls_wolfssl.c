/* tls_wolfssl.c: what the wolfSSL at hand can do. */
#include "base/fail.h"
#include "epi/tls.h"

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/settings.h>

#include <wolfssl/version.h>

int epi_tls_has(int feature) {
  switch (feature) {
  case EPI_TLS_EARLY_DATA:
#ifdef WOLFSSL_EARLY_DATA
    return 1;
#else
    return 0;
#endif
  case EPI_TLS_AES_HARDWARE:
#if defined(WOLFSSL_AESNI) || defined(WOLFSSL_ARMASM)
    return 1;
#else
    return 0;
#endif
  case EPI_TLS_DTLS13:
#ifdef WOLFSSL_DTLS13
    return 1;
#else
    return 0;
#endif
  default:
    return epi__fail(EPI_EINVAL, "no TLS feature %d", feature);
  }
}

const char *epi_tls_library(void) {
  return "wolfSSL " LIBWOLFSSL_VERSION_STRING;
}
