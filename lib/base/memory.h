/* memory.h: all memory of libepi comes from here. */
#ifndef EPI__MEMORY_H
#define EPI__MEMORY_H

#include "epi/base.h"

/* Zeroed memory, or NULL with the error detail set. size 0 gives a block. */
void *epi__alloc(size_t size);

/* Zeroed memory for count things of size bytes; NULL also if the product
 * overflows. */
void *epi__alloc_array(size_t count, size_t size);

/* Grow or shrink; new memory is not zeroed; on NULL the block is as before. */
void *epi__realloc_array(void *block, size_t count, size_t size);

/* Give back memory; NULL is fine. */
void epi__free(void *block);

/* A copy of a text, or of len bytes with a NUL behind; NULL when out of
 * memory. */
char *epi__strdup(const char *text);
char *epi__strndup(const char *text, size_t len);

/* Make room for one more thing in an array that grows by doubling: returns the
 * block (moved perhaps), or NULL and the old one stays valid. */
void *epi__grow(void *block, size_t count, size_t *capacity, size_t size);

#endif
