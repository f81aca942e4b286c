/* test_areas.c: areas, channels, gaps, and the numbers of the paper. */
#include "epi/area.h"
#include "support/model_text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static epi_model *worked(int as_printed) {
  size_t len;
  char *text = file_text("tests/vectors/model/worked-example.json", &len);
  char *json = calloc(1, len + 64);
  epi_model *model;

  cr_assert(json);
  strcpy(json, text);
  if (as_printed) {
    strcpy(json, "{\"gap\": \"as-printed\",");
    strcat(json, text + 1);
  }
  cr_assert_eq(epi_model_read(&model, NULL, json, strlen(json)), 0, "%s",
               epi_error_detail());
  free(json);
  free(text);
  return model;
}

Test(areas, the_worked_example_has_four) {
  epi_model *model = worked(0);

  cr_assert_eq(epi_model_area_count(model), 4);
  cr_expect_eq(epi_model_area_of(model, 0), epi_model_area_of(model, 3));
  cr_expect_eq(epi_model_area_node_count(model, 0), 2);
  cr_expect_eq(epi_model_area_node(model, 0, 1), 3);
  cr_expect_eq(epi_model_area_node(model, 0, 2), EPI_EINVAL);
  cr_expect_eq(epi_model_area_attribute_count(model, 1), 3);
  cr_expect_str_eq(epi_model_area_attribute(model, 1, 0), "enc");
  cr_expect_str_eq(epi_model_area_attribute(model, 1, 2), "seg");
  cr_expect_null(epi_model_area_attribute(model, 1, 3));
  cr_expect_null(epi_model_area_attribute(model, 4, 0));
  epi_model_free(model);
}

Test(areas, the_worked_example_has_the_numbers_of_the_design) {
  epi_model *model = worked(0);

  cr_expect_eq(epi_model_pairs(model, -1, EPI_PAIRS_SUPPORTED), 8);
  cr_expect_eq(epi_model_pairs(model, -1, EPI_PAIRS_UNSUPPORTED), 12);
  cr_expect_eq(epi_model_pairs(model, -1, EPI_PAIRS_UNBRIDGEABLE), 6);
  cr_expect_float_eq(epi_model_ratio(model, -1), 0.5, 1e-12);
  epi_model_free(model);
}

Test(areas, the_gap_as_printed_has_other_numbers) {
  epi_model *model = worked(1);
  int empty = 0;

  cr_expect_eq(epi_model_pairs(model, -1, EPI_PAIRS_UNSUPPORTED), 12);
  cr_expect_eq(epi_model_pairs(model, -1, EPI_PAIRS_UNBRIDGEABLE), 2);
  cr_expect_float_eq(epi_model_ratio(model, -1), 1.0 / 6, 1e-12);
  for (size_t i = 0; i < 5; i++) {
    for (size_t k = 0; k < 5; k++) {
      empty += !epi_model_channel(model, i, k) &&
               !epi_model_gap(model, i, k, NULL, 0);
    }
  }
  cr_expect_eq(empty, 6);
  epi_model_free(model);
}

Test(areas, a_gap_names_what_the_destination_lacks) {
  epi_model *model = worked(0);
  const char *names[2] = {"", ""};

  cr_expect_eq(epi_model_gap(model, 1, 2, names, 2), 2);
  cr_expect_str_eq(names[0], "enc");
  cr_expect_str_eq(names[1], "seg");
  cr_expect_eq(epi_model_gap(model, 1, 2, names, 1), 2);
  cr_expect_eq(epi_model_gap(model, 0, 1, NULL, 0), 0);
  cr_expect_eq(epi_model_channel(model, 0, 1), 1);
  cr_expect_eq(epi_model_channel(model, 1, 0), 0);
  cr_expect_eq(epi_model_channel(model, 2, 2), 1);
  cr_expect_eq(epi_model_gap(model, 0, 5, NULL, 0), EPI_EINVAL);
  cr_expect_eq(epi_model_channel(model, 5, 0), EPI_EINVAL);
  epi_model_free(model);
}

Test(areas, an_application_counts_its_own_nodes) {
  epi_model *model =
      model_of("{'epi':1,'nodes':{'a':{'attributes':['x']},'b':{},'c':{}},"
               "'applications':{'one':{'nodes':['a','b']},"
               "'two':{'flows':[{'from':'b','to':'c'}]}}}");

  cr_expect_eq(epi_model_pairs(model, 0, EPI_PAIRS_SUPPORTED), 1);
  cr_expect_eq(epi_model_pairs(model, 0, EPI_PAIRS_UNBRIDGEABLE), 1);
  cr_expect_float_eq(epi_model_ratio(model, 0), 1, 1e-12);
  cr_expect_eq(epi_model_pairs(model, 1, EPI_PAIRS_SUPPORTED), 2);
  cr_expect_float_eq(epi_model_ratio(model, 1), 0, 1e-12);
  cr_expect_eq(epi_model_pairs(model, 2, EPI_PAIRS_SUPPORTED), EPI_EINVAL);
  cr_expect_eq(epi_model_pairs(model, -1, 4), EPI_EINVAL);
  cr_expect_float_eq(epi_model_ratio(model, 2), -1, 1e-12);
  epi_model_free(model);
}

Test(areas, only_what_is_declared_is_bridgeable) {
  epi_model *model =
      model_of("{'epi':1,'bridgeable':['x'],"
               "'nodes':{'a':{'attributes':['x','y']},'b':{}},'functions':{"
               "'f':{'provides':['x','y'],'filter':'count'}}}");

  cr_expect_eq(epi_model_pairs(model, -1, EPI_PAIRS_UNBRIDGEABLE), 1);
  epi_model_free(model);
}

/* The gap of two nodes, as doc/gap.md writes it. */
static const char *gap_text(const epi_model *model, const char *from,
                            const char *to) {
  static char text[256];
  const char *names[8];
  ptrdiff_t count =
      epi_model_gap(model, (size_t)epi_model_node_find(model, from),
                    (size_t)epi_model_node_find(model, to), names, 8);
  size_t used = 0;

  cr_assert(count >= 0 && count <= 8);
  snprintf(text, sizeof text, "none");
  for (ptrdiff_t i = 0; i < count; i++) {
    used += (size_t)snprintf(text + used, sizeof text - used, "%s%s",
                             i ? ", " : "", names[i]);
  }
  return text;
}

/* A cell of a row of a table, without the spaces around it; "" past the
 * last. */
static const char *cell(const char *row, int number, char *out, size_t size) {
  size_t len;

  for (; row && number >= 0; number--) {
    row = strchr(row + 1, '|');
  }
  len = row ? strcspn(row + 1, "|") : 0;
  while (len && row[1] == ' ') {
    row++;
    len--;
  }
  while (len && row[len] == ' ') {
    len--;
  }
  snprintf(out, size, "%.*s", (int)len, len ? row + 1 : "");
  return out;
}

Test(areas, the_page_about_gaps_shows_the_gaps_that_there_are) {
  size_t len, rows = 0;
  char *page = file_text("doc/gap.md", &len);
  epi_model *model = worked(0), *printed = worked(1);

  for (char *row = strtok(page, "\n"); row; row = strtok(NULL, "\n")) {
    char from[8], to[8], text[64];

    if (sscanf(row, "| %7[a-z0-9] > %7[a-z0-9] |", from, to) == 2) {
      cr_expect_str_eq(cell(row, 0, text, sizeof text),
                       gap_text(model, from, to), "%s", row);
      cr_expect_str_eq(cell(row, 3, text, sizeof text),
                       gap_text(printed, from, to), "%s", row);
      rows++;
    }
  }
  cr_expect_eq(rows, 12);
  epi_model_free(model);
  epi_model_free(printed);
  free(page);
}
