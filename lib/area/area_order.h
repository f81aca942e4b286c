/* area_order.h: the order of the areas, reduced. */
#ifndef EPI__AREA_ORDER_H
#define EPI__AREA_ORDER_H

#include "area/model.h"

/* The areas just above one (see epi_model_area_above()), which out, of a slot
 * for each area, has room for. Returns how many there are. */
size_t epi__areas_above(const epi_model *model, size_t area, uint32_t *out);

#endif
