/* test_session.c: client against server, in memory, for every combination. */
#include "epi/session.h"
#include "support/alloc_fail.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const int versions[] = {EPI_SOCKS5, EPI_SOCKS6, EPI_SOCKS6_12};

/* What a server does in a test. */
typedef struct policy {
  int login_ok;
  int code;
} policy;

static epi_request *new_request(int with_login) {
  epi_request *request = NULL;
  epi_addr dest;

  epi_addr_set_name(&dest, "ehr.example", 11, 443);
  if (epi_request_new(&request)) {
    return NULL;
  }
  epi_request_set_dest(request, &dest);
  if (with_login) {
    epi_request_set_login(request, "user", "secret");
  }
  return request;
}

/* Moves what one side has to send, at most `step` bytes at a time, each piece
 * in a block of its exact size. Returns 1 if bytes moved. */
static int carry(epi_session *from, epi_session *to, size_t step) {
  const void *data;
  size_t len = (size_t)epi_session_peek(from, &data);
  ptrdiff_t used;
  void *copy;

  len = len < step ? len : step;
  if (!len || epi_session_next(to) != EPI_NEXT_READ) {
    return 0;
  }
  copy = malloc(len);
  memcpy(copy, data, len);
  used = epi_session_feed(to, copy, len);
  free(copy);
  /* A side that fails has taken everything, for the other one. */
  cr_expect_eq(epi_session_ack(from, used < 0 ? len : (size_t)used), 0);
  return 1;
}

static void answer(epi_session *server, const policy *what) {
  epi_reply *reply;

  if (epi_session_next(server) == EPI_NEXT_LOGIN) {
    const epi_request *request = epi_session_request(server);

    cr_expect_str_eq(epi_request_user(request), "user");
    cr_expect_str_eq(epi_request_password(request), "secret");
    epi_session_login(server, what->login_ok);
  }
  if (epi_session_next(server) == EPI_NEXT_REPLY && !epi_reply_new(&reply)) {
    epi_reply_set_code(reply, what->code);
    epi_session_reply(server, reply);
    epi_reply_free(reply);
  }
}

/* Runs a handshake until neither side moves. */
static void run(epi_session *client, epi_session *server, const policy *what,
                size_t step) {
  int moved;

  do {
    moved = carry(client, server, step);
    answer(server, what);
    moved |= carry(server, client, step);
  } while (moved);
}

static void make(epi_session **client, epi_session **server, int version,
                 int with_login, int demand) {
  epi_request *request = new_request(with_login);
  int draft = version == EPI_SOCKS6_12 ? EPI_SOCKS6_12 : EPI_SOCKS6;

  cr_assert_eq(epi_session_new_client(client, version, request), 0);
  cr_assert_eq(epi_session_new_server(server,
                                      EPI_ACCEPT_SOCKS5 | EPI_ACCEPT_SOCKS6,
                                      draft, demand),
               0);
  epi_request_free(request);
}

/* Every version, with and without a login, demanded or not, accepted or not,
 * with each reply, in pieces of several sizes. */
Test(session, client_and_server_agree) {
  static const size_t steps[] = {1, 2, 3, 7, 1000};

  for (unsigned i = 0; i < 3 * 2 * 2 * 2 * 2 * 5; i++) {
    int version = versions[i % 3];
    int with_login = i / 3 % 2, demand = i / 6 % 2;
    policy what = {.login_ok = i / 12 % 2, .code = i / 24 % 2 ? 5 : 0};
    int let_in = !demand || (with_login && what.login_ok);
    int wanted = let_in && !what.code ? EPI_NEXT_DONE : EPI_NEXT_REFUSED;
    epi_session *client, *server;
    const void *data;

    make(&client, &server, version, with_login, demand);
    run(client, server, &what, steps[i / 48]);
    cr_expect_eq(epi_session_next(client), wanted, "client of case %u", i);
    cr_expect_eq(epi_session_next(server), wanted, "server of case %u", i);
    cr_expect_eq(epi_session_version(server), version);
    cr_expect_eq(epi_session_peek(client, &data), 0);
    cr_expect_eq(epi_session_peek(server, &data), 0);
    cr_expect_eq(epi_session_may_send(client), wanted == EPI_NEXT_DONE);
    if (let_in) {
      const epi_request *request = epi_session_request(server);

      cr_assert(request);
      cr_expect_str_eq(epi_request_dest(request)->name, "ehr.example");
      cr_expect_eq(epi_request_user(request) != NULL, demand,
                   "a login that nobody checked is no login");
      cr_assert(epi_session_result(client));
      cr_expect_eq(epi_reply_code(epi_session_result(client)), what.code);
    } else {
      cr_expect_null(epi_session_result(client));
      cr_expect_eq(epi_session_feed(client, "x", 1), EPI_EAUTH, "stays so");
    }
    epi_session_free(client);
    epi_session_free(server);
  }
}

Test(session, application_data_behind_the_handshake_is_left_alone) {
  for (int i = 0; i < 3; i++) {
    epi_session *client, *server;
    uint8_t buf[512];
    const void *data;
    policy what = {1, 0};

    make(&client, &server, versions[i], 0, 0);
    if (versions[i] == EPI_SOCKS5) {
      cr_expect_eq(epi_session_feed(server, "\5\1\0", 3), 3);
      memcpy(buf,
             "\5\1\0\1\1\2\3\4\0\x50"
             "data",
             14);
      cr_expect_eq(epi_session_feed(server, buf, 14), 10);
    } else {
      size_t len = (size_t)epi_session_peek(client, &data);

      cr_expect(epi_session_may_send(client), "a false start");
      memcpy(buf, data, len);
      memcpy(buf + len, "data", 4);
      cr_expect_eq(epi_session_feed(server, buf, len + 4), (ptrdiff_t)len);
    }
    cr_expect_eq(epi_session_feed(server, "data", 4), 0);
    answer(server, &what);
    cr_expect_eq(epi_session_next(server), EPI_NEXT_DONE);
    cr_expect_eq(epi_session_feed(server, "data", 4), 0);
    epi_session_free(client);
    epi_session_free(server);
  }
}

Test(session, a_socks5_client_may_send_everything_at_once) {
  static const uint8_t all[] = "\5\1\2"
                               "\1\4user\6secret"
                               "\5\1\0\1\1\2\3\4\0\x50"
                               "data";
  size_t len = sizeof all - 1;
  epi_session *server;
  const void *data;
  ptrdiff_t used;
  policy what = {1, 0};

  epi_session_new_server(&server, EPI_ACCEPT_SOCKS5, EPI_SOCKS6, 1);
  used = epi_session_feed(server, all, len);
  cr_expect_eq(used, 3 + 13, "the request waits for the login");
  cr_expect_eq(epi_session_next(server), EPI_NEXT_LOGIN);
  cr_expect_eq(epi_session_feed(server, all + used, len - 16), 0);
  epi_session_login(server, 1);
  cr_expect_eq(epi_session_feed(server, all + used, len - 16), 10);
  answer(server, &what);
  cr_expect_eq(epi_session_next(server), EPI_NEXT_DONE);
  cr_expect_eq(epi_session_peek(server, &data), 14);
  cr_expect_arr_eq(data, "\5\2\1\0\5\0\0\1\0\0\0\0\0\0", 14);
  epi_session_free(server);
}

Test(session, metadata_travels_with_socks6) {
  epi_request *request = new_request(0);
  epi_session *client, *server;
  policy what = {1, 0};

  epi_request_set_metadata(request, EPI_META_PURPOSE, "research");
  epi_session_new_client(&client, EPI_SOCKS6, request);
  epi_session_new_server(&server, EPI_ACCEPT_SOCKS6, EPI_SOCKS6, 0);
  cr_expect_null(epi_session_request(server));
  run(client, server, &what, 5);
  cr_expect_str_eq(
      epi_request_metadata(epi_session_request(server), EPI_META_PURPOSE),
      "research");
  epi_session_free(client);
  epi_session_free(server);
  epi_request_free(request);
}

Test(session, arguments_are_checked) {
  epi_session *session = NULL;
  epi_request *request;
  epi_reply *reply;

  epi_request_new(&request);
  epi_reply_new(&reply);
  cr_expect_eq(epi_session_new_server(&session, 0, EPI_SOCKS6, 0), EPI_EINVAL);
  cr_expect_eq(epi_session_new_server(&session, 8, EPI_SOCKS6, 0), EPI_EINVAL);
  cr_expect_eq(epi_session_new_server(&session, 1, EPI_SOCKS5, 0), EPI_EINVAL);
  cr_expect_eq(epi_session_new_server(&session, 1, EPI_SOCKS6, 2), EPI_EINVAL);
  cr_expect_eq(epi_session_new_client(&session, EPI_SOCKS5, request),
               EPI_EINVAL);
  cr_expect_eq(epi_session_new_client(&session, EPI_SOCKS6, request),
               EPI_EINVAL);
  cr_expect_eq(epi_session_new_client(&session, 4, request), EPI_EINVAL);
  cr_expect_null(session);
  cr_expect_eq(epi_request_set_dest(request, &(epi_addr){.kind = 9}),
               EPI_EINVAL);
  cr_expect_eq(epi_reply_read(reply, 4, "", 0), EPI_EINVAL);
  cr_expect_eq(epi_reply_write(reply, 4, NULL, 0), EPI_EINVAL);
  cr_assert_eq(epi_session_new_server(&session, 1, EPI_SOCKS6, 0), 0);
  cr_expect_eq(epi_session_version(session), 0);
  cr_expect_eq(epi_session_login(session, 1), EPI_ESTATE);
  cr_expect_eq(epi_session_reply(session, reply), EPI_ESTATE);
  cr_expect_eq(epi_session_ack(session, 1), EPI_EINVAL);
  cr_expect_eq(epi_session_feed(session, "", 0), 0);
  epi_session_free(session);
  epi_session_free(NULL);
  epi_reply_free(reply);
  epi_request_free(request);
}

/* An allocator that looks into every block that is given back. */
static size_t leaks;

static void *sized_alloc(size_t size) {
  size_t *block = malloc(2 * sizeof *block + size);

  block[0] = size;
  return block + 2;
}

static void sized_release(void *data) {
  size_t *block = (size_t *)data - 2;

  for (size_t i = 0; i + 6 <= block[0]; i++) {
    leaks += !memcmp((char *)data + i, "secret", 6);
  }
  free(block);
}

static void *sized_resize(void *data, size_t size) {
  void *moved = sized_alloc(size);

  if (data) {
    size_t held = ((size_t *)data - 2)[0];

    memcpy(moved, data, held < size ? held : size);
    sized_release(data);
  }
  return moved;
}

Test(session, no_block_goes_back_with_a_password_in_it) {
  cr_assert_eq(epi_set_allocator(sized_alloc, sized_resize, sized_release), 0);
  for (int i = 0; i < 3 * 2; i++) {
    epi_session *client, *server;
    policy what = {i / 3, 0};

    make(&client, &server, versions[i % 3], 1, 1);
    run(client, server, &what, i % 2 ? 1 : 1000);
    epi_session_free(client);
    epi_session_free(server);
  }
  epi_set_allocator(NULL, NULL, NULL);
  cr_expect_eq(leaks, 0);
}

Test(session, a_message_that_grows_leaves_no_password_behind) {
  epi_request *request;
  epi_session *client, *server;
  policy what = {1, 0};
  char value[3000];

  cr_assert_eq(epi_set_allocator(sized_alloc, sized_resize, sized_release), 0);
  memset(value, 'v', sizeof value - 1);
  value[sizeof value - 1] = '\0';
  request = new_request(1);
  epi_request_set_metadata(request, 1, value);
  epi_session_new_client(&client, EPI_SOCKS6, request);
  epi_session_new_server(&server, EPI_ACCEPT_SOCKS6, EPI_SOCKS6, 1);
  run(client, server, &what, 100);
  cr_expect_eq(epi_session_next(client), EPI_NEXT_DONE);
  epi_session_free(client);
  epi_session_free(server);
  epi_request_free(request);
  epi_set_allocator(NULL, NULL, NULL);
  cr_expect_eq(leaks, 0);
}

Test(session, survives_failing_allocations) {
  for (int i = 0; i < 3 * 2; i++) {
    for (alloc_fail_start(); alloc_fail_more();) {
      epi_request *request = new_request(1);
      epi_session *client = NULL, *server = NULL;
      policy what = {1, 0};

      if (request) {
        epi_request_set_metadata(request, 1, "x");
      }
      if (request &&
          !epi_session_new_client(&client, versions[i % 3], request) &&
          !epi_session_new_server(&server, 3,
                                  i % 3 == 2 ? EPI_SOCKS6_12 : EPI_SOCKS6, 1)) {
        run(client, server, &what, i / 3 ? 3 : 1000);
        if (!alloc_fail_happened()) {
          cr_expect_eq(epi_session_next(client), EPI_NEXT_DONE);
        }
      }
      epi_session_free(client);
      epi_session_free(server);
      epi_request_free(request);
    }
  }
}

/* A client that pipelines: behind a request that came in pieces, more than any
 * message can have. */
Test(session, takes_no_more_than_a_message_from_what_comes_at_once) {
  enum { MUCH = 100000 };
  uint8_t *data = calloc(1, MUCH);
  epi_session *server;

  memcpy(data, "\6\1\0\0\0\120\0\1\1\2\3\4", 12);
  cr_assert_eq(
      epi_session_new_server(&server, EPI_ACCEPT_SOCKS6, EPI_SOCKS6, 0), 0);
  cr_expect_eq(epi_session_feed(server, data, 5), 5);
  cr_expect_eq(epi_session_feed(server, data + 5, MUCH - 5), 7);
  cr_expect_eq(epi_session_next(server), EPI_NEXT_REPLY);
  epi_session_free(server);
  free(data);
}
