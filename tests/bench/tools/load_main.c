/* load_main.c: the load generator's command line, and what it prints. */
#include "load.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static const char usage[] =
    "usage: bench_load --to HOST:PORT [option...]\n"
    "\n"
    "Sends HTTP requests and prints what came of them, as JSON. Addresses are\n"
    "IPv4.\n"
    "\n"
    "  --via HOST:PORT    connect to this reverse proxy\n"
    "  --socks5, --socks6 to this SOCKS proxy (with --via)\n"
    "  --clients N        at once (1)\n"
    "  --seconds S        how long to count (1)\n"
    "  --warm S           and how long not to, before (0)\n"
    "  --requests N       end after so many\n"
    "  --rate N           so many a second, each timed from when it was due\n"
    "  --keep-alive       many requests over a connection\n"
    "  --bulk             responses without end\n"
    "  --idle             one request each, say `ready`, keep the connections\n"
    "                     until standard input ends\n"
    "  --fast-open        TCP Fast Open\n"
    "  --ask-fast-open    ask the proxy for it, towards the server (SOCKS 6)\n"
    "  --times            print every time, too\n";

static int address_read(struct sockaddr_in *out, const char *text) {
  char host[64];
  const char *colon = strrchr(text, ':');
  size_t len = colon ? (size_t)(colon - text) : sizeof host;
  unsigned long port = colon ? strtoul(colon + 1, NULL, 10) : 0;

  if (len >= sizeof host || port == 0 || port > 65535) {
    return -1;
  }
  memcpy(host, text, len);
  host[len] = '\0';
  out->sin_family = AF_INET;
  out->sin_port = htons((uint16_t)port);
  return inet_pton(AF_INET, host, &out->sin_addr) == 1 ? 0 : -1;
}

static uint64_t seconds_read(const char *text) {
  return (uint64_t)(strtod(text, NULL) * 1e9);
}

/* An option without a value: 1 if it is one. */
static int flag_read(load_plan *plan, const char *name) {
  const struct {
    const char *name;
    int *field, value;
  } flags[] = {
      {"--socks5", &plan->method, LOAD_SOCKS5},
      {"--socks6", &plan->method, LOAD_SOCKS6},
      {"--keep-alive", &plan->keep_alive, 1},
      {"--bulk", &plan->bulk, 1},
      {"--idle", &plan->idle, 1},
      {"--fast-open", &plan->fast_open, 1},
      {"--ask-fast-open", &plan->ask_fast_open, 1},
      {"--times", &plan->say_times, 1},
  };

  for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
    if (strcmp(name, flags[i].name) == 0) {
      *flags[i].field = flags[i].value;
      return 1;
    }
  }
  return 0;
}

/* An option and its value: 0, or -1. */
static int value_read(load_plan *plan, const char *name, const char *value) {
  if (strcmp(name, "--to") == 0) {
    return address_read(&plan->to, value);
  }
  if (strcmp(name, "--via") == 0) {
    return address_read(&plan->via, value);
  }
  if (strcmp(name, "--clients") == 0) {
    plan->clients = (unsigned)strtoul(value, NULL, 10);
    return plan->clients ? 0 : -1;
  }
  if (strcmp(name, "--requests") == 0) {
    plan->requests = strtoull(value, NULL, 10);
  } else if (strcmp(name, "--seconds") == 0) {
    plan->measure_ns = seconds_read(value);
  } else if (strcmp(name, "--warm") == 0) {
    plan->warm_ns = seconds_read(value);
  } else if (strcmp(name, "--rate") == 0) {
    plan->rate = strtod(value, NULL);
  } else {
    return -1;
  }
  return 0;
}

static int plan_read(load_plan *plan, int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    if (flag_read(plan, argv[i])) {
      continue;
    }
    if (i + 1 == argc || value_read(plan, argv[i], argv[i + 1])) {
      fprintf(stderr, "bench_load: bad option or value: %s\n", argv[i]);
      return -1;
    }
    i++;
  }
  if (!plan->to.sin_port || (plan->method && !plan->via.sin_port)) {
    fputs(usage, stderr);
    return -1;
  }
  if (!plan->via.sin_port) {
    plan->via = plan->to;
  }
  plan->keep_alive |= plan->idle;
  return 0;
}

static void print_result(const load_plan *plan, load_result *result,
                         double seconds) {
  printf("{\"requests\": %llu, \"errors\": %llu, \"bytes\": %llu, "
         "\"seconds\": %.6f, \"first_error\": \"%s\"",
         (unsigned long long)result->requests,
         (unsigned long long)result->errors, (unsigned long long)result->bytes,
         seconds, result->first_error);
  if (plan->say_times) {
    printf(", \"times_ms\": [");
    for (size_t i = 0; i < result->requests; i++) {
      printf("%s%.4f", i ? ", " : "", (double)result->times[i] / 1e6);
    }
    printf("]");
  }
  load_times_sort(result);
  printf(", \"mean_ms\": %.5f, \"p50_ms\": %.5f, \"p99_ms\": %.5f, "
         "\"p999_ms\": %.5f}\n",
         load_times_mean(result), load_times_at(result, 0.5),
         load_times_at(result, 0.99), load_times_at(result, 0.999));
}

int main(int argc, char **argv) {
  load_plan plan = {.clients = 1, .measure_ns = 1000000000};
  load_result result = {0};
  struct rlimit limit;
  uint64_t from, spent;

  if (argc == 2 && strcmp(argv[1], "--help") == 0) {
    return fputs(usage, stdout) < 0;
  }
  if (plan_read(&plan, argc, argv)) {
    return 2;
  }
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  prctl(PR_SET_TIMERSLACK, 1); /* requests are due to the microsecond */
  from = load_now_ns();
  if (load_run(&plan, &result)) {
    return 1;
  }
  spent = load_now_ns() - from;
  if (!plan.idle) {
    spent = spent > plan.warm_ns ? spent - plan.warm_ns : 0;
    print_result(&plan, &result, (double)spent / 1e9);
  }
  free(result.times);
  return 0;
}
