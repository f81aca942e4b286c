/* test_engine_memory.c: an engine that runs out of memory now and then loses
 * the flows concerned and nothing else. */
#include "epi/epi.h"
#include "support/alloc_every.h"
#include "support/loopback.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

enum {
  PATIENCE_MS = 20000,
  SHORT_MS = 300, /* for hosts, while those that fail never come */
};

/* Ask the proxy for its own reverse listener, which leads to a third listener
 * that says FF to what is no SOCKS: a way through both, without a server. */
static int ask(uint16_t proxy, uint16_t port) {
  uint8_t request[] = {
      5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1, (uint8_t)(port >> 8), (uint8_t)port};
  uint8_t reply[12] = {0};
  int fd = loopback_connect(SOCK_STREAM, proxy, PATIENCE_MS);
  int works;

  works = send(fd, request, sizeof request, MSG_NOSIGNAL) == sizeof request &&
          loopback_take(fd, reply, sizeof reply) && reply[3] == 0;
  if (works) { /* a greeting without methods comes back as a refusal */
    works = send(fd, "\x05\x01\x7f", 3, MSG_NOSIGNAL) == 3 &&
            loopback_take(fd, reply, 2) && reply[1] == 0xff;
  }
  close(fd);
  return works;
}

/* The port of a reply of SOCKS 5 with an IPv4 address and code 0, or 0. */
static uint16_t port_of(const uint8_t reply[10]) {
  return reply[0] == 5 && !reply[1] ? (uint16_t)(reply[8] << 8 | reply[9])
                                    : (uint16_t)0;
}

/* Have a host connect to the client's port and say something. */
static int has_host(int client, uint16_t port) {
  uint8_t reply[10 + 5] = {0};
  int host = loopback_connect(SOCK_STREAM, port, PATIENCE_MS);
  int works = host >= 0 && send(host, "hello", 5, MSG_NOSIGNAL) == 5 &&
              loopback_take(client, reply, sizeof reply) && port_of(reply) &&
              !memcmp(reply + 10, "hello", 5);

  if (host >= 0) {
    close(host);
  }
  return works;
}

/* Ask the proxy for a port, of localhost or anybody. */
static int ask_bind(uint16_t proxy, int by_name) {
  static const uint8_t anybody[] = {5, 1, 0, 5, 2, 0, 1, 0, 0, 0, 0, 0, 0};
  static const uint8_t localhost[] = {5,   1,   0,   5,   2,   0,   3,
                                      9,   'l', 'o', 'c', 'a', 'l', 'h',
                                      'o', 's', 't', 0,   0};
  const uint8_t *request = by_name ? localhost : anybody;
  size_t len = by_name ? sizeof localhost : sizeof anybody;
  uint8_t reply[12] = {0};
  int fd = loopback_connect(SOCK_STREAM, proxy, PATIENCE_MS);
  int works = fd >= 0 && send(fd, request, len, MSG_NOSIGNAL) == (ssize_t)len &&
              loopback_take(fd, reply, sizeof reply) && port_of(reply + 2) &&
              has_host(fd, port_of(reply + 2));

  close(fd);
  return works;
}

/* The same by SOCKS 6, with a name, and with wishes for IP and TCP: TOS, happy
 * eyeballs, TFO with what follows the request. */
static int ask_by_name(uint16_t proxy, uint16_t port) {
  uint8_t request[] = {6,
                       1,
                       0,
                       24,
                       (uint8_t)(port >> 8),
                       (uint8_t)port,
                       0,
                       3,
                       9,
                       'l',
                       'o',
                       'c',
                       'a',
                       'l',
                       'h',
                       'o',
                       's',
                       't',
                       0,
                       0,
                       0,
                       1,
                       0,
                       8,
                       0xc1,
                       1,
                       0x20,
                       0,
                       0,
                       1,
                       0,
                       8,
                       0x81,
                       2,
                       2,
                       0,
                       0,
                       1,
                       0,
                       8,
                       0x84,
                       1,
                       0,
                       0,
                       5,
                       1,
                       0x7f};
  uint8_t reply[24] = {0};
  int fd = loopback_connect(SOCK_STREAM, proxy, PATIENCE_MS);
  int works;

  works = send(fd, request, sizeof request, MSG_NOSIGNAL) == sizeof request &&
          loopback_take(fd, reply, 4) && reply[1] == 0 &&
          loopback_take(fd, reply, 12) && reply[1] == 0;
  if (works) {
    uint8_t options[64];
    size_t len = (size_t)(reply[2] << 8 | reply[3]);

    works = len <= sizeof options && loopback_take(fd, options, len) &&
            loopback_take(fd, reply, 2) && reply[1] == 0xff;
  }
  close(fd);
  return works;
}

Test(engine_memory, ports_that_are_bound_fail_alone) {
  epi_engine *engine;
  epi_filter *filter;
  epi_addr socks;
  int worked = 0;

  cr_assert_eq(alloc_every_install(), 0);
  cr_assert_eq(epi_engine_new(&engine), 0);
  epi_engine_set(engine, EPI_ENGINE_WORKERS, 2);
  epi_engine_set(engine, EPI_ENGINE_BIND_MS, PATIENCE_MS);
  epi_engine_set(engine, EPI_ENGINE_CLIENT_BINDS, 8);
  cr_assert_eq(epi_filter_new_builtin(&filter, "count", NULL, 0), 0);
  cr_assert_eq(epi_engine_add_filter(engine, filter), 0);
  epi_filter_free(filter);
  cr_assert_eq(epi_engine_listen(engine, "socks://127.0.0.1:0"), 0);
  cr_assert_eq(epi_engine_listener_addr(engine, 0, &socks), 0);
  cr_assert_eq(epi_engine_start(engine), 0);
  cr_assert(ask_bind(socks.port, 0), "nothing failed yet");
  cr_assert_eq(epi_engine_set(engine, EPI_ENGINE_BIND_MS, SHORT_MS), 0);
  for (int every = 2; every < 60; every++) {
    alloc_every(every);
    for (int i = 0; i < 8; i++) {
      worked += ask_bind(socks.port, i % 2);
    }
  }
  alloc_every(0);
  cr_expect_gt(alloc_every_failures(), 100);
  cr_expect_gt(worked, 0);
  cr_assert_eq(epi_engine_set(engine, EPI_ENGINE_BIND_MS, PATIENCE_MS), 0);
  for (int i = 0; i < 16; i++) {
    cr_expect(ask_bind(socks.port, 0), "it has recovered, and lost no count");
  }
  epi_engine_free(engine);
}

Test(engine_memory, what_fails_fails_alone) {
  epi_engine *engine;
  epi_filter *filter;
  epi_addr socks, reverse;
  char url[80];
  int worked = 0, by_name = 0;

  cr_assert_eq(alloc_every_install(), 0);
  cr_assert_eq(epi_engine_new(&engine), 0);
  epi_engine_set(engine, EPI_ENGINE_WORKERS, 2);
  cr_assert_eq(epi_filter_new_builtin(&filter, "count", NULL, 0), 0);
  cr_assert_eq(epi_engine_add_filter(engine, filter), 0);
  epi_filter_free(filter);
  cr_assert_eq(epi_engine_listen(engine, "socks://127.0.0.1:0"), 0);
  cr_assert_eq(epi_engine_listener_addr(engine, 0, &socks), 0);
  snprintf(url, sizeof url, "tcp://127.0.0.1:0=127.0.0.1:%u",
           (unsigned)socks.port);
  cr_assert_eq(epi_engine_listen(engine, url), 0);
  cr_assert_eq(epi_engine_listener_addr(engine, 1, &reverse), 0);
  cr_assert_eq(epi_engine_start(engine), 0);
  cr_assert(ask(socks.port, reverse.port), "nothing failed yet");
  cr_assert(ask_by_name(socks.port, reverse.port), "nor here");
  for (int every = 2; every < 60; every++) {
    alloc_every(every);
    for (int i = 0; i < 8; i++) {
      worked += ask(socks.port, reverse.port);
      by_name += ask_by_name(socks.port, reverse.port);
    }
  }
  alloc_every(0);
  cr_expect_gt(alloc_every_failures(), 100);
  cr_expect_gt(worked, 0);
  cr_expect_gt(by_name, 0);
  cr_expect(ask(socks.port, reverse.port), "it has recovered");
  epi_engine_free(engine);
}

static const char audit_key[] = "a key of an audit log";

/* 1 if all lines of a log are whole and in its chain. */
static int is_whole(const char *path, int64_t *lines) {
  FILE *file = fopen(path, "r");
  epi_audit *audit = NULL;
  char block[4096];
  size_t got;
  int result;

  cr_assert(file);
  cr_assert_eq(epi_audit_new(&audit, audit_key, sizeof audit_key), 0);
  result = 0;
  while (!result && (got = fread(block, 1, sizeof block, file)) > 0) {
    result = epi_audit_feed(audit, block, got);
  }
  result = result ? result : epi_audit_end(audit);
  *lines = epi_audit_number(audit, EPI_AUDIT_LINES);
  cr_expect_eq(result, 0, "%s", epi_error_detail());
  epi_audit_free(audit);
  fclose(file);
  return !result;
}

Test(engine_memory, no_flow_goes_unaudited) {
  char path[] = "/tmp/epi-audit-XXXXXX", url[80];
  int fd = mkstemp(path), worked = 0;
  epi_engine *engine;
  epi_addr socks, reverse;
  int64_t lines = 0;

  close(fd);
  cr_assert_eq(alloc_every_install(), 0);
  cr_assert_eq(epi_engine_new(&engine), 0);
  epi_engine_set(engine, EPI_ENGINE_WORKERS, 2);
  epi_engine_set(engine, EPI_ENGINE_AUDIT_HEAD_MS, 100);
  cr_assert_eq(epi_engine_set_audit(engine, path, audit_key, sizeof audit_key,
                                    EPI_AUDIT_REFUSE),
               0, "%s", epi_error_detail());
  cr_assert_eq(epi_engine_listen(engine, "socks://127.0.0.1:0"), 0);
  cr_assert_eq(epi_engine_listener_addr(engine, 0, &socks), 0);
  snprintf(url, sizeof url, "tcp://127.0.0.1:0=127.0.0.1:%u",
           (unsigned)socks.port);
  cr_assert_eq(epi_engine_listen(engine, url), 0);
  cr_assert_eq(epi_engine_listener_addr(engine, 1, &reverse), 0);
  cr_assert_eq(epi_engine_start(engine), 0);
  for (int every = 2; every < 40; every++) {
    alloc_every(every);
    for (int i = 0; i < 8; i++) {
      worked += ask(socks.port, reverse.port);
    }
    epi_engine_audit_head(engine);
  }
  alloc_every(0);
  cr_expect_gt(alloc_every_failures(), 100);
  cr_expect_gt(worked, 0);
  cr_expect(ask(socks.port, reverse.port), "it has recovered");
  epi_engine_free(engine);
  cr_expect(is_whole(path, &lines));
  cr_expect_geq(lines, 2 * worked, "%lld lines of %d flows", (long long)lines,
                worked);
  unlink(path);
}
