/* python_speed.c: what some calls cost from C, for python_speed.py to compare
 * with. Prints a JSON object of nanoseconds. */
#include <epi/epi.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
  ROUNDS = 20000,
};

static double now_ns(void) {
  struct timespec now;

  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return 1e9 * (double)now.tv_sec + (double)now.tv_nsec;
}

static epi_model *model;
static epi_decision *decision;

static void say_version(void) {
  epi_version();
}

static void parse_address(void) {
  epi_addr addr;

  epi_addr_parse(&addr, "ehr.antonius.example:443", -1);
}

static void make_request(void) {
  epi_request *request;
  unsigned char bytes[512];
  epi_addr addr;

  epi_addr_set_name(&addr, "ehr.antonius.example", 20, 443);
  if (!epi_request_new(&request)) {
    epi_request_set_dest(request, &addr);
    epi_request_write(request, EPI_SOCKS6, bytes, sizeof bytes);
    epi_request_free(request);
  }
}

static void decide(void) {
  epi_query *query;

  if (!epi_query_new(&query)) {
    epi_query_set_from_node(query, "umc");
    epi_query_set_to_node(query, "antonius", 443);
    epi_model_decide(model, query, decision);
    epi_query_free(query);
  }
}

static void measure(const char *name, void (*call)(void), const char *end) {
  double best = 1e18;

  for (int round = 0; round < 5; round++) {
    double start = now_ns();

    for (int i = 0; i < ROUNDS; i++) {
      call();
    }
    start = (now_ns() - start) / ROUNDS;
    best = start < best ? start : best;
  }
  printf("\"%s\": %.1f%s", name, best, end);
}

int main(int argc, char **argv) {
  if (argc != 2 || epi_model_read_file(&model, NULL, argv[1]) ||
      epi_decision_new(&decision)) {
    fprintf(stderr, "usage: python_speed MODEL: %s\n", epi_error_detail());
    return 2;
  }
  printf("{");
  measure("version", say_version, ", ");
  measure("address", parse_address, ", ");
  measure("request", make_request, ", ");
  measure("decision", decide, "}\n");
  epi_decision_free(decision);
  epi_model_free(model);
}
