/* gaps.c: what is missing between the areas of a model or an application. */
#include "area/gaps.h"

#include "base/fail.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* As the model defines it: what one area has and another lacks, or the reverse
 * of that as the paper prints it. */
static void find_gap(const epi_model *model, size_t from, size_t to,
                     uint64_t *set) {
  const uint64_t *a = epi__area_set(model, model->as_printed ? to : from);
  const uint64_t *b = epi__area_set(model, model->as_printed ? from : to);

  memcpy(set, a, model->words * sizeof *set);
  epi__set_drop(set, b, model->words);
}

static void put_gap(epi__text *out, epi__gaps *gaps, size_t from, size_t to) {
  const epi_model *model = gaps->model;

  find_gap(model, from, to, gaps->set);
  epi__text_printf(out, "{\"from\":%zu,\"to\":%zu,\"missing\":", from, to);
  epi__attributes_put(out, model, gaps->set);
  epi__text_printf(out, ",\"bridgeable\":%s}",
                   epi__set_within(gaps->set, model->bridgeable, model->words)
                       ? "true"
                       : "false");
}

void epi__gaps_put(epi__text *out, epi__gaps *gaps, const uint32_t *areas,
                   size_t count) {
  const epi_model *model = gaps->model;
  size_t max = gaps->room < EPI__GAPS_LIST ? gaps->room : EPI__GAPS_LIST;
  size_t listed = 0, left_out = 0;

  epi__text_puts(out, "\"gaps\":[");
  for (size_t i = 0; i < count; i++) {
    for (size_t k = 0; k < count; k++) {
      if (epi__set_within(epi__area_set(model, areas[i]),
                          epi__area_set(model, areas[k]), model->words)) {
        continue;
      }
      if (listed == max) {
        left_out++;
        continue;
      }
      epi__text_puts(out, listed++ ? "," : "");
      put_gap(out, gaps, areas[i], areas[k]);
    }
  }
  gaps->room -= listed;
  epi__text_printf(out, "],\"gaps_left_out\":%zu", left_out);
}

/* ---- the areas of an application ---- */

static int ascending(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

  return (x > y) - (x < y);
}

size_t epi__application_areas(const epi_model *model, uint32_t application,
                              uint32_t *areas, uint32_t *marks) {
  const epi__list *nodes = &model->applications[application].nodes;
  size_t count = 0;

  for (size_t i = 0; i < nodes->count; i++) {
    uint32_t area = model->nodes[nodes->items[i]].area;

    if (marks[area] != application + 1) {
      marks[area] = application + 1;
      areas[count++] = area;
    }
  }
  qsort(areas, count, sizeof *areas, ascending);
  return count;
}

ptrdiff_t epi_model_application_areas(const epi_model *model,
                                      size_t application, size_t *areas,
                                      size_t max) {
  uint32_t *found, *marks;
  ptrdiff_t count = EPI_ENOMEM;

  if (application >= model->application_names.count) {
    return epi__fail(EPI_EINVAL, "there is no application %zu", application);
  }
  found = epi__alloc_array(model->area_count, sizeof *found);
  marks = epi__alloc_array(model->area_count, sizeof *marks);
  if (found && marks) {
    count = (ptrdiff_t)epi__application_areas(model, (uint32_t)application,
                                              found, marks);
    for (size_t i = 0; i < (size_t)count && i < max; i++) {
      areas[i] = found[i];
    }
  }
  epi__free(found);
  epi__free(marks);
  return count;
}

int epi_model_gap_bridgeable(const epi_model *model, size_t from, size_t to) {
  size_t count = model->node_names.count;
  uint64_t *gap;
  int within;

  if (from >= count || to >= count) {
    return epi__fail(EPI_EINVAL, "there is no node %zu",
                     from >= count ? from : to);
  }
  gap = epi__alloc_array(model->words, sizeof *gap);
  if (!gap) {
    return EPI_ENOMEM;
  }
  find_gap(model, model->nodes[from].area, model->nodes[to].area, gap);
  within = epi__set_within(gap, model->bridgeable, model->words);
  epi__free(gap);
  return within;
}
