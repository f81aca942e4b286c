/* tls_verify.c: what is looked at in the certificates of a peer, beyond the
 * chain of signatures that wolfSSL follows. */
#include "base/fail.h"
#include "base/memory.h"
#include "tls/tls_parts.h"

#include <wolfssl/wolfcrypt/error-crypt.h>

#include <string.h>
#include <time.h>

/* Why wolfSSL does not take a certificate, in words. Returns EPI_EAUTH. */
static int explain(const epi__certificate *certificate, int error) {
  char name[EPI__CERTIFICATE_LABEL], issuer[EPI__CERTIFICATE_LABEL], when[32];

  epi__certificate_label(certificate, name);
  epi__certificate_issuer(certificate, issuer);
  switch (error) {
  case X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD:
    epi__certificate_time(epi__certificate_ends(certificate), when);
    return epi__fail(EPI_EAUTH, "certificate of %s expired on %s", name, when);
  case X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD:
    epi__certificate_time(epi__certificate_begins(certificate), when);
    return epi__fail(EPI_EAUTH, "certificate of %s is not valid before %s",
                     name, when);
  case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
  case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    return epi__fail(EPI_EAUTH,
                     "certificate of %s is by an unknown authority: %s", name,
                     issuer);
  case CRL_CERT_REVOKED:
    return epi__fail(EPI_EAUTH, "certificate of %s is revoked by %s", name,
                     issuer);
  case CRL_MISSING:
  case CRL_CERT_DATE_ERR:
    return epi__fail(EPI_EAUTH,
                     "certificate of %s cannot be checked: no revocation list "
                     "of %s, or not a current one",
                     name, issuer);
  case X509_V_ERR_CERT_SIGNATURE_FAILURE:
    return epi__fail(EPI_EAUTH, "certificate of %s is not signed by %s", name,
                     issuer);
  case KEYUSE_SIGNATURE_E:
  case EXTKEYUSE_AUTH_E:
    return epi__fail(EPI_EAUTH, "certificate of %s is not meant for this use",
                     name);
  case RSA_KEY_SIZE_E:
  case ECC_KEY_SIZE_E:
    return epi__fail(EPI_EAUTH, "certificate of %s has too short a key", name);
  default:
    return epi__fail(EPI_EAUTH, "certificate of %s is not good: %s", name,
                     wolfSSL_ERR_reason_error_string((unsigned long)error));
  }
}

static int check_host(const epi__tls *session,
                      const epi__certificate *certificate) {
  char hosts[256];

  if (epi__certificate_is_for(certificate, &session->host)) {
    return 0;
  }
  return epi__fail(EPI_EAUTH,
                   "name does not match: asked for %s, certificate is for %s",
                   session->server_name,
                   epi__certificate_hosts(certificate, hosts, sizeof hosts));
}

/* The peer's own certificate: is it the one that was asked for, and whose? */
static int check_peer(epi__tls *session, const epi__certificate *certificate) {
  char peer[EPI__TLS_NAME + 1] = "";
  const char *kind = "";
  int64_t ends, keep;
  int result;

  if (!session->context->server) {
    result = check_host(session, certificate);
    if (result) {
      return result;
    }
  }
  /* A server may have an address for its only name. */
  result = epi__certificate_identity(certificate, peer, sizeof peer, &kind);
  if (result && session->context->server) {
    return result;
  }
  epi__free(session->peer);
  session->peer = epi__strdup(peer);
  session->kind = kind;
  if (!session->peer) {
    return EPI_ENOMEM;
  }
  ends = epi__certificate_ends(certificate);
  keep = (int64_t)time(NULL) + EPI__TLS_KEPT_SECONDS;
  session->keep_until = ends < keep ? ends : keep;
  session->checked = 1;
  return 0;
}

static int is_of_ours(const epi__tls_context *context, const uint8_t *name) {
  for (size_t i = 0; i < context->root_count; i++) {
    if (!memcmp(context->roots[i].name, name, EPI__CERTIFICATE_HASH)) {
      return 1;
    }
  }
  return 0;
}

/* From the name of an authority that the peer sent along to that of the one
 * above it. Returns 1, 0 (it did not send it), or EPI_ENOMEM. */
static int climb(const WOLFSSL_X509_STORE_CTX *store,
                 uint8_t name[EPI__CERTIFICATE_HASH]) {
  int found = 0;

  for (int i = 1; i < store->totalCerts && !found; i++) {
    epi__certificate *above = NULL;
    int result = epi__certificate_read(&above, store->certs[i].buffer,
                                       store->certs[i].length);

    if (result == EPI_ENOMEM) {
      return result;
    }
    if (!result && !memcmp(epi__certificate_subject_hash(above), name,
                           EPI__CERTIFICATE_HASH)) {
      memcpy(name, epi__certificate_issuer_hash(above), EPI__CERTIFICATE_HASH);
      found = 1;
    }
    epi__certificate_free(above);
  }
  return found;
}

/* wolfSSL remembers authorities that any peer has sent along, also when their
 * time is over: each peer must send those between its own certificate and an
 * authority of ours itself. */
static int check_path(const epi__tls *session,
                      const WOLFSSL_X509_STORE_CTX *store,
                      const epi__certificate *certificate) {
  char name[EPI__CERTIFICATE_LABEL], issuer[EPI__CERTIFICATE_LABEL];
  uint8_t above[EPI__CERTIFICATE_HASH];
  int found = 1;

  memcpy(above, epi__certificate_issuer_hash(certificate), sizeof above);
  for (int i = 0; i < store->totalCerts && found > 0; i++) {
    if (is_of_ours(session->context, above)) {
      return 0;
    }
    found = climb(store, above);
  }
  return found < 0 ? found
                   : epi__fail(EPI_EAUTH,
                               "certificate of %s is by an unknown authority: "
                               "%s",
                               epi__certificate_label(certificate, name),
                               epi__certificate_issuer(certificate, issuer));
}

static int check(epi__tls *session, const WOLFSSL_X509_STORE_CTX *store,
                 const epi__certificate *certificate, int depth) {
  char name[EPI__CERTIFICATE_LABEL];
  int result = epi__tls_check_ca(session->context, certificate);

  if (result) {
    return result;
  }
  if (epi__certificate_is_weak(certificate)) {
    return epi__fail(EPI_EAUTH,
                     "certificate of %s is signed with MD5 or SHA-1, which can "
                     "be forged",
                     epi__certificate_label(certificate, name));
  }
  if (depth) {
    return 0;
  }
  result = check_path(session, store, certificate);
  return result ? result : check_peer(session, certificate);
}

/* What this returns overrides what wolfSSL thinks: 1 only if both agree. */
int epi__tls_on_verify(int fine, WOLFSSL_X509_STORE_CTX *store) {
  epi__tls *session = store->userCtx;
  int depth = store->error_depth;
  epi__certificate *certificate = NULL;
  int result;

  if (!store->totalCerts) { /* a client without a certificate */
    if (fine && !store->error && session->context->server &&
        session->context->peer == EPI__TLS_PEER_ASK) {
      return 1;
    }
    session->why = epi__fail(EPI_EAUTH, "the peer shows no certificate");
    return 0;
  }
  if (depth < 0 || depth >= store->totalCerts || !store->certs) {
    return 0;
  }
  store->discardSessionCerts = 1; /* nobody asks for them, and they are large */
  result = epi__certificate_read(&certificate, store->certs[depth].buffer,
                                 store->certs[depth].length);
  if (!result) {
    result = fine && !store->error ? check(session, store, certificate, depth)
                                   : explain(certificate, store->error);
  }
  epi__certificate_free(certificate);
  if (result && !session->why) {
    session->why = result == EPI_ENOMEM ? EPI_ENOMEM : EPI_EAUTH;
    session->reason = epi__strdup(epi_error_detail());
  }
  return !result;
}
