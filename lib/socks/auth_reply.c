/* auth_reply.c: authentication replies as objects, and what an operation reply
 * has of them. */
#include "base/fail.h"
#include "base/memory.h"
#include "socks/message.h"

#include <string.h>

epi_auth_reply epi__auth_reply_empty(void) {
  epi_auth_reply reply = {.method = -1, .login_status = -1};

  return reply;
}

void epi__auth_reply_clear(epi_auth_reply *reply) {
  epi__auth_data_clear(&reply->auth_data);
  epi_wipe(reply, sizeof *reply);
  *reply = epi__auth_reply_empty();
}

int epi_auth_reply_new(epi_auth_reply **out) {
  epi_auth_reply *reply = epi__alloc(sizeof *reply);

  if (!reply) {
    return EPI_ENOMEM;
  }
  *reply = epi__auth_reply_empty();
  *out = reply;
  return 0;
}

void epi_auth_reply_free(epi_auth_reply *reply) {
  if (reply) {
    epi__auth_reply_clear(reply);
    epi__free(reply);
  }
}

/* ---- authentication ---- */

int epi_auth_reply_set_ok(epi_auth_reply *reply, int ok) {
  if (ok != 0 && ok != 1) {
    return epi__fail(EPI_EINVAL, "ok is 0 or 1, not %d", ok);
  }
  reply->failed = !ok;
  return 0;
}

int epi_auth_reply_ok(const epi_auth_reply *reply) {
  return !reply->failed;
}

/* A number of one byte, or -1 for none. */
static int set_byte(int *out, const char *what, int value) {
  if (value < -1 || value > 255) {
    return epi__fail(EPI_EINVAL, "no %s is %d", what, value);
  }
  *out = value;
  return 0;
}

int epi_auth_reply_set_method(epi_auth_reply *reply, int method) {
  return set_byte(&reply->method, "method", method);
}

int epi_auth_reply_method(const epi_auth_reply *reply) {
  return reply->method;
}

int epi_auth_reply_set_login(epi_auth_reply *reply, int status) {
  return set_byte(&reply->login_status, "status of a login", status);
}

int epi_auth_reply_login(const epi_auth_reply *reply) {
  return reply->login_status;
}

int epi_auth_reply_set_auth_data(epi_auth_reply *reply, int method,
                                 const void *data, size_t len) {
  return epi__auth_data_set(&reply->auth_data, method, data, len);
}

ptrdiff_t epi_auth_reply_auth_data(const epi_auth_reply *reply, int method,
                                   const void **out) {
  return epi__auth_data_get(&reply->auth_data, method, out);
}

/* ---- session ---- */

int epi_auth_reply_set_session(epi_auth_reply *reply, int state) {
  if (state < 0 || state > EPI_SESSION_INVALID) {
    return epi__fail(EPI_EINVAL, "no state of a session is %d", state);
  }
  reply->session = state;
  return 0;
}

int epi_auth_reply_session(const epi_auth_reply *reply) {
  return reply->session;
}

static int set_session_id(epi__session_id *out, const void *id, size_t len) {
  if (!len) {
    epi_wipe(out, sizeof *out);
    return 0;
  }
  return epi__session_id_set(out, id, len);
}

int epi_auth_reply_set_session_id(epi_auth_reply *reply, const void *id,
                                  size_t len) {
  return set_session_id(&reply->session_id, id, len);
}

size_t epi_auth_reply_session_id(const epi_auth_reply *reply,
                                 const void **out) {
  *out = reply->session_id.bytes;
  return reply->session_id.len;
}

int epi_reply_set_session_id(epi_reply *reply, const void *id, size_t len) {
  return set_session_id(&reply->session_id, id, len);
}

size_t epi_reply_session_id(const epi_reply *reply, const void **out) {
  *out = reply->session_id.bytes;
  return reply->session_id.len;
}

/* ---- tokens ---- */

int epi_auth_reply_set_token_window(epi_auth_reply *reply, int64_t base,
                                    int64_t size) {
  if (size < 0 || size > EPI_TOKENS_MAX || base < 0 || base > UINT32_MAX) {
    return epi__fail(EPI_EINVAL, "no window has %lld tokens from %lld",
                     (long long)size, (long long)base);
  }
  reply->window_base = size ? (uint32_t)base : 0;
  reply->window_size = (uint32_t)size;
  return 0;
}

int64_t epi_auth_reply_token_window(const epi_auth_reply *reply,
                                    int64_t *base) {
  if (base) {
    *base = reply->window_base;
  }
  return reply->window_size;
}

int epi_auth_reply_set_token(epi_auth_reply *reply, int state) {
  if (state < 0 || state > EPI_TOKEN_REJECTED) {
    return epi__fail(EPI_EINVAL, "no state of a token is %d", state);
  }
  reply->token = state;
  return 0;
}

int epi_auth_reply_token(const epi_auth_reply *reply) {
  return reply->token;
}
