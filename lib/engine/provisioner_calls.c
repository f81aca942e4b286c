/* provisioner_calls.c: what a program says about instances that it starts. */
#include "base/fail.h"
#include "base/memory.h"
#include "engine/provisioner.h"
#include "engine/worker.h"
#include "epi/instance.h"

#include <inttypes.h>

/* Callbacks take the place of a command. */
static void drop_command(epi__provisioner *provisioner) {
  epi__free(provisioner->command);
  provisioner->command = NULL;
}

int epi_engine_on_start_instance(
    epi_engine *engine,
    void (*callback)(int64_t instance, const char *function, const char *image,
                     const char *options, void *user),
    void *user) {
  int result = epi__engine_not_started(engine);

  if (!result) {
    drop_command(engine->provisioner);
    engine->provisioner->on_start = callback;
    engine->provisioner->start_user = user;
  }
  return result;
}

int epi_engine_on_stop_instance(epi_engine *engine,
                                void (*callback)(int64_t instance,
                                                 const char *function,
                                                 const char *url, void *user),
                                void *user) {
  int result = epi__engine_not_started(engine);

  if (!result) {
    drop_command(engine->provisioner);
    engine->provisioner->on_stop = callback;
    engine->provisioner->stop_user = user;
  }
  return result;
}

static int no_instance(int64_t number) {
  return epi__fail(EPI_ENOENT, "no instance %" PRId64 " is to be started",
                   number);
}

/* The thread does the rest. Under the lock. */
static void fail_with(epi__provisioner *provisioner, epi__supplied *instance,
                      const char *why) {
  epi__printable(instance->why, sizeof instance->why, why);
  epi__provisioner_wake(provisioner);
}

static int copy_url(epi_engine *engine, const char *url, char **out) {
  epi__hop hop = {0};
  int result = url ? epi__hop_read(&hop, engine, url, 1)
                   : epi__fail(EPI_EINVAL, "no URL");

  if (!result) {
    epi__hop_clear(&hop);
    *out = epi__strdup(url);
    result = *out ? 0 : EPI_ENOMEM;
  }
  return result;
}

int epi_engine_instance_ready(epi_engine *engine, int64_t instance,
                              const char *url) {
  epi__provisioner *provisioner = engine->provisioner;
  epi__supplied *found;
  char *copy = NULL;
  int result = copy_url(engine, url, &copy);

  if (result && result != EPI_ENOMEM) {
    return result;
  }
  pthread_mutex_lock(&provisioner->lock);
  found = epi__supplied_find(provisioner, instance);
  if (!found || found->state != EPI__ASKED || found->url || found->why[0]) {
    epi__free(copy);
    result = no_instance(instance);
  } else if (result) { /* flows must not wait for what nobody says again */
    found->unheard = 1;
    fail_with(provisioner, found, "no memory is left for its URL");
  } else {
    found->url = copy;
    epi__provisioner_wake(provisioner);
  }
  pthread_mutex_unlock(&provisioner->lock);
  return result;
}

int epi_engine_instance_failed(epi_engine *engine, int64_t instance,
                               const char *reason) {
  epi__provisioner *provisioner = engine->provisioner;
  epi__supplied *found;
  int result = 0;

  if (!reason || !*reason) {
    return epi__fail(EPI_EINVAL, "no reason");
  }
  pthread_mutex_lock(&provisioner->lock);
  found = epi__supplied_find(provisioner, instance);
  if (found && !found->why[0] &&
      (found->state == EPI__ASKED || found->state == EPI__READY)) {
    fail_with(provisioner, found, reason);
  } else {
    result = no_instance(instance);
  }
  pthread_mutex_unlock(&provisioner->lock);
  return result;
}
