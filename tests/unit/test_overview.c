/* test_overview.c: everything a model says. */
#include "base/json.h"
#include "epi/area.h"
#include "support/model_text.h"

#include <criterion/criterion.h>
#include <string.h>

static const epi__json *member(const epi__json *object, const char *key) {
  const epi__json *at = epi__json_first(object);

  while (at && strcmp(epi__json_key(at), key)) {
    at = epi__json_next(at);
  }
  cr_assert(at, "%s", key);
  return at;
}

static size_t length(const epi__json *list) {
  size_t count = 0;

  for (list = epi__json_first(list); list; list = epi__json_next(list)) {
    count++;
  }
  return count;
}

Test(overview, has_areas_channels_flows_and_numbers) {
  epi_model *model = model_of(
      "{'epi':1,'nodes':{'a':{'attributes':['x']},'b':{},'c':{}},"
      "'functions':{'f':{'provides':['x'],'filter':'f','cost':{'setup_ms':3}}},"
      "'applications':{'all':{'nodes':['a','b','c']},"
      "'some':{'flows':[{'from':'a','to':'b','ports':[1,2]},"
      "{'from':'b','to':'a'}]}},'policy':{'default':'allow'}}");
  const epi__json *app, *flow;
  epi__json *root;
  char *text;

  cr_assert_eq(epi_model_overview(model, &text), 0);
  cr_assert_eq(epi__json_read(&root, text, strlen(text)), 0);
  cr_expect_str_eq(epi__json_string(member(root, "model")),
                   epi_model_hash(model));
  cr_expect_eq(length(member(root, "areas")), 2);
  cr_expect_eq(length(member(root, "channels")), 1);
  cr_expect_eq(length(member(root, "flows")), 6 + 3);
  flow = epi__json_first(member(root, "flows"));
  cr_expect_eq(epi__json_type(member(flow, "port")), EPI__JSON_NULL);
  cr_expect_str_eq(epi__json_string(member(flow, "verdict")), "bridged");
  cr_expect_eq(epi__json_number(member(root, "supported")), 4);
  cr_expect_eq(epi__json_number(member(root, "unsupported")), 2);
  cr_expect_eq(epi__json_number(member(root, "unbridgeable")), 0);
  cr_expect_eq(epi__json_number(member(root, "unfeasibility_ratio")), 0);
  cr_expect_eq(epi__json_number(member(root, "cost")), 4 * 3);
  app = member(member(root, "applications"), "some");
  cr_expect_eq(epi__json_number(member(app, "areas")), 2);
  cr_expect_eq(epi__json_number(member(app, "channels")), 1);
  cr_expect_eq(epi__json_number(member(app, "supported")), 1);
  cr_expect_eq(epi__json_number(member(app, "cost")), 2 * 3);
  epi__json_free(root);
  epi_free(text);
  epi_model_free(model);
}

Test(overview, goes_through_flows_one_by_one) {
  epi_model *model =
      model_of("{'epi':1,'nodes':{'a':{},'b':{}},'applications':{'p':{'flows':["
               "{'from':'a','to':'b','ports':[7,8]},{'from':'b','to':'a'}]},"
               "'q':{'nodes':['b','a']},'r':{'nodes':['a']}}}");
  size_t from, to;
  int port;

  cr_expect_eq(epi_model_application_flow_count(model, 0), 3);
  cr_assert_eq(epi_model_application_flow(model, 0, 1, &from, &to, &port), 0);
  cr_expect(from == 0 && to == 1 && port == 8);
  cr_assert_eq(epi_model_application_flow(model, 0, 2, &from, &to, &port), 0);
  cr_expect(from == 1 && to == 0 && port == -1);
  cr_expect_eq(epi_model_application_flow(model, 0, 3, &from, &to, &port),
               EPI_EINVAL);
  cr_assert_eq(epi_model_application_flow(model, 1, 0, &from, &to, &port), 0);
  cr_expect(from == 1 && to == 0 && port == -1);
  cr_expect_eq(epi_model_application_flow_count(model, 2), 0);
  cr_expect_eq(epi_model_application_flow_count(model, 3), 0);
  epi_model_free(model);
}
