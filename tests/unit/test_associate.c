/* test_associate.c: associations of an engine that runs out of memory now and
 * then: what fails fails alone. */
#include "epi/epi.h"
#include "os/udp.h"
#include "support/alloc_every.h"
#include "support/loopback.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  PATIENCE_MS = 10000,
  SHORT_MS = 100, /* where what is lost is waited for */
};

static int64_t patience_ms;

static void be_patient(int remote, int64_t ms) {
  struct timeval patience = {ms / 1000, ms % 1000 * 1000};

  patience_ms = ms;
  setsockopt(remote, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
}

/* A socket to be reached through associations. */
static int new_remote(uint16_t *port) {
  struct sockaddr_in name = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof name;
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

  cr_assert_geq(fd, 0);
  be_patient(fd, PATIENCE_MS);
  cr_assert_eq(bind(fd, (struct sockaddr *)&name, len), 0);
  cr_assert_eq(getsockname(fd, (struct sockaddr *)&name, &len), 0);
  *port = ntohs(name.sin_port);
  return fd;
}

/* Answer one datagram. Returns 1, or 0: none came. */
static int answer(int remote) {
  struct sockaddr_in from;
  socklen_t len = sizeof from;
  char data[100];
  ssize_t got =
      recvfrom(remote, data, sizeof data, 0, (struct sockaddr *)&from, &len);

  return got >= 0 && sendto(remote, data, (size_t)got, 0,
                            (struct sockaddr *)&from, len) == got;
}

static int ask_socks5(uint16_t proxy, int remote, uint16_t port) {
  uint8_t request[] = {5, 1, 0, 5, 3, 0, 1, 0, 0, 0, 0, 0, 0};
  uint8_t message[] = {
      0, 0, 0, 1, 127, 0, 0, 1, (uint8_t)(port >> 8), (uint8_t)port, 'h'};
  uint8_t reply[12] = {0}, back[64];
  int fd = loopback_connect(SOCK_STREAM, proxy, PATIENCE_MS);
  int works = send(fd, request, sizeof request, MSG_NOSIGNAL) > 0 &&
              loopback_take(fd, reply, sizeof reply) && reply[3] == 0;

  if (works) {
    int udp = loopback_connect(
        SOCK_DGRAM, (uint16_t)(reply[10] << 8 | reply[11]), patience_ms);

    works = send(udp, message, sizeof message, 0) == sizeof message &&
            answer(remote) && recv(udp, back, sizeof back, 0) == 11 &&
            !memcmp(back, message, 11);
    close(udp);
  }
  close(fd);
  return works;
}

static int ask_socks6(uint16_t proxy, int remote, uint16_t port) {
  uint8_t request[] = {6, 3, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0};
  uint8_t message[] = {6,
                       3,
                       0,
                       21,
                       0,
                       0,
                       0,
                       0,
                       0,
                       0,
                       0,
                       0,
                       1,
                       0,
                       (uint8_t)(port >> 8),
                       (uint8_t)port,
                       127,
                       0,
                       0,
                       1,
                       'h'};
  uint8_t head[28] = {0}, back[33] = {0};
  int fd = loopback_connect(SOCK_STREAM, proxy, 10 * patience_ms);
  int works = send(fd, request, sizeof request, MSG_NOSIGNAL) > 0 &&
              loopback_take(fd, head, sizeof head) && head[1] == 0 &&
              head[5] == 0 && head[17] == EPI_UDP_INIT;

  if (works) {
    memcpy(message + 4, head + 20, 8);
    works = send(fd, message, sizeof message, MSG_NOSIGNAL) > 0 &&
            answer(remote) && loopback_take(fd, back, sizeof back) &&
            back[1] == EPI_UDP_CONFIRM &&
            !memcmp(back + 12, message, sizeof message);
  }
  close(fd);
  return works;
}

/* What came too late is no answer to what is asked next. */
static void forget(int remote) {
  char data[100];

  while (recv(remote, data, sizeof data, MSG_DONTWAIT) >= 0) {
  }
}

Test(associate, what_fails_fails_alone) {
  epi_engine *engine;
  epi_addr socks;
  uint16_t port;
  int remote = new_remote(&port);
  int worked = 0;

  cr_assert_eq(alloc_every_install(), 0);
  cr_assert_eq(epi_engine_new(&engine), 0);
  epi_engine_set(engine, EPI_ENGINE_WORKERS, 2);
  cr_assert_eq(epi_engine_listen(engine, "socks://127.0.0.1:0"), 0);
  cr_assert_eq(epi_engine_listener_addr(engine, 0, &socks), 0);
  cr_assert_eq(epi_engine_start(engine), 0);
  cr_assert(ask_socks5(socks.port, remote, port), "nothing failed yet");
  cr_assert(ask_socks6(socks.port, remote, port), "nothing failed yet");
  be_patient(remote, SHORT_MS);
  for (int every = 2; every < 40; every++) {
    alloc_every(every);
    forget(remote);
    worked += ask_socks5(socks.port, remote, port);
    forget(remote);
    worked += ask_socks6(socks.port, remote, port);
  }
  alloc_every(0);
  cr_expect_gt(alloc_every_failures(), 50);
  cr_expect_gt(worked, 0);
  close(remote);
  remote = new_remote(&port);
  cr_expect(ask_socks5(socks.port, remote, port), "it has recovered");
  cr_expect(ask_socks6(socks.port, remote, port), "it has recovered");
  epi_engine_free(engine);
  close(remote);
}

Test(associate, caps_are_settings) {
  epi_engine *engine;
  int64_t value;

  cr_assert_eq(epi_engine_new(&engine), 0);
  cr_expect_eq(epi_engine_bounds(engine, EPI_ENGINE_CLIENT_ASSOCIATIONS, &value,
                                 NULL, NULL),
               0);
  cr_expect_eq(value, 64);
  cr_expect_eq(epi_engine_set(engine, EPI_ENGINE_ASSOCIATIONS, -1), EPI_EINVAL);
  cr_expect_eq(
      epi_engine_listen(engine, "socks://127.0.0.1:0?bnd=host.example"),
      EPI_EINVAL);
  cr_expect_eq(epi_engine_listen(engine, "socks://127.0.0.1:0?udp=99999"),
               EPI_EINVAL);
  cr_expect_eq(epi_engine_listen(engine, "tcp://127.0.0.1:0=a:1?udp=0"),
               EPI_EINVAL);
  epi_engine_free(engine);
}

Test(associate, a_udp_port_that_is_taken_is_refused) {
  epi_addr addr;
  epi_engine *engine;
  uint16_t port;
  int remote = new_remote(&port), fd = -1;
  char url[80];

  epi_addr_parse(&addr, "127.0.0.1", port);
  cr_expect_eq(epi__udp_open(&addr, 0, 0, &fd), EPI_EBUSY);
  epi_addr_parse(&addr, "192.0.2.1", 0);
  cr_expect_eq(epi__udp_open(&addr, 0, 0, &fd), EPI_ENOENT);
  cr_assert_eq(epi_engine_new(&engine), 0);
  snprintf(url, sizeof url, "socks://127.0.0.1:0?udp=%u", (unsigned)port);
  cr_expect_eq(epi_engine_listen(engine, url), EPI_EBUSY);
  epi_engine_free(engine);
  close(remote);
}
