/* tls_resume.c: sessions that a client may go on from, which spares both sides
 * the work of certificates. A context keeps one for each server.
 *
 * Of TLS 1.3 only: a client of wolfSSL fails with TLS 1.2 when the server does
 * not know its ticket any more. */
#include "base/memory.h"
#include "tls/tls_parts.h"

#include <time.h>

static void forget(epi__tls_kept *kept) {
  wolfSSL_SESSION_free(kept->session);
  epi__free(kept->peer);
  *kept = (epi__tls_kept){0};
}

void epi__tls_forget(epi__tls_context *context) {
  size_t i;

  for (i = 0; i < EPI__TLS_KEPT; i++) {
    forget(&context->kept[i]);
  }
}

/* The lock is held. */
static epi__tls_kept *find(epi__tls_context *context, const epi_addr *host) {
  size_t i;

  for (i = 0; i < EPI__TLS_KEPT; i++) {
    epi__tls_kept *kept = &context->kept[i];

    if (kept->session && epi_addr_equal(&kept->host, host)) {
      return kept;
    }
  }
  return NULL;
}

void epi__tls_spoil(epi__tls *session) {
  epi__tls_context *context = session->context;
  epi__tls_kept *kept;

  pthread_mutex_lock(&context->lock);
  kept = find(context, &session->host);
  if (kept) {
    forget(kept);
  }
  pthread_mutex_unlock(&context->lock);
}

/* wolfSSL would have all that go on from it use the same memory, whose secrets
 * each replaces in its handshake: each gets a copy. Returns 1, or 0: no memory.
 */
static int offer(WOLFSSL *ssl, const epi__tls_kept *kept) {
  WOLFSSL_SESSION *copy = wolfSSL_SESSION_dup(kept->session);
  int set = copy && wolfSSL_set_session(ssl, copy) == WOLFSSL_SUCCESS;

  wolfSSL_SESSION_free(copy);
  return set;
}

void epi__tls_resume(epi__tls *session) {
  epi__tls_context *context = session->context;
  epi__tls_kept *kept;

  pthread_mutex_lock(&context->lock);
  kept = find(context, &session->host);
  if (kept && kept->until <= (int64_t)time(NULL)) {
    forget(kept);
    kept = NULL;
  }
  if (kept) {
    session->peer = epi__strdup(kept->peer);
    session->kind = kept->kind;
    session->keep_until = kept->until;
    session->offered = session->peer && offer(session->ssl, kept);
  }
  pthread_mutex_unlock(&context->lock);
}

/* A copy: the session's own goes on changing. */
static WOLFSSL_SESSION *copy_of(WOLFSSL *ssl) {
  WOLFSSL_SESSION *own = wolfSSL_get1_session(ssl), *copy = NULL;

  if (own && wolfSSL_SESSION_has_ticket(own)) {
    copy = wolfSSL_SESSION_dup(own);
  }
  wolfSSL_SESSION_free(own);
  return copy;
}

/* One that was resumed keeps the end of the one that it goes on from, so that
 * no chain of them outlives it. */
void epi__tls_keep(epi__tls *session) {
  epi__tls_context *context = session->context;
  WOLFSSL_SESSION *copy = copy_of(session->ssl);
  char *peer = epi__strdup(session->peer ? session->peer : "");
  epi__tls_kept *kept;

  if (!copy || !peer) {
    wolfSSL_SESSION_free(copy);
    epi__free(peer);
    return;
  }
  pthread_mutex_lock(&context->lock);
  kept = find(context, &session->host);
  if (!kept) {
    kept = &context->kept[context->oldest++ % EPI__TLS_KEPT];
  }
  forget(kept);
  *kept = (epi__tls_kept){session->host, copy, session->keep_until, peer,
                          session->kind};
  pthread_mutex_unlock(&context->lock);
}
