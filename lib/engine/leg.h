/* leg.h: one end of a flow: a connection, and how bytes get in and out there.
 *
 * Whatever carries them, a flow reads and writes its legs with these alone. */
#ifndef EPI__LEG_H
#define EPI__LEG_H

#include "engine/loop.h"
#include "epi/filter.h"
#include "os/tube.h"

#include <stddef.h>
#include <stdint.h>

struct epi__leg_tls;

typedef struct epi__leg {
  epi__io io;
  epi_flow *flow;
  struct epi__leg_tls *tls; /* NULL: plain; see leg_tls.h */
  int fd;                   /* -1: none */
  int eof;                  /* no more comes from it */
  int spared;               /* its end was seen, and it is watched still */
  int shut;                 /* no more goes to it */
  int writes;               /* so far, up to 2: then none waits for another */
} epi__leg;

/* Read and write. Return a count; 0 is the end of data (reading) or no room
 * (writing); EPI_ENOENT: nothing there now; EPI_ECLOSED: the peer is gone. */
ptrdiff_t epi__leg_read(epi__leg *leg, void *buf, size_t size);
ptrdiff_t epi__leg_write(epi__leg *leg, const void *data, size_t len);

/* Write a block and another one right behind it, at once: a count over both. */
ptrdiff_t epi__leg_write_two(epi__leg *leg, const void *first, size_t first_len,
                             const void *second, size_t second_len);

/* The same without copying: into an empty tube, and what a tube holds out of
 * it. Return as epi__tube_fill() and epi__tube_drain(). */
ptrdiff_t epi__leg_fill(epi__leg *leg, epi__tube *tube, size_t max);
ptrdiff_t epi__leg_drain(epi__leg *leg, epi__tube *tube);

/* Watch for what it can do next, as epi__io_set() has it. */
void epi__leg_watch(epi__leg *leg, int events,
                    void (*callback)(epi__io *io, int events));

/* No more will be written. May be called more than once. */
void epi__leg_end(epi__leg *leg);

/* 1 if something that was written waits here, and not in the socket. */
int epi__leg_waits(const epi__leg *leg);

/* The memory that this takes, in bytes. */
size_t epi__leg_held(const epi__leg *leg);

/* 1 if nothing does, not even the word that no more will be written, which it
 * says. Then it may be closed. */
int epi__leg_is_through(epi__leg *leg);

/* Close it, if it is open; reset is 1 to let the peer see that something went
 * wrong. */
void epi__leg_close(epi__leg *leg, int reset);

#endif
