/* tls_trust.c: whom a context trusts: authorities, and what they revoked. */
#include "base/fail.h"
#include "base/memory.h"
#include "tls/tls_parts.h"
#include "tls/tls_pem.h"

#include <string.h>
#include <time.h>

/* wolfSSL would take a certificate for an authority that is none, and one that
 * is out of date. */
static int check_ca(const epi__certificate *certificate, size_t number) {
  char name[EPI__CERTIFICATE_LABEL], when[32];
  int64_t now = (int64_t)time(NULL);
  int64_t ends = epi__certificate_ends(certificate);
  int64_t begins = epi__certificate_begins(certificate);

  epi__certificate_label(certificate, name);
  if (!epi__certificate_is_authority(certificate)) {
    return epi__fail(EPI_EINVAL,
                     "authority %zu (%s) is none: its certificate is not that "
                     "of an authority (CA:TRUE)",
                     number, name);
  }
  if (ends < now) {
    return epi__fail(EPI_EINVAL, "authority %zu (%s) expired on %s", number,
                     name, epi__certificate_time(ends, when));
  }
  if (begins > now) {
    return epi__fail(EPI_EINVAL, "authority %zu (%s) is not valid before %s",
                     number, name, epi__certificate_time(begins, when));
  }
  return 0;
}

static int add_ca(WOLFSSL_CTX *wolf, const uint8_t *der, size_t len,
                  size_t number) {
  epi__certificate *certificate = NULL;
  int result = epi__certificate_read(&certificate, der, len), code;

  if (!result) {
    result = check_ca(certificate, number);
  } else if (result != EPI_ENOMEM) {
    epi__fail(result, "authority %zu cannot be read", number);
  }
  epi__certificate_free(certificate);
  if (result) {
    return result;
  }
  code = wolfSSL_CertManagerLoadCABuffer(wolfSSL_CTX_GetCertManager(wolf), der,
                                         (long)len, WOLFSSL_FILETYPE_ASN1);
  if (code == WOLFSSL_SUCCESS) {
    return 0;
  }
  return code == MEMORY_E
             ? epi__fail(EPI_ENOMEM, "no memory for an authority")
             : epi__fail(EPI_EINVAL,
                         "authority %zu cannot be used (wolfSSL %d)", number,
                         code);
}

int epi__tls_load_ca(WOLFSSL_CTX *wolf, const epi__tls_text *ca, int lenient) {
  epi__tls_text rest = *ca;
  size_t number = 0, taken = 0;
  uint8_t *der = NULL;
  ptrdiff_t len;

  while ((len = epi__pem_next(&rest, "CERTIFICATE", &der)) > 0) {
    int result = add_ca(wolf, der, (size_t)len, ++number);

    epi__free(der);
    taken += !result;
    if (result && (!lenient || result == EPI_ENOMEM)) {
      return result;
    }
  }
  wolfSSL_ERR_clear_error();
  if (len < 0) {
    return (int)len;
  }
  return taken ? 0 : epi__fail(EPI_EINVAL, "no authority in PEM");
}

static int note_one(epi__tls_context *context, const uint8_t *der, size_t len) {
  epi__certificate *certificate = NULL;
  int result = epi__certificate_read(&certificate, der, len);
  epi__tls_root *roots, *root;

  if (result) {
    return result == EPI_ENOMEM ? result : 0; /* it was not taken */
  }
  roots = epi__grow(context->roots, context->root_count, &context->root_room,
                    sizeof *roots);
  if (roots) {
    context->roots = roots;
    root = &roots[context->root_count++];
    memcpy(root->name, epi__certificate_subject_hash(certificate),
           sizeof root->name);
    root->ends = epi__certificate_ends(certificate);
  }
  epi__certificate_free(certificate);
  return roots ? 0 : EPI_ENOMEM;
}

/* wolfSSL looks at their dates when they are loaded, and never again. */
int epi__tls_note_ca(epi__tls_context *context, const epi__tls_text *ca) {
  epi__tls_text rest = *ca;
  uint8_t *der = NULL;
  ptrdiff_t len;
  int result = 0;

  while (!result && (len = epi__pem_next(&rest, "CERTIFICATE", &der)) != 0) {
    if (len < 0) {
      return (int)len;
    }
    result = note_one(context, der, (size_t)len);
    epi__free(der);
  }
  return result;
}

int epi__tls_check_ca(const epi__tls_context *context,
                      const epi__certificate *certificate) {
  const uint8_t *issuer = epi__certificate_issuer_hash(certificate);
  int64_t now = (int64_t)time(NULL), last = INT64_MIN;
  char name[EPI__CERTIFICATE_LABEL], when[32];
  size_t i;

  for (i = 0; i < context->root_count; i++) {
    const epi__tls_root *root = &context->roots[i];

    if (!memcmp(root->name, issuer, sizeof root->name) && root->ends > last) {
      last = root->ends;
    }
  }
  if (last == INT64_MIN || last >= now) {
    return 0;
  }
  return epi__fail(EPI_EAUTH, "authority %s expired on %s",
                   epi__certificate_issuer(certificate, name),
                   epi__certificate_time(last, when));
}

/* wolfSSL checks the signature when a list is first used: its issuer may be an
 * authority that peers send along. */
static int load_list(WOLFSSL_X509_STORE *store, const uint8_t *der, size_t len,
                     size_t number) {
  WOLFSSL_X509_CRL *list = wolfSSL_d2i_X509_CRL(NULL, der, (int)len);
  int added;

  if (!list) {
    return epi__fail(EPI_EINVAL, "revocation list %zu cannot be read", number);
  }
  added = wolfSSL_X509_STORE_add_crl(store, list) == WOLFSSL_SUCCESS;
  wolfSSL_X509_CRL_free(list);
  return added ? 0 : epi__fail(EPI_ENOMEM, "no memory for a revocation list");
}

int epi__tls_load_crl(WOLFSSL_CTX *wolf, const epi__tls_text *crl) {
  WOLFSSL_X509_STORE *store = wolfSSL_CTX_get_cert_store(wolf);
  epi__tls_text rest = *crl;
  size_t number = 0;
  uint8_t *der = NULL;
  ptrdiff_t len;
  int result = 0;

  if (!store ||
      wolfSSL_CTX_EnableCRL(wolf, WOLFSSL_CRL_CHECKALL) != WOLFSSL_SUCCESS) {
    return epi__fail(EPI_ENOMEM, "no memory for revocation lists");
  }
  while (!result && (len = epi__pem_next(&rest, "X509 CRL", &der)) != 0) {
    if (len < 0) {
      return (int)len;
    }
    result = load_list(store, der, (size_t)len, ++number);
    epi__free(der);
  }
  /* wolfSSL would go and fetch lists that a certificate names, and wait. */
  wolfSSL_CTX_SetCRL_IOCb(wolf, NULL);
  wolfSSL_ERR_clear_error();
  if (!result && !number) {
    result = epi__fail(EPI_EINVAL, "no revocation list in PEM");
  }
  return result;
}
