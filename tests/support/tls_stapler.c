/* tls_stapler.c: let a server hand out a staple. wolfSSL loses memory when it
 * does, so the library does not. */
#include "support/tls_stapler.h"

#include "tls/tls_parts.h"

#include <criterion/criterion.h>
#include <string.h>

static unsigned char handed_out[4096];
static size_t handed_out_len;

/* wolfSSL frees the copy that it is given. */
static int on_status(WOLFSSL *ssl, void *user) {
  unsigned char *copy = wolfSSL_Malloc(handed_out_len);

  (void)user;
  cr_assert_not_null(copy);
  memcpy(copy, handed_out, handed_out_len);
  wolfSSL_set_tlsext_status_ocsp_resp(ssl, copy, (int)handed_out_len);
  return 0;
}

void tls_staple(epi__tls_context *server, const uint8_t *staple, size_t len) {
  cr_assert_leq(len, sizeof handed_out);
  memcpy(handed_out, staple, len);
  handed_out_len = len;
  cr_assert_eq(wolfSSL_CTX_set_tlsext_status_cb(server->own[0].wolf, on_status),
               WOLFSSL_SUCCESS);
}
