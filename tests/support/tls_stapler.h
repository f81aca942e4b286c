/* tls_stapler.h: let a server hand out a staple (OCSP), as others do. */
#ifndef TEST_TLS_STAPLER_H
#define TEST_TLS_STAPLER_H

#include "tls/tls_session.h"

/* Let the sessions of a server context hand out a staple (DER, up to 4,096
 * bytes) from here on; its authorities must have those of the staple. One
 * staple at a time. */
void tls_staple(epi__tls_context *server, const uint8_t *staple, size_t len);

#endif
