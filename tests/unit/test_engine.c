/* test_engine.c: what an engine takes before its start, and after. */
#include "epi/engine.h"
#include "os/os.h"
#include "support/loopback.h"

#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  PATIENCE_MS = 20000,
};

static epi_engine *listening(void) {
  epi_engine *engine = NULL;

  cr_assert(!epi_engine_new(&engine));
  cr_assert(!epi_engine_set(engine, EPI_ENGINE_WORKERS, 1));
  cr_assert(!epi_engine_listen(engine, "socks://127.0.0.1:0"));
  return engine;
}

static void set_model(epi_engine *engine, const char *text) {
  epi_model *model = NULL;

  cr_assert(!epi_model_read(&model, NULL, text, strlen(text)));
  cr_assert(!epi_engine_set_model(engine, model));
  epi_model_free(model);
}

Test(engine, starts_with_a_proxy_that_has_no_endpoint) {
  epi_engine *engine = listening();

  set_model(engine, "{\"epi\": 1, \"nodes\": {\"a\": {\"domain\": \"d\"}},"
                    " \"proxies\": {\"p\": {\"domain\": \"d\"}}}");
  cr_assert(!epi_engine_start(engine), "%s", epi_error_detail());
  epi_engine_free(engine);
}

Test(engine, does_not_start_under_a_name_that_the_model_lacks) {
  epi_engine *engine = listening();

  set_model(engine, "{\"epi\": 1, \"nodes\": {\"a\": {\"domain\": \"d\"}},"
                    " \"proxies\": {\"p\": {\"domain\": \"d\"}}}");
  cr_assert(!epi_engine_set_name(engine, "q"));
  cr_assert_eq(epi_engine_start(engine), EPI_EINVAL);
  cr_assert(strstr(epi_error_detail(), "'q'"));
  cr_assert(!epi_engine_set_name(engine, "p"));
  cr_assert(!epi_engine_start(engine), "%s", epi_error_detail());
  epi_engine_free(engine);
}

Test(engine, does_not_start_once_it_was_stopped) {
  epi_engine *engine = listening();

  epi_engine_stop(engine);
  cr_assert_eq(epi_engine_start(engine), EPI_ESTATE);
  epi_engine_free(engine);
}

Test(engine, sessions_have_bounds) {
  epi_engine *engine = listening();

  cr_expect_eq(epi_engine_set(engine, EPI_ENGINE_SESSIONS, 0), 0);
  cr_expect_eq(epi_engine_set(engine, EPI_ENGINE_SESSIONS, -1), EPI_EINVAL);
  cr_expect_eq(epi_engine_set(engine, EPI_ENGINE_SESSIONS_PER_OWNER, 0),
               EPI_EINVAL);
  cr_expect_eq(epi_engine_set(engine, EPI_ENGINE_SESSION_IDLE_MS, 0),
               EPI_EINVAL);
  cr_expect_eq(epi_engine_set(engine, EPI_ENGINE_TOKENS, 65537), EPI_EINVAL);
  cr_expect_eq(epi_engine_set(engine, EPI_ENGINE_TOKENS, 65536), 0);
  cr_expect_eq(epi_engine_start(engine), 0);
  epi_engine_free(engine);
}

Test(engine, ports_of_bind_are_a_range) {
  epi_engine *engine = listening();

  cr_expect_eq(epi_engine_set(engine, EPI_ENGINE_BIND_PORT_MIN, 0), EPI_EINVAL);
  cr_expect_eq(epi_engine_set(engine, EPI_ENGINE_BIND_PORT_MAX, 65536),
               EPI_EINVAL);
  cr_expect_eq(epi_engine_set(engine, EPI_ENGINE_BIND_MS, 0), EPI_EINVAL);
  cr_expect_eq(epi_engine_set(engine, EPI_ENGINE_CLIENT_BINDS, 0), 0);
  cr_expect_eq(epi_engine_set(engine, EPI_ENGINE_BIND_PORT_MIN, 30001), 0);
  cr_expect_eq(epi_engine_set(engine, EPI_ENGINE_BIND_PORT_MAX, 30000), 0);
  cr_expect_eq(epi_engine_start(engine), EPI_EINVAL);
  cr_expect(strstr(epi_error_detail(), "30001 to 30000"));
  cr_expect_eq(epi_engine_set(engine, EPI_ENGINE_BIND_PORT_MIN, 30000), 0);
  cr_expect_eq(epi_engine_start(engine), 0);
  epi_engine_free(engine);
}

static atomic_int unused; /* connections of which the log says so */

static void look_for_unused(int level, const char *line, void *user) {
  (void)user;
  if (strstr(line, "closed unused")) {
    cr_expect_eq(level, EPI_LOG_DEBUG);
    unused++;
  }
}

/* Connect, send, close, and wait until the engine has no flow any more. */
static void leave_after(const epi_engine *engine, const char *sent) {
  int64_t end = epi__clock_steady() + PATIENCE_MS;
  int64_t before = epi_engine_count(engine, EPI_COUNT_FAILED) + unused;
  epi_addr addr;
  int fd;

  cr_assert(!epi_engine_listener_addr(engine, 0, &addr));
  fd = loopback_connect(SOCK_STREAM, addr.port, PATIENCE_MS);
  cr_assert_geq(fd, 0);
  cr_assert_eq(send(fd, sent, strlen(sent), 0), (ssize_t)strlen(sent));
  close(fd);
  while (epi_engine_count(engine, EPI_COUNT_FAILED) + unused == before) {
    cr_assert_lt(epi__clock_steady(), end, "the engine did not see it");
    epi__sleep(2);
  }
}

Test(engine, a_connection_without_a_byte_is_no_failed_flow) {
  epi_engine *engine = listening();

  epi_engine_on_log(engine, look_for_unused, NULL);
  cr_assert_eq(epi_engine_start(engine), 0);
  leave_after(engine, "");
  cr_expect_eq(unused, 1);
  cr_expect_eq(epi_engine_count(engine, EPI_COUNT_FAILED), 0);
  leave_after(engine, "\5");
  cr_expect_eq(unused, 1);
  cr_expect_eq(epi_engine_count(engine, EPI_COUNT_FAILED), 1);
  epi_engine_free(engine);
}

Test(engine, tells_of_instances) {
  epi_engine *engine = listening();
  char *text = NULL;

  cr_assert_eq(epi_engine_instances(engine, &text), 0);
  cr_expect_str_eq(text, "[]");
  epi_free(text);
  set_model(engine, "{\"epi\": 1, \"nodes\": {\"a\": {}}, \"functions\":"
                    " {\"gate\": {\"endpoints\": [\"socks5://10.0.0.1:1\"]}}}");
  cr_assert_eq(epi_engine_instances(engine, &text), 0);
  cr_expect_str_eq(text, "[{\"function\":\"gate\","
                         "\"url\":\"socks5://10.0.0.1:1\",\"answers\":true,"
                         "\"retired\":false,\"flows\":0}]");
  epi_free(text);
  epi_engine_free(engine);
}

/* Where nobody else takes a port. */
static epi_engine *at_quiet(void) {
  epi_engine *engine = NULL;
  char url[64];

  cr_assert(!epi_engine_new(&engine));
  cr_assert(!epi_engine_set(engine, EPI_ENGINE_WORKERS, 1));
  snprintf(url, sizeof url, "socks://%s:0", loopback_own());
  cr_assert(!epi_engine_listen(engine, url));
  return engine;
}

/* A model that gives proxy p a port. */
static int set_port(epi_engine *engine, unsigned port, const char *to) {
  epi_model *model = NULL;
  char text[512];
  int result;

  snprintf(text, sizeof text,
           "{\"epi\": 1, \"nodes\": {\"a\": {\"domain\": \"d\", \"addresses\": "
           "[\"127.0.0.0/8\"]}}, \"proxies\": {\"p\": {\"domain\": \"d\", "
           "\"ports\": [{\"port\": %u, \"from\": \"a\", \"to\": \"%s\", "
           "\"listen\": \"%s\"}]}}}",
           port, to, loopback_own());
  cr_assert(!epi_model_read(&model, NULL, text, strlen(text)), "%s",
            epi_error_detail());
  result = epi_engine_set_model(engine, model);
  epi_model_free(model);
  return result;
}

static unsigned port_of(const epi_engine *engine, size_t index) {
  epi_addr addr;

  cr_assert(!epi_engine_listener_addr(engine, index, &addr));
  return addr.port;
}

Test(engine, listens_at_ports_of_the_model_alone) {
  epi_engine *engine = NULL, *other = at_quiet();
  unsigned port = port_of(other, 0);
  epi_addr addr;

  cr_assert(!epi_engine_new(&engine));
  cr_assert(!epi_engine_set(engine, EPI_ENGINE_WORKERS, 2));
  cr_assert(!epi_engine_set_name(engine, "p"));
  cr_assert(!set_port(engine, port, "127.9.9.9:1"));
  cr_expect_eq(epi_engine_start(engine), EPI_EBUSY);
  cr_expect(strstr(epi_error_detail(), "proxies.p.ports[0]: cannot listen on"));
  epi_engine_free(other);
  cr_expect_eq(epi_engine_start(engine), 0, "%s", epi_error_detail());
  cr_expect_eq(epi_engine_listener_addr(engine, 0, &addr), EPI_EINVAL);
  epi_engine_free(engine);
}

Test(engine, keeps_its_model_when_a_port_cannot_be_had) {
  epi_engine *engine = at_quiet(), *other = at_quiet();
  epi_engine *third = at_quiet();
  unsigned free_port = port_of(third, 0);

  epi_engine_free(third);
  cr_assert(!epi_engine_set_name(engine, "p"));
  cr_assert(!set_port(engine, free_port, "127.9.9.9:1"));
  cr_assert(!epi_engine_start(engine), "%s", epi_error_detail());
  cr_expect_eq(set_port(engine, port_of(other, 0), "127.9.9.9:1"), EPI_EBUSY);
  cr_expect_eq(set_port(engine, free_port, "127.0.0.1:1"), 0);
  for (int i = 0; i < 20; i++) { /* closed and bound again, at once */
    cr_expect_eq(epi_engine_set_model(engine, NULL), 0);
    cr_expect_eq(set_port(engine, free_port, "127.9.9.9:2"), 0, "%s",
                 epi_error_detail());
  }
  epi_engine_free(engine);
  epi_engine_free(other);
}

Test(engine, listens_with_sockets_that_it_is_given) {
  epi_engine *engine = listening(), *heir = NULL;
  epi_addr addr;
  char url[64];
  int fd = epi_engine_socket(engine, 0);

  cr_assert_geq(fd, 0);
  cr_expect_eq(epi_engine_socket(engine, 1), EPI_EINVAL);
  cr_assert(!epi_engine_listener_addr(engine, 0, &addr));
  snprintf(url, sizeof url, "socks://127.0.0.1:%u", addr.port);
  cr_assert(!epi_engine_new(&heir));
  cr_assert(!epi_engine_set(heir, EPI_ENGINE_WORKERS, 2));
  cr_expect_eq(epi_engine_listen(heir, url), EPI_EBUSY);
  cr_assert(!epi_engine_adopt_socket(heir, fd));
  cr_assert(!epi_engine_listen(heir, url), "%s", epi_error_detail());
  cr_expect_eq(epi_engine_listen(heir, url), EPI_EBUSY, "it is used up");
  cr_expect_geq(epi_engine_socket(heir, 1), 0, "two workers share it");
  cr_expect_neq(epi_engine_socket(heir, 0), fd);
  cr_expect_eq(epi_engine_socket(heir, 2), EPI_EINVAL);
  cr_assert(!epi_engine_start(heir), "%s", epi_error_detail());
  cr_expect_eq(epi_engine_adopt_socket(heir, fd), EPI_ESTATE);
  epi_engine_free(heir);
  cr_expect(!epi_engine_start(engine), "it has its socket still");
  epi_engine_free(engine);
}

Test(engine, is_given_sockets_alone_that_it_can_listen_with) {
  epi_engine *engine = listening();
  int local = socket(AF_UNIX, SOCK_STREAM, 0);
  int idle = socket(AF_INET, SOCK_STREAM, 0);

  cr_expect_eq(epi_engine_adopt_socket(engine, -1), EPI_EINVAL);
  cr_expect_eq(epi_engine_adopt_socket(engine, local), EPI_EINVAL);
  cr_expect_eq(epi_engine_adopt_socket(engine, idle), EPI_EINVAL);
  cr_expect(strstr(epi_error_detail(), "does not listen"));
  close(local);
  close(idle);
  epi_engine_free(engine);
}

Test(engine, is_given_a_udp_socket_for_each_worker) {
  static const char url[] = "socks://127.0.0.1:0?udp=0";
  epi_engine *engine = NULL, *heir = NULL, *other = NULL;

  cr_assert(!epi_engine_new(&engine));
  cr_assert(!epi_engine_set(engine, EPI_ENGINE_WORKERS, 2));
  cr_assert(!epi_engine_listen(engine, url));
  cr_assert(!epi_engine_new(&heir));
  cr_assert(!epi_engine_set(heir, EPI_ENGINE_WORKERS, 2));
  cr_assert(!epi_engine_new(&other));
  cr_assert(!epi_engine_set(other, EPI_ENGINE_WORKERS, 3));
  for (size_t i = 0; i < 4; i++) {
    cr_assert(!epi_engine_adopt_socket(heir, epi_engine_socket(engine, i)));
    cr_assert(!epi_engine_adopt_socket(other, epi_engine_socket(engine, i)));
  }
  cr_expect_eq(epi_engine_listen(other, url), EPI_EINVAL);
  cr_expect(strstr(epi_error_detail(), "2 UDP sockets"));
  cr_expect(!epi_engine_listen(heir, url), "%s", epi_error_detail());
  epi_engine_free(other);
  epi_engine_free(heir);
  epi_engine_free(engine);
}

Test(engine, drains_while_it_runs) {
  epi_engine *engine = at_quiet(), *other = NULL;
  char url[64];

  cr_expect_eq(epi_engine_drain(engine, 1), EPI_ESTATE);
  snprintf(url, sizeof url, "socks://%s:%u", loopback_own(),
           port_of(engine, 0));
  cr_assert(!epi_engine_start(engine), "%s", epi_error_detail());
  cr_expect_eq(epi_engine_has_drained(engine), 0);
  cr_expect_eq(epi_engine_drain(engine, -1), EPI_EINVAL);
  cr_expect_eq(epi_engine_drain(engine, (int64_t)INT32_MAX + 1), EPI_EINVAL);
  cr_expect_eq(epi_engine_drain(engine, 60000), 0);
  cr_expect_eq(epi_engine_drain(engine, 0), 0);
  for (int i = 0; i < PATIENCE_MS && !epi_engine_has_drained(engine); i++) {
    epi__sleep(1);
  }
  cr_expect_eq(epi_engine_has_drained(engine), 1);
  cr_expect_eq(set_port(engine, 1, "127.9.9.9:1"), 0, "%s", epi_error_detail());
  epi_engine_stop(engine);
  cr_expect_eq(epi_engine_drain(engine, 1), EPI_ESTATE);
  cr_assert(!epi_engine_new(&other));
  cr_expect_eq(epi_engine_listen(other, url), 0, "%s", epi_error_detail());
  epi_engine_free(other);
  epi_engine_free(engine);
}

Test(engine, a_function_needs_a_name_and_a_key) {
  epi_engine *engine = NULL;
  uint8_t key[EPI_FUNCTION_KEY];

  cr_assert_eq(epi_engine_new(&engine), 0);
  cr_expect_eq(epi_function_key(key, "a chain key of enough bytes", 27, NULL),
               EPI_EINVAL);
  cr_expect_eq(epi_function_key(key, NULL, 32, "gate"), EPI_EINVAL);
  cr_assert_eq(epi_function_key(key, "a chain key of enough bytes", 27, "gate"),
               0);
  cr_expect_eq(epi_engine_set_function(engine, NULL, key), EPI_EINVAL);
  cr_expect_eq(epi_engine_set_function(engine, "gate", NULL), EPI_EINVAL);
  cr_expect_eq(epi_engine_set_function(engine, "gate", key), 0);
  epi_engine_free(engine);
}
