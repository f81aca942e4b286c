/* option_session.c: options about sessions and tokens (draft-11 sections 8.4
 * and 8.5). */
#include "base/fail.h"
#include "socks/options.h"

static int twice(const char *what) {
  return epi__fail(EPI_EPROTO, "%s comes twice", what);
}

/* ---- in requests ---- */

/* The id may come before or behind what is said of its session. */
static int read_id(epi__reader *data, epi_request *out) {
  int error = epi__option_session_id_read(data, &out->session_id);

  if (error) {
    return error;
  }
  if (out->session == EPI_SESSION_BEGIN) {
    return epi__fail(EPI_EPROTO, "session request within a session");
  }
  if (out->session == EPI_SESSION_NONE) {
    out->session = EPI_SESSION_JOIN;
  }
  return 0;
}

static int read_begin(epi_request *out) {
  if (out->session == EPI_SESSION_BEGIN) {
    return twice("session request");
  }
  if (out->session != EPI_SESSION_NONE) {
    return epi__fail(EPI_EPROTO, "session request within a session");
  }
  out->session = EPI_SESSION_BEGIN;
  return 0;
}

static int read_end(epi_request *out) {
  if (out->session == EPI_SESSION_END) {
    return twice("session teardown");
  }
  if (out->session == EPI_SESSION_BEGIN) {
    return epi__fail(EPI_EPROTO, "session request with a session teardown");
  }
  out->session = EPI_SESSION_END;
  return 0;
}

static int check_window(uint32_t size, const char *what) {
  if (!size || size > EPI_TOKENS_MAX) {
    return epi__fail(EPI_EPROTO, "%s has %lu tokens, 1 to %d go", what,
                     (unsigned long)size, EPI_TOKENS_MAX);
  }
  return 0;
}

static int read_token_request(epi__reader *data, epi_request *out) {
  uint32_t size = epi__read_u32(data);

  if (data->missing) {
    return epi__fail(EPI_EPROTO, "token request has no size");
  }
  if (out->token_window) {
    return twice("token request");
  }
  if (check_window(size, "token request")) {
    return EPI_EPROTO;
  }
  out->token_window = size;
  return 0;
}

static int read_token(epi__reader *data, epi_request *out) {
  uint32_t token = epi__read_u32(data);

  if (data->missing) {
    return epi__fail(EPI_EPROTO, "token expenditure has no token");
  }
  if (out->has_token) {
    return twice("token expenditure");
  }
  out->has_token = 1;
  out->token = token;
  return 0;
}

int epi__option_session_read(unsigned kind, epi__reader *data,
                             epi_request *out) {
  switch (kind) {
  case EPI__KIND_SESSION_REQUEST:
    return read_begin(out);
  case EPI__KIND_SESSION_ID:
    return read_id(data, out);
  case EPI__KIND_SESSION_TEARDOWN:
    return read_end(out);
  case EPI__KIND_TOKEN_REQUEST:
    return read_token_request(data, out);
  case EPI__KIND_TOKEN_EXPENDITURE:
    return read_token(data, out);
  default:
    return 0;
  }
}

int epi__option_session_check(const epi_request *request) {
  if (request->session == EPI_SESSION_END && !request->session_id.len) {
    return epi__fail(EPI_EPROTO, "session teardown without a session id");
  }
  return 0;
}

void epi__option_session_write(epi__writer *out, const epi_request *request) {
  if (request->session == EPI_SESSION_BEGIN) {
    epi__option_fixed_write(out, EPI__KIND_SESSION_REQUEST, 0);
  }
  epi__option_session_id_write(out, &request->session_id);
  if (request->session == EPI_SESSION_END) {
    epi__option_fixed_write(out, EPI__KIND_SESSION_TEARDOWN, 0);
  }
  if (request->token_window) {
    epi__option_fixed_write(out, EPI__KIND_TOKEN_REQUEST, 4);
    epi__write_u32(out, request->token_window);
  }
  if (request->has_token) {
    epi__option_fixed_write(out, EPI__KIND_TOKEN_EXPENDITURE, 4);
    epi__write_u32(out, request->token);
  }
}

/* ---- in replies ---- */

/* The id is all data of its option: padding would be part of it. */
int epi__option_session_id_read(epi__reader *data, epi__session_id *out) {
  size_t len = data->left;

  if (out->len) {
    return twice("session id");
  }
  if (!len || len % 4) {
    return epi__fail(EPI_EPROTO, "session id has %zu bytes", len);
  }
  if (len > EPI_SESSION_ID_MAX) {
    return epi__fail(EPI_ELIMIT, "session id has %zu bytes, at most %d go", len,
                     EPI_SESSION_ID_MAX);
  }
  return epi__session_id_set(out, epi__read_bytes(data, len), len);
}

void epi__option_session_id_write(epi__writer *out, const epi__session_id *id) {
  if (id->len) {
    epi__option_fixed_write(out, EPI__KIND_SESSION_ID, id->len);
    epi__write_bytes(out, id->bytes, id->len);
  }
}

/* One of two states, of which a message says at most one, and once. */
static int read_state(int *state, int value, const char *what) {
  if (*state == value) {
    return twice(what);
  }
  if (*state) {
    return epi__fail(EPI_EPROTO, "%s with its opposite", what);
  }
  *state = value;
  return 0;
}

static int read_window(epi__reader *data, epi_auth_reply *out) {
  uint32_t base = epi__read_u32(data);
  uint32_t size = epi__read_u32(data);

  if (data->missing) {
    return epi__fail(EPI_EPROTO, "token window is too short");
  }
  if (out->window_size) {
    return twice("token window");
  }
  if (check_window(size, "token window")) {
    return EPI_EPROTO;
  }
  out->window_base = base;
  out->window_size = size;
  return 0;
}

int epi__option_session_state_read(unsigned kind, epi__reader *data,
                                   epi_auth_reply *out) {
  switch (kind) {
  case EPI__KIND_SESSION_ID:
    return epi__option_session_id_read(data, &out->session_id);
  case EPI__KIND_SESSION_OK:
    return read_state(&out->session, EPI_SESSION_OK, "session OK");
  case EPI__KIND_SESSION_INVALID:
    return read_state(&out->session, EPI_SESSION_INVALID, "session invalid");
  case EPI__KIND_TOKEN_WINDOW:
    return read_window(data, out);
  case EPI__KIND_TOKEN_ACCEPTED:
    return read_state(&out->token, EPI_TOKEN_ACCEPTED, "token accepted");
  case EPI__KIND_TOKEN_REJECTED:
    return read_state(&out->token, EPI_TOKEN_REJECTED, "token rejected");
  default:
    return 0;
  }
}

int epi__auth_reply_check(const epi_auth_reply *reply, int code) {
  if (reply->session == EPI_SESSION_INVALID && reply->session_id.len) {
    return epi__fail(code, "authentication reply has an invalid session and "
                           "a session id");
  }
  if (reply->session == EPI_SESSION_INVALID && !reply->failed) {
    return epi__fail(code, "authentication reply is a success with an invalid "
                           "session");
  }
  if (reply->token == EPI_TOKEN_REJECTED && !reply->failed) {
    return epi__fail(code, "authentication reply is a success with a rejected "
                           "token");
  }
  return 0;
}

void epi__option_session_state_write(epi__writer *out,
                                     const epi_auth_reply *reply) {
  epi__option_session_id_write(out, &reply->session_id);
  if (reply->session) {
    epi__option_fixed_write(out,
                            reply->session == EPI_SESSION_OK
                                ? EPI__KIND_SESSION_OK
                                : EPI__KIND_SESSION_INVALID,
                            0);
  }
  if (reply->window_size) {
    epi__option_fixed_write(out, EPI__KIND_TOKEN_WINDOW, 8);
    epi__write_u32(out, reply->window_base);
    epi__write_u32(out, reply->window_size);
  }
  if (reply->token) {
    epi__option_fixed_write(out,
                            reply->token == EPI_TOKEN_ACCEPTED
                                ? EPI__KIND_TOKEN_ACCEPTED
                                : EPI__KIND_TOKEN_REJECTED,
                            0);
  }
}
