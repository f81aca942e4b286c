/* slab.c: many blocks of one size that live long, in chunks of their own. */
#include "base/slab.h"

#include "base/memory.h"

#include <stdint.h>
#include <string.h>

enum { CHUNK_BYTES = 64 * 1024 };

/* A sanitizer sees more where each block has a chunk to itself. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ONE_EACH 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define ONE_EACH 1
#endif

/* What lies before each block. */
typedef union place {
  struct {
    epi__slab_chunk *chunk;
    union place *next; /* of those that are free */
  } in;
  max_align_t align;
} place;

struct epi__slab_chunk {
  epi__slab_chunk *next, *previous; /* of those with room */
  place *free;                      /* given back */
  size_t used;                      /* places in use */
  size_t fresh;                     /* places that were ever in use */
  size_t count;
  place places[];
};

static size_t stride(const epi__slab *slab) {
  return 1 + (slab->size + sizeof(place) - 1) / sizeof(place);
}

static epi__slab_chunk *new_chunk(const epi__slab *slab) {
  size_t bytes = stride(slab) * sizeof(place);
  size_t count = (CHUNK_BYTES - sizeof(epi__slab_chunk)) / bytes;
  epi__slab_chunk *chunk;

#ifdef ONE_EACH
  count = 1;
#endif
  count = count ? count : 1;
  chunk = epi__realloc_array(NULL, 1, sizeof *chunk + count * bytes);
  if (chunk) { /* not zeroed: a page that no block uses stays untouched */
    memset(chunk, 0, sizeof *chunk);
    chunk->count = count;
  }
  return chunk;
}

static void link_in(epi__slab *slab, epi__slab_chunk *chunk) {
  chunk->previous = NULL;
  chunk->next = slab->roomy;
  if (chunk->next) {
    chunk->next->previous = chunk;
  }
  slab->roomy = chunk;
}

static void unlink_chunk(epi__slab *slab, epi__slab_chunk *chunk) {
  if (chunk->previous) {
    chunk->previous->next = chunk->next;
  } else {
    slab->roomy = chunk->next;
  }
  if (chunk->next) {
    chunk->next->previous = chunk->previous;
  }
}

void *epi__slab_take(epi__slab *slab) {
  epi__slab_chunk *chunk = slab->roomy;
  place *at;

  if (!chunk) {
    chunk = new_chunk(slab);
    if (!chunk) {
      return NULL;
    }
    link_in(slab, chunk);
  }
  at = chunk->free;
  if (at) {
    chunk->free = at->in.next;
  } else {
    at = chunk->places + chunk->fresh++ * stride(slab);
  }
  at->in.chunk = chunk;
  if (++chunk->used == chunk->count) {
    unlink_chunk(slab, chunk);
  }
  return memset(at + 1, 0, slab->size);
}

void epi__slab_give(epi__slab *slab, void *block) {
  place *at = block;
  epi__slab_chunk *chunk;

  if (!block) {
    return;
  }
  at--;
  chunk = at->in.chunk;
  if (chunk->used-- == chunk->count) {
    link_in(slab, chunk);
  }
  at->in.next = chunk->free;
  chunk->free = at;
  if (!chunk->used && (chunk->next || chunk->previous || chunk->count == 1)) {
    unlink_chunk(slab, chunk);
    epi__free(chunk);
  }
}

void epi__slab_clear(epi__slab *slab) {
  while (slab->roomy) {
    epi__slab_chunk *chunk = slab->roomy;

    unlink_chunk(slab, chunk);
    epi__free(chunk);
  }
}
