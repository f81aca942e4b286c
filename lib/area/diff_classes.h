/* diff_classes.h: nodes that two models treat alike. */
#ifndef EPI__DIFF_CLASSES_H
#define EPI__DIFF_CLASSES_H

#include "area/diff.h"

typedef struct epi__classes {
  size_t count;
  uint32_t *of;    /* the class of each node */
  size_t *start;   /* into nodes; one more than classes */
  uint32_t *nodes; /* by class */
} epi__classes;

/* Put nodes of both models into classes: those of one are in the same area and
 * domain, in the same applications that list no flows, and the same to every
 * rule, in both models. Up to EPI_DIFF_NODES nodes are classes of their own.
 *
 * Returns 0, EPI_ELIMIT (more classes than that) or EPI_ENOMEM; clear it
 * anyway. */
int epi__classes_make(epi__classes *out, const epi_model *is,
                      const epi_model *was, const epi__names *nodes);
void epi__classes_clear(epi__classes *classes);

#endif
