/* test_session_member.c: requests that begin, join and end sessions, and spend
 * their tokens, to the byte. */
#include "epi/session.h"
#include "support/alloc_fail.h"
#include "support/annotated_hex.h"
#include "support/session_hex.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ID = 16 };

static const int drafts[] = {EPI_SOCKS6, EPI_SOCKS6_12};
static epi_session_table *table;
static int draft;    /* of the servers */
static int bytewise; /* how they are fed */

static void set_up(int which) {
  draft = drafts[which % 2];
  bytewise = which / 2;
  cr_assert_eq(
      epi_session_table_new(&table, "0123456789abcdef0123456789abcdef", 32), 0);
}

static void tear_down(void) {
  epi_session_table_free(table);
  table = NULL;
}

/* Options of a CONNECT, as hexadecimal digits, around an id of a session. */
static const char *options(const char *before, const uint8_t *id,
                           const char *behind) {
  static char text[512];
  int len = snprintf(text, sizeof text, "%s", before);

  for (int i = 0; id && i < ID; i++) {
    len += snprintf(text + len, sizeof text - (size_t)len, "%02x", id[i]);
  }
  snprintf(text + len, sizeof text - (size_t)len, "%s", behind);
  return text;
}

/* A server that was fed a CONNECT with options; its feed's result. */
static epi_session *serve(const char *hex, int login, ptrdiff_t *result) {
  static const uint8_t head[] = {6, 1, 0, 0, 0, 80, 0, 1, 1, 2, 3, 4};
  uint8_t message[512];
  size_t len =
      annotated_hex(message + sizeof head, sizeof message - sizeof head, hex);
  epi_session *server = NULL;
  size_t used = 0;

  memcpy(message, head, sizeof head);
  message[3] = (uint8_t)len;
  len += sizeof head;
  cr_assert_eq(epi_session_new_server(&server, EPI_ACCEPT_SOCKS6, draft, login),
               0);
  if (table) {
    cr_assert_eq(epi_session_use_table(server, table, "10.0.0.1", 0), 0);
  }
  *result = 0;
  while (used < len && *result >= 0) {
    size_t step = bytewise ? 1 : len;
    uint8_t *copy = malloc(step);

    memcpy(copy, message + used, step);
    *result = epi_session_feed(server, copy, step);
    used += step;
    free(copy);
  }
  return server;
}

/* A request with options is accepted with these ones; the number of its
 * session. */
static int64_t accepted(const char *request, const char *reply) {
  ptrdiff_t result;
  epi_session *server = serve(request, 0, &result);
  int64_t member = epi_session_member(server);

  cr_expect_gt(result, 0, "%s", epi_error_detail());
  cr_expect_eq(epi_session_next(server), EPI_NEXT_REPLY);
  cr_expect(session_sends(server, reply));
  epi_session_free(server);
  return member;
}

static void refused(const char *request, int login, const char *reply) {
  ptrdiff_t result;
  epi_session *server = serve(request, login, &result);

  cr_expect_eq(result, EPI_EAUTH);
  cr_expect_eq(epi_session_next(server), EPI_NEXT_REFUSED);
  cr_expect_eq(epi_session_member(server), 0);
  cr_expect(session_sends(server, reply));
  epi_session_free(server);
}

/* Begins a session, with a window if a size is given, as a user if one is. */
static void begin(uint8_t id[ID], const char *window, const char *user) {
  char hex[256];
  ptrdiff_t result;
  epi_session *server;
  const uint8_t *sent;
  const void *data;
  ptrdiff_t len;

  snprintf(hex, sizeof hex, "0005 0004 %s%s %s", *window ? "000b 0008" : "",
           window, user ? "0004 000c 02 01 0175 0170 0000" : "");
  server = serve(hex, user != NULL, &result);
  cr_assert_gt(result, 0);
  if (user) {
    cr_assert_eq(epi_session_next(server), EPI_NEXT_LOGIN);
    cr_assert_eq(epi_session_login(server, 1), 0);
  }
  cr_assert_eq(epi_session_next(server), EPI_NEXT_REPLY);
  len = epi_session_peek(server, &data);
  sent = data;
  for (ptrdiff_t at = 4; at + 4 + ID <= len; at += sent[at + 3]) {
    if (sent[at + 1] == 6) {
      memcpy(id, sent + at + 4, ID);
    }
  }
  epi_session_free(server);
}

#define ALL for (int which = 0; which < 4; which++, tear_down())

Test(session_member, a_session_begins_with_an_id_in_both_replies) {
  ALL {
    epi_reply *reply;
    ptrdiff_t result;
    epi_session *server;
    const void *data;
    uint8_t id[ID];

    set_up(which);
    server = serve("0005 0004", 0, &result);
    cr_expect_eq(epi_session_next(server), EPI_NEXT_REPLY);
    cr_expect_eq(epi_session_member(server), 1);
    cr_expect_eq(epi_session_peek(server, &data), 24);
    memcpy(id, (const uint8_t *)data + 8, ID);
    cr_expect(session_sends(server, options("06 00 0014 0006 0014", id, "")));
    cr_assert_eq(epi_reply_new(&reply), 0);
    cr_expect_eq(epi_session_reply(server, reply), 0);
    cr_expect(session_sends(
        server, options("06 00 0014 0000 00 01 00000000 0006 0014", id, "")));
    epi_reply_free(reply);
    epi_session_free(server);
  }
}

Test(session_member, a_failed_request_of_a_session_has_no_id) {
  ALL {
    epi_reply *reply;
    ptrdiff_t result;
    epi_session *server;
    const void *data;

    set_up(which);
    server = serve("0005 0004", 0, &result);
    epi_session_ack(server, (size_t)epi_session_peek(server, &data));
    cr_assert_eq(epi_reply_new(&reply), 0);
    epi_reply_set_code(reply, 5);
    cr_expect_eq(epi_session_reply(server, reply), 0);
    cr_expect(session_sends(server, "06 05 0000 0000 00 01 00000000"));
    epi_reply_free(reply);
    epi_session_free(server);
  }
}

Test(session_member, further_requests_join_it) {
  ALL {
    uint8_t id[ID];

    set_up(which);
    begin(id, "", NULL);
    cr_expect_eq(accepted(options("0006 0014", id, ""), "06 00 0004 0008 0004"),
                 1);
  }
}

Test(session_member, a_member_need_not_log_in_and_is_who_began) {
  ALL {
    uint8_t id[ID];
    epi_session *server;
    ptrdiff_t result;

    set_up(which);
    begin(id, "", "u");
    /* Nor is a login, or an offer to log in, heeded. */
    server = serve(options("0004 000c 02 01 0178 0179 0000"
                           "0002 0008 0000 02 00 0006 0014",
                           id, ""),
                   1, &result);
    cr_expect_eq(epi_session_next(server), EPI_NEXT_REPLY);
    cr_expect_str_eq(epi_request_user(epi_session_request(server)), "u");
    cr_expect_str_eq(epi_request_password(epi_session_request(server)), "");
    cr_expect(session_sends(server, "06 00 0004 0008 0004"));
    epi_session_free(server);
    server = serve(options("0006 0014", id, ""), 0, &result);
    cr_expect_str_eq(epi_request_user(epi_session_request(server)), "u");
    epi_session_free(server);
  }
}

Test(session_member, a_session_without_a_login_does_for_none) {
  ALL {
    uint8_t id[ID];

    set_up(which);
    begin(id, "", NULL);
    refused(options("0006 0014", id, ""), 1, "06 01 0004 0009 0004");
  }
}

Test(session_member, an_invalid_id_is_refused) {
  ALL {
    uint8_t id[ID];

    set_up(which);
    begin(id, "", NULL);
    refused("0006 0008 00010203", 0, "06 01 0004 0009 0004");
    id[0] ^= 1;
    refused(options("0006 0014", id, ""), 0, "06 01 0004 0009 0004");
  }
}

Test(session_member, without_a_table_nothing_begins) {
  for (int which = 0; which < 4; which++) {
    draft = drafts[which % 2];
    bytewise = which / 2;
    cr_expect_eq(accepted("0005 0004 000b 0008 00000010", "06 00 0000"), 0);
    cr_expect_eq(accepted("0006 0008 00010203 000a 0004", "06 00 0000"), 0);
    refused("0006 0008 00010203", 0, "06 01 0004 0009 0004");
  }
}

Test(session_member, too_many_sessions_are_refused_in_silence) {
  ALL {
    uint8_t id[ID];

    set_up(which);
    epi_session_table_set(table, EPI_SESSIONS_PER_OWNER, 1);
    begin(id, "", NULL);
    cr_expect_eq(accepted("0005 0004 000b 0008 00000010"
                          "000d 0008 00000000",
                          "06 00 0000"),
                 0, "nor do tokens count then");
  }
}

Test(session_member, a_request_that_ends_a_session_is_not_of_it) {
  ALL {
    epi_session *server;
    uint8_t id[ID];
    ptrdiff_t result;

    set_up(which);
    begin(id, "00000010", "u");
    server = serve(options("0006 0014", id, "000a 0004 000d 0008 00000000"), 1,
                   &result);
    cr_expect_eq(epi_session_next(server), EPI_NEXT_REFUSED, "no login");
    cr_expect(session_sends(server, "06 01 0000"));
    epi_session_free(server);
    cr_expect_eq(epi_session_table_count(table), 0);
    refused(options("0006 0014", id, ""), 0, "06 01 0004 0009 0004");
    cr_expect_eq(accepted(options("0006 0014", id, "000a 0004"), "06 00 0000"),
                 0);
  }
}

Test(session_member, a_token_is_good_for_one_request) {
  ALL {
    uint8_t id[ID];

    set_up(which);
    begin(id, "00000010", NULL);
    accepted(options("0006 0014", id, "000d 0008 00000000"),
             "06 00 0014 0008 0004 000c 000c 00000001 00000010 000e 0004");
    refused(options("0006 0014", id, "000d 0008 00000000"), 0,
            "06 01 0004 000f 0004");
    refused(options("0006 0014", id, "000d 0008 00000011"), 0,
            "06 01 0004 000f 0004");
    accepted(options("0006 0014", id, ""),
             "06 00 0010 0008 0004 000c 000c 00000001 00000010");
  }
}

Test(session_member, a_window_is_granted_by_the_request_that_asks) {
  ALL {
    epi_session *server;
    ptrdiff_t result;
    uint8_t id[ID];
    const void *data;

    set_up(which);
    epi_session_table_set(table, EPI_SESSIONS_TOKENS, 8);
    server = serve("0005 0004 000b 0008 00000010", 0, &result);
    cr_expect_eq(epi_session_peek(server, &data), 36);
    memcpy(id, (const uint8_t *)data + 8, ID);
    cr_expect(session_sends(server, options("06 00 0020 0006 0014", id,
                                            "000c 000c 00000000 00000008")));
    epi_session_free(server);
    accepted(options("0006 0014", id, "000b 0008 00000004"),
             "06 00 0010 0008 0004 000c 000c 00000000 00000008");
    begin(id, "", NULL);
    refused(options("0006 0014", id, "000b 0008 00000004 000d 0008 00000000"),
            0, "06 01 0004 000f 0004");
    accepted(options("0006 0014", id, "000b 0008 00000004"),
             "06 00 0010 0008 0004 000c 000c 00000000 00000004");
  }
}

Test(session_member, tokens_outside_of_a_session_are_ignored) {
  ALL {
    set_up(which);
    accepted("000b 0008 00000004 000d 0008 00000000", "06 00 0000");
  }
}

Test(session_member, no_session_begins_with_a_token) {
  ALL {
    set_up(which);
    refused("0005 0004 000b 0008 00000004 000d 0008 00000000", 0,
            "06 01 0004 000f 0004");
    cr_expect_eq(epi_session_table_count(table), 0);
  }
}

Test(session_member, authentication_data_of_other_methods_passes) {
  ALL {
    epi_session *server;
    ptrdiff_t result;
    const void *data;

    set_up(which);
    server =
        serve("0004 0008 07 616263 0004 000c 02 01 0175 0170 0000", 1, &result);
    cr_assert_eq(epi_session_next(server), EPI_NEXT_LOGIN);
    cr_expect_eq(epi_request_auth_data(epi_session_request(server), 7, &data),
                 3);
    cr_expect_arr_eq(data, "abc", 3);
    epi_session_free(server);
  }
}

Test(session_member, a_table_is_for_servers_that_were_not_fed) {
  epi_session *session = NULL;
  epi_request *request;
  epi_addr dest;

  set_up(0);
  epi_addr_parse(&dest, "1.2.3.4:80", -1);
  cr_assert_eq(epi_request_new(&request), 0);
  epi_request_set_dest(request, &dest);
  epi_session_new_client(&session, EPI_SOCKS6, request);
  cr_expect_eq(epi_session_use_table(session, table, "a", 0), EPI_ESTATE);
  epi_session_free(session);
  epi_session_new_server(&session, EPI_ACCEPT_SOCKS6, EPI_SOCKS6, 0);
  cr_expect_eq(epi_session_use_table(session, table, "a", 0), 0);
  cr_expect_eq(epi_session_use_table(session, table, "b", 0), 0, "once more");
  epi_session_feed(session, "\6", 1);
  cr_expect_eq(epi_session_use_table(session, table, "a", 0), EPI_ESTATE);
  epi_session_free(session);
  epi_request_free(request);
  tear_down();
}

/* Moves what one side has to send; one that failed has taken everything. */
static int carry(epi_session *from, epi_session *to) {
  const void *data;
  ptrdiff_t len = epi_session_peek(from, &data);
  ptrdiff_t used = 0;

  if (!len || epi_session_next(to) != EPI_NEXT_READ) {
    return 0;
  }
  used = epi_session_feed(to, data, (size_t)len);
  epi_session_ack(from, (size_t)(used < 0 ? len : used));
  return 1;
}

/* One request of a client to a server that has the table, and its answer. NULL
 * when out of memory. */
static epi_session *ask(epi_request *request) {
  epi_session *client = NULL, *server = NULL;
  epi_reply *reply = NULL;

  if (epi_session_new_client(&client, draft, request) ||
      epi_session_new_server(&server, EPI_ACCEPT_SOCKS6, draft, 0) ||
      epi_session_use_table(server, table, "10.0.0.1", 0) ||
      epi_reply_new(&reply)) {
    epi_session_free(client);
    epi_session_free(server);
    return NULL;
  }
  while (carry(client, server) || carry(server, client) ||
         (epi_session_next(server) == EPI_NEXT_REPLY &&
          !epi_session_reply(server, reply))) {
  }
  epi_reply_free(reply);
  epi_session_free(server);
  return client;
}

Test(session_member, client_and_server_agree_whatever_allocation_fails) {
  for (int which = 0; which < 2; which++) {
    for (alloc_fail_start(); alloc_fail_more();) {
      epi_session *first = NULL, *second = NULL;
      epi_request *request = NULL;
      const void *id;
      epi_addr dest;

      draft = drafts[which];
      epi_addr_parse(&dest, "1.2.3.4:80", -1);
      if (!epi_session_table_new(&table, "0123456789abcdef0123456789abcdef",
                                 32) &&
          !epi_request_new(&request)) {
        epi_request_set_dest(request, &dest);
        epi_request_set_session(request, EPI_SESSION_BEGIN, NULL, 0);
        epi_request_set_token_window(request, 5);
        first = ask(request);
      }
      if (first && epi_session_next(first) == EPI_NEXT_DONE) {
        const epi_auth_reply *auth = epi_session_auth(first);
        size_t len = epi_auth_reply_session_id(auth, &id);
        int64_t base = -1;

        cr_expect_eq(len, ID);
        cr_expect_eq(epi_auth_reply_token_window(auth, &base), 5);
        cr_expect_eq(base, 0);
        epi_request_set_session(request, EPI_SESSION_JOIN, id, len);
        epi_request_set_token(request, 0);
        second = ask(request);
      }
      if (second && epi_session_next(second) == EPI_NEXT_DONE) {
        const epi_auth_reply *auth = epi_session_auth(second);

        cr_expect_eq(epi_auth_reply_session(auth), EPI_SESSION_OK);
        cr_expect_eq(epi_auth_reply_token(auth), EPI_TOKEN_ACCEPTED);
      } else {
        cr_expect(alloc_fail_happened());
      }
      epi_session_free(first);
      epi_session_free(second);
      epi_request_free(request);
      tear_down();
    }
  }
}

static size_t largest;

static void *watched_alloc(size_t size) {
  largest = size > largest ? size : largest;
  return malloc(size);
}

Test(session_member, a_handshake_takes_no_more_memory_than_it_says) {
  epi_session *session;

  cr_assert_eq(epi_set_allocator(watched_alloc, realloc, free), 0);
  cr_assert_eq(
      epi_session_new_server(&session, EPI_ACCEPT_SOCKS6, EPI_SOCKS6, 0), 0);
  epi_session_free(session);
  epi_set_allocator(NULL, NULL, NULL);
  cr_expect_leq(largest, 3072);
}

/* A server of the table that was fed a CONNECT with options, or NULL: it could
 * not be made, or not take them. */
static epi_session *serve_if_possible(const char *hex) {
  epi_session *server;

  if (epi_session_new_server(&server, EPI_ACCEPT_SOCKS6, EPI_SOCKS6, 0)) {
    return NULL;
  }
  if (epi_session_use_table(server, table, "10.0.0.1", 0) ||
      session_feed_hex(server, hex, 0) < 0) {
    cr_expect(alloc_fail_happened());
    epi_session_free(server);
    return NULL;
  }
  return server;
}

Test(session_member, a_member_may_find_no_memory_for_its_window) {
  for (alloc_fail_start(); alloc_fail_more();) {
    epi_session *first, *second = NULL;
    const void *data;
    char hex[128] = "06 01 001c 0050 00 01 01020304 0006 0014";

    if (epi_session_table_new(&table, "0123456789abcdef0123456789abcdef", 32)) {
      continue;
    }
    first = serve_if_possible("06 01 0004 0050 00 01 01020304 0005 0004");
    if (first) {
      cr_assert_eq(epi_session_peek(first, &data), 24);
      for (int i = 0; i < ID; i++) {
        snprintf(hex + strlen(hex), 4, " %02x", ((const uint8_t *)data)[8 + i]);
      }
      strcat(hex, " 000b 0008 00000004");
      second = serve_if_possible(hex);
    }
    cr_expect_eq(second == NULL, alloc_fail_happened());
    epi_session_free(first);
    epi_session_free(second);
    tear_down();
  }
}
