/* test_listen.c: what an engine listens with changes while it runs. */
#include "epi/epi.h"
#include "support/alloc_every.h"
#include "support/loopback.h"

#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define ANY "socks://127.0.0.1:0"

static epi_engine *started_at(int workers, const char *url) {
  epi_engine *engine;

  cr_assert_eq(epi_engine_new(&engine), 0);
  cr_assert_eq(epi_engine_set(engine, EPI_ENGINE_WORKERS, workers), 0);
  cr_assert_eq(epi_engine_listen(engine, url), 0);
  cr_assert_eq(epi_engine_start(engine), 0, "%s", epi_error_detail());
  return engine;
}

static epi_engine *started(int workers) {
  return started_at(workers, ANY);
}

static uint16_t port_of(const epi_engine *engine, size_t index) {
  epi_addr addr = {0};

  return epi_engine_listener_addr(engine, index, &addr) ? (uint16_t)0
                                                        : addr.port;
}

/* A greeting without methods is answered with a refusal. */
static int answers_at(const char *host, uint16_t port) {
  uint8_t reply[2] = {0};
  int fd = loopback_connect_to(host, SOCK_STREAM, port, 20000);
  int works = fd >= 0 && send(fd, "\x05\x01\x7f", 3, MSG_NOSIGNAL) == 3 &&
              loopback_take(fd, reply, 2) && reply[1] == 0xff;

  if (fd >= 0) {
    close(fd);
  }
  return works;
}

static int answers(uint16_t port) {
  return answers_at("127.0.0.1", port);
}

static void url_of(char *out, size_t size, uint16_t port, const char *more) {
  snprintf(out, size, "socks://127.0.0.1:%u%s", port, more);
}

Test(listen, listeners_have_indexes_in_their_order) {
  const char *host = loopback_own();
  char url[64], *given = NULL;
  uint16_t first, second;
  epi_engine *engine;

  snprintf(url, sizeof url, "socks://%s:0", host);
  engine = started_at(2, url);
  first = port_of(engine, 0);
  cr_expect_eq(epi_engine_listen(engine, ANY "?version=5"), 0);
  second = port_of(engine, 1);
  cr_expect(answers_at(host, first) && answers(second));
  snprintf(url, sizeof url, "socks://%s:%u", host, first);
  cr_expect_eq(epi_engine_unlisten(engine, url), 0, "%s", epi_error_detail());
  cr_expect_eq(port_of(engine, 0), second, "the later ones move up");
  cr_expect_eq(port_of(engine, 1), 0);
  cr_expect(!answers_at(host, first) && answers(second));
  cr_expect_eq(epi_engine_listener_url(engine, 0, &given), 0);
  cr_expect_str_eq(given, ANY "?version=5");
  cr_expect_eq(epi_engine_listener_url(engine, 1, &given), EPI_EINVAL);
  epi_free(given);
  epi_engine_free(engine);
}

Test(listen, another_takes_its_place_and_its_port) {
  epi_engine *engine = started(2);
  uint16_t port = port_of(engine, 0);
  char url[64];

  url_of(url, sizeof url, port, "?version=5&udp=0");
  for (int i = 0; i < 3; i++) {
    cr_expect_eq(epi_engine_relisten(engine, ANY, url), 0, "%s",
                 epi_error_detail());
    cr_expect_eq(port_of(engine, 0), port);
    cr_expect(answers(port));
    cr_expect_eq(epi_engine_relisten(engine, url, ANY), 0, "%s",
                 epi_error_detail());
    cr_expect(answers(port));
  }
  cr_expect_eq(epi_engine_relisten(engine, url, ANY), EPI_ENOENT);
  cr_expect_eq(epi_engine_relisten(engine, ANY, ANY "?users=/none"),
               EPI_ENOENT);
  cr_expect_eq(epi_engine_relisten(engine, ANY, "gopher://127.0.0.1:0"),
               EPI_EINVAL);
  cr_expect_eq(epi_engine_listen(engine, url), EPI_EBUSY);
  cr_expect(answers(port), "nothing has changed");
  epi_engine_free(engine);
}

static void write_users(const char *path, const char *text) {
  FILE *file = fopen(path, "w");

  cr_assert(file && fputs(text, file) >= 0 && !fclose(file));
}

/* An engine that listens with a users file, at path; the URL of that. */
static epi_engine *with_users(char *path, char *url, size_t size) {
  epi_engine *engine = started(1);
  int fd = mkstemp(path);

  cr_assert(fd >= 0 && !close(fd));
  write_users(path, "ada:secret\n");
  snprintf(url, size, ANY "?users=%s", path);
  cr_assert_eq(epi_engine_listen(engine, url), 0, "%s", epi_error_detail());
  return engine;
}

Test(listen, a_users_file_that_went_bad_stays_that_of_who_has_it) {
  char path[] = "/tmp/epi-users-XXXXXX", url[64];
  epi_engine *engine = with_users(path, url, sizeof url);

  write_users(path, "of nobody\n");
  cr_expect_eq(epi_engine_listen(engine, url), EPI_EINVAL);
  write_users(path, "ada:secret\nbob:p\n");
  cr_expect_eq(epi_engine_reload_users(engine), 1, "the engine has it still");
  cr_expect_eq(epi_engine_listen(engine, url), 0, "%s", epi_error_detail());
  epi_engine_free(engine);
  unlink(path);
}

Test(listen, a_users_file_is_read_once_there_are_descriptors_again) {
  char path[] = "/tmp/epi-users-XXXXXX", url[64];
  epi_engine *engine = started(1);
  struct rlimit before, none;
  int fd = mkstemp(path);

  cr_assert(fd >= 0 && !close(fd));
  write_users(path, "ada:secret\n");
  snprintf(url, sizeof url, ANY "?users=%s", path);
  cr_assert_eq(epi_engine_listen(engine, url), 0, "%s", epi_error_detail());
  write_users(path, "bob:secret of his\n");
  cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
  none = before;
  none.rlim_cur = 0;
  cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
  cr_expect_eq(epi_engine_reload_users(engine), EPI_ESYS);
  cr_expect_eq(epi_engine_reload_users(engine), EPI_ESYS, "it tries again");
  cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
  cr_expect_eq(epi_engine_reload_users(engine), 1);
  cr_expect_eq(epi_engine_reload_users(engine), 0);
  epi_engine_free(engine);
  unlink(path);
}

Test(listen, a_users_file_that_became_a_pipe_is_not_waited_for) {
  char path[] = "/tmp/epi-users-XXXXXX", url[64];
  epi_engine *engine = with_users(path, url, sizeof url);

  cr_assert(!unlink(path) && !mkfifo(path, 0600));
  cr_expect_eq(epi_engine_reload_users(engine), 0);
  epi_engine_free(engine);
  unlink(path);
}

Test(listen, a_listener_has_no_login_of_its_own) {
  epi_engine *engine = started(1);

  cr_expect_eq(epi_engine_listen(engine, "socks://ada:secret@127.0.0.1:0"),
               EPI_EINVAL);
  cr_expect(strstr(epi_error_detail(), "users=FILE"), "%s", epi_error_detail());
  cr_expect(!strstr(epi_error_detail(), "secret"), "%s", epi_error_detail());
  epi_engine_free(engine);
}

Test(listen, has_its_states) {
  epi_engine *engine = started(1);
  uint16_t port = port_of(engine, 0);

  cr_expect_eq(epi_engine_unlisten(engine, ANY), EPI_ESTATE, "it is the last");
  cr_expect_eq(epi_engine_unlisten(engine, ANY "?version=5"), EPI_ENOENT);
  cr_expect_eq(epi_engine_set(engine, EPI_ENGINE_MARK, 1), EPI_ESTATE);
  cr_expect(answers(port));
  cr_expect_eq(epi_engine_drain(engine, 0), 0);
  cr_expect_eq(epi_engine_listen(engine, ANY), EPI_ESTATE);
  cr_expect_eq(epi_engine_set(engine, EPI_ENGINE_WORKERS, 2), EPI_ESTATE);
  epi_engine_stop(engine);
  cr_expect_eq(epi_engine_listen(engine, ANY), EPI_ESTATE);
  cr_expect_eq(epi_engine_unlisten(engine, ANY), EPI_ESTATE);
  cr_expect_eq(epi_engine_set(engine, EPI_ENGINE_WORKERS, 2), EPI_ESTATE);
  epi_engine_free(engine);
  cr_assert_eq(epi_engine_new(&engine), 0);
  cr_expect_eq(epi_engine_listen(engine, ANY), 0);
  cr_expect_eq(epi_engine_relisten(engine, ANY, ANY), EPI_ESTATE);
  cr_expect_eq(epi_engine_unlisten(engine, ANY), 0);
  cr_expect_eq(epi_engine_set(engine, EPI_ENGINE_WORKERS, 3), 0);
  epi_engine_free(engine);
}

/* A worker may take a list while the next one is made, which has retired a
 * listener that both have. */
Test(listen, lists_follow_each_other_without_a_pause) {
  static const char *const urls[] = {ANY "?version=5", ANY "?version=6"};
  epi_engine *engine = started(16);
  uint16_t port = port_of(engine, 0);

  cr_assert_eq(epi_engine_listen(engine, urls[0]), 0);
  for (int i = 0; i < 4000; i++) {
    cr_assert_eq(epi_engine_listen(engine, urls[(i + 1) % 2]), 0);
    cr_assert_eq(epi_engine_unlisten(engine, urls[i % 2]), 0);
  }
  cr_expect(answers(port));
  epi_engine_free(engine);
}

/* A worker stands still in a filter until it is told to go on. */
static atomic_int stands, goes_on;

static int on_open(epi_pipe *pipe, void *user) {
  (void)pipe;
  (void)user;
  atomic_store(&stands, 1);
  for (int i = 0; i < 20000 && !atomic_load(&goes_on); i++) {
    usleep(1000);
  }
  return EPI_EDENIED;
}

/* Two workers, of which one stands still. */
static epi_engine *half_asleep(void) {
  epi_engine *engine;
  epi_filter *filter;
  int fd;

  cr_assert_eq(epi_engine_new(&engine), 0);
  cr_assert_eq(epi_filter_new(&filter, "stand"), 0);
  epi_filter_on_open(filter, on_open, NULL);
  cr_assert_eq(epi_engine_add_filter(engine, filter), 0);
  epi_filter_free(filter);
  cr_assert_eq(epi_engine_set(engine, EPI_ENGINE_WORKERS, 2), 0);
  cr_assert_eq(epi_engine_set(engine, EPI_ENGINE_HANDSHAKE_MS, 600000), 0);
  cr_assert_eq(epi_engine_listen(engine, "tcp://127.0.0.1:0=127.0.0.1:1"), 0);
  cr_assert_eq(epi_engine_start(engine), 0, "%s", epi_error_detail());
  fd = loopback_connect_to("127.0.0.1", SOCK_STREAM, port_of(engine, 0), 20000);
  for (int i = 0; i < 20000 && !atomic_load(&stands); i++) {
    usleep(1000);
  }
  cr_assert(fd >= 0 && atomic_load(&stands));
  close(fd);
  return engine;
}

/* Connect until the worker that runs has one of the connections. */
static int fill(const char *host, uint16_t port, int fds[64]) {
  uint8_t reply[2];
  int count = 0;

  while (count < 64) {
    int fd = loopback_connect_to(host, SOCK_STREAM, port, 200);

    cr_assert(fd >= 0 && send(fd, "\x05\x01\x00", 3, MSG_NOSIGNAL) == 3);
    fds[count++] = fd;
    if (loopback_take(fd, reply, 2)) {
      return count;
    }
  }
  return 0;
}

Test(listen, a_socket_that_no_worker_has_opened_closes_too) {
  const char *host = loopback_own();
  epi_engine *engine = half_asleep();
  int fds[64], count, fd = 0;
  uint16_t port;
  char url[64];

  snprintf(url, sizeof url, "socks://%s:0?version=5", host);
  cr_assert_eq(epi_engine_listen(engine, url), 0);
  port = port_of(engine, 1);
  count = fill(host, port, fds);
  cr_assert_gt(count, 0);
  cr_expect_eq(epi_engine_unlisten(engine, url), 0);
  atomic_store(&goes_on, 1);
  for (int i = 0; i < 2000 && fd >= 0; i++) {
    usleep(10000);
    fd = loopback_connect_to(host, SOCK_STREAM, port, 20000);
    if (fd >= 0) {
      close(fd);
    }
  }
  cr_expect_lt(fd, 0, "nobody listens there any more");
  while (count) {
    close(fds[--count]);
  }
  epi_engine_free(engine);
}

Test(listen, workers_come_and_go) {
  epi_engine *engine = started(1);
  uint16_t port = port_of(engine, 0);
  static const int counts[] = {4, 1, 8, 2};

  cr_expect_eq(epi_engine_listen(engine, ANY "?udp=0"), 0);
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
    int64_t value = 0;

    cr_expect_eq(epi_engine_set(engine, EPI_ENGINE_WORKERS, counts[i]), 0, "%s",
                 epi_error_detail());
    cr_expect_eq(
        epi_engine_bounds(engine, EPI_ENGINE_WORKERS, &value, NULL, NULL), 0);
    cr_expect_eq(value, counts[i]);
    for (int k = 0; k < 20; k++) {
      cr_expect(answers(port) && answers(port_of(engine, 1)));
    }
  }
  epi_engine_free(engine);
}

Test(listen, a_change_without_memory_is_none) {
  epi_engine *engine;
  static const char other[] = ANY "?version=6&udp=0";
  int failed = 0, workers = 1;
  uint16_t port;

  cr_assert_eq(alloc_every_install(), 0);
  engine = started(1);
  port = port_of(engine, 0);
  for (int every = 2; every < 40; every++) {
    int64_t value;

    alloc_every(every);
    failed += epi_engine_listen(engine, other) == EPI_ENOMEM;
    failed += epi_engine_relisten(engine, ANY, ANY "?version=5") != 0;
    failed += epi_engine_unlisten(engine, other) == EPI_ENOMEM;
    workers += !epi_engine_set(engine, EPI_ENGINE_WORKERS, workers + 1);
    alloc_every(0);
    epi_engine_unlisten(engine, other);
    epi_engine_relisten(engine, ANY "?version=5", ANY);
    cr_expect_eq(port_of(engine, 0), port);
    cr_expect_eq(port_of(engine, 1), 0);
    cr_expect(answers(port), "it has recovered");
    cr_expect_eq(
        epi_engine_bounds(engine, EPI_ENGINE_WORKERS, &value, NULL, NULL), 0);
    cr_expect_eq(value, workers);
  }
  cr_expect_gt(workers, 1);
  cr_expect_gt(failed, 10);
  epi_engine_free(engine);
}
