/* test_session_client.c: what a SOCKS 6 client says and reads of methods,
 * sessions and tokens, to the byte; when it may send application data. */
#include "epi/session.h"
#include "support/alloc_fail.h"
#include "support/session_hex.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static epi_request *new_request(void) {
  epi_request *request = NULL;
  epi_addr dest;

  cr_assert_eq(epi_request_new(&request), 0);
  epi_addr_parse(&dest, "1.2.3.4:80", -1);
  epi_request_set_dest(request, &dest);
  return request;
}

/* Offers method 2 with a login, and 3 bytes of initial data. */
static epi_session *new_client(int version) {
  epi_request *request = new_request();
  epi_session *client = NULL;

  epi_request_set_login(request, "u", "p");
  epi_request_offer_method(request, 2);
  epi_request_set_initial_data(request, 3);
  cr_assert_eq(epi_session_new_client(&client, version, request), 0);
  epi_request_free(request);
  return client;
}

static const char *const ADVERTISES =
    "06 01 0014 0050 00 01 01020304 0002 0008 0003 02 00"
    "0004 000c 02 01 0175 0170 0000";

Test(session_client, goes_through_the_exchange_that_it_offered) {
  for (int bytewise = 0; bytewise < 2; bytewise++) {
    epi_session *client = new_client(EPI_SOCKS6);

    cr_expect(session_sends(client, ADVERTISES));
    cr_expect_not(epi_session_may_send(client), "but for the initial data");
    cr_expect_eq(
        session_feed_hex(client, "06 01 0008 0003 0008 02 000000", bytewise),
        12);
    cr_expect(epi_session_may_send(client), "behind the login");
    cr_expect(session_sends(client, "01 01 75 01 70"));
    cr_expect_eq(session_feed_hex(client, "01 00 06 00 0000", bytewise), 6);
    cr_expect_eq(epi_session_next(client), EPI_NEXT_READ);
    cr_expect_eq(
        session_feed_hex(client, "06 00 0000 0000 00 01 00000000", bytewise),
        12);
    cr_expect_eq(epi_session_next(client), EPI_NEXT_DONE);
    epi_session_free(client);
  }
}

Test(session_client, may_send_once_the_server_is_content_without_it) {
  epi_session *client = new_client(EPI_SOCKS6);

  session_feed_hex(client, "06 00 0008 0004 0008 02 0100 00", 1);
  cr_expect(epi_session_may_send(client));
  cr_expect_eq(epi_auth_reply_login(epi_session_auth(client)), 0);
  epi_session_free(client);
}

Test(session_client, false_starts_are_for_connect_without_methods) {
  epi_request *request = new_request();
  epi_session *client = NULL;

  epi_request_set_session(request, EPI_SESSION_BEGIN, NULL, 0);
  cr_assert_eq(epi_session_new_client(&client, EPI_SOCKS6, request), 0);
  cr_expect(epi_session_may_send(client));
  epi_session_free(client);
  epi_request_set_command(request, EPI_BIND);
  cr_assert_eq(epi_session_new_client(&client, EPI_SOCKS6, request), 0);
  cr_expect_not(epi_session_may_send(client));
  session_feed_hex(client, "06 00 0000", 0);
  cr_expect_not(epi_session_may_send(client));
  epi_session_free(client);
  epi_request_free(request);
}

Test(session_client, says_what_it_wants_of_sessions) {
  epi_request *request = new_request();
  epi_session *client = NULL;

  epi_request_set_session(request, EPI_SESSION_BEGIN, NULL, 0);
  epi_request_set_token_window(request, 16);
  cr_assert_eq(epi_session_new_client(&client, EPI_SOCKS6, request), 0);
  cr_expect(session_sends(client, "06 01 000c 0050 00 01 01020304"
                                  "0005 0004 000b 0008 00000010"));
  epi_session_free(client);
  epi_request_set_session(request, EPI_SESSION_JOIN, "id..", 4);
  epi_request_set_token_window(request, 0);
  epi_request_set_token(request, 4294967295);
  cr_assert_eq(epi_session_new_client(&client, EPI_SOCKS6_12, request), 0);
  cr_expect(session_sends(client, "06 01 0010 0050 00 01 01020304"
                                  "0006 0008 69642e2e 000d 0008 ffffffff"));
  epi_session_free(client);
  epi_request_free(request);
}

Test(session_client, tells_what_came_of_sessions) {
  for (int i = 0; i < 4; i++) {
    epi_request *request = new_request();
    epi_session *client = NULL;
    const epi_auth_reply *auth;
    const void *id;
    int64_t base;

    epi_session_new_client(&client, i / 2 ? EPI_SOCKS6 : EPI_SOCKS6_12,
                           request);
    cr_expect_null(epi_session_auth(client));
    session_feed_hex(client,
                     "06 00 0018 0006 0008 69642e2e"
                     "000c 000c fffffffe 00000010 000e 0004",
                     i % 2);
    auth = epi_session_auth(client);
    cr_assert(auth);
    cr_expect(epi_auth_reply_ok(auth));
    cr_expect_eq(epi_auth_reply_session_id(auth, &id), 4);
    cr_expect_arr_eq(id, "id..", 4);
    cr_expect_eq(epi_auth_reply_token_window(auth, &base), 16);
    cr_expect_eq(base, 4294967294);
    cr_expect_eq(epi_auth_reply_token(auth), EPI_TOKEN_ACCEPTED);
    epi_session_free(client);
    epi_request_free(request);
  }
}

Test(session_client, ends_where_the_server_says_no) {
  static const struct {
    int version;
    const char *sent;
    const char *detail;
  } cases[] = {
      {6, "06 01 0004 0009 0004", "no such session"},
      {6, "06 01 0004 000f 0004", "token"},
      {612, "06 01 0008 0004 0008 02 0101 00", "login"},
      {6, "06 01 0008 0003 0008 ff 000000", "login"},
      {6, "06 01 0008 0003 0008 07 000000", "login"},
      /* draft-12 has no exchange */
      {612, "06 01 0008 0003 0008 02 000000", "login"},
      {6, "06 01 0008 0003 0008 02 000000 01 01", "status 1"},
      /* and no second one */
      {6,
       "06 01 0008 0003 0008 02 000000 01 00"
       "06 01 0008 0003 0008 02 000000",
       "login"},
  };

  for (size_t i = 0; i < sizeof cases / sizeof *cases * 2; i++) {
    epi_session *client = new_client(cases[i / 2].version);

    cr_expect_eq(session_feed_hex(client, cases[i / 2].sent, i % 2), EPI_EAUTH,
                 "case %zu", i / 2);
    cr_expect(strstr(epi_error_detail(), cases[i / 2].detail), "%s",
              epi_error_detail());
    cr_expect_eq(epi_session_next(client), EPI_NEXT_REFUSED);
    cr_expect_not(epi_session_may_send(client));
    cr_expect(epi_session_auth(client));
    cr_expect_null(epi_session_result(client));
    epi_session_free(client);
  }
}

Test(session_client, an_exchange_survives_failing_allocations) {
  for (alloc_fail_start(); alloc_fail_more();) {
    epi_session *client = NULL;
    epi_request *request;
    ptrdiff_t n = -1;

    if (epi_request_new(&request)) {
      continue;
    }
    epi_request_set_command(request, EPI_NOOP);
    epi_request_set_login(request, "u", "p");
    epi_request_offer_method(request, 2);
    if (!epi_session_new_client(&client, EPI_SOCKS6, request)) {
      n = session_feed_hex(
          client, "06 01 0008 0003 0008 02 000000 01 00 06 00 0000", 1);
    }
    cr_expect(n == 18 || alloc_fail_happened());
    epi_session_free(client);
    epi_request_free(request);
  }
}
