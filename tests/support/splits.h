/* splits.h: give a parser its input in every way that a network may. */
#ifndef TEST_SPLITS_H
#define TEST_SPLITS_H

#include <stddef.h>

/* A function that reads a message: bytes used, 0 for more, or negative. */
typedef ptrdiff_t splits_read(void *user, const void *buf, size_t len);

/* Run a reader over every beginning of a message, each in a heap block of its
 * exact size.
 *
 * Returns the number of beginnings that it did not answer with 0, though they
 * are shorter than the message. */
size_t splits_not_waiting(splits_read *read, void *user, const void *buf,
                          size_t len);

/* Run a reader over all of the message, in a block of its exact size. */
ptrdiff_t splits_whole(splits_read *read, void *user, const void *buf,
                       size_t len);

#endif
