/* test_session_socksx.c: handshakes in socksx's dialect, in both roles, to the
 * byte. */
#include "epi/session.h"
#include "support/alloc_fail.h"
#include "support/annotated_hex.h"
#include "support/session_hex.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum {
  SOCKSX = EPI_ACCEPT_SOCKSX,
  AUTO = EPI_ACCEPT_SOCKS6 | EPI_ACCEPT_SOCKSX,
  ALL = AUTO | EPI_ACCEPT_SOCKS5,
};

static void reply_with(epi_session *server, int code) {
  epi_reply *reply;

  cr_assert_eq(epi_reply_new(&reply), 0);
  epi_reply_set_code(reply, code);
  cr_expect_eq(epi_session_reply(server, reply), 0);
  epi_reply_free(reply);
}

/* What a client sends, which version it is taken for, and what it gets. */
Test(session_socksx, servers_answer_in_the_layout_that_they_are_asked_in) {
  static const struct {
    int accept, draft;
    const char *sent;
    int version;
    const char *success, *refusal;
  } cases[] = {
      {SOCKSX, 6, "06 01 01 ac10ee06 3039 00 0008 0002000800000000", EPI_SOCKSX,
       "06 00 00 01 00000000 0000 0000", "06 05 00 01 00000000 0000 0000"},
      {AUTO, 6, "06 01 01 ac10ee06 3039 00 0008 0002000800000000", EPI_SOCKSX,
       "06 00 00 01 00000000 0000 0000", "06 05 00 01 00000000 0000 0000"},
      {ALL, 612, "06 01 03 0b 6568722e6578616d706c65 01bb 00 0000", EPI_SOCKSX,
       "06 00 00 01 00000000 0000 0000", "06 05 00 01 00000000 0000 0000"},
      {AUTO, 6, "06 01 04 00*15 01 0050 00 0008 0002000800000000", EPI_SOCKSX,
       "06 00 00 01 00000000 0000 0000", "06 05 00 01 00000000 0000 0000"},
      {AUTO, 6, "06 01 0008 3039 00 01 ac10ee06 0002000800000000", EPI_SOCKS6,
       "06 00 0000 0000 00 01 00000000", "06 05 0000 0000 00 01 00000000"},
      {ALL, 612, "06 01 0000 3039 00 01 ac10ee06", EPI_SOCKS6_12,
       "06 00 0000 0000 00 01 00000000", "06 05 0000 0000 00 01 00000000"},
      {AUTO, 6, "06 01 0108 3039 00 01 ac10ee06 ffff 0108 00*260", EPI_SOCKS6,
       "06 00 0000 0000 00 01 00000000", "06 05 0000 0000 00 01 00000000"},
      {SOCKSX, 6, "06 01 01 0a0b0c00 0101 00 0000", EPI_SOCKSX,
       "06 00 00 01 00000000 0000 0000", "06 05 00 01 00000000 0000 0000"},
  };
  uint8_t unused[512];

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    size_t len = annotated_hex(unused, sizeof unused, cases[i].sent);

    for (size_t cut = 1; cut <= len; cut++) {
      epi_session *server = session_server(cases[i].accept, cases[i].draft, 0);

      cr_assert_eq(session_feed_hex(server, cases[i].sent, cut), (ptrdiff_t)len,
                   "case %zu cut at %zu: %s", i, cut, epi_error_detail());
      cr_expect_eq(epi_session_next(server), EPI_NEXT_REPLY);
      cr_expect_eq(epi_session_version(server), cases[i].version, "case %zu",
                   i);
      cr_expect(session_sends(server, "06 00 0000"));
      reply_with(server, cut % 2 ? 0 : 5);
      cr_expect(
          session_sends(server, cut % 2 ? cases[i].success : cases[i].refusal));
      epi_session_free(server);
    }
  }
}

Test(session_socksx, initial_data_that_is_announced_is_not_waited_for) {
  epi_session *server = session_server(AUTO, EPI_SOCKS6, 0);
  const void *data;

  cr_expect_eq(
      session_feed_hex(server,
                       "06 01 01 ac10ee06 3039 00 0008 0002000800050000"
                       "686921",
                       99),
      20);
  cr_expect_eq(epi_session_next(server), EPI_NEXT_REPLY);
  cr_expect_eq(epi_session_initial_data(server, &data), 0);
  epi_session_free(server);
}

Test(session_socksx, who_does_wrong_is_told_in_the_layout) {
  static const struct {
    int accept, login;
    const char *sent, *answer;
    int error, next;
  } cases[] = {
      {SOCKSX, 0, "04", "06", EPI_EVERSION, EPI_NEXT_FAILED},
      {SOCKSX, 0, "05", "06", EPI_EVERSION, EPI_NEXT_FAILED},
      {AUTO, 0, "47", "06", EPI_EVERSION, EPI_NEXT_FAILED},
      {SOCKSX, 0, "06 02 01 ac10ee06 3039 00 0000",
       "06 00 0000 06 07 00 01 00000000 0000 0000", EPI_EPROTO,
       EPI_NEXT_REFUSED},
      {SOCKSX, 0, "06 01 02", "06 00 0000 06 08 00 01 00000000 0000 0000",
       EPI_EPROTO, EPI_NEXT_REFUSED},
      {SOCKSX, 0, "06 01 01 ac10ee06 3039 00 0004 00020003", "", EPI_EPROTO,
       EPI_NEXT_FAILED},
      {SOCKSX, 1, "06 01 01 ac10ee06 3039 00 0000", "06 01 0000", EPI_EAUTH,
       EPI_NEXT_REFUSED},
      {AUTO, 1, "06 01 01 ac10ee06 3039 00 0008 0002000800000200",
       "06 01 0008 0003 0008 ff 000000", EPI_EAUTH, EPI_NEXT_REFUSED},
  };

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    for (size_t cut = 1; cut < 24; cut++) {
      epi_session *server =
          session_server(cases[i].accept, EPI_SOCKS6, cases[i].login);

      cr_expect_eq(session_feed_hex(server, cases[i].sent, cut), cases[i].error,
                   "%s", cases[i].sent);
      cr_expect_eq(epi_session_next(server), cases[i].next, "%s",
                   cases[i].sent);
      cr_expect(session_sends(server, cases[i].answer));
      epi_session_free(server);
    }
  }
}

/* ---- client ---- */

static epi_session *new_client(void) {
  epi_session *session = NULL;
  epi_request *request = NULL;
  epi_addr dest;

  epi_addr_parse(&dest, "172.16.238.6:12345", -1);
  if (!epi_request_new(&request)) {
    epi_request_set_dest(request, &dest);
    if (!epi_request_set_metadata(request, 998, "1")) {
      epi_session_new_client(&session, EPI_SOCKSX, request);
    }
  }
  epi_request_free(request);
  return session;
}

Test(session_socksx, a_client_says_what_socksx_says) {
  epi_session *client = new_client();

  cr_expect_eq(epi_session_version(client), EPI_SOCKSX);
  cr_expect(epi_session_may_send(client));
  cr_expect(session_sends(client,
                          "06 01 01 ac10ee06 3039 00 0014 0002000800000000"
                          "fde8 000c 03e6 0001 31 000000"));
  epi_session_free(client);
}

Test(session_socksx, a_client_reads_what_socksx_answers) {
  static const struct {
    const char *sent;
    int error, next, code;
  } cases[] = {
      {"06 00 0000 06 00 00 01 00000000 0000 0000", 0, EPI_NEXT_DONE, 0},
      {"06 00 0000 06 04 00 01 00000000 0000 0000", EPI_EREFUSED,
       EPI_NEXT_REFUSED, 4},
      /* over its limit */
      {"06 05 00 01 00000000 0000 0000", EPI_EREFUSED, EPI_NEXT_REFUSED, 5},
      {"06 05 ff 01 00000000 0000 0000", EPI_EREFUSED, EPI_NEXT_REFUSED, 5},
      {"06 01 0000", EPI_EAUTH, EPI_NEXT_REFUSED, -1},
      {"05", EPI_EVERSION, EPI_NEXT_FAILED, -1},
  };

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    for (size_t cut = 1; cut < 17; cut++) {
      epi_session *client = new_client();
      ptrdiff_t n = session_feed_hex(client, cases[i].sent, cut);
      const epi_reply *result = epi_session_result(client);

      cr_expect(cases[i].error ? n == cases[i].error : n == 16, "%s",
                cases[i].sent);
      cr_expect_eq(epi_session_next(client), cases[i].next, "%s",
                   cases[i].sent);
      cr_expect_eq(result ? epi_reply_code(result) : -1, cases[i].code);
      epi_session_free(client);
    }
  }
}

Test(session_socksx, client_and_server_agree_whatever_allocation_fails) {
  for (alloc_fail_start(); alloc_fail_more();) {
    epi_session *client = new_client(), *server = NULL;
    epi_reply *reply = NULL;
    const void *data;
    ptrdiff_t len;

    if (client && !epi_reply_new(&reply) &&
        !epi_session_new_server(&server, AUTO, EPI_SOCKS6, 0)) {
      len = epi_session_peek(client, &data);
      if (epi_session_feed(server, data, (size_t)len) == len &&
          !epi_session_reply(server, reply)) {
        len = epi_session_peek(server, &data);
        epi_session_feed(client, data, (size_t)len);
        cr_expect(epi_session_next(client) == EPI_NEXT_DONE ||
                  alloc_fail_happened());
      }
    }
    epi_reply_free(reply);
    epi_session_free(client);
    epi_session_free(server);
  }
}
