/* test_area_order.c: the steps that the channels between areas are made of. */
#include "epi/area.h"
#include "support/alloc_fail.h"
#include "support/model_text.h"

#include <criterion/criterion.h>
#include <stdio.h>

enum { AREAS = 24 };

Test(area_order, leaves_out_what_follows) {
  epi_model *model =
      model_of("{'epi':1,'nodes':{'abc':{'attributes':['a','b','c']},'none':{},"
               "'a':{'attributes':['a']},'ab':{'attributes':['a','b']},"
               "'b':{'attributes':['b']},'a2':{'attributes':['a']}}}");
  size_t above[2] = {9, 9};

  cr_expect_eq(epi_model_area_above(model, 0, above, 2), 0);
  cr_expect_eq(epi_model_area_above(model, 1, above, 2), 2);
  cr_expect(above[0] == 2 && above[1] == 4);
  cr_expect_eq(epi_model_area_above(model, 2, above, 2), 1);
  cr_expect(above[0] == 3 && above[1] == 4);
  cr_expect_eq(epi_model_area_above(model, 3, above, 2), 1);
  cr_expect_eq(above[0], 0);
  cr_expect_eq(epi_model_area_above(model, 1, NULL, 0), 2);
  cr_expect_eq(epi_model_area_above(model, 5, NULL, 0), EPI_EINVAL);
  epi_model_free(model);
}

/* Nodes with some of six attributes each, by a fixed sequence of numbers. */
static epi_model *scattered(unsigned *state) {
  char text[4096];
  int used = snprintf(text, sizeof text, "{'epi':1,'nodes':{");

  for (int i = 0; i < AREAS; i++) {
    const char *comma = "";

    used += snprintf(text + used, sizeof text - (size_t)used,
                     "%s'n%d':{'attributes':[", i ? "," : "", i);
    *state = *state * 1103515245 + 12345;
    for (unsigned bit = 0; bit < 6; bit++) {
      if (*state >> (16 + bit) & 1) {
        used += snprintf(text + used, sizeof text - (size_t)used, "%s'a%u'",
                         comma, bit);
        comma = ",";
      }
    }
    used += snprintf(text + used, sizeof text - (size_t)used, "]}");
  }
  snprintf(text + used, sizeof text - (size_t)used, "}}");
  return model_of(text);
}

/* 1 if `to` can be reached from `from` in steps, other than the one step that
 * is forbidden; -1 forbids none. */
static int leads(const epi_model *model, size_t from, size_t to,
                 ptrdiff_t forbidden) {
  size_t above[AREAS];
  ptrdiff_t count = epi_model_area_above(model, from, above, AREAS);

  for (ptrdiff_t i = 0; i < count; i++) {
    if ((ptrdiff_t)above[i] != forbidden &&
        (above[i] == to || leads(model, above[i], to, -1))) {
      return 1;
    }
  }
  return 0;
}

Test(area_order, makes_up_exactly_the_channels_and_has_no_step_too_many) {
  unsigned state = 7;

  for (int round = 0; round < 30; round++) {
    epi_model *model = scattered(&state);
    size_t count = epi_model_area_count(model);

    for (size_t i = 0; i < count; i++) {
      size_t above[AREAS], from = (size_t)epi_model_area_node(model, i, 0);
      ptrdiff_t steps = epi_model_area_above(model, i, above, AREAS);

      for (size_t k = 0; k < count; k++) {
        size_t to = (size_t)epi_model_area_node(model, k, 0);

        if (i != k) {
          cr_expect_eq(leads(model, i, k, -1),
                       epi_model_channel(model, from, to));
        }
      }
      for (ptrdiff_t s = 0; s < steps; s++) {
        cr_expect(s == 0 || above[s] > above[s - 1]);
        cr_expect_not(leads(model, i, above[s], (ptrdiff_t)above[s]));
      }
    }
    epi_model_free(model);
  }
}

Test(area_order, survives_failing_allocations) {
  epi_model *model = model_of("{'epi':1,'nodes':{'n':{}}}");

  for (alloc_fail_start(); alloc_fail_more();) {
    ptrdiff_t count = epi_model_area_above(model, 0, NULL, 0);

    cr_expect_eq(count, alloc_fail_happened() ? EPI_ENOMEM : 0);
  }
  epi_model_free(model);
}
