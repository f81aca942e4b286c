/* tls.h: what the TLS library at hand can do.
 *
 * libepi uses wolfSSL; distributions build it with very different options.
 * These functions tell what the one has that libepi was built with, so that a
 * program can say so. */
#ifndef EPI_TLS_H
#define EPI_TLS_H

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

#define EPI_TLS_EARLY_DATA   1 /* TLS 1.3 0-RTT data */
#define EPI_TLS_AES_HARDWARE 2 /* AES in the processor's instructions */
#define EPI_TLS_DTLS13       3 /* DTLS 1.3 */

/* Say whether that wolfSSL has a feature, EPI_TLS_*.
 *
 * Returns 1, 0, or EPI_EINVAL (no such feature). Threads: any. */
EPI_API int epi_tls_has(int feature);

/* Name that library and its version, as in "wolfSSL 5.5.4".
 *
 * Returns a text that is valid for ever. Threads: any. */
EPI_API const char *epi_tls_library(void);

#ifdef __cplusplus
}
#endif

#endif
