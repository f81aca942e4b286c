/* refusals.c: what was refused or cut lately, of all workers. */
#include "base/json.h"
#include "base/memory.h"
#include "base/net.h"
#include "engine/status.h"
#include "epi/socks.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

enum {
  SHOWN = 40,
};

static int compare(const void *a, const void *b) {
  const epi__refusal *one = a, *two = b;

  if (one->at != two->at) {
    return one->at < two->at ? 1 : -1;
  }
  return one->flow < two->flow ? 1 : one->flow > two->flow ? -1 : 0;
}

/* Returns how many were copied. */
static size_t copy(epi__refusal *out, epi__meter *meter) {
  size_t count;

  pthread_mutex_lock(&meter->lock);
  count = meter->refused < EPI__REFUSALS ? meter->refused : EPI__REFUSALS;
  for (size_t i = 0; i < count; i++) {
    out[i] = meter->refusals[i];
  }
  pthread_mutex_unlock(&meter->lock);
  return count;
}

static void put_addr(epi__text *out, const char *key, const epi_addr *addr) {
  epi__addr_buf text;

  epi__text_printf(out, ",\"%s\":", key);
  if (addr->kind == EPI_ADDR_NONE) {
    epi__text_puts(out, "null");
  } else {
    epi__json_put_string(out, epi__addr_text(addr, &text));
  }
}

static void put(epi__text *out, const epi__refusal *refusal) {
  time_t at = (time_t)refusal->at;
  char stamp[32] = "";
  struct tm utc;

  if (gmtime_r(&at, &utc)) {
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &utc);
  }
  epi__text_printf(
      out, "{\"flow\":%" PRId64 ",\"time\":\"%s\",\"what\":\"%s\",\"reply\":",
      refusal->flow, stamp,
      refusal->reply > 0    ? "refused"
      : refusal->reply == 0 ? "cut"
                            : "failed");
  if (refusal->reply > 0) {
    epi__text_printf(out, "%d", refusal->reply);
  } else {
    epi__text_puts(out, "null");
  }
  put_addr(out, "source", &refusal->source);
  put_addr(out, "dest", &refusal->dest);
  epi__text_puts(out, ",\"why\":");
  epi__json_put_string(out, refusal->why);
  epi__text_puts(out, "}");
}

void epi__refusals_put(epi__text *out, const epi_engine *engine) {
  size_t workers = 0, count = 0;
  epi__refusal *all;

  while (workers < EPI__WORKERS_MAX && atomic_load(&engine->meters[workers])) {
    workers++;
  }
  all = epi__alloc_array(workers * EPI__REFUSALS + 1, sizeof *all);
  if (!all) {
    out->failed = 1;
    return;
  }
  for (size_t i = 0; i < workers; i++) {
    count += copy(all + count, atomic_load(&engine->meters[i]));
  }
  qsort(all, count, sizeof *all, compare);
  epi__text_puts(out, "[");
  for (size_t i = 0; i < count && i < SHOWN; i++) {
    epi__text_puts(out, i ? "," : "");
    put(out, &all[i]);
  }
  epi__text_puts(out, "]");
  epi__free(all);
}
