/* test_provisioner.c: a program starts and stops the instances of an engine. */
#include "epi/epi.h"
#include "os/os.h"
#include "support/alloc_every.h"
#include "support/loopback.h"

#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  PATIENCE_MS = 20000,
  BETWEEN_MS = 5,
  RETRY_MS = 1000, /* the least that passes between two that fail */
};

/* What the callbacks do and saw. */
static struct program {
  epi_engine *engine;
  char url[80];       /* where the function is */
  const char *reason; /* why it cannot be started, or NULL */
  int silent;         /* it answers later */
  int dies;           /* it is ready, and gone at once */
  int64_t idle_ms;    /* how long it may be without flows; 0: for ever */
  atomic_int started, stopped;
  atomic_llong number; /* of the last one */
  char stopped_at[80];
} program;

static epi_engine
    *function;          /* which carries flows, and has what they ask for */
static uint16_t origin; /* a port that says FF to what is no SOCKS */

static void on_start(int64_t instance, const char *name, const char *image,
                     const char *options, void *user) {
  struct program *to = user;

  cr_expect_str_eq(name, "gate");
  cr_expect_str_eq(image, "r/gate:1");
  cr_expect_str_eq(options, "{\"level\":\"9\"}");
  atomic_store(&to->number, instance);
  atomic_fetch_add(&to->started, 1);
  if (to->reason) {
    epi_engine_instance_failed(to->engine, instance, to->reason);
  } else if (!to->silent) {
    epi_engine_instance_ready(to->engine, instance, to->url);
  }
  if (to->dies) {
    epi_engine_instance_failed(to->engine, instance, "it died");
  }
}

static void on_stop(int64_t instance, const char *name, const char *url,
                    void *user) {
  struct program *to = user;

  cr_expect_gt(instance, 0);
  cr_expect_str_eq(name, "gate");
  snprintf(to->stopped_at, sizeof to->stopped_at, "%s", url);
  atomic_fetch_add(&to->stopped, 1);
}

/* The flows that wait are late to hear that it is ready. */
static void on_log(int level, const char *line, void *user) {
  const struct program *of = user;

  (void)level;
  if (strstr(line, "is ready at")) {
    epi__sleep(5 * of->idle_ms);
  }
}

static uint16_t listen_on(epi_engine *engine, const char *url, size_t index) {
  epi_addr addr;

  cr_assert_eq(epi_engine_listen(engine, url), 0, "%s", epi_error_detail());
  cr_assert_eq(epi_engine_listener_addr(engine, index, &addr), 0);
  return addr.port;
}

static void start_function(void) {
  char url[80];
  uint16_t port;

  cr_assert_eq(epi_engine_new(&function), 0);
  epi_engine_set(function, EPI_ENGINE_WORKERS, 1);
  port = listen_on(function, "socks://127.0.0.1:0", 0);
  snprintf(program.url, sizeof program.url, "socks6://127.0.0.1:%u",
           (unsigned)port);
  snprintf(url, sizeof url, "tcp://127.0.0.1:0=127.0.0.1:%u", (unsigned)port);
  origin = listen_on(function, url, 1);
  cr_assert_eq(epi_engine_start(function), 0);
}

/* Everything needs the function. Returns the proxy's port. */
static uint16_t start(int64_t provision_ms) {
  static const char document[] =
      "{\"epi\": 1, \"nodes\": {\"a\": {\"addresses\": [\"127.0.0.0/8\"]}},"
      "\"functions\": {\"gate\": {\"provides\": [\"fw\"], \"image\": "
      "\"r/gate:1\","
      "\"options\": {\"level\": \"9\"}}}, \"policy\": {\"rules\": ["
      "{\"id\": \"r\", \"effect\": \"require\", \"attributes\": [\"fw\"]},"
      "{\"id\": \"ok\", \"effect\": \"allow\"}]}}";
  epi_engine *engine;
  epi_model *model;
  uint16_t port;

  start_function();
  cr_assert_eq(epi_engine_new(&engine), 0);
  program.engine = engine;
  epi_engine_set(engine, EPI_ENGINE_WORKERS, 2);
  epi_engine_set(engine, EPI_ENGINE_PROVISION_MS, provision_ms);
  epi_engine_set(engine, EPI_ENGINE_INSTANCE_IDLE_MS, program.idle_ms);
  epi_engine_on_log(engine, on_log, &program);
  cr_assert_eq(epi_engine_on_start_instance(engine, on_start, &program), 0);
  cr_assert_eq(epi_engine_on_stop_instance(engine, on_stop, &program), 0);
  cr_assert_eq(epi_model_read(&model, NULL, document, sizeof document - 1), 0,
               "%s", epi_error_detail());
  cr_assert_eq(epi_engine_set_model(engine, model), 0);
  epi_model_free(model);
  port = listen_on(engine, "socks://127.0.0.1:0", 0);
  cr_assert_eq(epi_engine_start(engine), 0);
  return port;
}

static void stop(void) {
  epi_engine_free(program.engine);
  epi_engine_free(function);
}

/* Ask the proxy for the origin. */
static int ask(uint16_t proxy) {
  uint8_t request[] = {5,
                       1,
                       0,
                       5,
                       1,
                       0,
                       1,
                       127,
                       0,
                       0,
                       1,
                       (uint8_t)(origin >> 8),
                       (uint8_t)origin};
  int fd = loopback_connect(SOCK_STREAM, proxy, PATIENCE_MS);

  if (fd >= 0) {
    send(fd, request, sizeof request, MSG_NOSIGNAL);
  }
  return fd;
}

/* The reply code, or -1; once it is 0, the origin must be there. */
static int outcome(int fd) {
  uint8_t reply[12] = {0};
  int code = -1;

  if (loopback_take(fd, reply, sizeof reply)) {
    code = reply[3];
  }
  if (code == 0) { /* a greeting without methods comes back as a refusal */
    code = send(fd, "\x05\x01\x7f", 3, MSG_NOSIGNAL) == 3 &&
                   loopback_take(fd, reply, 2) && reply[1] == 0xff
               ? 0
               : -1;
  }
  close(fd);
  return code;
}

static void wait_for(atomic_int *what, int count) {
  int64_t end = epi__clock_steady() + PATIENCE_MS;

  while (atomic_load(what) < count && epi__clock_steady() < end) {
    epi__sleep(BETWEEN_MS);
  }
  cr_assert_eq(atomic_load(what), count);
}

Test(provisioner, an_instance_is_started_once_and_stopped_at_the_end) {
  uint16_t proxy = start(PATIENCE_MS);

  cr_expect_eq(outcome(ask(proxy)), 0);
  cr_expect_eq(outcome(ask(proxy)), 0);
  cr_expect_eq(atomic_load(&program.started), 1);
  cr_expect_eq(atomic_load(&program.stopped), 0);
  stop();
  cr_expect_eq(atomic_load(&program.stopped), 1);
  cr_expect_str_eq(program.stopped_at, program.url);
}

Test(provisioner, flows_wait_for_the_answer) {
  uint16_t proxy;
  int fds[2];

  program.silent = 1;
  proxy = start(PATIENCE_MS);
  fds[0] = ask(proxy);
  fds[1] = ask(proxy);
  wait_for(&program.started, 1);
  cr_expect_eq(epi_engine_instance_ready(program.engine, program.number,
                                         "http://127.0.0.1:1"),
               EPI_EINVAL);
  cr_expect_eq(epi_engine_instance_ready(program.engine, program.number + 1,
                                         program.url),
               EPI_ENOENT);
  cr_expect_eq(
      epi_engine_instance_ready(program.engine, program.number, program.url),
      0);
  cr_expect_eq(
      epi_engine_instance_ready(program.engine, program.number, program.url),
      EPI_ENOENT);
  cr_expect_eq(outcome(fds[0]), 0);
  cr_expect_eq(outcome(fds[1]), 0);
  cr_expect_eq(atomic_load(&program.started), 1);
  stop();
}

Test(provisioner, an_instance_is_not_idle_while_a_flow_waits) {
  program.idle_ms = 20;
  cr_expect_eq(outcome(ask(start(PATIENCE_MS))), 0);
  cr_expect_eq(atomic_load(&program.started), 1);
  wait_for(&program.stopped, 1);
  stop();
}

Test(provisioner, a_failure_refuses_the_flows_that_wait) {
  int64_t began = epi__clock_steady();
  uint16_t proxy;

  program.reason = "no room";
  proxy = start(PATIENCE_MS);
  cr_expect_eq(outcome(ask(proxy)), 1);
  cr_expect_eq(outcome(ask(proxy)), 1);
  cr_expect(atomic_load(&program.started) == 1 ||
            epi__clock_steady() - began >= RETRY_MS);
  cr_expect_eq(epi_engine_instance_failed(program.engine, 1, "again"),
               EPI_ENOENT);
  cr_expect_eq(epi_engine_instance_failed(program.engine, 1, ""), EPI_EINVAL);
  stop();
  cr_expect_eq(atomic_load(&program.stopped), 0, "there is nothing to stop");
}

Test(provisioner, no_answer_is_a_failure) {
  uint16_t proxy;

  program.silent = 1;
  proxy = start(100);
  cr_expect_eq(outcome(ask(proxy)), 1);
  wait_for(&program.stopped, 1);
  cr_expect_str_eq(program.stopped_at, "");
  cr_expect_eq(epi_engine_instance_ready(program.engine, 1, program.url),
               EPI_ENOENT);
  stop();
  cr_expect_eq(atomic_load(&program.stopped), 1);
}

Test(provisioner, one_that_is_gone_is_replaced) {
  uint16_t proxy = start(PATIENCE_MS);

  cr_expect_eq(outcome(ask(proxy)), 0);
  cr_expect_eq(epi_engine_instance_failed(program.engine, 1, "it died"), 0);
  wait_for(&program.stopped, 1);
  cr_expect_eq(outcome(ask(proxy)), 0);
  cr_expect_eq(atomic_load(&program.started), 2);
  stop();
  cr_expect_eq(atomic_load(&program.stopped), 2);
}

Test(provisioner, one_that_was_ready_and_is_gone_at_once_is_stopped) {
  program.dies = 1;
  cr_expect_eq(outcome(ask(start(PATIENCE_MS))), 1);
  wait_for(&program.stopped, 1);
  cr_expect_str_eq(program.stopped_at, program.url);
  stop();
}

Test(provisioner, a_start_that_nobody_answered_is_stopped_at_the_end) {
  int fd;

  program.silent = 1;
  fd = ask(start(PATIENCE_MS));
  wait_for(&program.started, 1);
  stop();
  cr_expect_eq(atomic_load(&program.stopped), 1);
  close(fd);
}

Test(provisioner, is_set_up_before_the_start) {
  start(PATIENCE_MS);
  cr_expect_eq(epi_engine_on_start_instance(program.engine, on_start, NULL),
               EPI_ESTATE);
  cr_expect_eq(epi_engine_on_stop_instance(program.engine, on_stop, NULL),
               EPI_ESTATE);
  cr_expect_eq(epi_engine_set_provision_command(program.engine, "/bin/true"),
               EPI_ESTATE);
  stop();
}

/* With so long a time nothing ends because it was too late. */
Test(provisioner, an_answer_without_memory_is_a_failure_at_once) {
  int fd;

  cr_assert_eq(alloc_every_install(), 0);
  program.silent = 1;
  fd = ask(start(600000));
  wait_for(&program.started, 1);
  alloc_every(1);
  cr_expect_eq(
      epi_engine_instance_ready(program.engine, program.number, program.url),
      EPI_ENOMEM);
  alloc_every(0);
  wait_for(&program.stopped, 1);
  cr_expect_str_eq(program.stopped_at, "");
  cr_expect_neq(outcome(fd), 0);
  cr_expect_eq(
      epi_engine_instance_ready(program.engine, program.number, program.url),
      EPI_ENOENT);
  stop();
}

Test(provisioner, a_failure_needs_no_memory) {
  int fd, result;

  cr_assert_eq(alloc_every_install(), 0);
  program.silent = 1;
  fd = ask(start(600000));
  wait_for(&program.started, 1);
  alloc_every(1);
  result =
      epi_engine_instance_failed(program.engine, program.number, "no room");
  alloc_every(0);
  cr_expect_eq(result, 0);
  cr_expect_neq(outcome(fd), 0);
  stop();
  cr_expect_eq(atomic_load(&program.stopped), 0, "there is nothing to stop");
}

Test(provisioner, without_memory_flows_fail_and_nothing_is_left) {
  int asked = 0, worked = 0;

  cr_assert_eq(alloc_every_install(), 0);
  for (int every = 3; every < 1000; every += 23) {
    uint16_t proxy = start(PATIENCE_MS);

    alloc_every(every);
    for (int i = 0; i < 4; i++, asked++) {
      worked += outcome(ask(proxy)) == 0;
    }
    alloc_every(0);
    stop();
    cr_expect_eq(atomic_load(&program.stopped), atomic_load(&program.started));
  }
  cr_expect_gt(alloc_every_failures(), 20);
  cr_expect_gt(worked, 0);
  cr_expect_lt(worked, asked);
}
