/* supply.c: the functions whose instances are started, and the flows that wait
 * for one. */
#include "engine/provisioner.h"

#include "base/fail.h"
#include "base/memory.h"
#include "engine/worker.h"
#include "os/os.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
  RETRY_MS = 1000, /* after a failure; twice as long after each further one */
  RETRY_MOST_MS = 60000,
  PROVEN_MS = 10000, /* what was ready for this long was started well */
};

static int is_started(const epi_model *model, size_t function) {
  return !epi_model_function_filter(model, function) &&
         !epi_model_function_endpoint_count(model, function);
}

static const char *options_of(const epi_model *model, size_t function) {
  const char *options = epi_model_function_options(model, function);

  return options ? options : "{}";
}

static epi__supply *find(const epi__provisioner *provisioner,
                         const epi_model *model, size_t function) {
  epi__supply *supply = provisioner->supplies;

  while (
      supply &&
      (supply->gone ||
       strcmp(supply->function, epi_model_function_name(model, function)) !=
           0 ||
       strcmp(supply->image, epi_model_function_image(model, function)) != 0 ||
       strcmp(supply->options, options_of(model, function)) != 0)) {
    supply = supply->next;
  }
  return supply;
}

static void free_supply(epi__supply *supply) {
  epi__free(supply->function);
  epi__free(supply->image);
  epi__free(supply->options);
  epi__free(supply);
}

/* One that is gone until the model is in force. */
static epi__supply *add(epi__provisioner *provisioner, const epi_model *model,
                        size_t function) {
  epi__supply *supply = epi__alloc(sizeof *supply);

  if (!supply) {
    return NULL;
  }
  supply->function = epi__strdup(epi_model_function_name(model, function));
  supply->image = epi__strdup(epi_model_function_image(model, function));
  supply->options = epi__strdup(options_of(model, function));
  if (!supply->function || !supply->image || !supply->options) {
    free_supply(supply);
    return NULL;
  }
  supply->provisioner = provisioner;
  supply->gone = 1;
  supply->next = provisioner->supplies;
  provisioner->supplies = supply;
  return supply;
}

static int mark(epi__provisioner *provisioner, const epi_model *model,
                size_t function) {
  epi__supply *supply = find(provisioner, model, function);
  int most = epi_model_function_instances(model, function);

  if (!supply && !(supply = add(provisioner, model, function))) {
    return EPI_ENOMEM;
  }
  supply->marked = 1;
  supply->next_most = most ? (size_t)most : 1;
  supply->next_capacity = (size_t)epi_model_function_capacity(model, function);
  return 0;
}

int epi__supplies_mark(epi__provisioner *provisioner, const epi_model *model) {
  size_t count = model ? epi_model_function_count(model) : 0;
  int result = 0;

  pthread_mutex_lock(&provisioner->lock);
  for (size_t i = 0; !result && i < count; i++) {
    result = is_started(model, i) ? mark(provisioner, model, i) : 0;
  }
  pthread_mutex_unlock(&provisioner->lock);
  return result;
}

/* What has the function's name may run another image by now: flows through the
 * old one are to be cut. */
static void close_gone(const epi__supply *supply) {
  for (epi__supplied *one = supply->first; supply->gone && one;
       one = one->next) {
    if (one->instance) {
      epi__instance_close(one->instance, 1);
    }
  }
}

/* Does a model start the instances of a supply, which has this one? Under the
 * lock. */
static int keeps(const epi__provisioner *provisioner, const epi__supply *supply,
                 const epi_model *model) {
  for (size_t i = 0; i < epi_model_function_count(model); i++) {
    if (is_started(model, i) && find(provisioner, model, i) == supply) {
      return 1;
    }
  }
  return 0;
}

static const epi__supply *supply_of(const epi__provisioner *provisioner,
                                    const epi__instance *instance) {
  for (const epi__supply *supply = provisioner->supplies; supply;
       supply = supply->next) {
    for (const epi__supplied *one = supply->first; one; one = one->next) {
      if (one->instance == instance) {
        return supply;
      }
    }
  }
  return NULL;
}

/* Is it among the endpoints of its function? */
static int has_endpoint(const epi_model *model, const epi__instance *instance) {
  const char *name = epi__instance_function(instance);

  for (size_t i = 0; i < epi_model_function_count(model); i++) {
    size_t count = epi_model_function_endpoint_count(model, i);

    if (strcmp(epi_model_function_name(model, i), name) != 0) {
      continue;
    }
    for (size_t k = 0; k < count; k++) {
      if (!strcmp(epi_model_function_endpoint(model, i, k),
                  epi__instance_url(instance))) {
        return 1;
      }
    }
  }
  return 0;
}

int epi__supply_would_go(epi__provisioner *provisioner, epi__instance *instance,
                         const epi_model *model) {
  const epi__supply *supply;
  int started, kept;

  pthread_mutex_lock(&provisioner->lock);
  supply = supply_of(provisioner, instance);
  started = supply != NULL;
  kept = started && keeps(provisioner, supply, model);
  pthread_mutex_unlock(&provisioner->lock);
  if (epi__instance_is_gone(instance)) {
    return 1;
  }
  return started ? !kept : !has_endpoint(model, instance);
}

void epi__supplies_settle(epi__provisioner *provisioner, int use) {
  pthread_mutex_lock(&provisioner->lock);
  for (epi__supply *supply = provisioner->supplies; supply;
       supply = supply->next) {
    if (use) {
      supply->gone = !supply->marked;
    }
    if (use && supply->marked) {
      supply->most = supply->next_most;
      supply->capacity = supply->next_capacity;
    }
    supply->marked = 0;
    close_gone(supply);
  }
  epi__supplies_tidy(provisioner);
  epi__provisioner_wake(provisioner);
  pthread_mutex_unlock(&provisioner->lock);
}

void epi__supplies_tidy(epi__provisioner *provisioner) {
  epi__supply **at = &provisioner->supplies;

  while (*at) {
    epi__supply *supply = *at;

    if (supply->gone && !supply->first && !supply->waiting) {
      *at = supply->next;
      free_supply(supply);
    } else {
      at = &supply->next;
    }
  }
}

/* ---- instances ---- */

epi__supplied *epi__supplied_find(const epi__provisioner *provisioner,
                                  int64_t number) {
  for (epi__supply *supply = provisioner->supplies; supply;
       supply = supply->next) {
    for (epi__supplied *one = supply->first; one; one = one->next) {
      if (one->number == number) {
        return one;
      }
    }
  }
  return NULL;
}

void epi__supplied_free(epi__supplied *instance) {
  epi__supplied **at = &instance->supply->first;

  while (*at != instance) {
    at = &(*at)->next;
  }
  *at = instance->next;
  epi__free(instance->url);
  epi__free(instance);
}

void epi__supply_failed(epi__provisioner *provisioner,
                        const epi__supplied *instance, const char *why) {
  epi__supply *supply = instance->supply;
  int64_t now = epi__clock_steady(), pause = RETRY_MS;
  int was_ready = instance->state != EPI__ASKED;

  if (was_ready && now - instance->since >= PROVEN_MS) {
    supply->failures = 0;
  }
  for (int i = 0; i < supply->failures && pause < RETRY_MOST_MS; i++) {
    pause *= 2;
  }
  pause = pause < RETRY_MOST_MS ? pause : RETRY_MOST_MS;
  if (was_ready && !supply->failures) {
    pause = 0;
  }
  supply->failures++;
  supply->retry_at = now + pause;
  epi__printable(supply->why, sizeof supply->why, why);
  epi__provisioner_log(provisioner, EPI_LOG_ERROR,
                       "instance %" PRId64 " of \"%s\" failed: %s",
                       instance->number, supply->function, supply->why);
}

/* ---- flows that wait ---- */

static epi__supply *find_function(const epi__provisioner *provisioner,
                                  const char *function) {
  epi__supply *supply = provisioner->supplies;

  while (supply && (supply->gone || strcmp(supply->function, function) != 0)) {
    supply = supply->next;
  }
  return supply;
}

/* How many there are to which flows may go, now or soon; and of those, how many
 * are not ready yet. One that does not answer is about to be stopped. */
static size_t count(const epi__supply *supply, size_t *starting) {
  size_t all = 0;

  *starting = 0;
  for (const epi__supplied *one = supply->first; one; one = one->next) {
    if (one->state < EPI__READY) {
      all++;
      ++*starting;
    } else if (one->state == EPI__READY) {
      all += !epi__instance_fails(one->instance);
    }
  }
  return all;
}

static int start_one(epi__provisioner *provisioner, epi__supply *supply) {
  epi__supplied *instance = epi__alloc(sizeof *instance);

  if (!instance) {
    return EPI_ENOMEM;
  }
  instance->supply = supply;
  instance->number = ++provisioner->last_number;
  instance->state = EPI__WANTED;
  instance->next = supply->first;
  supply->first = instance;
  epi__provisioner_wake(provisioner);
  return 0;
}

/* May one more be started? */
static int may_start(const epi__provisioner *provisioner,
                     const epi__supply *supply, size_t instances) {
  if (!provisioner->running || provisioner->stopping) {
    return epi__fail(EPI_EFILTER, "nothing starts instances of \"%s\" here",
                     supply->function);
  }
  if (supply->retry_at > epi__clock_steady()) {
    return epi__fail(EPI_EFILTER, "no instance of \"%s\" can be had: %s",
                     supply->function, supply->why);
  }
  return instances < supply->most
             ? 0
             : epi__fail(EPI_ELIMIT,
                         "\"%s\" has as many flows as its %zu instance%s can "
                         "carry, %zu each",
                         supply->function, supply->most,
                         supply->most == 1 ? "" : "s", supply->capacity);
}

/* See to it that there will be room for one more flow than `others`. */
static int make_room(epi__provisioner *provisioner, epi__supply *supply,
                     size_t others) {
  size_t starting, instances = count(supply, &starting);
  int result;

  if (starting && (!supply->capacity || others < starting * supply->capacity)) {
    return 0;
  }
  result = may_start(provisioner, supply, instances);
  return result ? result : start_one(provisioner, supply);
}

static void leave(epi__provisioner *provisioner, epi__supply **awaited) {
  if (*awaited) {
    (*awaited)->waiting--;
    provisioner->waiting--;
    *awaited = NULL;
  }
}

static int wait_for(epi__provisioner *provisioner, epi__supply *supply,
                    epi__supply **awaited) {
  int64_t most = provisioner->engine->settings[EPI_ENGINE_PROVISION_FLOWS];
  int result;

  if (*awaited != supply) {
    leave(provisioner, awaited);
  }
  if (!*awaited && provisioner->waiting >= (size_t)most) {
    return epi__fail(EPI_EFILTER, "over %lld flows wait for instances",
                     (long long)most);
  }
  result = make_room(provisioner, supply, supply->waiting - (*awaited != NULL));
  if (!result && !*awaited) {
    *awaited = supply;
    supply->waiting++;
    provisioner->waiting++;
  }
  return result;
}

int epi__supply_await(epi__provisioner *provisioner, const char *function,
                      epi__supply **awaited) {
  epi__supply *supply;
  int result;

  pthread_mutex_lock(&provisioner->lock);
  supply = find_function(provisioner, function);
  result = supply ? wait_for(provisioner, supply, awaited)
                  : epi__fail(EPI_ENOENT, "\"%s\" is not started", function);
  pthread_mutex_unlock(&provisioner->lock);
  return result;
}

void epi__supply_leave(epi__provisioner *provisioner, epi__supply **awaited) {
  pthread_mutex_lock(&provisioner->lock);
  leave(provisioner, awaited);
  epi__supplies_tidy(provisioner);
  pthread_mutex_unlock(&provisioner->lock);
}
