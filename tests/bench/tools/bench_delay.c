/* bench_delay.c: delays packets, where the kernel has no netem.
 *
 *     iptables -t raw -A PREROUTING -i veth0 -j NFQUEUE --queue-num 1
 *     bench_delay 1:2500       # queue 1 waits 2,500 us
 *
 * in the network namespace of the receiver: half of a round trip each way. A
 * packet goes on that long after it was read here, never before one that came
 * earlier. */
#include "delay_queue.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>

#define QUEUES 16
#define ROOM   65536 /* packets that wait, a power of two */

typedef struct delay_line {
  uint16_t queue;
  uint64_t delay_ns;
  uint32_t first, count;
  struct {
    uint64_t due;
    uint32_t id;
  } * waiting;
} delay_line;

typedef struct delay_lines {
  delay_line line[QUEUES];
  size_t count;
  uint64_t now;
} delay_lines;

static uint64_t now_ns(void) {
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void taken(uint16_t queue, uint32_t id, void *user) {
  delay_lines *lines = user;

  for (size_t i = 0; i < lines->count; i++) {
    delay_line *line = &lines->line[i];

    if (line->queue == queue && line->count < ROOM) {
      uint32_t at = (line->first + line->count++) % ROOM;

      line->waiting[at].due = lines->now + line->delay_ns;
      line->waiting[at].id = id;
    }
  }
}

/* Let go what is due, with one verdict for each line. Returns when the next one
 * is due; UINT64_MAX if none waits. */
static uint64_t release(int fd, delay_lines *lines) {
  uint64_t next = UINT64_MAX;

  for (size_t i = 0; i < lines->count; i++) {
    delay_line *line = &lines->line[i];
    uint32_t id = 0, due = 0;

    while (line->count && line->waiting[line->first].due <= lines->now) {
      id = line->waiting[line->first].id;
      line->first = (line->first + 1) % ROOM;
      line->count--;
      due = 1;
    }
    if (due && delay_accept(fd, line->queue, id)) {
      fprintf(stderr, "bench_delay: verdict: %s\n", strerror(errno));
    }
    if (line->count && line->waiting[line->first].due < next) {
      next = line->waiting[line->first].due;
    }
  }
  return next;
}

static int run(int fd, delay_lines *lines) {
  struct pollfd readable = {.fd = fd, .events = POLLIN};

  for (;;) {
    uint64_t next, left;
    struct timespec timeout;

    lines->now = now_ns();
    if (delay_read(fd, taken, lines)) {
      fprintf(stderr, "bench_delay: %s\n", strerror(errno));
      return 1;
    }
    lines->now = now_ns();
    next = release(fd, lines);
    left = next > lines->now ? next - lines->now : 0;
    timeout.tv_sec = (time_t)(left / 1000000000u);
    timeout.tv_nsec = (long)(left % 1000000000u);
    ppoll(&readable, 1, next == UINT64_MAX ? NULL : &timeout, NULL);
  }
}

/* QUEUE:MICROSECONDS; 0, or -1. */
static int line_add(delay_lines *lines, int fd, const char *text) {
  delay_line *line = &lines->line[lines->count];
  char *end;
  unsigned long queue = strtoul(text, &end, 10);

  if (lines->count == QUEUES || *end != ':' || queue > 65535) {
    fprintf(stderr, "bench_delay: bad QUEUE:MICROSECONDS: %s\n", text);
    return -1;
  }
  line->queue = (uint16_t)queue;
  line->delay_ns = strtoull(end + 1, NULL, 10) * 1000;
  line->waiting = calloc(ROOM, sizeof *line->waiting);
  if (!line->waiting || delay_bind(fd, line->queue)) {
    fprintf(stderr, "bench_delay: queue %lu: %s\n", queue, strerror(errno));
    return -1;
  }
  lines->count++;
  return 0;
}

/* A delay that waits for the processor is no delay: be the first that gets it,
 * and never wait for memory. Where that is not granted it is as good as it is.
 */
static void be_prompt(void) {
  const struct sched_param priority = {.sched_priority = 1};

  sched_setscheduler(0, SCHED_FIFO, &priority);
  prctl(PR_SET_TIMERSLACK, 1);
  mlockall(MCL_CURRENT);
}

int main(int argc, char **argv) {
  static delay_lines lines;
  int fd = delay_open();

  if (argc < 2) {
    fputs("usage: bench_delay QUEUE:MICROSECONDS...\n", stderr);
    return 2;
  }
  if (fd < 0) {
    fprintf(stderr, "bench_delay: netlink: %s\n", strerror(errno));
    return 1;
  }
  for (int i = 1; i < argc; i++) {
    if (line_add(&lines, fd, argv[i])) {
      return 1;
    }
  }
  be_prompt();
  printf("delaying\n");
  fflush(stdout);
  return run(fd, &lines);
}
