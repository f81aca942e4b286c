/* test_vector_sessions.c: the handshakes of tests/vectors, and the reply that
 * each request gets there that cannot be read. */
#include "epi/session.h"
#include "support/alloc_fail.h"
#include "support/vector_file.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const char *const next_names[] = {NULL,   "READ",    "LOGIN", "REPLY",
                                         "DONE", "REFUSED", "FAILED"};

static uint8_t bytes[VECTOR_BYTES], wanted[VECTOR_BYTES], sent[VECTOR_BYTES];
static size_t sent_len;

/* Takes what a session sends. */
static void collect(epi_session *session) {
  const void *data;
  ptrdiff_t len = epi_session_peek(session, &data);

  cr_assert_leq(sent_len + (size_t)len, sizeof sent);
  if (len) {
    memcpy(sent + sent_len, data, (size_t)len);
    sent_len += (size_t)len;
    cr_assert_eq(epi_session_ack(session, (size_t)len), 0);
  }
}

/* Feeds the peer's bytes in steps, each in a block of its exact size, saying
 * yes to the login if there is one. Returns the bytes used, or the error. */
static ptrdiff_t feed_all(epi_session *session, size_t len, size_t step) {
  size_t used = 0;

  for (;;) {
    size_t piece = len - used < step ? len - used : step;
    uint8_t *copy = malloc(piece ? piece : 1);
    ptrdiff_t n;

    memcpy(copy, bytes + used, piece);
    n = epi_session_feed(session, copy, piece);
    free(copy);
    collect(session);
    if (n < 0) {
      return n;
    }
    used += (size_t)n;
    if (epi_session_next(session) == EPI_NEXT_LOGIN) {
      int error = epi_session_login(session, 1);

      collect(session);
      if (error) {
        return error;
      }
    } else if (!n) {
      return (ptrdiff_t)used;
    }
  }
}

static void expect_sent(const vector *v) {
  size_t len = vector_bytes(v, "answer", wanted);

  cr_expect_eq(sent_len, len, "%s: answer of %zu bytes", vector_text(v, "case"),
               sent_len);
  cr_expect(sent_len != len || !memcmp(sent, wanted, len), "%s: answer",
            vector_text(v, "case"));
}

/* Runs a handshake and ends it. */
static void check_handshake(const vector *v, epi_session *session, size_t len,
                            size_t step) {
  const char *name = vector_text(v, "case");
  int error = vector_error(v);
  ptrdiff_t used =
      error ? error : (ptrdiff_t)vector_number(v, "used", (int64_t)len);

  sent_len = 0;
  collect(session);
  cr_expect_eq(feed_all(session, len, step), used, "%s: %s", name,
               epi_error_detail());
  cr_expect_str_eq(next_names[epi_session_next(session)],
                   vector_text(v, "next"), "%s", name);
  expect_sent(v);
  epi_session_free(session);
}

/* ---- servers ---- */

static epi_session *new_server(const vector *v, int accept) {
  int draft = vector_number(v, "version", 6) == EPI_SOCKS6_12 ? EPI_SOCKS6_12
                                                              : EPI_SOCKS6;
  epi_session *server;

  cr_assert_eq(epi_session_new_server(&server, accept, draft,
                                      vector_is(v, "login", "yes")),
               0);
  return server;
}

static void check_server(const vector *v) {
  size_t len = vector_bytes(v, "bytes", bytes);

  for (size_t step = 1; step <= VECTOR_BYTES; step *= 4) {
    int accept = (int)vector_number(v, "accept", 3);

    check_handshake(v, new_server(v, accept), len, step);
  }
}

/* What a server answers that demands no login. Of SOCKS 5, a greeting goes
 * before the request. */
static void check_refusal(const vector *v) {
  static const uint8_t greeting[] = {5, 1, 0}, method[] = {5, 0};
  int version = (int)vector_number(v, "version", 0);
  size_t before = version == EPI_SOCKS5 ? sizeof greeting : 0;
  size_t len = vector_bytes(v, "bytes", bytes);

  cr_assert(vector_text(v, "answer"), "%s: no answer", vector_text(v, "case"));
  cr_assert_leq(before + len, sizeof bytes);
  memmove(bytes + before, bytes, len);
  memcpy(bytes, greeting, before);
  for (size_t step = 1; step <= VECTOR_BYTES; step *= 4) {
    epi_session *server =
        new_server(v, version == EPI_SOCKS5   ? EPI_ACCEPT_SOCKS5
                      : version == EPI_SOCKSX ? EPI_ACCEPT_SOCKSX
                                              : EPI_ACCEPT_SOCKS6);

    sent_len = 0;
    cr_expect_lt(feed_all(server, before + len, step), 0, "%s",
                 vector_text(v, "case"));
    if (version == EPI_SOCKS5) {
      cr_assert_geq(sent_len, sizeof method);
      cr_expect_arr_eq(sent, method, sizeof method);
      sent_len -= sizeof method;
      memmove(sent, sent + sizeof method, sent_len);
    }
    expect_sent(v);
    epi_session_free(server);
  }
}

/* ---- clients ---- */

static epi_request *new_request(const vector *v) {
  epi_request *request;
  epi_addr dest;

  cr_assert_eq(epi_request_new(&request), 0);
  cr_assert_eq(epi_addr_parse(&dest, vector_text(v, "dest"), 0), 0);
  cr_assert_eq(epi_request_set_dest(request, &dest), 0);
  cr_assert_eq(epi_request_set_command(
                   request, (int)vector_number(v, "command", EPI_CONNECT)),
               0);
  if (vector_text(v, "user")) {
    cr_assert_eq(epi_request_set_login(request, vector_text(v, "user"),
                                       vector_text(v, "password")),
                 0);
  }
  return request;
}

static void check_client(const vector *v) {
  size_t len = vector_bytes(v, "bytes", bytes);

  for (size_t step = 1; step <= VECTOR_BYTES; step *= 4) {
    epi_request *request = new_request(v);
    epi_session *client;

    cr_assert_eq(epi_session_new_client(
                     &client, (int)vector_number(v, "version", 0), request),
                 0);
    epi_request_free(request);
    check_handshake(v, client, len, step);
  }
}

/* ---- without memory ---- */

/* The session of a case; of a request, one that takes what comes. */
static int new_session(const vector *v, const epi_request *request,
                       epi_session **out) {
  int version = (int)vector_number(v, "version", 6);

  if (request) {
    return epi_session_new_client(out, version, request);
  }
  return epi_session_new_server(
      out,
      (int)vector_number(v, "accept", EPI_ACCEPT_SOCKS5 | EPI_ACCEPT_SOCKS6),
      version == EPI_SOCKS6_12 ? EPI_SOCKS6_12 : EPI_SOCKS6,
      vector_is(v, "login", "yes"));
}

/* A handshake that is short of memory ends at once, and says so. */
static void check_without_memory(const vector *v) {
  size_t len = vector_bytes(v, "bytes", bytes);
  epi_request *request =
      vector_is(v, "message", "client") ? new_request(v) : NULL;
  epi_session *session;

  for (size_t step = 1; step <= VECTOR_BYTES; step *= 8) {
    for (alloc_fail_start(); alloc_fail_more();) {
      ptrdiff_t used;

      if (new_session(v, request, &session)) {
        continue;
      }
      sent_len = 0;
      used = feed_all(session, len, step);
      cr_expect_eq(used == EPI_ENOMEM, alloc_fail_happened(), "%s: %td",
                   vector_text(v, "case"), used);
      cr_expect(used != EPI_ENOMEM ||
                    epi_session_next(session) == EPI_NEXT_FAILED,
                "%s", vector_text(v, "case"));
      epi_session_free(session);
    }
  }
  epi_request_free(request);
}

static void check_memory_of(const vector *v) {
  if (vector_is(v, "message", "server") || vector_is(v, "message", "client")) {
    check_without_memory(v);
  }
}

static void check_vector(const vector *v) {
  if (vector_is(v, "message", "server")) {
    check_server(v);
  } else if (vector_is(v, "message", "client")) {
    check_client(v);
  } else if (vector_is(v, "message", "request") && vector_error(v)) {
    check_refusal(v);
  }
}

Test(vector_sessions, socks5_handshakes_end_as_they_say) {
  cr_expect_geq(vectors_each("socks5", check_vector), 50);
}

Test(vector_sessions, socks6_handshakes_end_as_they_say) {
  cr_expect_geq(vectors_each("socks6", check_vector), 300);
}

Test(vector_sessions, socksx_handshakes_end_as_they_say) {
  cr_expect_geq(vectors_each("socksx", check_vector), 60);
}

Test(vector_sessions, handshakes_survive_failing_allocations) {
  vectors_each("socks5", check_memory_of);
  vectors_each("socks6", check_memory_of);
  vectors_each("socksx", check_memory_of);
}
