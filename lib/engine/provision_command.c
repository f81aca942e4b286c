/* provision_command.c: instances that a program starts and stops. It is run
 * from the provisioner's loop, which goes on meanwhile. */
#include "base/bytes.h"
#include "base/fail.h"
#include "base/memory.h"
#include "engine/provisioner.h"
#include "engine/worker.h"
#include "epi/instance.h"
#include "os/child.h"

#include <inttypes.h>
#include <stdio.h>

enum {
  SPARE_MS = 1000, /* the provisioner notices first that it takes too long */
  STOP_MS = 10000,
  SETTINGS = 5,
};

typedef void answered(void *user, int result, const char *text);

/* Run the command for an instance, with or without its endpoint. */
static int run(epi__provisioner *provisioner, epi__supplied *instance,
               const char *verb, const char *endpoint, int64_t ms,
               answered *callback) {
  const char *const arguments[] = {provisioner->command, verb, NULL};
  const epi__supply *supply = instance->supply;
  const char *settings[SETTINGS + 1] = {NULL};
  epi__text texts[SETTINGS] = {{0}};
  int result = 0;

  epi__text_printf(&texts[0], "EPI_INSTANCE=%" PRId64, instance->number);
  epi__text_printf(&texts[1], "EPI_FUNCTION=%s", supply->function);
  epi__text_printf(&texts[2], "EPI_IMAGE=%s", supply->image);
  epi__text_printf(&texts[3], "EPI_OPTIONS=%s", supply->options);
  epi__text_printf(&texts[4], "EPI_ENDPOINT=%s", endpoint);
  for (int i = 0; i < SETTINGS; i++) {
    settings[i] = texts[i].block;
    result = texts[i].failed ? EPI_ENOMEM : result;
  }
  if (!result) {
    result = epi__errand_start(&instance->errand, provisioner->loop,
                               provisioner->command, arguments, settings, ms,
                               callback, instance);
  }
  for (int i = 0; i < SETTINGS; i++) {
    epi__text_clear(&texts[i]);
  }
  return result;
}

static epi__provisioner *provisioner_of(const epi__supplied *instance) {
  return instance->supply->provisioner;
}

static void stopped(epi__supplied *instance, const char *why) {
  epi__provisioner *provisioner = provisioner_of(instance);

  if (why) {
    epi__log(provisioner->engine, EPI_LOG_ERROR,
             "instance %" PRId64 " of \"%s\" may be left: %s", instance->number,
             instance->supply->function, why);
  }
  pthread_mutex_lock(&provisioner->lock);
  epi__supplied_free(instance);
  epi__provisioner_wake(provisioner);
  pthread_mutex_unlock(&provisioner->lock);
}

static void on_stopped(void *user, int result, const char *text) {
  epi__supplied *instance = user;

  instance->errand = NULL;
  stopped(instance, result ? text : NULL);
}

static void stop(epi__provisioner *provisioner, epi__supplied *instance) {
  if (run(provisioner, instance, "stop", instance->url ? instance->url : "",
          STOP_MS, on_stopped)) {
    stopped(instance, epi_error_detail());
  }
}

void epi__command_stop(epi__provisioner *provisioner, epi__supplied *instance) {
  if (instance->errand) {
    epi__errand_hurry(instance->errand, "it is not needed any more");
  } else {
    stop(provisioner, instance);
  }
}

/* What it printed is no URL: who knows what it started. */
static void refuse_answer(epi__provisioner *provisioner,
                          epi__supplied *instance) {
  char why[EPI__ERRAND_WORDS], detail[200];

  snprintf(why, sizeof why, "what it printed is of no use: %s",
           epi__printable(detail, sizeof detail, epi_error_detail()));
  pthread_mutex_lock(&provisioner->lock);
  epi__supply_failed(provisioner, instance, why);
  instance->state = EPI__UNWANTED;
  epi__provisioner_wake(provisioner);
  pthread_mutex_unlock(&provisioner->lock);
}

static void on_started(void *user, int result, const char *text) {
  epi__supplied *instance = user;
  epi__provisioner *provisioner = provisioner_of(instance);
  epi_engine *engine = provisioner->engine;

  instance->errand = NULL;
  if (instance->state == EPI__STOPPING) {
    stop(provisioner, instance);
  } else if (result) {
    epi_engine_instance_failed(engine, instance->number, text);
  } else if (epi_engine_instance_ready(engine, instance->number, text)) {
    refuse_answer(provisioner, instance);
  }
}

void epi__command_start(epi__provisioner *provisioner,
                        epi__supplied *instance) {
  int64_t ms = provisioner->engine->settings[EPI_ENGINE_PROVISION_MS];

  if (run(provisioner, instance, "start", "", ms + SPARE_MS, on_started)) {
    epi_engine_instance_failed(provisioner->engine, instance->number,
                               epi_error_detail());
  }
}

/* ---- as callers set it ---- */

int epi_engine_set_provision_command(epi_engine *engine, const char *path) {
  char *copy = NULL;
  int result = epi__engine_not_started(engine);

  if (!result && path) {
    result = epi__child_check(path);
  }
  if (!result && path && !(copy = epi__strdup(path))) {
    result = EPI_ENOMEM;
  }
  if (result) {
    return result;
  }
  epi__free(engine->provisioner->command);
  engine->provisioner->command = copy;
  return 0;
}
