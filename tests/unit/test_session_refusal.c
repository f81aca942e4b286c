/* test_session_refusal.c: what sessions answer to peers that do wrong, and the
 * exchanges that only some clients use; to the byte. */
#include "epi/session.h"
#include "support/alloc_fail.h"
#include "support/annotated_hex.h"
#include "support/session_hex.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { BOTH = EPI_ACCEPT_SOCKS5 | EPI_ACCEPT_SOCKS6 };

static epi_session *new_client(int version, int with_login) {
  epi_session *session = NULL;
  epi_request *request;
  epi_addr dest;

  cr_assert_eq(epi_request_new(&request), 0);
  epi_addr_parse(&dest, "1.2.3.4:80", -1);
  epi_request_set_dest(request, &dest);
  if (with_login) {
    epi_request_set_login(request, "u", "p");
  }
  cr_assert_eq(epi_session_new_client(&session, version, request), 0);
  epi_request_free(request);
  return session;
}

Test(session_refusal, servers_answer_to_the_byte) {
  static const struct {
    int accept, draft, login;
    const char *sent, *answer;
    int error, next;
  } cases[] = {
      {BOTH, 6, 0, "04", "06", EPI_EVERSION, EPI_NEXT_FAILED},
      {BOTH, 6, 0, "47", "06", EPI_EVERSION, EPI_NEXT_FAILED},
      {EPI_ACCEPT_SOCKS6, 6, 0, "05", "06", EPI_EVERSION, EPI_NEXT_FAILED},
      {EPI_ACCEPT_SOCKS5, 6, 0, "06", "", EPI_EVERSION, EPI_NEXT_FAILED},
      {EPI_ACCEPT_SOCKS5, 6, 0, "04", "", EPI_EVERSION, EPI_NEXT_FAILED},

      {BOTH, 6, 0, "05 00", "05 ff", EPI_EPROTO, EPI_NEXT_FAILED},
      {BOTH, 6, 0, "05 01 01", "05 ff", EPI_EAUTH, EPI_NEXT_REFUSED},
      {BOTH, 6, 1, "05 01 00", "05 ff", EPI_EAUTH, EPI_NEXT_REFUSED},
      {BOTH, 6, 1, "05 01 02 05", "05 02 01 01", EPI_EVERSION, EPI_NEXT_FAILED},
      {BOTH, 6, 1, "05 01 02 01 00 01 61", "05 02 01 01", EPI_EPROTO,
       EPI_NEXT_FAILED},
      {BOTH, 6, 1, "05 01 02 01 01 00 01 61", "05 02 01 01", EPI_EPROTO,
       EPI_NEXT_FAILED},
      {BOTH, 6, 0, "05 01 00 04", "05 00 05 01 00 01 00*6", EPI_EVERSION,
       EPI_NEXT_FAILED},
      {BOTH, 6, 0, "05 01 00 05 01 00 02", "05 00 05 08 00 01 00*6", EPI_EPROTO,
       EPI_NEXT_REFUSED},
      {BOTH, 6, 0, "05 01 00 05 01 00 03 00", "05 00 05 01 00 01 00*6",
       EPI_EPROTO, EPI_NEXT_FAILED},
      {BOTH, 6, 0, "05 01 00 05 01 00 03 01 2f", "05 00 05 01 00 01 00*6",
       EPI_EPROTO, EPI_NEXT_FAILED},
      {BOTH, 6, 0, "05 01 00 05 00 00 01 01020304 0050",
       "05 00 05 07 00 01 00*6", EPI_EPROTO, EPI_NEXT_REFUSED},
      {BOTH, 6, 0, "05 01 00 05 80 00 01 01020304 0050",
       "05 00 05 07 00 01 00*6", EPI_EPROTO, EPI_NEXT_REFUSED},

      {BOTH, 6, 0, "06 01 4004", "", EPI_EPROTO, EPI_NEXT_FAILED},
      {BOTH, 612, 0, "06 01 5004", "", EPI_EPROTO, EPI_NEXT_FAILED},
      {BOTH, 6, 0, "06 01 0003", "", EPI_EPROTO, EPI_NEXT_FAILED},
      {BOTH, 6, 0, "06 01 0003 0050 00 02", "", EPI_EPROTO, EPI_NEXT_FAILED},
      {BOTH, 6, 0, "06 01 0000 0050 00 02",
       "06 00 0000 06 08 0000 0000 00 01 00000000", EPI_EPROTO,
       EPI_NEXT_REFUSED},
      {BOTH, 6, 1, "06 01 0000 0050 00 02", "06 01 0000", EPI_EPROTO,
       EPI_NEXT_REFUSED},
      {BOTH, 6, 0, "06 01 0000 0050 00 03 00 000000", "", EPI_EPROTO,
       EPI_NEXT_FAILED},
      {BOTH, 6, 0, "06 09 0000 0050 00 01 01020304",
       "06 00 0000 06 07 0000 0000 00 01 00000000", EPI_EPROTO,
       EPI_NEXT_REFUSED},
      {BOTH, 6, 0, "06 01 0004 0050 00 01 01020304 00010002", "", EPI_EPROTO,
       EPI_NEXT_FAILED},
      {BOTH, 6, 0, "06 01 0008 0050 00 01 01020304 00020008 40010200", "",
       EPI_EPROTO, EPI_NEXT_FAILED},
      {BOTH, 6, 1, "06 01 0000 0050 00 01 01020304", "06 01 0000", EPI_EAUTH,
       EPI_NEXT_REFUSED},
      {BOTH, 6, 1, "06 01 0008 0050 00 01 01020304 00020008 00000100",
       "06 01 0008 0003 0008 ff000000", EPI_EAUTH, EPI_NEXT_REFUSED},
      {BOTH, 612, 1, "06 01 0008 0050 00 01 01020304 00020008 00000200",
       "06 01 0008 0003 0008 ff000000", EPI_EAUTH, EPI_NEXT_REFUSED},
      {BOTH, 6, 1,
       "06 01 0008 0050 00 01 01020304 00020008 00000200 01 00 01 61",
       "06 01 0008 0003 0008 02000000 01 01 06 01 0000", EPI_EPROTO,
       EPI_NEXT_FAILED},
  };

  for (size_t i = 0; i < sizeof cases / sizeof *cases * 2; i++) {
    size_t k = i / 2;
    epi_session *server =
        session_server(cases[k].accept, cases[k].draft, cases[k].login);

    cr_expect_eq(session_feed_hex(server, cases[k].sent, i % 2), cases[k].error,
                 "%s", cases[k].sent);
    cr_expect_eq(epi_session_next(server), cases[k].next, "%s", cases[k].sent);
    cr_expect(epi_error_detail()[0]);
    cr_expect(session_sends(server, cases[k].answer));
    cr_expect_eq(epi_session_feed(server, "x", 1), cases[k].error);
    cr_expect_eq(epi_session_next(server), cases[k].next, "stays so");
    epi_session_free(server);
  }
}

Test(session_refusal, a_login_that_is_not_needed_is_taken_unseen) {
  for (int bytewise = 0; bytewise < 2; bytewise++) {
    epi_session *server = session_server(BOTH, EPI_SOCKS6, 0);

    cr_expect_eq(session_feed_hex(server, "05 01 02 01 01 61 01 62", bytewise),
                 8);
    cr_expect(session_sends(server, "05 02 01 00"));
    cr_expect_eq(
        session_feed_hex(server, "05 01 00 01 01020304 0050", bytewise), 10);
    cr_expect_eq(epi_session_next(server), EPI_NEXT_REPLY);
    cr_expect_null(epi_request_user(epi_session_request(server)));
    epi_session_free(server);
  }
}

Test(session_refusal, a_wrong_login_is_refused_by_each_version) {
  static const struct {
    const char *sent, *answer;
  } cases[] = {
      {"05 01 02 01 01 61 01 62", "05 02 01 01"},
      {"06 01 000c 0050 00 01 01020304 0004 000c 02 01 0161 0162 0000",
       "06 01 0008 0004 0008 02 0101 00"},
      {"06 01 0008 0050 00 01 01020304 00020008 00000200 01 01 61 01 62",
       "06 01 0008 0003 0008 02000000 01 01 06 01 0000"},
  };

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    epi_session *server = session_server(BOTH, EPI_SOCKS6, 1);

    cr_expect_gt(session_feed_hex(server, cases[i].sent, 0), 0);
    cr_expect_eq(epi_session_next(server), EPI_NEXT_LOGIN);
    cr_expect_eq(epi_session_login(server, 0), 0);
    cr_expect_eq(epi_session_next(server), EPI_NEXT_REFUSED);
    cr_expect_eq(epi_session_login(server, 0), EPI_ESTATE);
    cr_expect_eq(epi_session_feed(server, "x", 1), EPI_EAUTH);
    cr_expect(strstr(epi_error_detail(), "refusal"), "%s", epi_error_detail());
    cr_expect(session_sends(server, cases[i].answer));
    epi_session_free(server);
  }
}

/* draft-11: request, initial data, exchange, and what follows. */
Test(session_refusal, initial_data_before_an_exchange_is_kept) {
  for (int bytewise = 0; bytewise < 2; bytewise++) {
    epi_session *server = session_server(BOTH, EPI_SOCKS6, 1);
    const void *data;

    cr_expect_eq(
        session_feed_hex(server,
                         "06 01 0008 0050 00 01 01020304 00020008 00050200"
                         "68656c6c6f 01 01 61 01 62 6d6f7265",
                         bytewise),
        20 + 5 + 5);
    cr_expect_eq(epi_session_next(server), EPI_NEXT_LOGIN);
    cr_expect_eq(epi_session_initial_data(server, &data), 5);
    cr_expect_arr_eq(data, "hello", 5);
    cr_expect(session_sends(server, "06 01 0008 0003 0008 02000000"));
    cr_expect_eq(epi_session_login(server, 1), 0);
    cr_expect_eq(epi_session_next(server), EPI_NEXT_REPLY);
    cr_expect(session_sends(server, "01 00 06 00 0000"));
    cr_expect_eq(session_feed_hex(server, "6d6f7265", bytewise), 0);
    epi_session_free(server);
  }
}

Test(session_refusal, initial_data_up_to_its_limit_is_kept) {
  epi_session *server = session_server(BOTH, EPI_SOCKS6, 1);
  const void *data;

  cr_expect_eq(
      session_feed_hex(server,
                       "06 01 0008 0050 00 01 01020304 00020008 40000200"
                       "55*16384 01",
                       0),
      20 + 16384 + 1);
  cr_expect_eq(epi_session_initial_data(server, &data), EPI_INITIAL_DATA_MAX);
  epi_session_free(server);
}

Test(session_refusal, initial_data_without_an_exchange_just_follows) {
  epi_session *server = session_server(BOTH, EPI_SOCKS6, 0);
  const void *data;

  cr_expect_eq(
      session_feed_hex(server,
                       "06 01 0008 0050 00 01 01020304 00020008 00050200"
                       "68656c6c6f",
                       0),
      20);
  cr_expect_eq(epi_session_next(server), EPI_NEXT_REPLY);
  cr_expect_eq(epi_session_initial_data(server, &data), 0);
  cr_expect(session_sends(server, "06 00 0000"));
  epi_session_free(server);
}

Test(session_refusal, only_connect_has_initial_data) {
  epi_session *server = session_server(BOTH, EPI_SOCKS6, 1);

  session_feed_hex(
      server, "06 02 0008 0050 00 01 01020304 00020008 00050200 01 01 61 01 62",
      0);
  cr_expect_eq(epi_session_next(server), EPI_NEXT_LOGIN);
  epi_session_free(server);
}

Test(session_refusal, a_login_in_options_goes_before_an_exchange) {
  epi_session *server = session_server(BOTH, EPI_SOCKS6, 1);

  session_feed_hex(server,
                   "06 09 0014 0050 00 01 01020304 00020008 00050200"
                   "0004 000c 02 01 0161 0162 0000",
                   0);
  cr_expect_eq(epi_session_next(server), EPI_NEXT_LOGIN);
  epi_session_login(server, 1);
  cr_expect_eq(epi_session_next(server), EPI_NEXT_REFUSED, "no command 9");
  cr_expect(session_sends(server, "06 00 0008 0004 0008 02 0100 00"
                                  "06 07 0000 0000 00 01 00000000"));
  epi_session_free(server);
}

Test(session_refusal, clients_read_strictly) {
  static const struct {
    int version, with_login;
    const char *sent;
    int error, next;
  } cases[] = {
      {5, 0, "06", EPI_EVERSION, EPI_NEXT_FAILED},
      {5, 0, "48", EPI_EVERSION, EPI_NEXT_FAILED},
      {5, 0, "05 ff", EPI_EAUTH, EPI_NEXT_REFUSED},
      {5, 0, "05 02", EPI_EPROTO, EPI_NEXT_FAILED},
      {5, 1, "05 01", EPI_EPROTO, EPI_NEXT_FAILED},
      {5, 1, "05 02 01 05", EPI_EAUTH, EPI_NEXT_REFUSED},
      {5, 1, "05 02 05", EPI_EVERSION, EPI_NEXT_FAILED},
      {5, 0, "05 00 04", EPI_EVERSION, EPI_NEXT_FAILED},
      {5, 0, "05 00 05 00 00 09", EPI_EPROTO, EPI_NEXT_FAILED},
      {5, 0, "05 00 05 02 00 01 00*6", EPI_EREFUSED, EPI_NEXT_REFUSED},
      {6, 0, "05", EPI_EVERSION, EPI_NEXT_FAILED},
      {6, 0, "06 02", EPI_EPROTO, EPI_NEXT_FAILED},
      {6, 0, "06 01 0000", EPI_EAUTH, EPI_NEXT_REFUSED},
      {6, 1, "06 01 0008 0003 0008 02000000", EPI_EAUTH, EPI_NEXT_REFUSED},
      {6, 0, "06 00 0002", EPI_EPROTO, EPI_NEXT_FAILED},
      {6, 0, "06 00 0000 05", EPI_EVERSION, EPI_NEXT_FAILED},
      {6, 0, "06 00 0000 06 00 0000 0000 00 07", EPI_EPROTO, EPI_NEXT_FAILED},
      {612, 0, "06 00 0000 06 09 0000 0000 00 01 00*4", EPI_EREFUSED,
       EPI_NEXT_REFUSED},
  };

  for (size_t i = 0; i < sizeof cases / sizeof *cases * 2; i++) {
    size_t k = i / 2;
    epi_session *client = new_client(cases[k].version, cases[k].with_login);

    cr_expect_eq(session_feed_hex(client, cases[k].sent, i % 2), cases[k].error,
                 "%s", cases[k].sent);
    cr_expect_eq(epi_session_next(client), cases[k].next, "%s", cases[k].sent);
    cr_expect_eq(epi_session_result(client) != NULL,
                 cases[k].error == EPI_EREFUSED);
    cr_expect_not(epi_session_may_send(client));
    epi_session_free(client);
  }
}

Test(session_refusal, clients_say_what_they_should) {
  epi_session *client = new_client(EPI_SOCKS5, 0);

  cr_expect(session_sends(client, "05 01 00"));
  cr_expect_not(epi_session_may_send(client));
  session_feed_hex(client, "05 00", 0);
  cr_expect(session_sends(client, "05 01 00 01 01020304 0050"));
  epi_session_free(client);

  client = new_client(EPI_SOCKS5, 1);
  cr_expect(session_sends(client, "05 02 00 02"));
  session_feed_hex(client, "05 02", 0);
  cr_expect(session_sends(client, "01 01 75 01 70"));
  session_feed_hex(client, "01 00", 0);
  cr_expect(session_sends(client, "05 01 00 01 01020304 0050"));
  epi_session_free(client);

  client = new_client(EPI_SOCKS6, 1);
  cr_expect(session_sends(client, "06 01 000c 0050 00 01 01020304"
                                  "0004 000c 02 01 0175 0170 0000"));
  cr_expect(epi_session_may_send(client));
  epi_session_free(client);
}

Test(session_refusal, a_partial_send_is_just_a_smaller_ack) {
  epi_session *client = new_client(EPI_SOCKS6, 0);
  const void *data;

  cr_expect_eq(epi_session_ack(client, 5), 0);
  cr_expect_eq(epi_session_peek(client, &data), 7);
  cr_expect_eq(epi_session_ack(client, 8), EPI_EINVAL);
  cr_expect(session_sends(client, "50 00 01 01020304"));
  epi_session_free(client);
}

Test(session_refusal, exchanges_survive_failing_allocations) {
  uint8_t all[64];
  size_t len = annotated_hex(all, sizeof all,
                             "06 01 0008 0050 00 01 01020304 00020008 00050200"
                             "68656c6c6f 01 01 61 01 62");

  for (alloc_fail_start(); alloc_fail_more();) {
    epi_session *server;
    int error = 0;

    if (epi_session_new_server(&server, BOTH, EPI_SOCKS6, 1)) {
      continue;
    }
    for (size_t i = 0; !error && i < len; i++) {
      error = (int)epi_session_feed(server, all + i, 1) < 0;
    }
    if (error) {
      cr_expect_eq(epi_session_next(server), EPI_NEXT_FAILED);
      cr_expect_eq(epi_session_feed(server, "x", 1), EPI_ENOMEM);
    } else if (epi_session_login(server, 1)) {
      cr_expect_eq(epi_session_next(server), EPI_NEXT_FAILED);
    } else {
      cr_expect_eq(epi_session_next(server), EPI_NEXT_REPLY);
    }
    epi_session_free(server);
  }
}

Test(session_refusal, a_reply_without_memory_can_be_given_again) {
  static const char *const requests[] = {
      "05 01 00 05 01 00 01 01020304 0050",
      "06 01 0000 0050 00 01 01020304",
  };

  for (int i = 0; i < 2; i++) {
    epi_reply *reply;

    cr_assert_eq(epi_reply_new(&reply), 0);
    for (alloc_fail_start(); alloc_fail_more();) {
      epi_session *server;
      const void *data;
      int error;

      if (epi_session_new_server(&server, BOTH, EPI_SOCKS6, 0)) {
        continue;
      }
      if (session_feed_hex(server, requests[i], 0) > 0) {
        epi_session_ack(server, (size_t)epi_session_peek(server, &data));
        error = epi_session_reply(server, reply);
        if (error) {
          cr_expect_eq(error, EPI_ENOMEM);
          cr_expect_eq(epi_session_next(server), EPI_NEXT_REPLY);
          cr_expect_eq(epi_session_peek(server, &data), 0);
          cr_expect_eq(epi_session_reply(server, reply), 0);
        }
        cr_expect_eq(epi_session_next(server), EPI_NEXT_DONE);
      }
      epi_session_free(server);
    }
    epi_reply_free(reply);
  }
}

Test(session_refusal, a_reply_with_too_much_metadata_changes_nothing) {
  char value[EPI_METADATA_VALUE_MAX + 1];
  epi_session *server = session_server(BOTH, EPI_SOCKS6, 0);
  epi_reply *reply;
  const void *data;

  memset(value, 'a', sizeof value - 1);
  value[sizeof value - 1] = '\0';
  cr_assert_eq(epi_reply_new(&reply), 0);
  for (int key = 1; key <= 4; key++) {
    cr_assert_eq(epi_reply_set_metadata(reply, key, value), 0);
  }
  session_feed_hex(server, "06 01 0000 0050 00 01 01020304", 0);
  cr_expect(session_sends(server, "06 00 0000"));
  cr_expect_eq(epi_session_reply(server, reply), EPI_ELIMIT);
  cr_expect_eq(epi_session_next(server), EPI_NEXT_REPLY);
  cr_expect_eq(epi_session_peek(server, &data), 0);
  epi_reply_set_metadata(reply, 4, NULL);
  cr_expect_eq(epi_session_reply(server, reply), 0);
  cr_expect_eq(epi_session_next(server), EPI_NEXT_DONE);
  epi_reply_free(reply);
  epi_session_free(server);
}
