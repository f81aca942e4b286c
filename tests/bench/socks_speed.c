/* socks_speed.c: how long messages of SOCKS take to read and to write, and
 * handshakes between two sessions in memory; what they allocate, and how much
 * memory a session takes.
 *
 *     socks_speed                            all of it
 *     socks_speed messages                   the messages, in hexadecimal
 *     socks_speed VERSION OPERATION COUNT    run_operation(), for callgrind
 *
 * For socks_speed.py; see doc/socks-speed.md. */
#include "epi/datagram.h"
#include "epi/error.h"
#include "epi/session.h"
#include "epi/stack.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
  BATCH_NS = 200000, /* about as long as a batch of one operation takes */
  BATCHES = 301,     /* of which the median counts */
  MESSAGE_MAX = 1024,
  PAYLOAD = 512,
};

/* ---- memory, counted ---- */

static size_t live, calls;

static void *counted_alloc(size_t size) {
  void *block = malloc(size);

  calls++;
  live += malloc_usable_size(block);
  return block;
}

static void *counted_resize(void *block, size_t size) {
  size_t before = block ? malloc_usable_size(block) : 0;
  void *moved = realloc(block, size);

  calls++;
  live += malloc_usable_size(moved) - before;
  return moved;
}

static void counted_release(void *block) {
  live -= malloc_usable_size(block);
  free(block);
}

static void check(int ok, const char *what) {
  if (!ok) {
    fprintf(stderr, "%s: %s\n", what, epi_error_detail());
    exit(1);
  }
}

/* ---- what is read and written ---- */

typedef struct message {
  uint8_t bytes[MESSAGE_MAX];
  size_t len;
} message;

/* Of the version that is measured. */
static int version;
static message whole_request, short_request, whole_reply, whole_datagram;
static epi_request *request, *short_one, *plain, *with_login, *read_request;
static epi_reply *reply, *read_reply;
static epi_datagram *datagram, *read_datagram;

static epi_addr addr_of(const char *text) {
  epi_addr addr;

  check(!epi_addr_parse(&addr, text, -1), text);
  return addr;
}

static epi_request *request_to(const char *text) {
  epi_request *made;
  epi_addr dest = addr_of(text);

  check(!epi_request_new(&made) && !epi_request_set_dest(made, &dest), text);
  return made;
}

/* Three options, where the version has any: a stack option, which socksx does
 * not have, a method advertisement, and metadata. */
static void add_options(epi_request *to) {
  if (version == EPI_SOCKS5) {
    return;
  }
  check(!epi_request_offer_method(to, 2), "method");
  check(!epi_request_set_metadata(to, EPI_META_PURPOSE, "research"),
        "metadata");
  if (version == EPI_SOCKSX) {
    check(!epi_request_set_metadata(to, EPI_META_APPLICATION, "train"),
          "metadata");
  } else {
    check(!epi_request_set_stack(to, EPI_LEG_REMOTE, EPI_STACK_TTL, 64),
          "stack option");
  }
}

static void make_reply(void) {
  epi_addr bound = addr_of("10.2.0.17:40000");

  check(!epi_reply_new(&reply) && !epi_reply_set_bound(reply, &bound), "reply");
  if (version == EPI_SOCKS6 || version == EPI_SOCKS6_12) {
    check(!epi_reply_set_stack(reply, EPI_LEG_REMOTE, EPI_STACK_TTL, 64),
          "stack option");
  }
}

static void make_datagram(void) {
  static const uint8_t payload[PAYLOAD];
  epi_addr remote = addr_of("ehr.antonius.example:443");
  ptrdiff_t len;

  check(!epi_datagram_new(&datagram) && !epi_datagram_new(&read_datagram) &&
            !epi_datagram_set_type(datagram, EPI_UDP_DATAGRAM) &&
            !epi_datagram_set_remote(datagram, &remote) &&
            !epi_datagram_set_data(datagram, payload, PAYLOAD),
        "datagram");
  epi_datagram_set_association(datagram, 0x0123456789abcdef);
  len = epi_datagram_write(datagram, version, whole_datagram.bytes,
                           sizeof whole_datagram.bytes);
  check(len > 0, "datagram");
  whole_datagram.len = (size_t)len;
}

static void write_request(message *out, const epi_request *from) {
  ptrdiff_t len =
      epi_request_write(from, version, out->bytes, sizeof out->bytes);

  check(len > 0, "request");
  out->len = (size_t)len;
}

static void begin(int of) {
  ptrdiff_t len;

  version = of;
  request = request_to("ehr.antonius.example:443");
  short_one = request_to("10.2.0.17:443");
  plain = request_to("ehr.antonius.example:443");
  with_login = request_to("ehr.antonius.example:443");
  add_options(request);
  check(!epi_request_set_login(with_login, "anna", "correct horse"), "login");
  make_reply();
  check(!epi_request_new(&read_request) && !epi_reply_new(&read_reply),
        "memory");
  write_request(&whole_request, request);
  write_request(&short_request, short_one);
  len = epi_reply_write(reply, version, whole_reply.bytes,
                        sizeof whole_reply.bytes);
  check(len > 0, "reply");
  whole_reply.len = (size_t)len;
  if (version != EPI_SOCKSX) {
    make_datagram();
  }
}

static void end(void) {
  epi_request_free(request);
  epi_request_free(short_one);
  epi_request_free(plain);
  epi_request_free(with_login);
  epi_request_free(read_request);
  epi_reply_free(reply);
  epi_reply_free(read_reply);
  epi_datagram_free(datagram);
  epi_datagram_free(read_datagram);
  datagram = read_datagram = NULL;
}

/* ---- operations ---- */

static void request_read(void) {
  check(epi_request_read(read_request, version, whole_request.bytes,
                         whole_request.len) == (ptrdiff_t)whole_request.len,
        "request");
}

/* To an IPv4 address, without options. */
static void short_read(void) {
  check(epi_request_read(read_request, version, short_request.bytes,
                         short_request.len) == (ptrdiff_t)short_request.len,
        "request");
}

static void request_write(void) {
  uint8_t buf[MESSAGE_MAX];

  check(epi_request_write(request, version, buf, sizeof buf) ==
            (ptrdiff_t)whole_request.len,
        "request");
}

static void reply_read(void) {
  check(epi_reply_read(read_reply, version, whole_reply.bytes,
                       whole_reply.len) == (ptrdiff_t)whole_reply.len,
        "reply");
}

static void reply_write(void) {
  uint8_t buf[MESSAGE_MAX];

  check(epi_reply_write(reply, version, buf, sizeof buf) ==
            (ptrdiff_t)whole_reply.len,
        "reply");
}

static void datagram_read(void) {
  check(epi_datagram_read(read_datagram, version, whole_datagram.bytes,
                          whole_datagram.len) == (ptrdiff_t)whole_datagram.len,
        "datagram");
}

static void header_write(void) {
  uint8_t buf[EPI_UDP_HEADER_MAX];

  check(epi_datagram_write_header(datagram, version, buf, sizeof buf) ==
            (ptrdiff_t)(whole_datagram.len - PAYLOAD),
        "datagram");
}

/* Everything that one session has to send goes to the other. */
static void carry(epi_session *from, epi_session *to) {
  const void *data;
  ptrdiff_t len = epi_session_peek(from, &data);

  if (len) {
    check(epi_session_feed(to, data, (size_t)len) == len &&
              !epi_session_ack(from, (size_t)len),
          "handshake");
  }
}

static epi_session *new_server(int login) {
  int accept = version == EPI_SOCKS5   ? EPI_ACCEPT_SOCKS5
               : version == EPI_SOCKSX ? EPI_ACCEPT_SOCKSX
                                       : EPI_ACCEPT_SOCKS6;
  int draft = version == EPI_SOCKS6_12 ? EPI_SOCKS6_12 : EPI_SOCKS6;
  epi_session *made;

  check(!epi_session_new_server(&made, accept, draft, login), "server");
  return made;
}

static epi_session *new_client(int login) {
  epi_session *made;

  check(!epi_session_new_client(&made, version, login ? with_login : plain),
        "client");
  return made;
}

/* Until the server has answered all that its caller is asked. */
static void shake(epi_session *client, epi_session *server) {
  while (epi_session_next(server) != EPI_NEXT_DONE) {
    carry(client, server);
    if (epi_session_next(server) == EPI_NEXT_LOGIN) {
      check(!epi_session_login(server, 1), "login");
    }
    if (epi_session_next(server) == EPI_NEXT_REPLY) {
      check(!epi_session_reply(server, reply), "reply");
    }
    carry(server, client);
  }
  check(epi_session_next(client) == EPI_NEXT_DONE, "client");
}

static void handshake_with(int login) {
  epi_session *client = new_client(login), *server = new_server(login);

  shake(client, server);
  epi_session_free(client);
  epi_session_free(server);
}

static void handshake(void) {
  handshake_with(0);
}

static void handshake_login(void) {
  handshake_with(1);
}

/* ---- time ---- */

static const struct {
  const char *name;
  int number;
} versions[] = {
    {"5", EPI_SOCKS5},
    {"6-11", EPI_SOCKS6},
    {"6-12", EPI_SOCKS6_12},
    {"socksx", EPI_SOCKSX},
};

static const struct {
  const char *name;
  void (*run)(void);
  int of_datagrams; /* which socksx does not have */
} operations[] = {
    {"request-read", request_read, 0},
    {"request-write", request_write, 0},
    {"short-read", short_read, 0},
    {"reply-read", reply_read, 0},
    {"reply-write", reply_write, 0},
    {"datagram-read", datagram_read, 1},
    {"header-write", header_write, 1},
    {"handshake", handshake, 0},
    {"handshake-login", handshake_login, 0},
};

enum {
  VERSIONS = sizeof versions / sizeof *versions,
  OPERATIONS = sizeof operations / sizeof *operations,
};

static double now_ns(void) {
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;

  return (x > y) - (x < y);
}

/* callgrind counts in here, and knows it by its name. */
__attribute__((noinline)) static void run_operation(void (*run)(void),
                                                    size_t count) {
  while (count--) {
    run();
  }
}

static double batch_ns(void (*run)(void), size_t count) {
  double start = now_ns();

  run_operation(run, count);
  return (now_ns() - start) / (double)count;
}

static double median_ns(void (*run)(void)) {
  static double times[BATCHES];
  size_t count = 1;

  while (batch_ns(run, count) * (double)count < BATCH_NS) {
    count *= 2;
  }
  for (size_t i = 0; i < BATCHES; i++) {
    times[i] = batch_ns(run, count);
  }
  qsort(times, BATCHES, sizeof *times, compare);
  return times[BATCHES / 2];
}

/* The second time: what is read into keeps nothing but what it reads. */
static size_t allocations(void (*run)(void)) {
  size_t before;

  run();
  before = calls;
  run();
  return calls - before;
}

static void show_speed(void) {
  printf("%-8s %-16s %8s %12s\n", "version", "operation", "ns", "allocations");
  for (size_t v = 0; v < VERSIONS; v++) {
    begin(versions[v].number);
    for (size_t i = 0; i < OPERATIONS; i++) {
      void (*run)(void) = operations[i].run;
      size_t counted;

      if (operations[i].of_datagrams && !datagram) {
        continue;
      }
      check(!epi_set_allocator(counted_alloc, counted_resize, counted_release),
            "allocator");
      counted = allocations(run);
      check(!epi_set_allocator(NULL, NULL, NULL), "allocator");
      printf("%-8s %-16s %8.1f %12zu\n", versions[v].name, operations[i].name,
             median_ns(run), counted);
    }
    end();
  }
}

/* ---- memory of a session ---- */

/* A server that holds half of a message, whose rest does not come. */
static size_t half_way(epi_session *client, epi_session *server) {
  const void *data;
  ptrdiff_t len = epi_session_peek(client, &data);
  size_t before = live;

  check(epi_session_feed(server, data, (size_t)len / 2) == len / 2, "half");
  return live - before;
}

static void show_session(const char *name, int login) {
  size_t before = live, idle, half, client_idle, client_done, done;
  epi_session *server = new_server(login), *client, *other;

  idle = live - before;
  client = new_client(login);
  client_idle = live - before - idle;
  other = new_server(login);
  half = idle + half_way(client, other);
  epi_session_free(other);
  shake(client, server);
  done = live;
  epi_session_free(client);
  client_done = done - live;
  printf("%-8s %-6s %8zu %8zu %8zu %12zu %12zu\n", name, login ? "yes" : "no",
         idle, half, live - before, client_idle, client_done);
  epi_session_free(server);
  check(live == before, "a session left memory");
}

static void show_memory(void) {
  check(!epi_set_allocator(counted_alloc, counted_resize, counted_release),
        "allocator");
  printf("\n%-8s %-6s %8s %8s %8s %12s %12s\n", "version", "login", "idle",
         "half", "done", "client-idle", "client-done");
  for (size_t v = 0; v < VERSIONS; v++) {
    begin(versions[v].number);
    show_session(versions[v].name, 0);
    show_session(versions[v].name, 1);
    end();
  }
}

/* ---- for others ---- */

static void show_message(const char *of, const char *name,
                         const message *shown) {
  printf("%s\t%s\t", of, name);
  for (size_t i = 0; i < shown->len; i++) {
    printf("%02x", shown->bytes[i]);
  }
  putchar('\n');
}

static void show_messages(void) {
  for (size_t v = 0; v < VERSIONS; v++) {
    begin(versions[v].number);
    show_message(versions[v].name, "request", &whole_request);
    show_message(versions[v].name, "short", &short_request);
    show_message(versions[v].name, "reply", &whole_reply);
    if (datagram) {
      show_message(versions[v].name, "datagram", &whole_datagram);
    }
    end();
  }
}

static int run_named(const char *of, const char *name, size_t count) {
  for (size_t v = 0; v < VERSIONS; v++) {
    for (size_t i = 0; i < OPERATIONS; i++) {
      if (!strcmp(of, versions[v].name) && !strcmp(name, operations[i].name)) {
        begin(versions[v].number);
        check(datagram || !operations[i].of_datagrams, name);
        run_operation(operations[i].run, count);
        end();
        return 0;
      }
    }
  }
  fprintf(stderr, "no such version or operation\n");
  return 2;
}

int main(int argc, char **argv) {
  if (argc == 4) {
    return run_named(argv[1], argv[2], strtoul(argv[3], NULL, 10));
  }
  if (argc == 2 && !strcmp(argv[1], "messages")) {
    show_messages();
    return 0;
  }
  show_speed();
  show_memory();
  return 0;
}
