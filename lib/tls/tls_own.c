/* tls_own.c: wolfSSL's context for one certificate of ours: what it shows,
 * whom it trusts, and by which methods. */
#include "base/fail.h"
#include "base/memory.h"
#include "tls/primitives.h"
#include "tls/tls_parts.h"
#include "tls/tls_pem.h"

#include <wolfssl/error-ssl.h>

#include <string.h>

enum { RSA_BITS = 2048, ECC_BITS = 256, TICKET_SECONDS = 1800 };

/* Those with forward secrecy, which authenticate and encrypt in one. Without
 * the processor's instructions AES is slower than ChaCha20, and tells a
 * neighbour on the processor about the key. */
#define CHACHA13 "TLS13-CHACHA20-POLY1305-SHA256"
#define AES13    "TLS13-AES128-GCM-SHA256:TLS13-AES256-GCM-SHA384"
#define CHACHA12 "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
#define AES12                                                                  \
  "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"                 \
  "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384"

static const char aes_first[] = AES13 ":" CHACHA13 ":" AES12 ":" CHACHA12;
static const char chacha_first[] = CHACHA13 ":" AES13 ":" CHACHA12 ":" AES12;

/* ---- a certificate of ours ---- */

/* The first certificate of a chain, and when the first of all expires. */
static int read_chain(epi__tls_own *own, const epi__tls_text *chain) {
  epi__tls_text rest = *chain;
  char label[EPI__CERTIFICATE_LABEL];
  uint8_t *der = NULL;
  ptrdiff_t len;

  while ((len = epi__pem_next(&rest, "CERTIFICATE", &der)) > 0) {
    epi__certificate *certificate = NULL;
    int result = epi__certificate_read(&certificate, der, (size_t)len);
    int64_t ends = result ? 0 : epi__certificate_ends(certificate);

    epi__free(der);
    if (result) {
      return result;
    }
    if (!own->certificate) {
      own->certificate = certificate;
      own->expiry = ends;
      continue;
    }
    own->expiry = ends < own->expiry ? ends : own->expiry;
    epi__certificate_free(certificate);
  }
  if (len < 0) {
    return (int)len;
  }
  if (!own->certificate) {
    return epi__fail(EPI_EINVAL, "no certificate in PEM");
  }
  own->name = epi__strdup(epi__certificate_label(own->certificate, label));
  return own->name ? 0 : EPI_ENOMEM;
}

static int refuse_key(int code) {
  if (code == MEMORY_E) {
    return epi__fail(EPI_ENOMEM, "no memory for a private key");
  }
  if (code == RSA_KEY_SIZE_E || code == ECC_KEY_SIZE_E) {
    return epi__fail(EPI_EINVAL,
                     "a private key that is too short: RSA has %d bits or "
                     "more, a curve %d",
                     RSA_BITS, ECC_BITS);
  }
  return epi__fail(EPI_EINVAL,
                   "no private key in PEM that can be used (wolfSSL %d); it "
                   "must not be encrypted",
                   code);
}

static int load_pair(epi__tls_own *own, const epi__tls_pair *pair) {
  int result = read_chain(own, &pair->chain), code;

  if (result) {
    return result;
  }
  code = wolfSSL_CTX_use_certificate_chain_buffer(
      own->wolf, (const unsigned char *)pair->chain.data,
      (long)pair->chain.len);
  if (code != WOLFSSL_SUCCESS) {
    return code == MEMORY_E
               ? epi__fail(EPI_ENOMEM, "no memory for a certificate")
               : epi__fail(EPI_EINVAL,
                           "a certificate that cannot be used (wolfSSL %d)",
                           code);
  }
  code = pair->key.len ? wolfSSL_CTX_use_PrivateKey_buffer(
                             own->wolf, (const unsigned char *)pair->key.data,
                             (long)pair->key.len, WOLFSSL_FILETYPE_PEM)
                       : WOLFSSL_FAILURE;
  if (code != WOLFSSL_SUCCESS) {
    return refuse_key(code);
  }
  code =
      epi__certificate_has_key(own->certificate, pair->key.data, pair->key.len);
  if (code < 0) {
    return code;
  }
  return code && wolfSSL_CTX_check_private_key(own->wolf) == WOLFSSL_SUCCESS
             ? 0
             : epi__fail(EPI_EAUTH,
                         "the private key is not that of the certificate");
}

/* ---- a context of wolfSSL ---- */

static int set_methods(WOLFSSL_CTX *wolf, const epi__tls_setup *setup) {
  int lowest = setup->lowest == 13 ? WOLFSSL_TLSV1_3 : WOLFSSL_TLSV1_2;
  const char *ciphers = epi__crypto_wolfssl()->aead_fast() == EPI__AES_256_GCM
                            ? aes_first
                            : chacha_first;

  if (wolfSSL_CTX_SetMinVersion(wolf, lowest) != WOLFSSL_SUCCESS ||
      wolfSSL_CTX_set_cipher_list(wolf, ciphers) != WOLFSSL_SUCCESS ||
      wolfSSL_CTX_SetMinRsaKey_Sz(wolf, RSA_BITS) != WOLFSSL_SUCCESS ||
      wolfSSL_CTX_SetMinEccKey_Sz(wolf, ECC_BITS) != WOLFSSL_SUCCESS) {
    return epi__fail(EPI_ECRYPTO, "wolfSSL lacks the methods of TLS 1.2/1.3");
  }
  wolfSSL_CTX_SetIORecv(wolf, epi__tls_on_receive);
  wolfSSL_CTX_SetIOSend(wolf, epi__tls_on_send);
  wolfSSL_CTX_set_session_cache_mode(wolf, WOLFSSL_SESS_CACHE_OFF);
  return 0;
}

/* A session that goes on from an earlier one does not show certificates again:
 * who asks for them shall see them each time, and what was revoked since. */
static int set_server(WOLFSSL_CTX *wolf, const epi__tls_setup *setup) {
  int mode = setup->peer == EPI__TLS_PEER_NONE ? WOLFSSL_VERIFY_NONE
                                               : WOLFSSL_VERIFY_PEER;

  if (setup->peer == EPI__TLS_PEER_REQUIRE) {
    mode |= WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  }
  wolfSSL_CTX_set_verify(wolf, mode, epi__tls_on_verify);
  if (setup->peer != EPI__TLS_PEER_NONE) {
    wolfSSL_CTX_no_ticket_TLSv13(wolf);
    wolfSSL_CTX_NoTicketTLSv12(wolf);
  } else {
    wolfSSL_CTX_set_TicketHint(wolf, TICKET_SECONDS);
  }
#ifdef WOLFSSL_EARLY_DATA
  wolfSSL_CTX_set_max_early_data(wolf, 0); /* it could be replayed */
#endif
  return 0;
}

static int set_client(WOLFSSL_CTX *wolf, const epi__tls_setup *setup) {
  wolfSSL_CTX_set_verify(wolf, WOLFSSL_VERIFY_PEER, epi__tls_on_verify);
  if (setup->staple &&
      (wolfSSL_CTX_EnableOCSPStapling(wolf) != WOLFSSL_SUCCESS ||
       wolfSSL_CTX_UseOCSPStapling(wolf, WOLFSSL_CSR_OCSP, 0) !=
           WOLFSSL_SUCCESS ||
       wolfSSL_CTX_EnableOCSPMustStaple(wolf) != WOLFSSL_SUCCESS)) {
    return epi__fail(EPI_ENOMEM, "no memory for staples");
  }
  return 0;
}

static WOLFSSL_METHOD *method_of(const epi__tls_setup *setup) {
  if (setup->highest == 12) {
    return setup->server ? wolfTLSv1_2_server_method()
                         : wolfTLSv1_2_client_method();
  }
  return setup->server ? wolfTLS_server_method() : wolfTLS_client_method();
}

int epi__tls_own_make(epi__tls_own *own, const epi__tls_setup *setup,
                      const epi__tls_pair *pair) {
  int result;

  own->wolf = wolfSSL_CTX_new(method_of(setup));
  if (!own->wolf) {
    return epi__fail(EPI_ENOMEM, "no memory for TLS");
  }
  result = set_methods(own->wolf, setup);
  if (!result) {
    result = setup->server ? set_server(own->wolf, setup)
                           : set_client(own->wolf, setup);
  }
  if (!result && setup->ca.len) {
    result = epi__tls_load_ca(own->wolf, &setup->ca, setup->ca_lenient);
  }
  if (!result && setup->crl.len) {
    result = epi__tls_load_crl(own->wolf, &setup->crl);
  }
  if (!result && pair) {
    result = load_pair(own, pair);
  }
  return result;
}
