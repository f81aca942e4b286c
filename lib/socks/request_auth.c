/* request_auth.c: what a request says of its client: how it would authenticate,
 * its session and its token. */
#include "base/fail.h"
#include "socks/message.h"

#include <string.h>

enum { METHOD_LAST = 254 }; /* 255 is "no acceptable methods" */

/* ---- methods ---- */

int epi__advert_has(const epi__advert *advert, unsigned method) {
  return advert->methods[method / 8] >> method % 8 & 1;
}

void epi__advert_add(epi__advert *advert, unsigned method) {
  advert->methods[method / 8] |= (uint8_t)(1u << method % 8);
}

int epi_request_offer_method(epi_request *request, int method) {
  if (method < 1 || method > METHOD_LAST) {
    return epi__fail(EPI_EINVAL, "no method to advertise is %d", method);
  }
  request->advert.present = 1;
  epi__advert_add(&request->advert, (unsigned)method);
  return 0;
}

int epi_request_offers_method(const epi_request *request, int method) {
  if (method < 0 || method > METHOD_LAST) {
    return 0;
  }
  return !method || epi__advert_has(&request->advert, (unsigned)method);
}

int epi_request_set_initial_data(epi_request *request, size_t len) {
  if (len > EPI_INITIAL_DATA_MAX) {
    return epi__fail(EPI_EINVAL, "initial data of %zu bytes, at most %d go",
                     len, EPI_INITIAL_DATA_MAX);
  }
  request->advert.initial_data = (unsigned)len;
  return 0;
}

size_t epi_request_initial_data(const epi_request *request) {
  return request->advert.initial_data;
}

int epi_request_set_auth_data(epi_request *request, int method,
                              const void *data, size_t len) {
  return epi__auth_data_set(&request->auth_data, method, data, len);
}

ptrdiff_t epi_request_auth_data(const epi_request *request, int method,
                                const void **out) {
  return epi__auth_data_get(&request->auth_data, method, out);
}

/* ---- session ---- */

int epi__session_id_set(epi__session_id *out, const void *id, size_t len) {
  if (!len || len > EPI_SESSION_ID_MAX || len % 4) {
    return epi__fail(EPI_EINVAL,
                     "a session id has 4 to %d bytes by fours, not %zu",
                     EPI_SESSION_ID_MAX, len);
  }
  memcpy(out->bytes, id, len);
  out->len = len;
  return 0;
}

int epi_request_set_session(epi_request *request, int what, const void *id,
                            size_t len) {
  int has_id = what == EPI_SESSION_JOIN || what == EPI_SESSION_END;
  epi__session_id copy = {0};

  if (what < EPI_SESSION_NONE || what > EPI_SESSION_END) {
    return epi__fail(EPI_EINVAL, "a request cannot do %d to a session", what);
  }
  if (!has_id && len) {
    return epi__fail(EPI_EINVAL, "only a session that there is has an id");
  }
  if (has_id && epi__session_id_set(&copy, id, len)) {
    return EPI_EINVAL;
  }
  request->session = what;
  request->session_id = copy;
  return 0;
}

int epi_request_session(const epi_request *request) {
  return request->session;
}

size_t epi_request_session_id(const epi_request *request, const void **out) {
  *out = request->session_id.bytes;
  return request->session_id.len;
}

/* ---- tokens ---- */

int epi_request_set_token_window(epi_request *request, int64_t size) {
  if (size < 0 || size > EPI_TOKENS_MAX) {
    return epi__fail(EPI_EINVAL, "a window has 1 to %d tokens, not %lld",
                     EPI_TOKENS_MAX, (long long)size);
  }
  request->token_window = (uint32_t)size;
  return 0;
}

int64_t epi_request_token_window(const epi_request *request) {
  return request->token_window;
}

int epi_request_set_token(epi_request *request, int64_t token) {
  if (token < -1 || token > UINT32_MAX) {
    return epi__fail(EPI_EINVAL, "no token has the number %lld",
                     (long long)token);
  }
  request->has_token = token >= 0;
  request->token = token >= 0 ? (uint32_t)token : 0;
  return 0;
}

int64_t epi_request_token(const epi_request *request) {
  return request->has_token ? (int64_t)request->token : -1;
}
