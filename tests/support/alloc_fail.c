/* alloc_fail.c: an allocator that fails once, at a chosen call, and counts. */
#include "support/alloc_fail.h"

#include "epi/base.h"

#include <stdio.h>
#include <stdlib.h>

static long fail_at; /* which allocation of this round fails, from 0 */
static long calls;   /* allocations in this round */
static long live;    /* blocks not freed */

static void *failing_alloc(size_t size) {
  void *block = calls++ == fail_at ? NULL : malloc(size);

  live += block != NULL;
  return block;
}

static void *failing_resize(void *block, size_t size) {
  void *moved = calls++ == fail_at ? NULL : realloc(block, size);

  live += !block && moved;
  return moved;
}

static void counting_release(void *block) {
  live -= block != NULL;
  free(block);
}

void alloc_fail_start(void) {
  epi_set_allocator(failing_alloc, failing_resize, counting_release);
  fail_at = -1;
  calls = 0;
  live = 0;
}

int alloc_fail_happened(void) {
  return calls > fail_at;
}

int alloc_fail_more(void) {
  if (live) {
    fprintf(stderr, "%ld blocks leaked when allocation %ld failed\n", live,
            fail_at);
    abort();
  }
  if (fail_at >= 0 && calls <= fail_at) {
    epi_set_allocator(NULL, NULL, NULL);
    return 0;
  }
  fail_at++;
  calls = 0;
  return 1;
}
