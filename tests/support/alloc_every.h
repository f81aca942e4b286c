/* alloc_every.h: let every nth allocation of a program with threads fail. */
#ifndef TEST_ALLOC_EVERY_H
#define TEST_ALLOC_EVERY_H

/* Take over the allocator, once, before anything was allocated; nothing fails
 * yet. Returns what epi_set_allocator() does. */
int alloc_every_install(void);

/* From now on every `period`th allocation fails; 0: none. */
void alloc_every(int period);

/* How many have failed so far. */
int alloc_every_failures(void);

#endif
