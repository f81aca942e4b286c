/* instance_choice.c: which instance of a function carries a flow. */
#include "base/fail.h"
#include "engine/instance_table.h"
#include "engine/worker.h"
#include "os/os.h"

/* What a search through a pool came to. */
typedef struct search {
  epi__instance *best; /* it answers and has room */
  epi__instance *last; /* it does not answer, for longest */
  size_t at;           /* the place of best */
  size_t open, full;   /* how many there are; of those that answer, full */
} search;

static int is_among(const int64_t *numbers, size_t count, int64_t number) {
  while (count && numbers[count - 1] != number) {
    count--;
  }
  return count > 0;
}

static void look_at(search *found, epi__pool *pool, size_t at) {
  epi__instance *instance = pool->items[at];
  int fails = atomic_load(&instance->failures) > 0;

  if (pool->capacity && instance->flows >= pool->capacity) {
    found->full += !fails;
  } else if (fails) {
    if (!found->last || instance->failed_as < found->last->failed_as) {
      found->last = instance;
    }
  } else if (!found->best || instance->flows < found->best->flows) {
    found->best = instance;
    found->at = at;
  }
}

/* Beginning where the turn is, so that the first of equals is the one whose
 * turn it is. */
static search look_through(epi__pool *pool, const int64_t *tried,
                           size_t tried_count) {
  search found = {0};

  for (size_t i = 0; i < pool->count; i++) {
    size_t at = (pool->turn + i) % pool->count;

    if (epi__instance_is_open(pool->items[at])) {
      found.open++;
      if (!is_among(tried, tried_count, pool->items[at]->number)) {
        look_at(&found, pool, at);
      }
    }
  }
  return found;
}

static int say_full(const epi__pool *pool, size_t open) {
  return epi__fail(EPI_ELIMIT,
                   "\"%s\" has as many flows as its %zu instance%s can carry, "
                   "%d each",
                   pool->function, open, open == 1 ? "" : "s", pool->capacity);
}

/* Where nothing else finds out that an instance is back, flows do. */
static int is_probed(const epi__instances *table) {
  return !table->engine || table->engine->settings[EPI_ENGINE_HEALTH_MS];
}

int epi__instance_take(epi__instances *table, const char *function,
                       const int64_t *tried, size_t tried_count,
                       epi__instance **out) {
  epi__instance *chosen = NULL;
  search found = {0};
  epi__pool *pool;
  int result = 0;

  pthread_mutex_lock(&table->lock);
  pool = epi__pool_find(table, function);
  if (pool) {
    found = look_through(pool, tried, tried_count);
  }
  chosen = found.best                       ? found.best
           : found.full && is_probed(table) ? NULL
                                            : found.last;
  if (chosen) {
    pool->turn = found.best ? found.at + 1 : pool->turn;
    chosen->flows++;
    chosen->holds++;
    *out = chosen;
  } else if (found.full) {
    result = say_full(pool, found.open);
  } else {
    result = epi__fail(EPI_EFILTER, "\"%s\" has no %sinstance", function,
                       found.open ? "other " : "");
  }
  pthread_mutex_unlock(&table->lock);
  return result;
}

void epi__instance_release(epi__instance *instance) {
  epi__instances *table = instance->table;
  int tell = 0;

  pthread_mutex_lock(&table->lock);
  if (!--instance->flows) {
    instance->idle_since = epi__clock_steady();
    tell = !instance->in_model && table->on_change;
  }
  instance->holds--;
  epi__instance_tidy(instance);
  pthread_mutex_unlock(&table->lock);
  if (tell) {
    table->on_change(table->change_user);
  }
}

int epi__instance_has_others(epi__instance *instance) {
  epi__pool *pool = instance->pool;
  int others = 0;

  pthread_mutex_lock(&instance->table->lock);
  for (size_t i = 0; i < pool->count && !others; i++) {
    others =
        pool->items[i] != instance && epi__instance_is_open(pool->items[i]);
  }
  pthread_mutex_unlock(&instance->table->lock);
  return others;
}
