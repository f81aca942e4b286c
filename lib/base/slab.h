/* slab.h: many blocks of one size that live long, in chunks of their own.
 *
 * Next to blocks that live short, of other sizes, they would lie scattered over
 * the heap, each beside a hole that nothing fits. A chunk goes back to the
 * allocator with its last block. Threads: one. */
#ifndef EPI__SLAB_H
#define EPI__SLAB_H

#include <stddef.h>

typedef struct epi__slab_chunk epi__slab_chunk;

/* Zero, but for the size of a block, is an empty one. */
typedef struct epi__slab {
  size_t size;
  epi__slab_chunk *roomy; /* those with room */
} epi__slab;

/* A block, zeroed; or NULL when out of memory. */
void *epi__slab_take(epi__slab *slab);

/* It is not needed any more. NULL is fine. */
void epi__slab_give(epi__slab *slab, void *block);

/* Give back what is kept for the next. All blocks must have been given. */
void epi__slab_clear(epi__slab *slab);

#endif
