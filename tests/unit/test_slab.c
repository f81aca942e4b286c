/* test_slab.c: blocks of one size, in chunks of their own. */
#include "base/slab.h"
#include "epi/base.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 1500, MANY = 500 };

static size_t held, most;

static void *count_alloc(size_t size) {
  held++;
  most = held > most ? held : most;
  return malloc(size);
}

static void *count_resize(void *block, size_t size) {
  held += !block;
  most = held > most ? held : most;
  return realloc(block, size);
}

static void count_release(void *block) {
  held--;
  free(block);
}

static void *refuse(size_t size) {
  (void)size;
  return NULL;
}

static void *refuse_resize(void *block, size_t size) {
  (void)block;
  return refuse(size);
}

static int is_zero(const uint8_t *block) {
  size_t i = 0;

  while (i < SIZE && !block[i]) {
    i++;
  }
  return i == SIZE;
}

Test(slab, blocks_are_zeroed_apart_and_aligned) {
  epi__slab slab = {.size = SIZE};
  uint8_t *blocks[MANY];

  for (int round = 0; round < 3; round++) {
    for (size_t i = 0; i < MANY; i++) {
      blocks[i] = epi__slab_take(&slab);
      cr_assert_not_null(blocks[i]);
      cr_assert_eq((uintptr_t)blocks[i] % _Alignof(max_align_t), 0);
      cr_assert(is_zero(blocks[i]), "block %zu", i);
      memset(blocks[i], (int)(1 + i % 255), SIZE);
    }
    for (size_t i = 0; i < MANY; i++) {
      for (size_t at = 0; at < SIZE; at++) {
        cr_assert_eq(blocks[i][at], 1 + i % 255, "byte %zu of %zu", at, i);
      }
      epi__slab_give(&slab, blocks[i]);
    }
  }
  epi__slab_clear(&slab);
}

Test(slab, a_chunk_goes_back_with_its_last_block) {
  epi__slab slab = {.size = SIZE};
  void *blocks[MANY];

  held = most = 0;
  epi_set_allocator(count_alloc, count_resize, count_release);
  for (size_t i = 0; i < MANY; i++) {
    blocks[i] = epi__slab_take(&slab);
  }
  for (size_t i = 0; i < MANY; i += 2) { /* every other: none is empty */
    epi__slab_give(&slab, blocks[i]);
  }
  for (size_t i = 0; i < MANY; i += 2) {
    blocks[i] = epi__slab_take(&slab); /* and all are used again */
  }
  cr_assert_eq(held, most);
  for (size_t i = 0; i < MANY; i++) {
    epi__slab_give(&slab, blocks[MANY - 1 - i]);
  }
  cr_assert_leq(held, 1, "%zu are kept", held);
  epi__slab_clear(&slab);
  cr_assert_eq(held, 0);
  epi__slab_give(&slab, NULL);
}

Test(slab, without_memory_there_is_no_block) {
  epi__slab slab = {.size = SIZE};

  epi_set_allocator(refuse, refuse_resize, free);
  cr_assert_null(epi__slab_take(&slab));
  epi_set_allocator(NULL, NULL, NULL);
  cr_assert_null(slab.roomy);
}
