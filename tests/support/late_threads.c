/* late_threads.c: preloaded, it has threads begin late, each later than the one
 * made before: what a busy machine does now and then, each time. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
  LATER_MS = 200,
  MS = 1000000,
};

typedef struct job {
  void *(*run)(void *user);
  void *user;
  int late_ms;
} job;

typedef int creator(pthread_t *thread, const pthread_attr_t *attr,
                    void *(*run)(void *user), void *user);

static void *run_late(void *user) {
  job mine = *(job *)user;
  struct timespec late = {.tv_sec = mine.late_ms / 1000,
                          .tv_nsec = mine.late_ms % 1000 * MS};

  free(user);
  nanosleep(&late, NULL);
  return mine.run(mine.user);
}

__attribute__((visibility("default"))) int
pthread_create(pthread_t *thread, const pthread_attr_t *attr,
               void *(*run)(void *user), void *user) {
  static atomic_int made;
  void *symbol = dlsym(RTLD_NEXT, "pthread_create");
  job *mine = malloc(sizeof *mine);
  creator *create;

  if (!mine || !symbol) {
    abort();
  }
  memcpy(&create, &symbol, sizeof create);
  mine->run = run;
  mine->user = user;
  mine->late_ms = LATER_MS * (1 + atomic_fetch_add(&made, 1));
  return create(thread, attr, run_late, mine);
}
