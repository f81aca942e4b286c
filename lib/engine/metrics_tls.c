/* metrics_tls.c: what is counted of TLS, and when its certificates expire. */
#include "engine/metrics.h"
#include "engine/tls_table.h"

#include "base/memory.h"

#include <string.h>

/* Certificates by name, each once: what expires first is what matters. */
typedef struct expiries {
  struct {
    char *name;
    int server;
    int64_t at;
  } * items;
  size_t count, capacity;
} expiries;

static void keep(const char *name, int64_t at, int server, void *user) {
  expiries *all = user;
  size_t i = 0;
  void *moved;
  char *copy;

  while (i < all->count && (all->items[i].server != server ||
                            strcmp(all->items[i].name, name) != 0)) {
    i++;
  }
  if (i < all->count) {
    all->items[i].at = at < all->items[i].at ? at : all->items[i].at;
    return;
  }
  moved = epi__grow(all->items, all->count, &all->capacity, sizeof *all->items);
  all->items = moved ? moved : all->items;
  copy = moved ? epi__strdup(name) : NULL;
  if (copy) {
    all->items[all->count].name = copy;
    all->items[all->count].server = server;
    all->items[all->count++].at = at;
  }
}

static const char *side_of(int server) {
  return server ? "listener" : "hop";
}

static void put_expiries(epi__metrics *out, const epi_engine *engine) {
  const char *labels[] = {"side", "", "name", "", NULL};
  expiries all = {0};

  epi__metrics_family(out, "epi_tls_certificate_expiry_timestamp_seconds",
                      EPI__FAMILY_GAUGE,
                      "When own certificates, or one above them, expire, in "
                      "seconds since 1970 UTC.");
  epi__tls_table_expiries(engine->tls, keep, &all);
  for (size_t i = 0; i < all.count; i++) {
    labels[1] = side_of(all.items[i].server);
    labels[3] = all.items[i].name;
    epi__metrics_sample(out, labels, all.items[i].at);
    epi__free(all.items[i].name);
  }
  epi__free(all.items);
}

static void put_sides(epi__metrics *out, const char *name, const char *help,
                      int64_t listeners, int64_t hops) {
  static const char *const listener[] = {"side", "listener", NULL};
  static const char *const hop[] = {"side", "hop", NULL};

  epi__metrics_family(out, name, EPI__FAMILY_COUNTER, help);
  epi__metrics_sample(out, listener, listeners);
  epi__metrics_sample(out, hop, hops);
}

void epi__metrics_put_tls(epi__metrics *out, const epi_engine *engine) {
  put_sides(out, "epi_tls_handshakes",
            "TLS handshakes of flows that were done.",
            EPI__METERS_SUM(engine, tls[EPI__METER_TLS_DONE][1]),
            EPI__METERS_SUM(engine, tls[EPI__METER_TLS_DONE][0]));
  put_sides(out, "epi_tls_resumed", "Those that resumed an earlier session.",
            EPI__METERS_SUM(engine, tls[EPI__METER_TLS_RESUMED][1]),
            EPI__METERS_SUM(engine, tls[EPI__METER_TLS_RESUMED][0]));
  put_sides(out, "epi_tls_failures", "TLS handshakes of flows that failed.",
            EPI__METERS_SUM(engine, tls[EPI__METER_TLS_FAILED][1]),
            EPI__METERS_SUM(engine, tls[EPI__METER_TLS_FAILED][0]));
  put_expiries(out, engine);
}
