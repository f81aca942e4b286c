/* instance_table.h: the inside of the table of instances. */
#ifndef EPI__INSTANCE_TABLE_H
#define EPI__INSTANCE_TABLE_H

#include "engine/instances.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
  EPI__POOL_MAX = 4096, /* instances of a function */
};

/* The instances of one function. */
typedef struct epi__pool {
  char *function;
  int in_model;
  int marked;   /* the model that is about to take force has it */
  int capacity; /* flows of each; 0: any number */
  epi__instance **items;
  size_t count, item_capacity;
  size_t turn; /* where the next choice begins */
} epi__pool;

struct epi__instance {
  epi__instances *table;
  epi__pool *pool;
  int64_t number;
  char *url, *shown;
  int in_model, added; /* neither: no new flows */
  int gone;            /* the model had it */
  int marked;
  int holds; /* flows, and those who look at it */
  int flows;
  int64_t idle_since;
  atomic_int failures; /* since it answered last */
  atomic_int relapses; /* how often it began to fail flows, since it carried
                          one last */
  int64_t failed_as;   /* smaller: longer ago */
  int64_t failed_at;   /* by epi__clock_steady() */
};

struct epi__instances {
  epi_engine *engine;
  pthread_mutex_t lock; /* guards all but the texts of instances */
  epi__pool **pools;    /* in order of their functions' names */
  size_t count, capacity;
  int64_t last_number, last_failure;
  void (*on_change)(void *user); /* set while no worker runs */
  void *change_user;
};

/* The pool of a function, or NULL. Under the lock. */
epi__pool *epi__pool_find(const epi__instances *table, const char *function);

/* May new flows go there? Under the lock. */
int epi__instance_is_open(const epi__instance *instance);

/* Forget it if nobody holds it and no new flows may go there. Under the lock.
 */
void epi__instance_tidy(epi__instance *instance);

#endif
