/* engine.c: an engine's parts, start and stop. */
#include "base/bytes.h"
#include "base/fail.h"
#include "base/memory.h"
#include "base/net.h"
#include "engine/admin_serve.h"
#include "engine/flow_audit.h"
#include "engine/login_pool.h"
#include "engine/own_ports.h"
#include "engine/provisioner.h"
#include "engine/status.h"
#include "engine/tls_table.h"
#include "os/os.h"
#include "tls/primitives.h"

#include <string.h>

static int make_id(epi_engine *engine) {
  uint8_t id[EPI__PROXY_ID / 2];
  int result = engine->crypto->random(id, sizeof id);

  if (!result) {
    epi__hex(engine->id, id, sizeof id);
  }
  return result;
}

int epi_engine_new(epi_engine **out) {
  epi_engine *engine = epi__alloc(sizeof *engine);
  int result;

  if (!engine) {
    return EPI_ENOMEM;
  }
  engine->crypto = epi__crypto_wolfssl();
  engine->self = engine;
  pthread_mutex_init(&engine->calls, NULL);
  engine->made_at = epi__clock_wall();
  engine->made_ms = epi__clock_steady();
  pthread_mutex_init(&engine->lock, NULL);
  epi__cond_init(&engine->settled);
  for (int i = 0; i < EPI__WORKERS_MAX; i++) {
    pthread_mutex_init(&engine->mailboxes[i].lock, NULL);
  }
  pthread_mutex_init(&engine->admin_lock, NULL);
  epi__engine_set_defaults(engine);
  epi__quotas_init(&engine->quotas);
  epi__users_files_init(&engine->users);
  epi__guesses_init(&engine->guesses);
  atomic_init(&engine->next_flow, 1);
  epi__meter_names_start(&engine->meter_names);
  engine->listeners = epi__listeners_new(0);
  result = engine->listeners ? make_id(engine) : EPI_ENOMEM;
  if (!result) {
    result = epi__log_flood_new(&engine->flood);
  }
  if (!result) {
    result = epi_request_new(&engine->metadata);
  }
  if (!result) {
    result = epi__instances_new(&engine->instances, engine);
  }
  if (!result) {
    result = epi__login_pool_new(&engine->logins, engine);
  }
  if (!result) {
    result = epi__provisioner_new(&engine->provisioner, engine);
  }
  if (!result) {
    result = epi__tls_table_new(&engine->tls);
  }
  if (result) {
    epi_engine_free(engine);
    return result;
  }
  *out = engine;
  return 0;
}

void epi_engine_free(epi_engine *engine) {
  if (!engine) {
    return;
  }
  epi_engine_stop(engine);
  epi__adopted_drop(engine, 0);
  epi__listeners_free(engine->listeners);
  epi__login_pool_free(engine->logins);
  epi__users_files_clear(&engine->users);
  epi__guesses_clear(&engine->guesses);
  for (size_t i = 0; i < engine->hop_count; i++) {
    epi__hop_clear(&engine->hops[i]);
  }
  for (size_t i = 0; i < engine->filter_count; i++) {
    epi_filter_free(engine->filters[i]);
  }
  if (engine->chain_key) {
    epi_wipe(engine->chain_key, engine->chain_key_len);
  }
  epi__free(engine->chain_key);
  epi_wipe(engine->claims_key, sizeof engine->claims_key);
  epi_wipe(engine->function_key, sizeof engine->function_key);
  epi__claims_seen_clear(&engine->seen);
  epi__tally_clear(&engine->binds);
  epi__tally_clear(&engine->udp_clients);
  epi__quotas_clear(&engine->quotas);
  epi__log_flood_free(engine->flood);
  epi_request_free(engine->metadata);
  epi__policy_free(engine->policy);
  for (int i = 0; i < EPI__WORKERS_MAX; i++) {
    epi__meter_free(atomic_load(&engine->meters[i]));
  }
  epi__meter_names_clear(&engine->meter_names);
  epi__provisioner_free(engine->provisioner);
  epi__instances_free(engine->instances);
  epi__tls_table_free(engine->tls);
  epi__free(engine->name);
  epi__free(engine->function);
  epi__free(engine->filter_path);
  for (int i = 0; i < EPI__WORKERS_MAX; i++) {
    pthread_mutex_destroy(&engine->mailboxes[i].lock);
  }
  pthread_cond_destroy(&engine->settled);
  pthread_mutex_destroy(&engine->lock);
  pthread_mutex_destroy(&engine->admin_lock);
  pthread_mutex_destroy(&engine->calls);
  epi__free(engine);
}

int epi_engine_add_hop(epi_engine *engine, const char *url) {
  int result = epi__engine_not_started(engine);

  if (result) {
    return result;
  }
  if (engine->hop_count == EPI__HOPS_MAX) {
    return epi__fail(EPI_ELIMIT, "over %d hops", EPI__HOPS_MAX);
  }
  result = epi__hop_read(&engine->hops[engine->hop_count], engine, url, 1);
  engine->hop_count += !result;
  return result;
}

int epi_engine_add_filter(epi_engine *engine, epi_filter *filter) {
  if (epi__engine_not_started(engine)) {
    return EPI_ESTATE;
  }
  if (!filter) {
    return epi__fail(EPI_EINVAL, "no filter");
  }
  if (engine->filter_count == EPI__FILTERS_MAX) {
    return epi__fail(EPI_ELIMIT, "over %d filters", EPI__FILTERS_MAX);
  }
  engine->filters[engine->filter_count++] = epi_filter_ref(filter);
  return 0;
}

static const epi_model *model_of(const epi__policy *policy) {
  return policy ? epi__policy_model(policy) : NULL;
}

/* A model that was read again and says the same is no other one. */
static void audit_change(epi_engine *engine, const epi_model *old,
                         const epi_model *model) {
  if (!old != !model ||
      (model && strcmp(epi_model_hash(old), epi_model_hash(model)))) {
    epi__audit_model(engine, model);
  }
}

/* Judge by another policy and listen with other listeners, both at once. */
static void put_in_force(epi_engine *engine, epi__policy *policy,
                         epi__listeners *listeners) {
  epi__policy *old;

  pthread_mutex_lock(&engine->lock);
  old = engine->policy;
  engine->policy = policy;
  if (listeners) {
    listeners = epi__listeners_swap(engine, listeners);
  }
  atomic_fetch_add(&engine->generation, 1);
  epi__revoke_begin(engine, model_of(policy));
  pthread_mutex_unlock(&engine->lock);
  epi__workers_wake(engine);
  if (engine->started) {
    audit_change(engine, model_of(old), model_of(policy));
  }
  if (listeners) {
    epi__ports_tell(engine, model_of(old), model_of(policy));
  }
  epi__listeners_free(listeners);
  epi__policy_free(old);
}

static int set_model(epi_engine *engine, epi_model *model) {
  epi__listeners *listeners = NULL;
  epi__policy *policy = NULL;
  int result = 0;

  if (model && engine->function) {
    return epi__fail(EPI_ESTATE, "a function has no model: proxies judge");
  }
  if (model) {
    result = epi__policy_new(&policy, model, engine->chain_key,
                             engine->chain_key_len, engine->filter_path);
  }
  if (!result && engine->worker_count && !atomic_load(&engine->drains)) {
    result = epi__ports_listen(&listeners, engine, model);
  }
  if (!result) {
    result = epi__supplies_mark(engine->provisioner, model);
    if (!result) {
      result = epi__instances_set_model(engine->instances, model);
    }
    epi__supplies_settle(engine->provisioner, !result);
  }
  if (result) {
    epi__listeners_free(listeners);
    epi__policy_free(policy);
    return result;
  }
  put_in_force(engine, policy, listeners);
  return 0;
}

int epi__engine_give_model(epi_engine *engine, epi_model *model, int by_admin) {
  int result;

  pthread_mutex_lock(&engine->calls);
  result = set_model(engine, model);
  if (!result) {
    atomic_store(&engine->model_by_admin, by_admin);
  }
  pthread_mutex_unlock(&engine->calls);
  return result;
}

int epi_engine_set_model(epi_engine *engine, epi_model *model) {
  return epi__engine_give_model(engine, model, 0);
}

void epi_engine_on_log(epi_engine *engine,
                       void (*callback)(int level, const char *line,
                                        void *user),
                       void *user) {
  engine->on_log = callback;
  engine->log_user = user;
}

/* Find out which of the model's proxies this is. */
static int find_name(epi_engine *engine) {
  const epi_model *model =
      engine->policy ? epi__policy_model(engine->policy) : NULL;
  size_t count = model ? epi_model_proxy_count(model) : 0;

  for (size_t i = 0; i < count; i++) {
    const char *name = epi_model_proxy_name(model, i);
    const char *endpoint = epi_model_proxy_endpoint(model, name);
    epi__url url;

    if (engine->name) {
      if (!strcmp(engine->name, name)) {
        return 0;
      }
    } else if (endpoint && !epi__url_parse(&url, endpoint) &&
               epi__listeners_are_at(engine->listeners, &url.addr)) {
      return epi_engine_set_name(engine, name);
    }
  }
  return engine->name && model
             ? epi__fail(EPI_EINVAL, "no proxy '%s' in the model", engine->name)
             : 0;
}

static int check_bind_ports(const epi_engine *engine) {
  const epi__setting *settings = engine->settings;

  return settings[EPI_ENGINE_BIND_PORT_MIN] <=
                 settings[EPI_ENGINE_BIND_PORT_MAX]
             ? 0
             : epi__fail(EPI_EINVAL, "no port is from %d to %d",
                         (int)settings[EPI_ENGINE_BIND_PORT_MIN],
                         (int)settings[EPI_ENGINE_BIND_PORT_MAX]);
}

/* Listen at the ports that the model gives this proxy. Should the start fail
 * later, they are there for the next one. */
static int open_ports(epi_engine *engine) {
  const epi_model *model = model_of(engine->policy);
  epi__listeners *list = NULL;
  int result = epi__ports_listen(&list, engine, model);

  if (!result) {
    epi__listeners_free(epi__listeners_swap(engine, list));
    epi__ports_tell(engine, NULL, model);
    epi__adopted_drop(engine, 1);
  }
  return result;
}

static int join_sessions(epi_engine *engine) {
  const epi__listeners *list = engine->listeners;
  int result = 0;

  for (size_t i = 0; i < list->count && !result; i++) {
    result = epi__sessions_join(list->items[i], list, engine);
  }
  return result;
}

static void stop(epi_engine *engine) {
  engine->started = 1; /* without sockets it cannot start any more */
  atomic_store(&engine->running, 0);
  atomic_store(&engine->stopping, 1);
  for (size_t i = 0; i < engine->worker_count; i++) {
    epi__worker_join(engine->workers[i]);
  }
  engine->worker_count = 0;
  epi__provisioner_stop(engine->provisioner);
  epi__listeners_close(engine->listeners);
  epi__audit_end(engine);
  epi__log_settle_all(engine);
}

static int start(epi_engine *engine) {
  int count = (int)engine->settings[EPI_ENGINE_WORKERS];
  int result = epi__engine_not_started(engine);

  if (!result) {
    result = find_name(engine);
  }
  if (!result) {
    result = check_bind_ports(engine);
  }
  if (!result) {
    result = open_ports(engine);
  }
  if (!result && !engine->listeners->count) {
    result = epi__fail(EPI_ESTATE, "the engine listens nowhere");
  }
  if (!result) {
    result = epi__listeners_check_loops(engine->listeners, engine);
  }
  if (!result) {
    result = join_sessions(engine);
  }
  if (result) {
    return result;
  }
  epi__engine_share_fds(engine);
  engine->started_at = epi__clock_steady();
  engine->started = 1;
  if (engine->policy) {
    epi__audit_model(engine, epi__policy_model(engine->policy));
  }
  atomic_store(&engine->runs_since, epi__clock_steady());
  result = epi__audit_begin(engine);
  if (!result) {
    result = epi__provisioner_start(engine->provisioner);
  }
  for (int i = 0; i < count && !result; i++) {
    result = epi__worker_start(&engine->workers[i], engine, i);
    engine->worker_count += !result;
  }
  if (!result) {
    result = epi__status_start(engine);
  }
  atomic_store(&engine->running, !result);
  if (result) {
    stop(engine);
  }
  return result;
}

int epi_engine_start(epi_engine *engine) {
  int result;

  pthread_mutex_lock(&engine->calls);
  result = start(engine);
  pthread_mutex_unlock(&engine->calls);
  return result;
}

void epi_engine_stop(epi_engine *engine) {
  epi__status_stop(engine);
  epi__admin_stop(engine);
  pthread_mutex_lock(&engine->calls);
  stop(engine);
  pthread_mutex_unlock(&engine->calls);
}

int64_t epi_engine_count(const epi_engine *engine, int what) {
  if (what == EPI_COUNT_BUFFERED) {
    return atomic_load(&engine->buffered);
  }
  if (what < EPI_COUNT_OPEN || what > EPI_COUNT_FAILED) {
    return epi__fail(EPI_EINVAL, "no count %d", what);
  }
  return atomic_load(&engine->counts[what]);
}

int epi_engine_instances(const epi_engine *engine, char **out) {
  epi__text text = {0};
  char *block;

  epi__instances_put(&text, engine->instances);
  block = epi__text_take(&text);
  if (!block) {
    return EPI_ENOMEM;
  }
  *out = block;
  return 0;
}
