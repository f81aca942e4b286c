/* filter_speed.c: what each built-in filter costs, in memory: for a byte, by
 * the size of the pieces; for a flow, to open it and to close it; and how much
 * memory a flow holds. See doc/filter-speed.md. */
#include "base/bytes.h"
#include "base/memory.h"
#include "epi/engine.h"
#include "filter/filter_chain.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
  BATCH = 64, /* pieces between two looks at the clock */
  PIECE_MAX = 65536,
  FLOWS = 2000,
  HELD = 100, /* flows at once whose memory is weighed */
};

static const double least_ns = 2e8; /* of measuring each figure */

static const char key[] = "a secret for measuring, of no worth";

/* A filter, and what undoes it at the other proxy, or NULL. */
static const struct {
  const char *spec, *undo;
} filters[] = {
    {"count", NULL},
    {"gate:volume=1000000g", NULL},
    {"inspect:pattern=confidential,pattern=top secret", NULL},
    {"seal:cipher=chacha20-poly1305", "open"},
    {"seal:cipher=aes-256-gcm", "open"},
    {"compress:level=1", "expand"},
    {"compress:level=3", "expand"},
    {"compress:level=9", "expand"},
};

typedef struct side {
  epi_filter *filter; /* NULL: there is none */
  epi__filter_chain *chain;
  epi__queue queues[2];
} side;

static uint8_t text[BATCH * PIECE_MAX];
static size_t allocations;

static void *counted_alloc(size_t size) {
  allocations++;
  return malloc(size);
}

static void *counted_resize(void *block, size_t size) {
  allocations++;
  return realloc(block, size);
}

static void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, epi_error_detail());
  exit(1);
}

static double now_ns(void) {
  struct timespec now;

  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* Lines as a monitor writes them, no two alike. */
static void make_text(void) {
  uint32_t drawn = 20261123;

  for (size_t used = 0; used < sizeof text;) {
    char line[96];
    size_t len;

    drawn = drawn * 1664525 + 1013904223;
    len = (size_t)snprintf(line, sizeof line,
                           "patient %u, heart rate %u, pressure %u/%u\n",
                           drawn >> 12 & 8191, 50 + (drawn >> 8 & 63),
                           100 + (drawn >> 20 & 63), 60 + (drawn >> 26));
    len = len < sizeof text - used ? len : sizeof text - used;
    memcpy(text + used, line, len);
    used += len;
  }
}

static int64_t no_time(void *user) {
  (void)user;
  return 1;
}

static void open_chain(side *my) {
  static const epi_addr source = {.kind = EPI_ADDR_IPV4, .port = 50000};
  static const epi_addr dest = {.kind = EPI_ADDR_IPV4, .port = 443};
  static const epi__filter_host host = {.source = &source,
                                        .dest = &dest,
                                        .login = "",
                                        .now_ms = no_time,
                                        .wall_time = no_time};
  if (my->filter &&
      epi__filter_chain_new(&my->chain, &my->filter, 1, &host,
                            (epi__queue *[2]){&my->queues[0], &my->queues[1]},
                            NULL)) {
    fail("open");
  }
}

static void close_chain(side *my) {
  epi__filter_chain_free(my->chain);
  my->chain = NULL;
  epi__queue_clear(&my->queues[0], 0);
  epi__queue_clear(&my->queues[1], 0);
}

/* Hand on all that waits. */
static void move(side *from, side *to, int direction) {
  const uint8_t *data;
  size_t len = epi__queue_peek(&from->queues[direction], &data);

  if (to->chain && len &&
      epi__filter_chain_feed(to->chain, direction, data, len)) {
    fail("feed");
  }
  epi__queue_clear(&from->queues[direction], 0);
}

/* A batch of pieces through the near filter, and what came out of each through
 * the far one. */
static void carry(side *near, side *far, size_t piece, double ns[2]) {
  static size_t at; /* what was just sent is not sent again */
  size_t ends[BATCH], start = 0;
  const uint8_t *data;
  double begun;

  at = at + 2 * BATCH * piece <= sizeof text ? at + BATCH * piece : 0;
  begun = now_ns();

  for (size_t i = 0; i < BATCH; i++) {
    if (epi__filter_chain_feed(near->chain, EPI_FORWARD, text + at + i * piece,
                               piece)) {
      fail("feed");
    }
    ends[i] = near->queues[EPI_FORWARD].end - near->queues[EPI_FORWARD].start;
  }
  ns[0] += now_ns() - begun;
  epi__queue_peek(&near->queues[EPI_FORWARD], &data);
  begun = now_ns();
  for (size_t i = 0; far->chain && i < BATCH; i++) {
    if (ends[i] > start &&
        epi__filter_chain_feed(far->chain, EPI_FORWARD, data + start,
                               ends[i] - start)) {
      fail("feed");
    }
    start = ends[i];
  }
  ns[1] += now_ns() - begun;
  epi__queue_clear(&near->queues[EPI_FORWARD], 0);
  epi__queue_clear(&far->queues[EPI_FORWARD], 0);
}

static void measure_bytes(side *near, side *far, size_t piece, double out[2]) {
  double ns[2] = {0}, bytes = 0;

  open_chain(near);
  open_chain(far);
  carry(near, far, piece, ns); /* what is there once is made now */
  ns[0] = ns[1] = 0;
  while (ns[0] < least_ns) {
    carry(near, far, piece, ns);
    bytes += (double)(BATCH * piece);
  }
  close_chain(near);
  close_chain(far);
  out[0] = ns[0] / bytes;
  out[1] = ns[1] / bytes;
}

static size_t in_use(void) {
  struct mallinfo2 now = mallinfo2();

  return now.uordblks + now.hblkhd;
}

/* One piece each way, as a question and its answer. */
static void exchange(side *near, side *far) {
  if (epi__filter_chain_feed(near->chain, EPI_FORWARD, text, 100)) {
    fail("feed");
  }
  move(near, far, EPI_FORWARD);
  if (far->chain &&
      epi__filter_chain_feed(far->chain, EPI_BACKWARD, text, 100)) {
    fail("feed");
  }
  move(far, near, EPI_BACKWARD);
  for (int i = 0; i < 2; i++) {
    epi__queue_clear(&near->queues[i], 0);
    epi__queue_clear(&far->queues[i], 0);
  }
}

/* Memory that the near side of a flow holds after an exchange. */
static double measure_memory(epi_filter *filter, epi_filter *undo) {
  static side near[HELD], far;
  size_t held = 0;

  for (size_t i = 0; i < HELD; i++) {
    size_t before;

    near[i].filter = filter;
    far.filter = undo;
    open_chain(&far);
    before = in_use();
    open_chain(&near[i]);
    held += in_use() - before;
    before = in_use();
    exchange(&near[i], &far);
    close_chain(&far); /* what it took meanwhile is its own */
    open_chain(&far);
    held += in_use() - before;
    close_chain(&far);
  }
  for (size_t i = 0; i < HELD; i++) {
    close_chain(&near[i]);
  }
  return (double)held / HELD;
}

static void measure(size_t which) {
  static const size_t pieces[] = {100, 1500, 16384, 65536};
  side near = {0}, far = {0};
  const char *undo = filters[which].undo;
  double start, cost[4][2];
  size_t before;

  if (epi_filter_new_builtin(&near.filter, filters[which].spec, key,
                             sizeof key) ||
      (undo && epi_filter_new_builtin(&far.filter, undo, key, sizeof key))) {
    printf("%-46s not in this build\n", filters[which].spec);
    epi_filter_free(near.filter);
    return;
  }
  for (size_t i = 0; i < 4; i++) {
    measure_bytes(&near, &far, pieces[i], cost[i]);
  }
  for (int end = 0; end < (undo ? 2 : 1); end++) {
    printf("%-46.46s", end ? undo : filters[which].spec);
    for (size_t i = 0; i < 4; i++) {
      printf(" %7.3f %6.2f", cost[i][end],
             1e9 / cost[i][end] / (1024.0 * 1024 * 1024));
    }
    if (end) {
      putchar('\n');
      continue;
    }
    open_chain(&near);
    close_chain(&near);
    before = allocations;
    start = now_ns();
    for (int i = 0; i < FLOWS; i++) {
      open_chain(&near);
      close_chain(&near);
    }
    printf(" %7.0f %6.1f %9.0f\n", (now_ns() - start) / FLOWS,
           (double)(allocations - before) / FLOWS,
           measure_memory(near.filter, far.filter));
  }
  epi_filter_free(near.filter);
  epi_filter_free(far.filter);
}

int main(void) {
  if (epi_set_allocator(counted_alloc, counted_resize, free)) {
    fail("allocator");
  }
  make_text();
  printf("%-46s %14s %14s %14s %14s %7s %6s %9s\n", "", "100 B", "1,500 B",
         "16 KiB", "64 KiB", "a flow", "", "");
  printf("%-46s", "filter");
  for (int i = 0; i < 4; i++) {
    printf(" %7s %6s", "ns/B", "GiB/s");
  }
  printf(" %7s %6s %9s\n", "ns", "allocs", "bytes");
  for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
    measure(i);
  }
  return 0;
}
