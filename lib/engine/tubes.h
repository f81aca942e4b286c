/* tubes.h: the tubes of a worker. A lane has one only while bytes are in it, so
 * that few serve many flows. */
#ifndef EPI__TUBES_H
#define EPI__TUBES_H

#include "os/tube.h"

enum {
  EPI__TUBES_MAX = 32, /* of a worker, two descriptors each */
};

/* All zero but the first two: none was made yet. */
typedef struct epi__tubes {
  size_t size; /* of each, in bytes; 0: there are none */
  int most;    /* at once */
  int count;
  epi__tube *idle;
} epi__tubes;

/* Take a tube, which is empty; NULL: none is to be had now. */
epi__tube *epi__tubes_take(epi__tubes *tubes);

/* Give a tube back. What is left in it is lost. */
void epi__tubes_give(epi__tubes *tubes, epi__tube *tube);

/* Free the idle ones. */
void epi__tubes_trim(epi__tubes *tubes);

#endif
