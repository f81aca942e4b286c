/* test_tls_sock.c: what TLS sessions read from sockets. */
#include "engine/tls_sock.h"
#include "support/tls_talk.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM = 64, MARK = 0xa5 };

static int ends[2]; /* the client's, and the server's */

static void set_up(void) {
  tls_talk_set_up();
  cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
  tls_server_shows(tls_talks.root, &(tls_wish){.dns = "hop.example.org"});
  tls_talk("hop.example.org");
  tls_talk_open();
}

static void tear_down(void) {
  close(ends[0]);
  close(ends[1]);
  tls_talk_tear_down();
}

TestSuite(tls_sock, .init = set_up, .fini = tear_down);

/* The server says something. */
static void say(const void *data, size_t len) {
  epi__tls *server = tls_talks.wire.server;

  cr_assert_eq(epi__tls_write(server, data, len), (ptrdiff_t)len);
  cr_assert_eq(epi__tls_sock_flush(server, ends[1]), 1);
}

Test(tls_sock, reads_no_more_than_there_is_room_for) {
  static const char data[4000];
  uint8_t cipher[4 * ROOM];
  char got[sizeof data];
  size_t total = 0, i;

  memset(cipher, MARK, sizeof cipher);
  say(data, sizeof data);
  for (i = 0; i < sizeof data && total < sizeof data; i++) {
    ptrdiff_t some = epi__tls_sock_read(tls_talks.wire.client, ends[0], got,
                                        sizeof got, cipher, ROOM);

    cr_assert(some > 0 || some == EPI_ENOENT, "%s", epi_error_detail());
    total += some > 0 ? (size_t)some : 0;
  }
  cr_assert_eq(total, sizeof data);
  for (i = ROOM; i < sizeof cipher; i++) {
    cr_assert_eq(cipher[i], MARK, "%zu", i);
  }
}

Test(tls_sock, what_came_counts_though_nothing_can_be_sent) {
  epi__tls *client = tls_talks.wire.client;
  uint8_t cipher[ROOM];
  char got[16];

  say("answer", 6);
  cr_assert_eq(epi__tls_write(client, "question", 8), 8);
  cr_assert(epi__tls_held(client) >= 8);
  cr_assert_eq(shutdown(ends[0], SHUT_WR), 0);
  cr_assert_eq(epi__tls_sock_read(client, ends[0], got, sizeof got, cipher,
                                  sizeof cipher),
               6, "%s", epi_error_detail());
  cr_assert_eq(epi__tls_sock_write(client, ends[0], "more", 4), EPI_ECLOSED);
}
