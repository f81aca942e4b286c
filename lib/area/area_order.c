/* area_order.c: the order of the areas, reduced to the steps from which all of
 * its channels follow. */
#include "area/area_order.h"

#include "base/fail.h"
#include "base/memory.h"

static int within(const epi_model *model, size_t a, size_t b) {
  return epi__set_within(epi__area_set(model, a), epi__area_set(model, b),
                         model->words);
}

/* Keep k among areas of which none is within another, unless one of them is
 * within k. Returns how many there are then. */
static size_t keep_lowest(const epi_model *model, uint32_t *areas, size_t count,
                          uint32_t k) {
  size_t kept = 0;

  for (size_t i = 0; i < count; i++) {
    if (within(model, areas[i], k)) {
      return count; /* and so none of them is above k */
    }
  }
  for (size_t i = 0; i < count; i++) {
    if (!within(model, k, areas[i])) {
      areas[kept++] = areas[i];
    }
  }
  areas[kept++] = k;
  return kept;
}

size_t epi__areas_above(const epi_model *model, size_t area, uint32_t *out) {
  size_t count = 0;

  for (uint32_t k = 0; k < model->area_count; k++) {
    if (k != area && within(model, area, k)) {
      count = keep_lowest(model, out, count, k);
    }
  }
  return count;
}

ptrdiff_t epi_model_area_above(const epi_model *model, size_t area,
                               size_t *above, size_t max) {
  uint32_t *areas;
  size_t count;

  if (area >= model->area_count) {
    return epi__fail(EPI_EINVAL, "there is no area %zu", area);
  }
  areas = epi__alloc_array(model->area_count, sizeof *areas);
  if (!areas) {
    return EPI_ENOMEM;
  }
  count = epi__areas_above(model, area, areas);
  for (size_t i = 0; i < count && i < max; i++) {
    above[i] = areas[i];
  }
  epi__free(areas);
  return (ptrdiff_t)count;
}
