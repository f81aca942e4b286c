/* alloc_every.c: let every nth allocation of a program with threads fail. */
#include "support/alloc_every.h"

#include "epi/base.h"

#include <stdatomic.h>
#include <stdlib.h>

static atomic_int period;
static atomic_uint calls;
static atomic_int failures;

static int fails_now(void) {
  int every = atomic_load(&period);
  int fails = every && atomic_fetch_add(&calls, 1) % (unsigned)every == 0;

  failures += fails;
  return fails;
}

static void *failing_alloc(size_t size) {
  return fails_now() ? NULL : malloc(size);
}

static void *failing_resize(void *block, size_t size) {
  return fails_now() ? NULL : realloc(block, size);
}

int alloc_every_install(void) {
  return epi_set_allocator(failing_alloc, failing_resize, free);
}

void alloc_every(int every) {
  atomic_store(&period, every);
}

int alloc_every_failures(void) {
  return failures;
}
