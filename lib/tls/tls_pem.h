/* tls_pem.h: the blocks of a PEM text (RFC 7468), one after another. */
#ifndef EPI__TLS_PEM_H
#define EPI__TLS_PEM_H

#include "tls/tls_session.h"

/* The next block of a kind ("CERTIFICATE", "X509 CRL") in a text, decoded;
 * blocks of other kinds are skipped. rest is what is left and moves on. Free
 * the block with epi__free().
 *
 * Returns its length; 0: no more; EPI_EINVAL (a block that is cut short or
 * not base64) or EPI_ENOMEM. */
ptrdiff_t epi__pem_next(epi__tls_text *rest, const char *kind,
                        uint8_t **block_out);

#endif
