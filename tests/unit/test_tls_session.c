/* test_tls_session.c: a client and a server talk, in memory. */
#include "support/tls_authority.h"
#include "support/tls_wire.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static tls_authority *root;
static tls_issued cert;
static epi__tls_pair pair;
static epi__tls_setup server_setup, client_setup;
static epi__tls_context *server, *client;

static void set_up(void) {
  tls_wish wish = {.cn = "a server", .dns = "hop.example.org"};

  root = tls_authority_new("Test Root", NULL, 0);
  tls_authority_issue(root, &cert, &wish);
  pair = (epi__tls_pair){tls_text(cert.chain), tls_text(cert.key), {0}};
  server_setup = (epi__tls_setup){.server = 1, .pairs = &pair, .pair_count = 1};
  client_setup = (epi__tls_setup){.ca = tls_text(tls_authority_pem(root))};
}

static void make(void) {
  server = tls_context(&server_setup);
  client = tls_context(&client_setup);
}

static void tear_down(void) {
  epi__tls_context_free(server);
  epi__tls_context_free(client);
  server = client = NULL;
  tls_authority_free(root);
  epi__tls_thread_end();
}

TestSuite(tls_session, .init = set_up, .fini = tear_down);

/* Write a text at one end and read it at the other. */
static void carry(tls_wire *wire, epi__tls *from, epi__tls *to,
                  const char *text) {
  char buf[256] = "";
  size_t len = strlen(text);

  cr_assert_eq(epi__tls_write(from, text, len), (ptrdiff_t)len);
  tls_wire_pump(wire, SIZE_MAX);
  cr_assert_eq(epi__tls_pending(to), 1);
  cr_assert_eq(epi__tls_read(to, buf, sizeof buf), (ptrdiff_t)len, "%s",
               epi_error_detail());
  cr_assert_str_eq(buf, text);
  cr_assert_eq(epi__tls_read(to, buf, sizeof buf), EPI_ENOENT);
  cr_assert_eq(epi__tls_pending(to), 0);
}

static void check_open(tls_wire *wire, const char *version) {
  cr_assert_eq(wire->client_error, 0, "%s", epi__tls_reason(wire->client));
  cr_assert_eq(wire->server_error, 0, "%s", epi__tls_reason(wire->server));
  cr_assert(epi__tls_is_open(wire->client));
  cr_assert(epi__tls_is_open(wire->server));
  cr_assert_str_eq(epi__tls_version(wire->client), version);
  cr_assert_str_eq(epi__tls_version(wire->server), version);
  cr_assert(*epi__tls_cipher(wire->client));
  cr_assert_str_eq(epi__tls_cipher(wire->client),
                   epi__tls_cipher(wire->server));
}

Test(tls_session, both_sides_talk) {
  tls_wire wire;

  make();
  tls_wire_open(&wire, client, server, "hop.example.org");
  cr_assert_not(epi__tls_is_open(wire.client));
  cr_assert_str_eq(epi__tls_peer(wire.client), "");
  tls_wire_pump(&wire, SIZE_MAX);
  check_open(&wire, "TLSv1.3");
  cr_assert_str_eq(epi__tls_server_name(wire.server), "hop.example.org");
  cr_assert_str_eq(epi__tls_peer(wire.client), "hop.example.org");
  cr_assert_str_eq(epi__tls_peer_kind(wire.client), "dns");
  cr_assert_str_eq(epi__tls_peer(wire.server), "");
  cr_assert_str_eq(epi__tls_alpn(wire.server), "");
  carry(&wire, wire.client, wire.server, "hello");
  carry(&wire, wire.server, wire.client, "hello yourself");
  tls_wire_close(&wire);
}

Test(tls_session, any_split_will_do) {
  static const size_t steps[] = {1, 2, 3, 5, 7, 64, 517, 1000, 4096};
  size_t i;

  make();
  for (i = 0; i < sizeof steps / sizeof *steps; i++) {
    tls_wire wire;

    tls_wire_open(&wire, client, server, "hop.example.org");
    tls_wire_pump(&wire, steps[i]);
    check_open(&wire, "TLSv1.3");
    carry(&wire, wire.client, wire.server, "through");
    tls_wire_close(&wire);
  }
}

Test(tls_session, every_cut_of_the_hello_will_do) {
  size_t cut, len = 2;

  make();
  for (cut = 1; cut < len; cut++) {
    tls_wire wire;
    const void *data;

    tls_wire_open(&wire, client, server, "hop.example.org");
    len = epi__tls_peek(wire.client, &data);
    tls_wire_move(wire.client, wire.server, cut);
    cr_assert_eq(epi__tls_peek(wire.server, &data), 0);
    tls_wire_pump(&wire, SIZE_MAX);
    check_open(&wire, "TLSv1.3");
    tls_wire_close(&wire);
    cut += 12;
  }
}

/* Much data, both ways, read into small and large buffers. */
static void carry_much(size_t step, size_t room, int at_once) {
  enum { SIZE = 1 << 20 };
  uint8_t *sent = malloc(SIZE), *got = malloc(SIZE), *buf = malloc(room);
  size_t written = 0, read = 0, i;
  tls_wire wire;

  for (i = 0; i < SIZE; i++) {
    sent[i] = (uint8_t)(i * 7 + i / 251);
  }
  tls_wire_open(&wire, client, server, "hop.example.org");
  tls_wire_pump(&wire, SIZE_MAX);
  while (read < SIZE) {
    const void *data;
    size_t len;
    ptrdiff_t some =
        epi__tls_write(wire.client, sent + written, SIZE - written);

    cr_assert_geq(some, 0);
    written += (size_t)some;
    len = epi__tls_peek(wire.client, &data);
    cr_assert_leq(len, 2 * EPI__TLS_OUTPUT);
    len = len < step ? len : step;
    if (at_once) {
      some = epi__tls_feed_read(wire.server, data, len, buf, room);
    } else {
      cr_assert_eq(epi__tls_feed(wire.server, data, len), 0);
      some = epi__tls_read(wire.server, buf, room);
    }
    epi__tls_ack(wire.client, len);
    while (some > 0) {
      cr_assert_leq(read + (size_t)some, SIZE);
      memcpy(got + read, buf, (size_t)some);
      read += (size_t)some;
      some = epi__tls_read(wire.server, buf, room);
    }
    cr_assert_eq(some, EPI_ENOENT, "%s", epi_error_detail());
  }
  cr_assert_arr_eq(got, sent, SIZE);
  tls_wire_close(&wire);
  free(sent);
  free(got);
  free(buf);
}

Test(tls_session, carries_much_in_any_pieces) {
  make();
  carry_much(1447, 65536, 1);
  carry_much(65536, 65536, 1);
  carry_much(65536, 1000, 1);
  carry_much(40000, 16384, 0);
  carry_much(3000, 100, 0);
}

Test(tls_session, does_not_take_more_than_it_can_keep) {
  static uint8_t much[EPI__TLS_INPUT + 1];
  tls_wire wire;
  char buf[16];

  make();
  tls_wire_open(&wire, client, server, "hop.example.org");
  tls_wire_pump(&wire, SIZE_MAX);
  cr_assert_eq(epi__tls_feed(wire.server, much, sizeof much), EPI_ELIMIT);
  cr_assert_eq(
      epi__tls_feed_read(wire.server, much, sizeof much, buf, sizeof buf),
      EPI_ELIMIT);
  carry(&wire, wire.client, wire.server, "goes on");
  tls_wire_close(&wire);
}

Test(tls_session, writes_no_more_than_may_wait) {
  static uint8_t much[3 * EPI__TLS_OUTPUT];
  const void *data;
  tls_wire wire;

  make();
  tls_wire_open(&wire, client, server, "hop.example.org");
  cr_assert_eq(epi__tls_write(wire.client, much, 10), 0, "not open yet");
  tls_wire_pump(&wire, SIZE_MAX);
  cr_assert_eq(epi__tls_write(wire.client, much, sizeof much), EPI__TLS_OUTPUT);
  cr_assert_eq(epi__tls_write(wire.client, much, sizeof much), 0);
  epi__tls_ack(wire.client, epi__tls_peek(wire.client, &data));
  cr_assert_eq(epi__tls_peek(wire.client, &data), 0);
  tls_wire_close(&wire);
}

Test(tls_session, an_end_is_told_and_the_other_way_goes_on) {
  tls_wire wire;
  char buf[16];

  make();
  tls_wire_open(&wire, client, server, "hop.example.org");
  tls_wire_pump(&wire, SIZE_MAX);
  cr_assert_eq(epi__tls_write(wire.client, "last", 4), 4);
  cr_assert_eq(epi__tls_end(wire.client), 0);
  cr_assert_eq(epi__tls_end(wire.client), 0, "twice is fine");
  cr_assert_eq(epi__tls_write(wire.client, "more", 4), EPI_ECLOSED);
  tls_wire_pump(&wire, SIZE_MAX);
  cr_assert_eq(epi__tls_feed_end(wire.server), 0);
  cr_assert_eq(epi__tls_read(wire.server, buf, sizeof buf), 4);
  cr_assert_eq(epi__tls_read(wire.server, buf, sizeof buf), 0);
  cr_assert_eq(epi__tls_read(wire.server, buf, sizeof buf), 0);
  cr_assert(epi__tls_is_ended(wire.server));
  carry(&wire, wire.server, wire.client, "an answer");
  cr_assert_eq(epi__tls_end(wire.server), 0);
  tls_wire_pump(&wire, SIZE_MAX);
  cr_assert_eq(epi__tls_read(wire.client, buf, sizeof buf), 0);
  cr_assert_eq(epi__tls_read(wire.client, buf, sizeof buf), 0);
  cr_assert_eq(epi__tls_end(wire.client), 0);
  cr_assert_str_eq(epi__tls_version(wire.client), "TLSv1.3");
  tls_wire_close(&wire);
}

Test(tls_session, an_end_before_it_is_open_is_told_once_it_is) {
  tls_wire wire;
  char buf[16];

  make();
  tls_wire_open(&wire, client, server, "hop.example.org");
  cr_assert_eq(epi__tls_end(wire.client), 0);
  tls_wire_pump(&wire, SIZE_MAX);
  check_open(&wire, "TLSv1.3");
  cr_assert_eq(epi__tls_read(wire.server, buf, sizeof buf), 0);
  tls_wire_close(&wire);
}

Test(tls_session, being_cut_short_is_no_end) {
  tls_wire wire;
  char buf[16];

  make();
  tls_wire_open(&wire, client, server, "hop.example.org");
  tls_wire_pump(&wire, SIZE_MAX);
  cr_assert_eq(epi__tls_write(wire.client, "part", 4), 4);
  tls_wire_pump(&wire, SIZE_MAX);
  cr_assert_eq(epi__tls_feed_end(wire.server), 0);
  cr_assert_eq(epi__tls_read(wire.server, buf, sizeof buf), 4);
  cr_assert_eq(epi__tls_read(wire.server, buf, sizeof buf), EPI_ECLOSED);
  cr_assert(strstr(epi__tls_reason(wire.server), "cut it short"), "%s",
            epi__tls_reason(wire.server));
  cr_assert_not(epi__tls_is_ended(wire.server));
  tls_wire_close(&wire);
}

Test(tls_session, a_peer_that_goes_in_the_handshake_is_an_error) {
  tls_wire wire;

  make();
  tls_wire_open(&wire, client, server, "hop.example.org");
  tls_wire_move(wire.client, wire.server, SIZE_MAX);
  cr_assert_eq(epi__tls_feed_end(wire.server), EPI_ECLOSED);
  cr_assert_eq(epi__tls_feed(wire.server, "x", 1), EPI_ECLOSED, "sticky");
  tls_wire_close(&wire);
}

Test(tls_session, garbage_is_refused_at_once) {
  static const char *const garbage[] = {"GET / HTTP/1.1\r\n\r\n", "\x05\x01",
                                        "\x16\x03\x01\x00\x05garbage"};
  size_t i;

  make();
  for (i = 0; i < sizeof garbage / sizeof *garbage; i++) {
    epi__tls *session = NULL;
    size_t len = i == 2 ? 12 : strlen(garbage[i]) + (i == 1 ? 3 : 0);
    char text[32] = {0};

    memcpy(text, garbage[i], strlen(garbage[i]) < 32 ? strlen(garbage[i]) : 31);
    cr_assert_eq(epi__tls_new(&session, server, NULL, 0), 0);
    cr_assert_eq(epi__tls_feed(session, i == 2 ? garbage[i] : text, len),
                 EPI_EPROTO, "%zu", i);
    cr_assert(*epi__tls_reason(session));
    epi__tls_free(session);
    cr_assert_eq(epi__tls_new(&session, client, "hop.example.org", 1), 0);
    cr_assert_lt(epi__tls_feed(session, garbage[0], 18), 0);
    epi__tls_free(session);
  }
}

Test(tls_session, damaged_data_is_refused) {
  tls_wire wire;
  uint8_t copy[256];
  char buf[64];
  const void *data;
  size_t len;

  make();
  tls_wire_open(&wire, client, server, "hop.example.org");
  tls_wire_pump(&wire, SIZE_MAX);
  epi__tls_write(wire.client, "secret", 6);
  len = epi__tls_peek(wire.client, &data);
  memcpy(copy, data, len);
  copy[len - 1] ^= 1;
  cr_assert_eq(epi__tls_feed_read(wire.server, copy, len, buf, sizeof buf),
               EPI_ECRYPTO);
  cr_assert_eq(epi__tls_write(wire.server, "x", 1), EPI_ECRYPTO, "sticky");
  cr_assert_not(epi__tls_is_open(wire.server));
  cr_assert_gt(epi__tls_peek(wire.server, &data), 0, "an alert");
  tls_wire_close(&wire);
}

static void talk_alpn(tls_wire *wire, const char *const *ours, size_t count,
                      const char *const *theirs, size_t theirs_count) {
  server_setup.alpn = ours;
  server_setup.alpn_count = count;
  client_setup.alpn = theirs;
  client_setup.alpn_count = theirs_count;
  make();
  tls_wire_open(wire, client, server, "hop.example.org");
  tls_wire_pump(wire, SIZE_MAX);
}

Test(tls_session, the_best_protocol_of_both_is_chosen) {
  static const char *const ours[] = {"socks", "h2"}, *const theirs[] = {"h2"};
  tls_wire wire;

  talk_alpn(&wire, ours, 2, theirs, 1);
  check_open(&wire, "TLSv1.3");
  cr_assert_str_eq(epi__tls_alpn(wire.client), "h2");
  cr_assert_str_eq(epi__tls_alpn(wire.server), "h2");
  tls_wire_close(&wire);
}

Test(tls_session, no_protocol_in_common_is_an_error) {
  static const char *const ours[] = {"socks"}, *const theirs[] = {"h2"};
  tls_wire wire;

  talk_alpn(&wire, ours, 1, theirs, 1);
  cr_assert_eq(wire.server_error, EPI_EPROTO);
  cr_assert(strstr(epi__tls_reason(wire.server), "ALPN"), "%s",
            epi__tls_reason(wire.server));
  cr_assert_eq(wire.client_error, EPI_EPROTO);
  cr_assert(strstr(epi__tls_reason(wire.client), "ALPN"), "%s",
            epi__tls_reason(wire.client));
  tls_wire_close(&wire);
}

Test(tls_session, a_client_without_alpn_is_fine) {
  static const char *const ours[] = {"socks"};
  tls_wire wire;

  talk_alpn(&wire, ours, 1, NULL, 0);
  check_open(&wire, "TLSv1.3");
  tls_wire_close(&wire);
}

Test(tls_session, early_data_is_said_to_be_missing) {
  tls_wire wire;

  make();
  tls_wire_open(&wire, client, server, "hop.example.org");
  cr_assert_eq(epi__tls_write_early(wire.client, "x", 1), EPI_ENOTSUP);
  tls_wire_close(&wire);
}

Test(tls_session, a_client_needs_a_name) {
  epi__tls *session = NULL;

  make();
  cr_assert_eq(epi__tls_new(&session, client, NULL, 1), EPI_EINVAL);
  cr_assert_eq(epi__tls_new(&session, client, "not a name", 1), EPI_EINVAL);
}
