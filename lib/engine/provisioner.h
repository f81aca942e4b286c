/* provisioner.h: starts the instances that flows wait for, and stops those that
 * nobody needs.
 *
 *     wanted -> asked for -> ready -> over -> being stopped
 *
 * It has a thread with a loop of its own: the program's callbacks run there,
 * and may take their time. Workers say what they want, and are woken up when
 * something became of it. */
#ifndef EPI__PROVISIONER_H
#define EPI__PROVISIONER_H

#include "engine/errand.h"
#include "engine/instances.h"

#include <pthread.h>

enum {
  EPI__WANTED = 1, /* the program does not know of it yet */
  EPI__ASKED,
  EPI__READY,
  EPI__OVER,     /* no new flows; to be stopped with its last one */
  EPI__UNWANTED, /* to be stopped now */
  EPI__STOPPING,
};

typedef struct epi__supply epi__supply;

/* An instance, from being wanted to having been stopped. */
typedef struct epi__supplied {
  struct epi__supplied *next;
  epi__supply *supply;
  int64_t number;
  int state;
  int64_t since;               /* when that began */
  char *url;                   /* what the program said, or NULL */
  int unheard;                 /* it is there, but no memory was for its URL */
  char why[EPI__ERRAND_WORDS]; /* it failed, or "": a failure needs no memory */
  epi__instance *instance;     /* in the table, while it is ready or over */
  epi__errand *errand;         /* that starts or stops it, or NULL */
} epi__supplied;

/* A function whose instances are started. One whose image or options change is
 * another one. */
struct epi__supply {
  epi__supply *next;
  struct epi__provisioner *provisioner;
  char *function, *image, *options;
  size_t most, next_most;         /* instances at once; by the next model */
  size_t capacity, next_capacity; /* flows of each; 0: any number */
  int marked;     /* the model that is about to take force has it */
  int gone;       /* the model in force has it not */
  size_t waiting; /* flows */
  epi__supplied *first;
  int failures; /* in a row */
  int64_t retry_at;
  char why[EPI__ERRAND_WORDS]; /* the last one failed */
};

typedef struct epi__provisioner {
  epi_engine *engine;
  void (*on_start)(int64_t instance, const char *function, const char *image,
                   const char *options, void *user);
  void *start_user;
  void (*on_stop)(int64_t instance, const char *function, const char *url,
                  void *user);
  void *stop_user;
  char *command; /* NULL: callbacks */

  pthread_mutex_t lock; /* guards what follows */
  epi__supply *supplies;
  int64_t last_number;
  size_t waiting; /* flows */
  int running, stopping;

  pthread_t thread;
  epi__loop *loop;
  epi__wake wake;
  epi__timer timer;
} epi__provisioner;

/* ---- provisioner.c: the thread ---- */

int epi__provisioner_new(epi__provisioner **out, epi_engine *engine);
void epi__provisioner_free(epi__provisioner *provisioner);

/* Begin, if something can be started at all. Returns 0, EPI_ESYS or
 * EPI_ENOMEM. */
int epi__provisioner_start(epi__provisioner *provisioner);

/* Have everything stopped, and wait for that; no worker may run any more. */
void epi__provisioner_stop(epi__provisioner *provisioner);

/* Something changed that it should look at. Threads: any. */
void epi__provisioner_wake(epi__provisioner *provisioner);

/* ---- supply.c: what is started, and who waits for it ---- */

/* A model takes force; NULL: none. In two steps: the first one may fail, with
 * EPI_ENOMEM, and changes nothing that counts; the second one may not, and
 * with use 0 takes the first one back. */
int epi__supplies_mark(epi__provisioner *provisioner, const epi_model *model);
void epi__supplies_settle(epi__provisioner *provisioner, int use);

/* Would an instance of a function be gone for its flows if this model took
 * force? */
int epi__supply_would_go(epi__provisioner *provisioner, epi__instance *instance,
                         const epi_model *model);

/* A flow found no instance of a function that has room. If the function is one
 * whose instances are started, see to it that there will be one, and let the
 * flow wait for it: *awaited is what it waits for then, and was NULL, or what
 * it waited for before.
 *
 * Returns 0: it waits, until epi__supply_leave(), and asks again when workers
 * are woken up; EPI_ENOENT: the function is not started; EPI_ELIMIT: there are
 * as many instances as there may be; EPI_EFILTER: none can be had, the detail
 * says why; or EPI_ENOMEM. */
int epi__supply_await(epi__provisioner *provisioner, const char *function,
                      epi__supply **awaited);

/* It waits no longer. */
void epi__supply_leave(epi__provisioner *provisioner, epi__supply **awaited);

/* ---- in the provisioner's thread, under the lock ---- */

/* Write a log line. The lock is let go meanwhile: what the program does with it
 * may take long, or lead to an answer about an instance. */
void epi__provisioner_log(epi__provisioner *provisioner, int level,
                          const char *format, ...) EPI__PRINTF(3, 4);

/* An instance failed, before or after it was ready: flows that wait are to ask
 * again, and no other is started for a while, which grows with each failure in
 * a row. */
void epi__supply_failed(epi__provisioner *provisioner,
                        const epi__supplied *instance, const char *why);

/* Unlink and free one that was stopped, or never started. */
void epi__supplied_free(epi__supplied *instance);

/* The instance with a number, or NULL. */
epi__supplied *epi__supplied_find(const epi__provisioner *provisioner,
                                  int64_t number);

/* Forget functions that no model has, and of which nothing runs. */
void epi__supplies_tidy(epi__provisioner *provisioner);

/* ---- provision_command.c: the command, in the provisioner's thread ---- */

void epi__command_start(epi__provisioner *provisioner, epi__supplied *instance);
void epi__command_stop(epi__provisioner *provisioner, epi__supplied *instance);

#endif
