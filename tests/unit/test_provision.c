/* test_provision.c: what must run for the flows of applications. */
#include "epi/provision.h"
#include "support/alloc_fail.h"
#include "support/model_text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define NODES                                                                  \
  "{'epi':1,'nodes':{'a':{'domain':'d','attributes':['enc']},"                 \
  "'b':{'domain':'e'},'c':{'domain':'e'}},'proxies':{'pd':{'domain':'d'},"     \
  "'pe':{'domain':'e','endpoint':'socks6://e:1'}},"
#define SEAL(image)                                                            \
  "'functions':{'open':{'filter':'open'},'seal':{'provides':['enc'],"          \
  "'filter':'seal','pair':'open','image':'" image "','options':{'k':'v'}}},"
#define ONE "'one':{'flows':[{'from':'a','to':'b','ports':[1,2]}]}"
#define TWO "'two':{'flows':[{'from':'b','to':'c'}]}"
#define DAY                                                                    \
  "'policy':{'rules':[{'id':'r','effect':'allow','time':{'from':'08:00'}}]}}"
#define OPEN "'policy':{'default':'allow'}}"

/* The list in one line: for each entry the proxy, the function, flows,
 * instances, instances before and the change. */
static const char *list_of(epi_model *model, epi_model *before,
                           const char *application, const epi_query *facts) {
  static char text[2048];
  epi_provision *list;
  size_t used = 0;

  text[0] = '\0';
  cr_assert_eq(epi_provision_new(&list, model, before, application, facts), 0,
               "%s", epi_error_detail());
  for (size_t i = 0; i < epi_provision_count(list); i++) {
    const char *function = epi_provision_function(list, i);

    used += (size_t)snprintf(
        text + used, sizeof text - used, "%s%s/%s %zu %zu<%zu %s",
        i ? ", " : "", epi_provision_proxy(list, i), function ? function : "",
        epi_provision_flows(list, i), epi_provision_instances(list, i),
        epi_provision_instances_before(list, i),
        epi_provision_change_name(epi_provision_change(list, i)));
  }
  epi_provision_free(list);
  return text;
}

Test(provision, lists_proxies_and_their_functions_in_document_order) {
  epi_model *model =
      model_of(NODES SEAL("r/s:1") "'applications':{" TWO "," ONE "}," OPEN);
  epi_provision *list;

  cr_expect_str_eq(list_of(model, NULL, NULL, NULL),
                   "pd/ 2 1<0 added, pd/seal 2 1<0 added, pe/ 3 1<0 added, "
                   "pe/open 2 1<0 added");
  cr_expect_str_eq(list_of(model, NULL, "two", NULL), "pe/ 1 1<0 added");
  cr_assert_eq(epi_provision_new(&list, model, NULL, NULL, NULL), 0);
  cr_expect_str_eq(epi_provision_image(list, 1), "r/s:1");
  cr_expect_str_eq(epi_provision_options(list, 1), "{\"k\":\"v\"}");
  cr_expect_null(epi_provision_image(list, 0));
  cr_expect_null(epi_provision_options(list, 3));
  cr_expect_null(epi_provision_proxy(list, 4));
  cr_expect_null(epi_provision_function(list, 4));
  cr_expect_eq(epi_provision_flows(list, 4), 0);
  cr_expect_eq(epi_provision_change(list, 4), EPI_EINVAL);
  cr_expect_null(epi_provision_change_name(0));
  epi_provision_free(list);
  cr_expect_eq(epi_provision_new(&list, model, NULL, "three", NULL),
               EPI_ENOENT);
  epi_model_free(model);
}

Test(provision, says_what_a_change_adds_removes_and_changes) {
  epi_model *old =
      model_of(NODES SEAL("r/s:1") "'applications':{" ONE "}," OPEN);
  epi_model *new =
      model_of(NODES SEAL("r/s:2") "'applications':{" ONE "," TWO "}," OPEN);
  epi_model *none = model_of(NODES "'applications':{" TWO "}," OPEN);

  cr_expect_str_eq(list_of(new, old, NULL, NULL),
                   "pd/ 2 1<1 same, pd/seal 2 1<1 changed, pe/ 3 1<1 same, "
                   "pe/open 2 1<1 same");
  cr_expect_str_eq(list_of(none, old, NULL, NULL),
                   "pe/ 1 1<1 same, pd/ 0 0<1 removed, pd/seal 0 0<1 removed, "
                   "pe/open 0 0<1 removed");
  cr_expect_str_eq(list_of(new, none, "one", NULL),
                   "pd/ 2 1<0 added, pd/seal 2 1<0 added, pe/ 2 1<0 added, "
                   "pe/open 2 1<0 added");
  cr_expect_str_eq(list_of(none, new, "one", NULL),
                   "pd/ 0 0<1 removed, pd/seal 0 0<1 removed, "
                   "pe/ 0 0<1 removed, pe/open 0 0<1 removed");
  cr_expect_str_eq(list_of(old, old, NULL, NULL),
                   "pd/ 2 1<1 same, pd/seal 2 1<1 same, pe/ 2 1<1 same, "
                   "pe/open 2 1<1 same");
  epi_model_free(old);
  epi_model_free(new);
  epi_model_free(none);
}

Test(provision, what_holds_for_the_flows_counts) {
  epi_model *model = model_of(NODES SEAL("i") "'applications':{" TWO "}," DAY);
  epi_query *facts;

  cr_expect_str_eq(list_of(model, NULL, NULL, NULL), "");
  cr_assert_eq(epi_query_new(&facts), 0);
  epi_query_set_time(facts, 12 * 3600);
  cr_expect_str_eq(list_of(model, NULL, NULL, facts), "pe/ 1 1<0 added");
  epi_query_free(facts);
  epi_model_free(model);
}

Test(provision, a_model_without_proxies_has_one_without_a_name) {
  epi_model *model = model_of(
      "{'epi':1,'nodes':{'a':{'attributes':['x']},'b':{}},'functions':{'f':{"
      "'provides':['x'],'endpoints':['socks6://h:1']}},'applications':{'p':{"
      "'nodes':['a','b']}}," OPEN);
  epi_provision *list;
  char *text;

  cr_expect_str_eq(list_of(model, NULL, NULL, NULL),
                   "/ 1 1<0 added, /f 1 1<0 added");
  cr_assert_eq(epi_provision_new(&list, model, NULL, NULL, NULL), 0);
  cr_assert_eq(epi_provision_write(list, &text), 0);
  cr_expect(strstr(text, ",\"needs\":[{\"proxy\":\"\",\"function\":null,"
                         "\"endpoint\":null,\"flows\":1,\"instances\":1},"
                         "{\"proxy\":\"\",\"function\":\"f\",\"image\":null,"
                         "\"options\":{},\"filter\":null,\"endpoints\":["
                         "\"socks6://h:1\"],\"flows\":1,\"instances\":1}]}"),
            "%s", text);
  epi_free(text);
  epi_provision_free(list);
  epi_model_free(model);
}

Test(provision, survives_failing_allocations) {
  epi_model *old =
      model_of(NODES SEAL("r/s:1") "'applications':{" ONE "}," OPEN);
  epi_model *new = model_of(NODES "'applications':{" TWO "}," OPEN);
  epi_query *facts;

  cr_assert_eq(epi_query_new(&facts), 0);
  cr_assert_eq(epi_query_set(facts, EPI_QUERY_USER, "u"), 0);
  for (alloc_fail_start(); alloc_fail_more();) {
    epi_provision *list = NULL;
    char *text = NULL;
    int result = epi_provision_new(&list, new, old, NULL, facts);

    if (!result) {
      result = epi_provision_write(list, &text);
    }
    cr_expect_eq(result, alloc_fail_happened() ? EPI_ENOMEM : 0);
    epi_free(text);
    epi_provision_free(list);
  }
  epi_query_free(facts);
  epi_model_free(old);
  epi_model_free(new);
}
