/* decide_speed.c: how long reading a model takes, a decision and a plan, and
 * how much memory a node takes. With the name of a file: writes the largest
 * model there and prints flows with their answers and times, for
 * policy_peer.py. See doc/speed-model.md. */
#include "epi/area.h"
#include "epi/error.h"
#include "epi/plan.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
  AREAS = 512,
  ATTRIBUTES = 256,
  RULES = 10000,
  FUNCTIONS = 500,
  DOMAINS = 64,
  APPLICATIONS = 100,
  FLOWS = 20000,
  SHOWN = 1000, /* of each kind, where a file is named */
  PLANS = 2000,
};

static uint32_t drawn = 20251125;

static uint32_t draw(uint32_t below) { /* xorshift32 */
  drawn ^= drawn << 13;
  drawn ^= drawn >> 17;
  drawn ^= drawn << 5;
  return drawn % below;
}

/* ---- memory, counted ---- */

static size_t live, calls, taken;

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

static void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, epi_error_detail());
  exit(1);
}

/* ---- the document ---- */

static char *text;
static size_t used, room;

static void put(const char *format, ...) {
  va_list args;

  if (room - used < 4096) {
    room = room ? room * 2 : 1 << 20;
    text = realloc(text, room);
    if (!text) {
      abort();
    }
  }
  va_start(args, format);
  used += (size_t)vsnprintf(text + used, room - used, format, args);
  va_end(args);
}

static void put_area(unsigned area) {
  const char *comma = "";
  uint32_t saved = drawn;

  drawn = 7 + area * 2654435761u;
  for (unsigned i = 0; i < ATTRIBUTES; i++) {
    if (draw(32) == 0 || (i < 9 && area >> i & 1)) { /* no two areas alike */
      put("%s\"t%u\"", comma, i);
      comma = ",";
    }
  }
  drawn = saved;
}

static void put_nodes(unsigned nodes) {
  put("\"nodes\":{\"origin\":{\"domain\":\"d0\",\"addresses\":[\"9.0.0.1\"],"
      "\"attributes\":[\"t200\",\"t210\",\"t220\",\"t230\"]},"
      "\"bare\":{\"domain\":\"d1\",\"addresses\":[\"9.0.0.2\"]}");
  for (unsigned i = 0; i < nodes; i++) {
    put(",\"node-%u\":{\"domain\":\"d%u\",\"addresses\":[\"10.%u.%u.%u\"],"
        "\"attributes\":[",
        i, i % DOMAINS, i >> 16, i >> 8 & 255, i & 255);
    put_area(i % AREAS);
    put("]}");
  }
  put("},\"proxies\":{");
  for (unsigned i = 0; i < DOMAINS; i++) {
    put("%s\"px-%u\":{\"domain\":\"d%u\",\"endpoint\":\"socks6://h:1\"}",
        i ? "," : "", i, i);
  }
  put("},");
}

static void put_functions(void) {
  put("\"functions\":{");
  for (unsigned i = 0; i < FUNCTIONS; i++) {
    put("%s\"f%u\":{\"filter\":\"f\",\"provides\":[\"t%u\"", i ? "," : "", i,
        i % ATTRIBUTES);
    if (i >= ATTRIBUTES) {
      put(",\"t%u\"", (i + 1 + draw(ATTRIBUTES - 1)) % ATTRIBUTES);
    }
    put("],\"cost\":{\"setup_ms\":%u}}", 1 + draw(50));
  }
  put("},\"applications\":{");
  for (unsigned i = 0; i < APPLICATIONS; i++) {
    put("%s\"app-%u\":{\"nodes\":[\"node-%u\",\"node-%u\"]}", i ? "," : "", i,
        2 * i, 2 * i + 1);
  }
  put("},");
}

/* Rules as a policy of many hospitals has them: most about certain nodes or
 * ranges, some about areas, attributes and applications, a few about all. */
static void put_rule(unsigned number, unsigned nodes) {
  unsigned kind = draw(100);

  put("%s{\"id\":\"r%u\",", number ? "," : "", number);
  if (kind < 35) {
    put("\"effect\":\"%s\",\"from\":[\"node-%u\"],\"to\":[\"node-%u\"]",
        kind < 20 ? "allow" : "deny", draw(nodes), draw(nodes));
  } else if (kind < 60) {
    put("\"effect\":\"%s\",\"from\":[\"10.%u.%u.0/24\"],\"ports\":[%u]",
        kind < 50 ? "allow" : "deny", draw(2), draw(256), 1 + draw(1000));
  } else if (kind < 75) {
    put("\"effect\":\"allow\",\"from\":[\"area:node-%u\"],\"to\":[\"has:t%u\"]",
        draw(nodes < AREAS ? nodes : AREAS), draw(ATTRIBUTES));
  } else if (kind < 85) {
    put("\"effect\":\"deny\",\"application\":[\"app-%u\"],\"user\":[\"u%u\"]",
        draw(APPLICATIONS), draw(1000));
  } else if (kind < 99) {
    put("\"effect\":\"require\",\"attributes\":[\"t%u\"],\"from\":["
        "\"domain:d%u\"],\"to\":[\"node-%u\"]",
        draw(ATTRIBUTES), draw(DOMAINS), draw(nodes));
  } else {
    put("\"effect\":\"deny\",\"from\":[\"has:t%u\"],\"to\":[\"has:t%u\"],"
        "\"ports\":[%u]",
        draw(ATTRIBUTES), draw(ATTRIBUTES), 1 + draw(65535));
  }
  put("}");
}

static void make_document(unsigned nodes) {
  used = 0;
  put("{\"epi\":1,");
  put_nodes(nodes);
  put_functions();
  put("\"policy\":{\"default\":\"allow\",\"rules\":[");
  for (unsigned i = 0; i < RULES; i++) {
    put_rule(i, nodes);
  }
  put("]}}");
}

/* ---- time ---- */

static double clock_ns(clockid_t clock) {
  struct timespec now;

  clock_gettime(clock, &now);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static double now_ns(void) {
  return clock_ns(CLOCK_MONOTONIC);
}

/* What is long is measured without what other programs take meanwhile. */
static double processor_ns(void) {
  return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;

  return (x > y) - (x < y);
}

static double sorted_at(double *times, size_t count, double share) {
  qsort(times, count, sizeof *times, compare);
  return times[(size_t)(share * (double)(count - 1))];
}

static void ask(epi_query *query, const char *from, const char *to, int port) {
  epi_addr addr;

  if (epi_addr_parse(&addr, from, 0) || epi_query_set_from(query, &addr) ||
      epi_addr_parse(&addr, to, 0)) {
    fail("address");
  }
  addr.port = (uint16_t)port;
  if (epi_query_set_to(query, &addr)) {
    fail("address");
  }
}

/* One decision about one flow, in nanoseconds: the second of two, because a
 * decision keeps the memory that it took once. */
static double timed(epi_model *model, const epi_query *query,
                    epi_decision *decision) {
  double start;
  size_t before;

  if (epi_model_decide(model, query, decision)) {
    fail("decide");
  }
  before = calls;
  start = now_ns();
  epi_model_decide(model, query, decision);
  start = now_ns() - start;
  if (calls != before) {
    fprintf(stderr, "a decision took memory\n");
    exit(1);
  }
  return start;
}

static void ask_nodes(epi_query *query, unsigned a, unsigned b, int port) {
  char from[32], to[32];

  snprintf(from, sizeof from, "10.%u.%u.%u", a >> 16, a >> 8 & 255, a & 255);
  snprintf(to, sizeof to, "10.%u.%u.%u", b >> 16, b >> 8 & 255, b & 255);
  ask(query, from, to, port);
}

/* A flow between two addresses of random nodes; the port. */
static int any_flow(epi_query *query, unsigned nodes) {
  unsigned a = draw(nodes), b = draw(nodes);
  int port = 1 + (int)draw(2000);

  ask_nodes(query, a, b, port);
  return port;
}

/* Where nothing must be planned: between nodes of one area; the port. */
static int area_flow(epi_query *query, unsigned nodes) {
  unsigned a = draw(nodes - AREAS > AREAS ? nodes - AREAS : AREAS);

  ask_nodes(query, a, a + AREAS < nodes ? a + AREAS : a, 2001);
  return 2001;
}

typedef struct result {
  double read_ms, node_bytes, area_ns, allowed;
  double any_ns, any_99_ns; /* any flows, the second of two decisions */
  double later_ns;          /* the same, after all others were decided */
  double new_ns;            /* the first decision */
  double plan_ns;
} result;

/* FLOWS decisions about any flows, the same ones for the same seed. */
static void decide_any(epi_model *model, epi_query *query,
                       epi_decision *decision, unsigned nodes, uint32_t seed,
                       double *times, double *allowed) {
  int count = 0;

  drawn = seed;
  for (size_t i = 0; i < FLOWS; i++) {
    size_t before = calls;

    any_flow(query, nodes);
    times[i] = now_ns();
    if (epi_model_decide(model, query, decision)) {
      fail("decide");
    }
    times[i] = now_ns() - times[i];
    if (calls != before && i) {
      taken++;
    }
    count += epi_decision_allowed(decision);
  }
  *allowed = 100.0 * count / FLOWS;
}

static void measure(unsigned nodes, result *out) {
  static double times[FLOWS];
  epi_decision *decision;
  epi_model *model;
  epi_query *query;
  size_t before = live;
  uint32_t seed;
  double start;

  make_document(nodes);
  start = processor_ns();
  if (epi_model_read(&model, NULL, text, used)) {
    fail("model");
  }
  out->read_ms = (processor_ns() - start) / 1e6;
  out->node_bytes = (double)(live - before) / nodes;
  if (epi_query_new(&query) || epi_decision_new(&decision)) {
    fail("query");
  }
  seed = drawn;
  decide_any(model, query, decision, nodes, seed, times, &out->allowed);
  out->new_ns = sorted_at(times, FLOWS, 0.5);
  taken = 0;
  decide_any(model, query, decision, nodes, seed, times, &out->allowed);
  out->later_ns = sorted_at(times, FLOWS, 0.5);
  if (taken) {
    fprintf(stderr, "%zu decisions took memory\n", taken);
    exit(1);
  }
  for (size_t i = 0; i < FLOWS; i++) {
    any_flow(query, nodes);
    times[i] = timed(model, query, decision);
  }
  out->any_ns = sorted_at(times, FLOWS, 0.5);
  out->any_99_ns = sorted_at(times, FLOWS, 0.99);
  for (size_t i = 0; i < FLOWS; i++) {
    area_flow(query, nodes);
    times[i] = timed(model, query, decision);
  }
  out->area_ns = sorted_at(times, FLOWS, 0.5);
  ask(query, "9.0.0.1", "9.0.0.2", 2001);
  /* A choice of our own, though the usual one: each plan is searched for. */
  epi_query_set_weight(query, EPI_COST_SETUP, 1);
  for (size_t i = 0; i < PLANS; i++) {
    times[i] = timed(model, query, decision);
  }
  out->plan_ns = sorted_at(times, PLANS, 0.5);
  if (epi_decision_verdict(decision) != EPI_BRIDGED ||
      epi_plan_function_count(epi_decision_plan(decision), 0) != 4) {
    fprintf(stderr, "the plan has no chain of four: %s\n",
            epi_decision_reason(decision));
    exit(1);
  }
  epi_decision_free(decision);
  epi_query_free(query);
  epi_model_free(model);
}

/* ---- flows with their answers, for another engine ---- */

static void show_flow(const char *kind, int port, double ns,
                      const epi_decision *decision) {
  const char *application = epi_decision_application(decision);

  printf("%s\t%s\t%s\t%d\t%s\t%.0f\t%s", kind, epi_decision_from(decision),
         epi_decision_to(decision), port, application ? application : "", ns,
         epi_decision_rule(decision));
  for (size_t i = 0; i < epi_decision_require_count(decision); i++) {
    printf(" %s", epi_decision_require(decision, i));
  }
  putchar('\n');
}

static void show(unsigned nodes, const char *path) {
  epi_decision *decision;
  epi_model *model;
  epi_query *query;
  FILE *file = fopen(path, "w");

  make_document(nodes);
  if (!file || fwrite(text, 1, used, file) != used || fclose(file)) {
    perror(path);
    exit(1);
  }
  if (epi_model_read(&model, NULL, text, used) || epi_query_new(&query) ||
      epi_decision_new(&decision)) {
    fail("model");
  }
  for (size_t i = 0; i < 2 * SHOWN; i++) {
    int any = i < SHOWN;
    int port = any ? any_flow(query, nodes) : area_flow(query, nodes);
    double ns = timed(model, query, decision);

    show_flow(any ? "any" : "area", port, ns, decision);
  }
  epi_decision_free(decision);
  epi_query_free(query);
  epi_model_free(model);
}

int main(int argc, char **argv) {
  static const unsigned sizes[] = {1000, 10000, 100000};

  if (epi_set_allocator(counted_alloc, counted_resize, counted_release)) {
    fail("allocator");
  }
  if (argc > 1) {
    show(sizes[2], argv[1]);
    free(text);
    return 0;
  }
  printf("%8s %9s %11s %9s %9s %9s %9s %9s %9s %8s\n", "nodes", "read ms",
         "bytes/node", "area ns", "any ns", "99% ns", "later ns", "new ns",
         "plan ns", "allowed");
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    result got;

    measure(sizes[i], &got);
    printf("%8u %9.0f %11.0f %9.0f %9.0f %9.0f %9.0f %9.0f %9.0f %7.0f%%\n",
           sizes[i], got.read_ms, got.node_bytes, got.area_ns, got.any_ns,
           got.any_99_ns, got.later_ns, got.new_ns, got.plan_ns, got.allowed);
  }
  free(text);
  return 0;
}
