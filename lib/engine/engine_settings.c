/* engine_settings.c: what an engine is told. */
#include "area/model.h"
#include "base/fail.h"
#include "base/memory.h"
#include "engine/filter_load.h"
#include "engine/login_pool.h"
#include "engine/worker.h"
#include "os/os.h"

#include <string.h>

/* They are called as epi-proxy's options that set them, but for '-': so admins
 * find them. */
static const struct {
  const char *name;
  int64_t lowest, highest, value;
} bounds[EPI__ENGINE_SETTINGS] = {
    [EPI_ENGINE_WORKERS] = {"workers", 1, EPI__WORKERS_MAX, 0},
    [EPI_ENGINE_LIMIT] = {"limit", 0, INT32_MAX, 0},
    [EPI_ENGINE_HANDSHAKE_MS] = {"handshake timeout", 1, INT32_MAX, 10000},
    [EPI_ENGINE_CONNECT_MS] = {"connect timeout", 1, INT32_MAX, 10000},
    [EPI_ENGINE_IDLE_MS] = {"idle timeout", 0, INT32_MAX, 3600000},
    [EPI_ENGINE_HALF_CLOSED_MS] = {"half-closed timeout", 1, INT32_MAX, 120000},
    [EPI_ENGINE_BUFFER] = {"buffer", 4096, EPI__SCRATCH, 65536},
    [EPI_ENGINE_MARK] = {"mark", 0, UINT32_MAX, 0},
    [EPI_ENGINE_SESSIONS] = {"sessions", 0, INT32_MAX, 10000},
    [EPI_ENGINE_SESSIONS_PER_OWNER] = {"sessions per owner", 1, INT32_MAX, 16},
    [EPI_ENGINE_SESSION_IDLE_MS] = {"session timeout", 1, INT32_MAX, 600000},
    [EPI_ENGINE_TOKENS] = {"tokens", 1, 65536, 1024},
    [EPI_ENGINE_HAPPY_EYEBALLS] = {"happy eyeballs", 0, 1, 1},
    [EPI_ENGINE_UDP_IDLE_MS] = {"UDP idle timeout", 0, INT32_MAX, 300000},
    [EPI_ENGINE_ASSOCIATIONS] = {"associations", 0, INT32_MAX, 1024},
    [EPI_ENGINE_CLIENT_ASSOCIATIONS] = {"client associations", 0, INT32_MAX,
                                        64},
    [EPI_ENGINE_BIND_MS] = {"BIND timeout", 1, INT32_MAX, 120000},
    [EPI_ENGINE_CLIENT_BINDS] = {"client BINDs", 0, INT32_MAX, 256},
    [EPI_ENGINE_BIND_PORT_MIN] = {"lowest BIND port", 1, 65535, 1024},
    [EPI_ENGINE_BIND_PORT_MAX] = {"highest BIND port", 1, 65535, 65535},
    [EPI_ENGINE_WARM] = {"warm", 0, 1024, 8},
    [EPI_ENGINE_WARM_IDLE_MS] = {"warm idle", 100, INT32_MAX, 8000},
    [EPI_ENGINE_TUBE] = {"tube", 0, 16 * 1024 * 1024, 1024 * 1024},
    [EPI_ENGINE_PROVISION_MS] = {"provision timeout", 1, INT32_MAX, 30000},
    [EPI_ENGINE_PROVISION_FLOWS] = {"provision flows", 0, INT32_MAX, 1024},
    [EPI_ENGINE_INSTANCE_IDLE_MS] = {"instance idle", 0, INT32_MAX, 60000},
    [EPI_ENGINE_HEALTH_MS] = {"health interval", 0, INT32_MAX, 5000},
    [EPI_ENGINE_FAST_OPEN] = {"fast open", 0, 1, 0},
    [EPI_ENGINE_NAMES] = {"DNS cache", 0, 65536, 1024},
    [EPI_ENGINE_CLIENT_CONNECTIONS] = {"client connections", 0, INT32_MAX, 0},
    [EPI_ENGINE_CLIENT_FLOWS] = {"client flows", 0, INT32_MAX, 0},
    [EPI_ENGINE_USER_FLOWS] = {"user flows", 0, INT32_MAX, 0},
    [EPI_ENGINE_FLOW_BYTES_OUT] = {"flow bytes out", 0, EPI__BYTES_MAX, 0},
    [EPI_ENGINE_FLOW_BYTES_BACK] = {"flow bytes back", 0, EPI__BYTES_MAX, 0},
    [EPI_ENGINE_FLOW_RATE_OUT] = {"flow rate out", 0, EPI__RATE_MAX, 0},
    [EPI_ENGINE_FLOW_RATE_BACK] = {"flow rate back", 0, EPI__RATE_MAX, 0},
    [EPI_ENGINE_LOG_LEVEL] = {"log level", 0, EPI_LOG_DEBUG, EPI_LOG_DEBUG},
    [EPI_ENGINE_AUDIT_HEAD_MS] = {"audit head interval", 100, INT32_MAX, 60000},
    [EPI_ENGINE_LOG_LINES] = {"log lines", 0, INT32_MAX, 1000},
    [EPI_ENGINE_LOGIN_FAILURES] = {"login failures", 0, INT32_MAX, 10},
    [EPI_ENGINE_LOGIN_WINDOW_MS] = {"login window", 1, INT32_MAX, 60000},
    [EPI_ENGINE_LOGIN_PAUSE_MS] = {"login pause", 1, INT32_MAX, 30000},
    [EPI_ENGINE_LOGIN_THREADS] = {"login threads", 1, EPI__LOGIN_THREADS_MAX,
                                  2},
    [EPI_ENGINE_MEMORY] = {"memory", 0, EPI__BYTES_MAX, 0},
};

static int known(int parameter) {
  return parameter >= EPI_ENGINE_WORKERS && parameter < EPI__ENGINE_SETTINGS
             ? 1
             : epi__fail(EPI_EINVAL, "no engine parameter %d", parameter);
}

const char *epi__engine_parameter_name(int parameter) {
  return parameter >= EPI_ENGINE_WORKERS && parameter < EPI__ENGINE_SETTINGS
             ? bounds[parameter].name
             : NULL;
}

int epi__engine_not_started(const epi_engine *engine) {
  return engine->started
             ? epi__fail(EPI_ESTATE,
                         "the engine was started or stopped already")
             : 0;
}

void epi__engine_set_defaults(epi_engine *engine) {
  int64_t cpus = epi__cpu_count();

  for (int i = EPI_ENGINE_WORKERS; i < EPI__ENGINE_SETTINGS; i++) {
    engine->settings[i] = bounds[i].value;
  }
  engine->settings[EPI_ENGINE_WORKERS] =
      cpus < EPI__WORKERS_MAX ? cpus : EPI__WORKERS_MAX;
}

/* A mark belongs to rules that others have made for it. */
static int may_change(epi_engine *engine, int parameter, int64_t value) {
  const epi__setting *settings = engine->settings;

  if (!engine->started) {
    return parameter == EPI_ENGINE_WORKERS && engine->listeners->count
               ? epi__fail(EPI_ESTATE, "set the workers before listening, or "
                                       "once it runs")
               : 0;
  }
  if (parameter == EPI_ENGINE_WORKERS) {
    return epi__workers_change(engine, value);
  }
  if (parameter == EPI_ENGINE_MARK) {
    return epi__fail(EPI_ESTATE, "%s: set it before the start",
                     bounds[parameter].name);
  }
  if ((parameter == EPI_ENGINE_BIND_PORT_MIN &&
       value > settings[EPI_ENGINE_BIND_PORT_MAX]) ||
      (parameter == EPI_ENGINE_BIND_PORT_MAX &&
       value < settings[EPI_ENGINE_BIND_PORT_MIN])) {
    return epi__fail(EPI_EINVAL, "%s: with %lld no port is left",
                     bounds[parameter].name, (long long)value);
  }
  return 0;
}

int epi_engine_set(epi_engine *engine, int parameter, int64_t value) {
  int result;

  if (known(parameter) < 0) {
    return EPI_EINVAL;
  }
  if (value < bounds[parameter].lowest || value > bounds[parameter].highest) {
    return epi__fail(EPI_EINVAL, "%s: from %lld to %lld, not %lld",
                     bounds[parameter].name,
                     (long long)bounds[parameter].lowest,
                     (long long)bounds[parameter].highest, (long long)value);
  }
  pthread_mutex_lock(&engine->calls);
  result = may_change(engine, parameter, value);
  if (!result) {
    engine->settings[parameter] = value;
    if (engine->started) {
      epi__engine_retune(engine, parameter);
    }
  }
  pthread_mutex_unlock(&engine->calls);
  return result;
}

int epi_engine_bounds(const epi_engine *engine, int parameter, int64_t *value,
                      int64_t *lowest, int64_t *highest) {
  if (known(parameter) < 0) {
    return EPI_EINVAL;
  }
  if (value) {
    *value = engine->settings[parameter];
  }
  if (lowest) {
    *lowest = bounds[parameter].lowest;
  }
  if (highest) {
    *highest = bounds[parameter].highest;
  }
  return 0;
}

int epi_engine_set_name(epi_engine *engine, const char *name) {
  char *copy;

  if (epi__engine_not_started(engine)) {
    return EPI_ESTATE;
  }
  copy = name ? epi__strdup(name) : NULL;
  if (name && !copy) {
    return EPI_ENOMEM;
  }
  epi__free(engine->name);
  engine->name = copy;
  return 0;
}

int epi_engine_set_filter_path(epi_engine *engine, const char *folder) {
  char *copy = NULL;
  int result = epi__engine_not_started(engine);

  if (!result && folder) {
    result = epi__filter_folder_check(folder);
  }
  if (!result && folder && !(copy = epi__strdup(folder))) {
    result = EPI_ENOMEM;
  }
  if (result) {
    return result;
  }
  epi__free(engine->filter_path);
  engine->filter_path = copy;
  return 0;
}

int epi_engine_set_chain_key(epi_engine *engine, const void *key, size_t len) {
  uint8_t *copy;
  int result = epi__engine_not_started(engine);

  if (result) {
    return result;
  }
  if (len < EPI__CHAIN_KEY_MIN || len > EPI__CHAIN_KEY_MAX) {
    return epi__fail(EPI_EINVAL, "a chain key has %d to %d bytes, not %zu",
                     EPI__CHAIN_KEY_MIN, EPI__CHAIN_KEY_MAX, len);
  }
  if (engine->policy) {
    return epi__fail(EPI_ESTATE, "set the chain key before the model");
  }
  if (engine->function) {
    return epi__fail(EPI_ESTATE, "a function has a key of its own, and signs "
                                 "nothing by the chain key");
  }
  result = epi__claims_key(engine->claims_key, engine->crypto, key, len);
  if (result) {
    return result;
  }
  copy = epi__alloc(len);
  if (!copy) {
    return EPI_ENOMEM;
  }
  memcpy(copy, key, len);
  if (engine->chain_key) {
    epi_wipe(engine->chain_key, engine->chain_key_len);
    epi__free(engine->chain_key);
  }
  engine->chain_key = copy;
  engine->chain_key_len = len;
  return 0;
}

int epi_engine_set_metadata(epi_engine *engine, int key, const char *value) {
  return epi__engine_not_started(engine)
             ? EPI_ESTATE
             : epi_request_set_metadata(engine->metadata, key, value);
}

int epi_engine_set_dns(epi_engine *engine, const epi_addr *server) {
  static const epi_addr none = {0};

  if (epi__engine_not_started(engine)) {
    return EPI_ESTATE;
  }
  if (server && (server->kind == EPI_ADDR_NONE || !server->port)) {
    return epi__fail(EPI_EINVAL, "a name server has a host and a port");
  }
  engine->dns = server ? *server : none;
  return 0;
}
