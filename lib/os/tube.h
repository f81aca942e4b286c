/* tube.h: pipes of the kernel, through which bytes go from one socket to
 * another without being copied. (A pipe, in libepi, is a filter's.) */
#ifndef EPI__TUBE_H
#define EPI__TUBE_H

#include "epi/error.h"

#include <stddef.h>

typedef struct epi__tube {
  struct epi__tube *next; /* for whoever keeps it */
  int ends[2];            /* to read from, to write to */
  size_t held;            /* bytes in it */
} epi__tube;

/* Make a tube for size bytes or, where the system allows no such size, for as
 * many as it allows. Returns 0; EPI_ELIMIT: out of descriptors, or so little is
 * allowed that copying is better; or EPI_ENOMEM. */
int epi__tube_new(epi__tube **out, size_t size);

/* NULL is fine; what it holds is lost. */
void epi__tube_free(epi__tube *tube);

/* Take up to max bytes from a socket into an empty tube. Returns a count; 0 is
 * the end of data; EPI_ENOENT: nothing there now; EPI_ENOTSUP: such a socket
 * has to be read; EPI_ECLOSED: the peer is gone. */
ptrdiff_t epi__tube_fill(epi__tube *tube, int fd, size_t max);

/* Give what a tube holds to a socket. Returns a count, 0 for no room; or
 * EPI_ECLOSED: the peer is gone. */
ptrdiff_t epi__tube_drain(epi__tube *tube, int fd);

#endif
