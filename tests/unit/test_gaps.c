/* test_gaps.c: what is missing between areas. */
#include "area/gaps.h"

#include "base/json.h"
#include "support/alloc_fail.h"
#include "support/model_text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORKED                                                                 \
  "'nodes':{'n1':{'attributes':['seg','fw']},"                                 \
  "'n2':{'attributes':['seg','fw','enc']},'n3':{'attributes':['fw']}"          \
  ",'n4':{'attributes':['seg','fw']},'n5':{'attributes':['enc']}},"            \
  "'functions':{'c':{'provides':['enc'],'filter':'f'},"                        \
  "'w':{'provides':['fw'],'filter':'f'}},"                                     \
  "'applications':{'p':{'nodes':['n5','n2']},'q':{'nodes':['n1','n4']}}"

static epi_model *model;
static char *text;

static void overview(const char *document) {
  model = model_of(document);
  cr_assert_eq(epi_model_overview(model, &text), 0);
}

static void done(void) {
  epi_free(text);
  epi_model_free(model);
}

TestSuite(gaps, .fini = done);

static void says(const char *part) {
  cr_expect(strstr(text, part), "%s is not in\n%s", part, text);
}

Test(gaps, are_listed_for_every_pair_without_a_channel) {
  overview("{'epi':1," WORKED "}");
  says("\"gaps\":[{\"from\":0,\"to\":2,\"missing\":[\"seg\"],"
       "\"bridgeable\":false},{\"from\":0,\"to\":3,\"missing\":[\"fw\","
       "\"seg\"],\"bridgeable\":false},{\"from\":1,\"to\":0,"
       "\"missing\":[\"enc\"],\"bridgeable\":true}");
  says("],\"gaps_left_out\":0,\"flows\":[");
}

Test(gaps, are_those_of_an_application_within_it) {
  overview("{'epi':1," WORKED "}");
  says("\"p\":{\"areas\":2,\"channels\":1,\"area_ids\":[1,3],\"gaps\":[{"
       "\"from\":1,\"to\":3,\"missing\":[\"fw\",\"seg\"],"
       "\"bridgeable\":false}],\"gaps_left_out\":0,");
  says("\"q\":{\"areas\":1,\"channels\":0,\"area_ids\":[0],\"gaps\":[],");
}

Test(gaps, may_be_those_that_are_printed) {
  overview("{'epi':1,'gap':'as-printed'," WORKED "}");
  says("\"gaps\":[{\"from\":0,\"to\":2,\"missing\":[],\"bridgeable\":true},{"
       "\"from\":0,\"to\":3,\"missing\":[\"enc\"],\"bridgeable\":true}");
  cr_expect_eq(epi_model_gap_bridgeable(model, 4, 0), 0);
}

Test(gaps, can_be_asked_about_one_by_one) {
  size_t areas[2] = {9, 9};

  overview("{'epi':1," WORKED "}");
  cr_expect_eq(epi_model_application_areas(model, 0, NULL, 0), 2);
  cr_expect_eq(epi_model_application_areas(model, 0, areas, 2), 2);
  cr_expect(areas[0] == 1 && areas[1] == 3);
  cr_expect_eq(epi_model_application_areas(model, 2, areas, 2), EPI_EINVAL);
  cr_expect_eq(epi_model_gap_bridgeable(model, 1, 0), 1);
  cr_expect_eq(epi_model_gap_bridgeable(model, 0, 2), 0);
  cr_expect_eq(epi_model_gap_bridgeable(model, 0, 5), EPI_EINVAL);
}

Test(gaps, that_are_too_many_are_counted) {
  epi__text out = {0};
  epi__gaps all = {.room = 1};
  const uint32_t areas[] = {0, 1, 2, 3};
  uint64_t set[1];

  overview("{'epi':1," WORKED "}");
  all.model = model;
  all.set = set;
  epi__gaps_put(&out, &all, areas, 4);
  cr_assert_not_null(out.block);
  cr_expect_str_eq(out.block,
                   "\"gaps\":[{\"from\":0,\"to\":2,\"missing\":[\"seg\"],"
                   "\"bridgeable\":false}],\"gaps_left_out\":7");
  out.len = 0;
  epi__gaps_put(&out, &all, areas, 4);
  cr_expect_str_eq(out.block, "\"gaps\":[],\"gaps_left_out\":8");
  epi__text_clear(&out);
}

Test(gaps, survive_without_memory) {
  overview("{'epi':1," WORKED "}");
  for (alloc_fail_start(); alloc_fail_more();) {
    char *again = NULL;
    size_t area;
    int enough = !epi_model_overview(model, &again) &&
                 epi_model_application_areas(model, 0, &area, 1) == 2 &&
                 epi_model_gap_bridgeable(model, 1, 0) == 1;

    cr_expect_eq(enough, !alloc_fail_happened());
    epi_free(again);
  }
}
