/* memory.c: the allocator behind libepi. */
#include "base/memory.h"

#include "base/fail.h"
#include "epi/error.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void *(*user_alloc)(size_t size) = malloc;
static void *(*user_resize)(void *block, size_t size) = realloc;
static void (*user_release)(void *block) = free;

int epi_set_allocator(void *(*alloc)(size_t size),
                      void *(*resize)(void *block, size_t size),
                      void (*release)(void *block)) {
  int all = alloc && resize && release;
  int none = !alloc && !resize && !release;

  if (!all && !none) {
    return epi__fail(EPI_EINVAL, "an allocator needs all three functions");
  }
  user_alloc = all ? alloc : malloc;
  user_resize = all ? resize : realloc;
  user_release = all ? release : free;
  return 0;
}

void *epi__alloc(size_t size) {
  void *block = user_alloc(size ? size : 1);

  if (!block) {
    epi__fail(EPI_ENOMEM, "no memory for %zu bytes", size);
    return NULL;
  }
  return memset(block, 0, size);
}

void *epi__alloc_array(size_t count, size_t size) {
  if (size && count > SIZE_MAX / size) {
    epi__fail(EPI_ENOMEM, "%zu times %zu bytes is too much", count, size);
    return NULL;
  }
  return epi__alloc(count * size);
}

void *epi__realloc_array(void *block, size_t count, size_t size) {
  void *moved = NULL;

  if (!size || count <= SIZE_MAX / size) {
    moved = user_resize(block, count && size ? count * size : 1);
  }
  if (!moved) {
    epi__fail(EPI_ENOMEM, "no memory for %zu times %zu bytes", count, size);
  }
  return moved;
}

void epi__free(void *block) {
  if (block) {
    user_release(block);
  }
}

void epi_free(void *block) {
  epi__free(block);
}

char *epi__strndup(const char *text, size_t len) {
  char *copy = epi__alloc(len + 1);

  if (copy) {
    memcpy(copy, text, len);
  }
  return copy;
}

char *epi__strdup(const char *text) {
  return epi__strndup(text, strlen(text));
}

void *epi__grow(void *block, size_t count, size_t *capacity, size_t size) {
  size_t wanted = *capacity ? *capacity * 2 : 8;
  void *moved;

  if (count < *capacity) {
    return block;
  }
  moved = epi__realloc_array(block, wanted, size);
  if (moved) {
    *capacity = wanted;
  }
  return moved;
}

void epi_wipe(void *secret, size_t len) {
  /* Called through a pointer that may change, for all the compiler knows, so
   * that it cannot leave the call out. */
  static void *(*const volatile overwrite)(void *, int, size_t) = memset;

  if (len) {
    overwrite(secret, 0, len);
  }
}
