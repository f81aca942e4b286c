/* tls_context.c: what one side of TLS shows and asks for, made once and shared
 * by the sessions of all threads. */
#include "base/fail.h"
#include "base/memory.h"
#include "tls/tls_parts.h"

#include <string.h>

static int started;

static void start_library(void) {
  started = wolfSSL_Init() == WOLFSSL_SUCCESS;
}

static int is_long(const epi__tls_text *text) {
  return text->len > EPI__TLS_PEM;
}

static int check_setup(const epi__tls_setup *setup) {
  size_t i;
  int asks = !setup->server || setup->peer != EPI__TLS_PEER_NONE;

  if (setup->server ? !setup->pair_count : setup->pair_count > 1) {
    return epi__fail(EPI_EINVAL, setup->server ? "a TLS server without a "
                                                 "certificate"
                                               : "a TLS client has one "
                                                 "certificate");
  }
  if (asks && !setup->ca.len) {
    return epi__fail(EPI_EINVAL, "no authority that certificates are by");
  }
  if (setup->peer < EPI__TLS_PEER_NONE || setup->peer > EPI__TLS_PEER_REQUIRE ||
      (setup->lowest && setup->lowest != 12 && setup->lowest != 13) ||
      (setup->highest && setup->highest != 13 &&
       (setup->highest != 12 || setup->lowest == 13))) {
    return epi__fail(EPI_EINVAL, "no such TLS setting");
  }
  if (setup->pair_count > EPI__TLS_PAIRS || is_long(&setup->ca) ||
      is_long(&setup->crl)) {
    return epi__fail(EPI_ELIMIT, "too many certificates, or too long a text");
  }
  for (i = 0; i < setup->pair_count; i++) {
    const epi__tls_pair *pair = &setup->pairs[i];

    if (pair->staple.len) {
      return epi__fail(EPI_ENOTSUP,
                       "staples (OCSP) are not handed out: wolfSSL would lose "
                       "memory with each handshake");
    }
    if (is_long(&pair->chain) || is_long(&pair->key)) {
      return epi__fail(EPI_ELIMIT, "certificate %zu: too long a text", i + 1);
    }
  }
  return 0;
}

/* wolfSSL wants one text, with commas; so no protocol has one. */
static int join_alpn(char **out, const epi__tls_setup *setup) {
  epi__text text = {0};
  size_t i;

  if (setup->alpn_count > EPI__TLS_ALPN) {
    return epi__fail(EPI_ELIMIT, "over %d ALPN protocols", EPI__TLS_ALPN);
  }
  for (i = 0; i < setup->alpn_count; i++) {
    size_t len = strlen(setup->alpn[i]);

    if (!len || len > 64 || strchr(setup->alpn[i], ',')) {
      epi__text_clear(&text);
      return epi__fail(EPI_EINVAL, "no ALPN protocol: \"%.64s\"",
                       setup->alpn[i]);
    }
    epi__text_puts(&text, i ? "," : "");
    epi__text_puts(&text, setup->alpn[i]);
  }
  *out = setup->alpn_count ? epi__text_take(&text) : NULL;
  return setup->alpn_count && !*out ? EPI_ENOMEM : 0;
}

static int make(epi__tls_context *context, const epi__tls_setup *setup) {
  int result = join_alpn(&context->alpn, setup);
  size_t i;

  context->count = setup->pair_count ? setup->pair_count : 1;
  context->own = epi__alloc_array(context->count, sizeof *context->own);
  if (result || !context->own) {
    return result ? result : EPI_ENOMEM;
  }
  if (setup->ca.len) {
    result = epi__tls_note_ca(context, &setup->ca);
  }
  for (i = 0; !result && i < context->count; i++) {
    result = epi__tls_own_make(&context->own[i], setup,
                               setup->pair_count ? &setup->pairs[i] : NULL);
  }
  if (result && setup->pair_count > 1) {
    char detail[400];

    epi__printable(detail, sizeof detail, epi_error_detail());
    epi__fail(result, "certificate %zu: %s", i, detail);
  }
  return result;
}

int epi__tls_context_new(epi__tls_context **out, const epi__tls_setup *setup) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  epi__tls_context *context;
  int result = check_setup(setup);

  if (result) {
    return result;
  }
  pthread_once(&once, start_library);
  if (!started) {
    return epi__fail(EPI_ECRYPTO, "wolfSSL does not start");
  }
  context = epi__alloc(sizeof *context);
  if (!context) {
    return EPI_ENOMEM;
  }
  atomic_init(&context->holds, 1);
  pthread_mutex_init(&context->lock, NULL);
  context->server = setup->server;
  context->peer = setup->peer;
  result = make(context, setup);
  if (result) {
    epi__tls_context_free(context);
    return result;
  }
  *out = context;
  return 0;
}

epi__tls_context *epi__tls_context_hold(epi__tls_context *context) {
  atomic_fetch_add_explicit(&context->holds, 1, memory_order_relaxed);
  return context;
}

void epi__tls_context_free(epi__tls_context *context) {
  size_t i;

  if (!context || atomic_fetch_sub(&context->holds, 1) != 1) {
    return;
  }
  epi__tls_forget(context);
  for (i = 0; context->own && i < context->count; i++) {
    epi__tls_own *own = &context->own[i];

    wolfSSL_CTX_free(own->wolf);
    epi__certificate_free(own->certificate);
    epi__free(own->name);
  }
  epi__free(context->own);
  epi__free(context->roots);
  epi__free(context->alpn);
  pthread_mutex_destroy(&context->lock);
  epi__free(context);
}

int64_t epi__tls_context_expiry(const epi__tls_context *context, size_t pair,
                                const char **name_out) {
  if (pair >= context->count || !context->own[pair].certificate) {
    return EPI_ENOENT;
  }
  if (name_out) {
    *name_out = context->own[pair].name;
  }
  return context->own[pair].expiry;
}
