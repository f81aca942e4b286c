/* instances.c: the table of instances, and what a new model makes of it. */
#include "base/fail.h"
#include "base/memory.h"
#include "base/net.h"
#include "engine/instance_table.h"
#include "os/os.h"

#include <string.h>

int epi__instances_new(epi__instances **out, epi_engine *engine) {
  epi__instances *table = epi__alloc(sizeof *table);

  if (!table) {
    return EPI_ENOMEM;
  }
  pthread_mutex_init(&table->lock, NULL);
  table->engine = engine;
  *out = table;
  return 0;
}

/* Where a function's pool is, or is to be put. */
static size_t place_of(const epi__instances *table, const char *function) {
  size_t low = 0, high = table->count;

  while (low < high) {
    size_t middle = low + (high - low) / 2;

    if (strcmp(table->pools[middle]->function, function) < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

epi__pool *epi__pool_find(const epi__instances *table, const char *function) {
  size_t at = place_of(table, function);

  return at < table->count && !strcmp(table->pools[at]->function, function)
             ? table->pools[at]
             : NULL;
}

static void free_pool(epi__pool *pool) {
  epi__free(pool->function);
  epi__free(pool->items);
  epi__free(pool);
}

static epi__pool *add_pool(epi__instances *table, const char *function) {
  size_t at = place_of(table, function);
  epi__pool **moved =
      epi__grow(table->pools, table->count, &table->capacity, sizeof *moved);
  epi__pool *pool = moved ? epi__alloc(sizeof *pool) : NULL;

  table->pools = moved ? moved : table->pools;
  if (!pool) {
    return NULL;
  }
  pool->function = epi__strdup(function);
  if (!pool->function) {
    epi__free(pool);
    return NULL;
  }
  memmove(&moved[at + 1], &moved[at], (table->count - at) * sizeof *moved);
  moved[at] = pool;
  table->count++;
  return pool;
}

/* A function that no model has, and nobody carries flows of, is forgotten. */
static void tidy_pool(epi__instances *table, epi__pool *pool) {
  size_t at;

  if (pool->count || pool->in_model) {
    return;
  }
  at = place_of(table, pool->function);
  memmove(&table->pools[at], &table->pools[at + 1],
          (--table->count - at) * sizeof *table->pools);
  free_pool(pool);
}

static void free_instance(epi__instance *instance) {
  epi__free(instance->url);
  epi__free(instance->shown);
  epi__free(instance);
}

static epi__instance *add_instance(epi__instances *table, epi__pool *pool,
                                   const char *url) {
  epi__instance **moved =
      epi__grow(pool->items, pool->count, &pool->item_capacity, sizeof *moved);
  epi__instance *instance = moved ? epi__alloc(sizeof *instance) : NULL;
  char public[EPI__URL_MAX];

  pool->items = moved ? moved : pool->items;
  if (!instance) {
    return NULL;
  }
  instance->url = epi__strdup(url);
  instance->shown = epi__strdup(epi__url_public(url, public, sizeof public));
  if (!instance->url || !instance->shown) {
    free_instance(instance);
    return NULL;
  }
  instance->table = table;
  instance->pool = pool;
  instance->number = ++table->last_number;
  instance->idle_since = epi__clock_steady();
  atomic_init(&instance->failures, 0);
  atomic_init(&instance->relapses, 0);
  pool->items[pool->count++] = instance;
  return instance;
}

int epi__instance_is_open(const epi__instance *instance) {
  return instance->in_model || instance->added;
}

void epi__instance_tidy(epi__instance *instance) {
  epi__pool *pool = instance->pool;
  size_t at = 0;

  if (instance->holds || epi__instance_is_open(instance)) {
    return;
  }
  while (pool->items[at] != instance) {
    at++;
  }
  memmove(&pool->items[at], &pool->items[at + 1],
          (--pool->count - at) * sizeof *pool->items);
  tidy_pool(instance->table, pool);
  free_instance(instance);
}

/* ---- a new model ---- */

/* The instance with a URL among the first `count` of a pool, or NULL. The place
 * that it has in the model is where it often is. */
static epi__instance *find(const epi__pool *pool, size_t count, size_t place,
                           const char *url) {
  if (place < count && !strcmp(pool->items[place]->url, url)) {
    return pool->items[place];
  }
  for (size_t i = 0; i < count; i++) {
    if (!strcmp(pool->items[i]->url, url)) {
      return pool->items[i];
    }
  }
  return NULL;
}

/* Mark what the model has of one function, making what is new. */
static int mark_function(epi__instances *table, const epi_model *model,
                         size_t function) {
  const char *name = epi_model_function_name(model, function);
  size_t count = epi_model_function_endpoint_count(model, function);
  epi__pool *pool = epi__pool_find(table, name);
  size_t before;

  if (!pool && !(pool = add_pool(table, name))) {
    return EPI_ENOMEM;
  }
  pool->marked = 1;
  before = pool->count;
  for (size_t i = 0; i < count; i++) {
    const char *url = epi_model_function_endpoint(model, function, i);
    epi__instance *instance = find(pool, before, i, url);

    if (!instance && !(instance = add_instance(table, pool, url))) {
      return EPI_ENOMEM;
    }
    instance->marked = 1;
  }
  return 0;
}

static int mark(epi__instances *table, const epi_model *model) {
  size_t count = model ? epi_model_function_count(model) : 0;
  int result = 0;

  for (size_t i = 0; !result && i < count; i++) {
    result = epi_model_function_filter(model, i)
                 ? 0
                 : mark_function(table, model, i);
  }
  return result;
}

/* What is marked is in force from now on, and nothing else; or with use 0 the
 * marks go, and all is as before. */
static void settle(epi__instances *table, int use) {
  for (size_t i = 0; i < table->count; i++) {
    epi__pool *pool = table->pools[i];

    for (size_t k = 0; k < pool->count; k++) {
      epi__instance *instance = pool->items[k];

      if (use) {
        instance->gone = (instance->in_model || instance->gone) &&
                         !instance->marked && !instance->added;
        instance->in_model = instance->marked;
      }
      instance->marked = 0;
    }
    pool->in_model = use ? pool->marked : pool->in_model;
    pool->marked = 0;
  }
}

static void tidy_all(epi__instances *table) {
  for (size_t i = table->count; i > 0; i--) {
    epi__pool *pool = table->pools[i - 1];

    for (size_t k = pool->count; k > 1; k--) {
      epi__instance_tidy(pool->items[k - 1]);
    }
    if (pool->count) {
      epi__instance_tidy(pool->items[0]); /* and the pool, perhaps */
    } else {
      tidy_pool(table, pool);
    }
  }
}

static void set_capacities(epi__instances *table, const epi_model *model) {
  size_t count = model ? epi_model_function_count(model) : 0;

  for (size_t i = 0; i < count; i++) {
    epi__pool *pool = epi__pool_find(table, epi_model_function_name(model, i));

    if (pool) {
      pool->capacity = epi_model_function_capacity(model, i);
    }
  }
}

int epi__instances_set_model(epi__instances *table, const epi_model *model) {
  int result;

  pthread_mutex_lock(&table->lock);
  result = mark(table, model);
  settle(table, !result);
  if (!result) {
    set_capacities(table, model);
  }
  tidy_all(table);
  pthread_mutex_unlock(&table->lock);
  return result;
}

/* ---- what was started besides ---- */

int epi__instance_add(epi__instances *table, const char *function,
                      const char *url, epi__instance **out) {
  const epi__instance *same = NULL;
  epi__instance *instance;
  epi__pool *pool;
  int result = 0;

  pthread_mutex_lock(&table->lock);
  pool = epi__pool_find(table, function);
  if (!pool || !pool->in_model) {
    result = epi__fail(EPI_ENOENT, "no function \"%s\" at endpoints", function);
  } else if ((same = find(pool, pool->count, 0, url)) &&
             epi__instance_is_open(same)) {
    result = epi__fail(EPI_EBUSY, "\"%s\" has the instance %s already",
                       function, same->shown);
  } else if (pool->count == EPI__POOL_MAX) {
    result = epi__fail(EPI_ELIMIT, "\"%s\" has over %d instances", function,
                       EPI__POOL_MAX);
  } else if (!(instance = add_instance(table, pool, url))) {
    result = EPI_ENOMEM;
  } else {
    instance->added = 1;
    instance->holds++;
    *out = instance;
  }
  pthread_mutex_unlock(&table->lock);
  return result;
}

void epi__instance_close(epi__instance *instance, int gone) {
  pthread_mutex_lock(&instance->table->lock);
  instance->added = 0;
  instance->gone |= gone;
  pthread_mutex_unlock(&instance->table->lock);
}

void epi__instances_on_change(epi__instances *table,
                              void (*callback)(void *user), void *user) {
  table->on_change = callback;
  table->change_user = user;
}

void epi__instance_retire(epi__instance *instance) {
  epi__instances *table = instance->table;

  pthread_mutex_lock(&table->lock);
  instance->added = 0;
  instance->holds--;
  epi__instance_tidy(instance);
  pthread_mutex_unlock(&table->lock);
}

void epi__instances_free(epi__instances *table) {
  if (!table) {
    return;
  }
  for (size_t i = 0; i < table->count; i++) {
    for (size_t k = 0; k < table->pools[i]->count; k++) {
      free_instance(table->pools[i]->items[k]);
    }
    free_pool(table->pools[i]);
  }
  epi__free(table->pools);
  pthread_mutex_destroy(&table->lock);
  epi__free(table);
}
