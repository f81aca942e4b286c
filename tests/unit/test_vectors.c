/* test_vectors.c: the messages of tests/vectors, which tells their format. */
#include "socks/wire.h"
#include "support/splits.h"
#include "support/vector_file.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One of the three, of a version. */
typedef struct target {
  int version;
  epi_request *request;
  epi_auth_reply *auth_reply;
  epi_reply *reply;
} target;

static uint8_t bytes[VECTOR_BYTES], other[VECTOR_BYTES];

static void expect_text(const vector *v, const char *key, const char *found) {
  if (vector_text(v, key)) {
    cr_expect_str_eq(found ? found : "(none)", vector_text(v, key), "%s: %s",
                     vector_text(v, "case"), key);
  }
}

static void expect_number(const vector *v, const char *key, int64_t otherwise,
                          int64_t found) {
  cr_expect_eq(found, vector_number(v, key, otherwise), "%s: %s is %lld",
               vector_text(v, "case"), key, (long long)found);
}

static void expect_bytes(const vector *v, const char *key, const void *found,
                         size_t len) {
  cr_expect_eq(vector_bytes(v, key, other), len, "%s: %s",
               vector_text(v, "case"), key);
  cr_expect(!len || !memcmp(found, other, len), "%s: %s",
            vector_text(v, "case"), key);
}

static void expect_addr(const vector *v, const char *key,
                        const epi_addr *addr) {
  char text[EPI_ADDR_TEXT_MAX];

  epi_addr_format(addr, 1, text, sizeof text);
  expect_text(v, key, text);
}

/* ---- what several messages have ---- */

static void expect_metadata(const vector *v, const target *to) {
  for (int i = 0; i < v->count; i++) {
    int key;

    if (sscanf(v->keys[i], "metadata %d", &key) == 1) {
      expect_text(v, v->keys[i],
                  to->request ? epi_request_metadata(to->request, key)
                              : epi_reply_metadata(to->reply, key));
    }
  }
}

/* Every option of both legs is what the case says, or not set. */
static void expect_stack(const vector *v, const target *to) {
  static const char *const legs[] = {"client", "remote"};

  for (int i = 0; i < 2 * EPI__STACK_OPTIONS; i++) {
    const epi__stack_option *option = &epi__stack_options[i / 2];
    int leg = i % 2 + 1;
    char key[64];

    snprintf(key, sizeof key, "stack %s %s", legs[leg - 1], option->name);
    expect_number(v, key, EPI_ENOENT,
                  to->request
                      ? epi_request_stack(to->request, leg, option->option)
                      : epi_reply_stack(to->reply, leg, option->option));
  }
}

static void expect_auth_data(const vector *v, const target *to) {
  for (int method = 1; method < 255; method++) {
    const void *data = NULL;
    char key[32];
    ptrdiff_t len =
        to->request ? epi_request_auth_data(to->request, method, &data)
                    : epi_auth_reply_auth_data(to->auth_reply, method, &data);

    snprintf(key, sizeof key, "auth-data %d", method);
    expect_bytes(v, key, data, len < 0 ? 0 : (size_t)len);
  }
}

/* ---- each message ---- */

static void expect_request(const vector *v, const target *to) {
  static const char *const does[] = {NULL, "BEGIN", "JOIN", "END"};
  const epi_request *request = to->request;
  int session = epi_request_session(request);
  char methods[1024] = "";
  const void *id;
  size_t id_len = epi_request_session_id(request, &id);

  for (int method = 1; method < 255; method++) {
    if (epi_request_offers_method(request, method)) {
      size_t len = strlen(methods);

      snprintf(methods + len, sizeof methods - len, len ? " %d" : "%d", method);
    }
  }
  expect_number(v, "command", -1, epi_request_command(request));
  expect_addr(v, "dest", epi_request_dest(request));
  expect_text(v, "user", epi_request_user(request));
  expect_text(v, "password", epi_request_password(request));
  cr_expect_str_eq(methods,
                   vector_text(v, "methods") ? vector_text(v, "methods") : "",
                   "%s", vector_text(v, "case"));
  expect_number(v, "initial-data", 0,
                (int64_t)epi_request_initial_data(request));
  expect_auth_data(v, to);
  cr_expect(session ? vector_is(v, "session", does[session])
                    : !vector_text(v, "session"),
            "%s", vector_text(v, "case"));
  expect_bytes(v, "session-id", id, id_len);
  expect_number(v, "token-window", 0, epi_request_token_window(request));
  expect_number(v, "token", -1, epi_request_token(request));
  expect_stack(v, to);
  expect_metadata(v, to);
}

static void expect_auth_reply(const vector *v, const target *to) {
  static const char *const sessions[] = {NULL, "OK", "INVALID"};
  static const char *const tokens[] = {NULL, "ACCEPTED", "REJECTED"};
  const epi_auth_reply *reply = to->auth_reply;
  int session = epi_auth_reply_session(reply);
  int token = epi_auth_reply_token(reply);
  const void *id;
  size_t id_len = epi_auth_reply_session_id(reply, &id);
  int64_t base;
  int64_t size = epi_auth_reply_token_window(reply, &base);

  expect_number(v, "type", -1, !epi_auth_reply_ok(reply));
  expect_number(v, "method", -1, epi_auth_reply_method(reply));
  expect_number(v, "login", -1, epi_auth_reply_login(reply));
  expect_auth_data(v, to);
  cr_expect(session ? vector_is(v, "session", sessions[session])
                    : !vector_text(v, "session"),
            "%s", vector_text(v, "case"));
  expect_bytes(v, "session-id", id, id_len);
  expect_number(v, "window-base", 0, base);
  expect_number(v, "window-size", 0, size);
  cr_expect(token ? vector_is(v, "token", tokens[token])
                  : !vector_text(v, "token"),
            "%s", vector_text(v, "case"));
}

static void expect_reply(const vector *v, const target *to) {
  const void *id;
  size_t id_len = epi_reply_session_id(to->reply, &id);

  expect_number(v, "code", -1, epi_reply_code(to->reply));
  expect_addr(v, "bound", epi_reply_bound(to->reply));
  expect_bytes(v, "session-id", id, id_len);
  expect_stack(v, to);
  expect_metadata(v, to);
}

static ptrdiff_t read_message(void *user, const void *buf, size_t len) {
  target *to = user;

  return to->request ? epi_request_read(to->request, to->version, buf, len)
         : to->reply
             ? epi_reply_read(to->reply, to->version, buf, len)
             : epi_auth_reply_read(to->auth_reply, to->version, buf, len);
}

static ptrdiff_t write_message(const target *to, void *buf, size_t size) {
  return to->request ? epi_request_write(to->request, to->version, buf, size)
         : to->reply
             ? epi_reply_write(to->reply, to->version, buf, size)
             : epi_auth_reply_write(to->auth_reply, to->version, buf, size);
}

static void expect_content(const vector *v, const target *to) {
  if (to->request) {
    expect_request(v, to);
  } else if (to->reply) {
    expect_reply(v, to);
  } else {
    expect_auth_reply(v, to);
  }
}

static void check_message(const vector *v, target *to) {
  const char *name = vector_text(v, "case");
  size_t len = vector_bytes(v, "bytes", bytes);
  int error = vector_error(v);

  to->version = (int)vector_number(v, "version", 0);
  cr_expect_eq(splits_whole(read_message, to, bytes, len),
               error ? error : (ptrdiff_t)len, "%s: %s", name,
               epi_error_detail());
  if (error) {
    return;
  }
  cr_expect_eq(splits_not_waiting(read_message, to, bytes, len), 0, "%s", name);
  expect_content(v, to);
  if (!vector_is(v, "rewrite", "no")) {
    cr_expect_eq(write_message(to, other, sizeof other), (ptrdiff_t)len, "%s",
                 name);
    cr_expect_arr_eq(other, bytes, len, "%s", name);
  }
}

/* Which layout a request has: told as early as that, and no sooner. */
static void check_layout(const vector *v) {
  static const char *const layouts[] = {"unknown", "draft", "socksx"};
  size_t len = vector_bytes(v, "bytes", bytes);
  size_t used = (size_t)vector_number(v, "used", (int64_t)len);

  for (size_t cut = 0; cut <= len; cut++) {
    int told = epi__socksx_tell(bytes, cut);

    cr_expect_str_eq(layouts[told + 1],
                     cut < used ? "unknown" : vector_text(v, "layout"), "%s",
                     vector_text(v, "case"));
  }
}

static void check_vector(const vector *v) {
  target to = {0};

  if (vector_is(v, "message", "request")) {
    cr_assert_eq(epi_request_new(&to.request), 0);
    check_message(v, &to);
  } else if (vector_is(v, "message", "auth-reply")) {
    cr_assert_eq(epi_auth_reply_new(&to.auth_reply), 0);
    check_message(v, &to);
  } else if (vector_is(v, "message", "reply")) {
    cr_assert_eq(epi_reply_new(&to.reply), 0);
    check_message(v, &to);
  } else if (vector_is(v, "message", "layout")) {
    check_layout(v);
  } else {
    cr_assert(vector_is(v, "message", "server") ||
                  vector_is(v, "message", "client") ||
                  vector_is(v, "message", "datagram"),
              "%s", vector_text(v, "case"));
  }
  epi_request_free(to.request);
  epi_auth_reply_free(to.auth_reply);
  epi_reply_free(to.reply);
}

Test(vectors, socks5_cases_are_read_as_they_say) {
  cr_expect_geq(vectors_each("socks5", check_vector), 50);
}

Test(vectors, socks6_cases_are_read_as_they_say) {
  cr_expect_geq(vectors_each("socks6", check_vector), 300);
}

Test(vectors, socksx_cases_are_read_as_they_say) {
  cr_expect_geq(vectors_each("socksx", check_vector), 60);
}
