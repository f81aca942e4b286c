/* gaps.h: what is missing between areas, as JSON. */
#ifndef EPI__GAPS_H
#define EPI__GAPS_H

#include "area/model.h"

enum {
  EPI__GAPS_LIST = 65536,  /* in one list */
  EPI__GAPS_ALL = 1000000, /* in all lists of an overview */
};

typedef struct epi__gaps {
  const epi_model *model;
  uint64_t *set; /* room for one set of attributes */
  size_t room;   /* how many more may be listed */
} epi__gaps;

/* Write `"gaps":[...],"gaps_left_out":N`: the pairs of different areas without
 * a channel, as many as there is room for. */
void epi__gaps_put(epi__text *out, epi__gaps *gaps, const uint32_t *areas,
                   size_t count);

/* Find the areas of an application's nodes, in ascending order. areas and marks
 * have a slot for each area; marks are 0, or numbers of applications + 1 that
 * were asked about before. Returns how many. */
size_t epi__application_areas(const epi_model *model, uint32_t application,
                              uint32_t *areas, uint32_t *marks);

#endif
