/* filter.c: what a bridging function does, set up once. */
#include "epi/filter.h"

#include "base/fail.h"
#include "base/memory.h"
#include "filter/filter_chain.h"

#include <stdatomic.h>
#include <string.h>

struct epi_filter {
  atomic_int references;
  char *name;
  epi__filter_calls calls;
  void (*on_free)(void *user);
  void *free_user;
};

static const int64_t defaults[EPI_FILTER_FAIL_OPEN + 1] = {
    [EPI_FILTER_MEMORY] = 1024 * 1024,
    [EPI_FILTER_DEADLINE_MS] = 30000,
};

int epi_filter_new(epi_filter **out, const char *name) {
  epi_filter *filter;

  if (!name || !*name) {
    return epi__fail(EPI_EINVAL, "a filter needs a name");
  }
  filter = epi__alloc(sizeof *filter);
  if (!filter) {
    return EPI_ENOMEM;
  }
  filter->name = epi__strdup(name);
  if (!filter->name) {
    epi__free(filter);
    return EPI_ENOMEM;
  }
  atomic_init(&filter->references, 1);
  memcpy(filter->calls.bounds, defaults, sizeof defaults);
  *out = filter;
  return 0;
}

epi_filter *epi_filter_ref(epi_filter *filter) {
  atomic_fetch_add(&filter->references, 1);
  return filter;
}

void epi_filter_free(epi_filter *filter) {
  if (!filter || atomic_fetch_sub(&filter->references, 1) > 1) {
    return;
  }
  if (filter->on_free) {
    filter->on_free(filter->free_user);
  }
  epi__free(filter->name);
  epi__free(filter);
}

const char *epi_filter_name(const epi_filter *filter) {
  return filter->name;
}

void epi_filter_on_open(epi_filter *filter,
                        int (*callback)(epi_pipe *pipe, void *user),
                        void *user) {
  filter->calls.open = callback;
  filter->calls.open_user = user;
}

void epi_filter_on_data(epi_filter *filter,
                        int (*callback)(epi_pipe *pipe, int direction,
                                        const void *data, size_t len,
                                        void *user),
                        void *user) {
  filter->calls.data = callback;
  filter->calls.data_user = user;
}

void epi_filter_on_end(epi_filter *filter,
                       int (*callback)(epi_pipe *pipe, int direction,
                                       void *user),
                       void *user) {
  filter->calls.end = callback;
  filter->calls.end_user = user;
}

void epi_filter_on_close(epi_filter *filter,
                         void (*callback)(epi_pipe *pipe, void *user),
                         void *user) {
  filter->calls.close = callback;
  filter->calls.close_user = user;
}

void epi_filter_on_timer(epi_filter *filter,
                         int (*callback)(epi_pipe *pipe, void *user),
                         void *user) {
  filter->calls.timer = callback;
  filter->calls.timer_user = user;
}

int epi_filter_set(epi_filter *filter, int bound, int64_t value) {
  if (bound < EPI_FILTER_MEMORY || bound > EPI_FILTER_FAIL_OPEN || value < 0) {
    return epi__fail(EPI_EINVAL, "a filter has no bound %d of that value",
                     bound);
  }
  filter->calls.bounds[bound] = value;
  return 0;
}

void epi_filter_on_free(epi_filter *filter, void (*callback)(void *user),
                        void *user) {
  filter->on_free = callback;
  filter->free_user = user;
}

const epi__filter_calls *epi__filter_calls_of(const epi_filter *filter) {
  return &filter->calls;
}
