/* tls_table.c: what an engine's listeners and hops say about TLS. */
#include "engine/tls_table.h"

#include "base/fail.h"
#include "base/memory.h"
#include "engine/tls_load.h"
#include "engine/worker.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

struct epi__tls_table {
  pthread_mutex_t lock;
  epi__tls_files *items[EPI__TLS_SETS]; /* referenced */
  int servers[EPI__TLS_SETS];           /* 1: of listeners */
  size_t count;
  pthread_mutex_t reading;     /* held by the one that reads files again */
  char *rest[EPI__TLS_VALUES]; /* of hops; set before the start */
};

int epi__tls_table_new(epi__tls_table **out) {
  epi__tls_table *table = epi__alloc(sizeof *table);

  if (!table) {
    return EPI_ENOMEM;
  }
  pthread_mutex_init(&table->lock, NULL);
  pthread_mutex_init(&table->reading, NULL);
  *out = table;
  return 0;
}

void epi__tls_table_free(epi__tls_table *table) {
  if (!table) {
    return;
  }
  for (size_t i = 0; i < table->count; i++) {
    epi__tls_files_free(table->items[i]);
  }
  for (int i = 0; i < EPI__TLS_VALUES; i++) {
    epi__free(table->rest[i]);
  }
  pthread_mutex_destroy(&table->lock);
  pthread_mutex_destroy(&table->reading);
  epi__free(table);
}

/* Nobody has them any more, though a hop may come back to them: listeners that
 * changed, models that were. With the lock. */
static void drop_unused(epi__tls_table *table) {
  size_t kept = 0;

  for (size_t i = 0; i < table->count; i++) {
    if (epi__tls_files_are_used(table->items[i])) {
      table->items[kept] = table->items[i];
      table->servers[kept++] = table->servers[i];
    } else {
      epi__tls_files_free(table->items[i]);
    }
  }
  table->count = kept;
}

/* With the lock. */
static int find_or_make(epi__tls_table *table, const epi__tls_values *values,
                        int server, epi__tls_files **out) {
  int result;

  for (size_t i = 0; i < table->count; i++) {
    if (table->servers[i] == server &&
        epi__tls_files_are(table->items[i], values)) {
      *out = epi__tls_files_ref(table->items[i]);
      return 0;
    }
  }
  if (table->count == EPI__TLS_SETS) {
    drop_unused(table);
  }
  if (table->count == EPI__TLS_SETS) {
    return epi__fail(EPI_ELIMIT, "over %d different settings of TLS",
                     EPI__TLS_SETS);
  }
  result = epi__tls_files_new(out, values, server);
  if (!result) {
    table->servers[table->count] = server;
    table->items[table->count++] = epi__tls_files_ref(*out);
  }
  return result;
}

static int get(epi__tls_table *table, const epi__tls_values *values, int server,
               epi__tls_files **out) {
  int result;

  pthread_mutex_lock(&table->lock);
  result = find_or_make(table, values, server, out);
  pthread_mutex_unlock(&table->lock);
  return result;
}

int epi__tls_table_server(epi__tls_table *table, const epi__url *url,
                          epi__tls_files **out) {
  epi__tls_values values = epi__tls_values_of(url, NULL);

  return get(table, &values, 1, out);
}

static epi__tls_values rest_of(const epi__tls_table *table) {
  epi__tls_values rest;

  for (int i = 0; i < EPI__TLS_VALUES; i++) {
    rest.items[i] = table->rest[i];
  }
  return rest;
}

int epi__tls_table_client(epi__tls_table *table, const epi__url *url, int ours,
                          epi__tls_files **out) {
  epi__tls_values rest = rest_of(table);
  epi__tls_values values = ours ? epi__tls_values_of(url, &rest) : rest;

  return get(table, &values, 0, out);
}

int epi__tls_table_dest(epi__tls_table *table, const epi__url *url,
                        epi__tls_files **out) {
  epi__tls_values values = rest_of(table);
  const char *cert = epi__url_setting(url, "to-cert");
  const char *ca = epi__url_setting(url, "to-ca");
  const char *crl = epi__url_setting(url, "to-crl");
  const char *key = epi__url_setting(url, "to-key");

  if (key && !cert) {
    return epi__fail(EPI_EINVAL, "to-key is the key of to-cert=FILE");
  }
  if (cert) {
    values.items[EPI__TLS_CERT] = cert;
    values.items[EPI__TLS_KEY] = key;
  }
  values.items[EPI__TLS_CA] = ca ? ca : values.items[EPI__TLS_CA];
  values.items[EPI__TLS_CRL] = crl ? crl : values.items[EPI__TLS_CRL];
  return get(table, &values, 0, out);
}

int epi_engine_set_tls(epi_engine *engine, const char *name,
                       const char *value) {
  int number = name ? epi__tls_value_find(name) : EPI_ENOENT;
  char *copy = NULL;
  int result = epi__engine_not_started(engine);

  if (result) {
    return result;
  }
  if (number < 0 || number == EPI__TLS_CLIENT || number == EPI__TLS_ALPN_LIST) {
    return epi__fail(EPI_EINVAL, "no setting '%s' of TLS for hops",
                     name ? name : "");
  }
  if (value && !(copy = epi__strdup(value))) {
    return EPI_ENOMEM;
  }
  epi__free(engine->tls->rest[number]);
  engine->tls->rest[number] = copy;
  return 0;
}

/* ---- reading again ---- */

size_t epi__tls_table_hold(epi__tls_table *table,
                           epi__tls_files *out[EPI__TLS_SETS]) {
  size_t count;

  pthread_mutex_lock(&table->lock);
  for (count = 0; count < table->count; count++) {
    out[count] = epi__tls_files_ref(table->items[count]);
  }
  pthread_mutex_unlock(&table->lock);
  return count;
}

int epi__tls_table_each_file(epi__tls_table *table,
                             int (*call)(void *user, const char *path),
                             void *user) {
  epi__tls_values rest = rest_of(table);
  epi__tls_files *held[EPI__TLS_SETS];
  size_t count;
  int result;

  pthread_mutex_lock(&table->reading);
  count = epi__tls_table_hold(table, held);
  result = epi__tls_values_each_file(&rest, call, user);
  for (size_t i = 0; i < count; i++) {
    if (!result) {
      result = epi__tls_files_each(held[i], call, user);
    }
    epi__tls_files_free(held[i]);
  }
  pthread_mutex_unlock(&table->reading);
  return result;
}

static int reread(epi_engine *engine, epi__tls_files *files, int all) {
  int result = epi__tls_files_reread(files, all);

  if (result > 0) {
    epi__log(engine, EPI_LOG_NOTE,
             "TLS: what is in %s now counts for new connections",
             epi__tls_files_name(files));
  } else if (result < 0) {
    epi__log(engine, EPI_LOG_ERROR, "TLS: %s: the files as they were go on: %s",
             epi__tls_files_name(files), epi_error_detail());
  }
  return result;
}

int epi_engine_reload_tls(epi_engine *engine, int all) {
  epi__tls_table *table = engine->tls;
  epi__tls_files *held[EPI__TLS_SETS];
  char why[400] = "";
  size_t count;
  int changed = 0, failed = 0;

  pthread_mutex_lock(&table->reading);
  count = epi__tls_table_hold(table, held);
  for (size_t i = 0; i < count; i++) {
    int result = reread(engine, held[i], all);

    if (result < 0) {
      failed = result;
      snprintf(why, sizeof why, "%s", epi_error_detail());
    }
    changed += result > 0;
    epi__tls_files_free(held[i]);
  }
  pthread_mutex_unlock(&table->reading);
  return failed ? epi__fail(failed, "%s", why) : changed;
}

/* One that no listener or hop has any more is kept, but of no interest. */
void epi__tls_table_expiries(epi__tls_table *table,
                             void (*tell)(const char *name, int64_t at,
                                          int server, void *user),
                             void *user) {
  pthread_mutex_lock(&table->lock);
  for (size_t i = 0; i < table->count; i++) {
    epi__tls_context *context = epi__tls_files_context(table->items[i]);
    const char *name = "";
    int64_t at;

    for (size_t pair = 0;
         epi__tls_files_are_used(table->items[i]) &&
         (at = epi__tls_context_expiry(context, pair, &name)) > 0;
         pair++) {
      tell(name, at, table->servers[i], user);
    }
    epi__tls_context_free(context);
  }
  pthread_mutex_unlock(&table->lock);
}
