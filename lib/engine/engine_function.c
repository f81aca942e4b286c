/* engine_function.c: an engine that is a function at an endpoint. */
#include "base/fail.h"
#include "base/memory.h"
#include "engine/worker.h"
#include "tls/primitives.h"

#include <string.h>

static int check_name(const char *name) {
  return name && *name && strlen(name) <= EPI__FUNCTION_NAME
             ? 0
             : epi__fail(EPI_EINVAL, "a function's name has 1 to %d bytes",
                         EPI__FUNCTION_NAME);
}

int epi_function_key(void *out, const void *chain_key, size_t len,
                     const char *name) {
  int result = check_name(name);

  if (!result && (!chain_key || len < EPI__CHAIN_KEY_MIN)) {
    result = epi__fail(EPI_EINVAL, "a chain key has at least %d bytes",
                       EPI__CHAIN_KEY_MIN);
  }
  return result ? result
                : epi__function_key(out, epi__crypto_wolfssl(), chain_key, len,
                                    name);
}

int epi_engine_set_function(epi_engine *engine, const char *name,
                            const void *key) {
  char *copy;
  int result = epi__engine_not_started(engine);

  if (!result) {
    result = check_name(name);
  }
  if (!result && !key) {
    result = epi__fail(EPI_EINVAL, "function %s needs its key", name);
  }
  if (result) {
    return result;
  }
  if (engine->chain_key || engine->policy) {
    return epi__fail(EPI_ESTATE, "a function has neither chain key nor model");
  }
  copy = epi__strdup(name);
  if (!copy) {
    return EPI_ENOMEM;
  }
  epi__free(engine->function);
  engine->function = copy;
  memcpy(engine->function_key, key, sizeof engine->function_key);
  return 0;
}
