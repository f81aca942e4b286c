/* test_session_bind.c: the two replies of a BIND, in both roles. */
#include "epi/session.h"
#include "epi/stack.h"
#include "support/alloc_fail.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const int versions[] = {EPI_SOCKS5, EPI_SOCKS6, EPI_SOCKS6_12};

static const char bound[] = "192.0.2.1:4711";
static const char host[] = "host.example:20";

static int make(epi_session **client, epi_session **server, int version) {
  int draft = version == EPI_SOCKS6_12 ? EPI_SOCKS6_12 : EPI_SOCKS6;
  epi_request *request = NULL;
  epi_addr dest;
  int result = epi_request_new(&request);

  *client = *server = NULL;
  if (!result) {
    epi_addr_parse(&dest, "198.51.100.7:0", -1);
    epi_request_set_command(request, EPI_BIND);
    epi_request_set_dest(request, &dest);
    result = epi_session_new_client(client, version, request);
  }
  if (!result) {
    result = epi_session_new_server(
        server, EPI_ACCEPT_SOCKS5 | EPI_ACCEPT_SOCKS6, draft, 0);
  }
  epi_request_free(request);
  return result;
}

static void end(epi_session *client, epi_session *server) {
  epi_session_free(client);
  epi_session_free(server);
}

/* Moves what one side has to send, at most `step` bytes at a time, each piece
 * in a block of its exact size, until the other has enough. */
static void carry(epi_session *from, epi_session *to, size_t step) {
  const void *data;
  size_t len;

  while ((len = (size_t)epi_session_peek(from, &data)) > 0 &&
         epi_session_next(to) == EPI_NEXT_READ) {
    size_t piece = len < step ? len : step;
    void *copy = malloc(piece);
    ptrdiff_t used;

    memcpy(copy, data, piece);
    used = epi_session_feed(to, copy, piece);
    free(copy);
    epi_session_ack(from, used < 0 ? piece : (size_t)used);
    if (used < 0) {
      return;
    }
  }
}

/* Goes on until the server has the request. */
static void ask(epi_session *client, epi_session *server, size_t step) {
  for (int i = 0; i < 3; i++) {
    carry(client, server, step);
    carry(server, client, step);
  }
}

static int reply_with(epi_session *server, int code, const char *text) {
  epi_reply *reply = NULL;
  epi_addr addr;
  int result = epi_reply_new(&reply);

  if (!result) {
    epi_addr_parse(&addr, text, -1);
    epi_reply_set_code(reply, code);
    epi_reply_set_bound(reply, &addr);
    result = epi_session_reply(server, reply);
  }
  epi_reply_free(reply);
  return result;
}

static void expect_result(const epi_session *client, int code,
                          const char *addr) {
  const epi_reply *reply = epi_session_result(client);
  char text[EPI_ADDR_TEXT_MAX];

  cr_assert(reply);
  cr_expect_eq(epi_reply_code(reply), code);
  epi_addr_format(epi_reply_bound(reply), 1, text, sizeof text);
  cr_expect_str_eq(text, addr);
}

Test(session_bind, has_two_replies_whatever_the_split) {
  for (int i = 0; i < 3; i++) {
    for (size_t step = 1; step < 40; step++) {
      epi_session *client, *server;

      cr_assert_eq(make(&client, &server, versions[i]), 0);
      cr_expect_not(epi_session_may_send(client), "no false start of a BIND");
      ask(client, server, step);
      cr_assert_eq(epi_session_next(server), EPI_NEXT_REPLY);
      cr_expect_eq(epi_session_replies(client), 0);
      cr_expect_null(epi_session_result(client));

      cr_expect_eq(reply_with(server, 0, bound), 0);
      cr_expect_eq(epi_session_next(server), EPI_NEXT_REPLY, "nobody is there");
      cr_expect_eq(epi_session_feed(server, "early", 5), 0);
      carry(server, client, step);
      cr_expect_eq(epi_session_next(client), EPI_NEXT_READ);
      cr_expect_not(epi_session_may_send(client));
      cr_expect_eq(epi_session_replies(client), 1);
      expect_result(client, 0, bound);

      cr_expect_eq(reply_with(server, 0, host), 0);
      cr_expect_eq(epi_session_next(server), EPI_NEXT_DONE);
      cr_expect_eq(reply_with(server, 0, host), EPI_ESTATE);
      carry(server, client, step);
      cr_expect_eq(epi_session_next(client), EPI_NEXT_DONE);
      cr_expect_eq(epi_session_replies(client), 2);
      expect_result(client, 0, host);
      cr_expect_eq(epi_session_feed(client, "data", 4), 0);
      end(client, server);
    }
  }
}

Test(session_bind, both_replies_and_data_may_come_at_once) {
  for (int i = 0; i < 3; i++) {
    epi_session *client, *server;
    uint8_t all[128];
    const void *data;
    ptrdiff_t len, first, second;

    cr_assert_eq(make(&client, &server, versions[i]), 0);
    ask(client, server, 1000);
    reply_with(server, 0, bound);
    reply_with(server, 0, host);
    len = epi_session_peek(server, &data);
    memcpy(all, data, (size_t)len);
    memcpy(all + len, "data", 4);
    first = epi_session_feed(client, all, (size_t)len + 4);
    cr_expect_eq(epi_session_replies(client), 1, "it may be looked at");
    expect_result(client, 0, bound);
    second = epi_session_feed(client, all + first, (size_t)(len - first) + 4);
    cr_expect_eq(first + second, len, "the data is left alone");
    expect_result(client, 0, host);
    end(client, server);
  }
}

Test(session_bind, may_be_refused_at_first_and_later) {
  for (int i = 0; i < 3 * 2; i++) {
    epi_session *client, *server;

    cr_assert_eq(make(&client, &server, versions[i % 3]), 0);
    ask(client, server, 7);
    if (i / 3) {
      cr_expect_eq(reply_with(server, 0, bound), 0);
      carry(server, client, 7);
    }
    cr_expect_eq(reply_with(server, EPI_REPLY_NOT_ALLOWED, "0.0.0.0:0"), 0);
    cr_expect_eq(epi_session_next(server), EPI_NEXT_REFUSED);
    carry(server, client, 7);
    cr_expect_eq(epi_session_next(client), EPI_NEXT_REFUSED);
    cr_expect_eq(epi_session_replies(client), 1 + i / 3);
    expect_result(client, EPI_REPLY_NOT_ALLOWED, "0.0.0.0:0");
    cr_expect_eq(epi_session_feed(client, "x", 1), EPI_EREFUSED, "stays so");
    end(client, server);
  }
}

Test(session_bind, makes_do_with_one_reply_when_told) {
  for (int i = 0; i < 3; i++) {
    epi_session *client, *server;

    cr_assert_eq(make(&client, &server, versions[i]), 0);
    cr_expect_eq(epi_session_bind_whole(server), EPI_ESTATE, "not asked");
    ask(client, server, 1000);
    cr_expect_eq(epi_session_bind_whole(server), 0);
    cr_expect_eq(reply_with(server, 0, bound), 0);
    cr_expect_eq(epi_session_next(server), EPI_NEXT_DONE);
    cr_expect_eq(epi_session_bind_whole(server), EPI_ESTATE, "too late");
    carry(server, client, 1000);
    cr_expect_eq(epi_session_next(client), EPI_NEXT_READ,
                 "it asked for no backlog, and was granted none");
    end(client, server);
  }
}

/* What the client asks for, and what the server grants; 0 is not to ask. */
static int next_with_backlog(int asked, int granted) {
  epi_session *client, *server;
  epi_request *request;
  epi_reply *reply;
  int next;

  epi_request_new(&request);
  epi_request_set_command(request, EPI_BIND);
  if (asked) {
    epi_request_set_stack(request, EPI_LEG_REMOTE, EPI_STACK_BACKLOG, asked);
  }
  cr_assert_eq(epi_session_new_client(&client, EPI_SOCKS6, request), 0);
  cr_assert_eq(
      epi_session_new_server(&server, EPI_ACCEPT_SOCKS6, EPI_SOCKS6, 0), 0);
  ask(client, server, 1000);
  epi_reply_new(&reply);
  epi_reply_set_stack(reply, EPI_LEG_REMOTE, EPI_STACK_BACKLOG, granted);
  cr_expect_eq(epi_session_reply(server, reply), 0);
  carry(server, client, 1);
  cr_expect_eq(epi_session_replies(client), 1);
  next = epi_session_next(client);
  epi_reply_free(reply);
  epi_request_free(request);
  end(client, server);
  return next;
}

Test(session_bind, a_backlog_that_was_asked_for_and_granted_is_all) {
  cr_expect_eq(next_with_backlog(8, 5), EPI_NEXT_DONE);
  cr_expect_eq(next_with_backlog(8, 0), EPI_NEXT_READ);
  cr_expect_eq(next_with_backlog(0, 5), EPI_NEXT_READ, "nobody asked");
}

Test(session_bind, whole_is_for_the_first_reply_of_a_bind) {
  epi_session *client, *server;

  cr_assert_eq(make(&client, &server, EPI_SOCKS5), 0);
  ask(client, server, 1000);
  reply_with(server, 0, bound);
  cr_expect_eq(epi_session_bind_whole(server), EPI_ESTATE);
  end(client, server);
  epi_session_new_server(&server, EPI_ACCEPT_SOCKS5, EPI_SOCKS6, 0);
  epi_session_feed(server, "\5\1\0\5\1\0\1\1\2\3\4\0\x50", 3);
  epi_session_feed(server, "\5\1\0\1\1\2\3\4\0\x50", 10);
  cr_expect_eq(epi_session_next(server), EPI_NEXT_REPLY);
  cr_expect_eq(epi_session_bind_whole(server), EPI_ESTATE, "a CONNECT");
  epi_session_free(server);
}

Test(session_bind, survives_failing_allocations) {
  for (int i = 0; i < 3 * 2; i++) {
    for (alloc_fail_start(); alloc_fail_more();) {
      epi_session *client, *server;

      if (!make(&client, &server, versions[i % 3])) {
        ask(client, server, i / 3 ? 3 : 1000);
        if (!reply_with(server, 0, bound)) {
          carry(server, client, i / 3 ? 3 : 1000);
        }
        if (!reply_with(server, 0, host)) {
          carry(server, client, i / 3 ? 3 : 1000);
        }
        if (!alloc_fail_happened()) {
          cr_expect_eq(epi_session_next(client), EPI_NEXT_DONE);
        }
      }
      end(client, server);
    }
  }
}
