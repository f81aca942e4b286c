/* test_diff.c: what a new model changes. */
#include "base/json.h"
#include "epi/review.h"
#include "support/alloc_fail.h"
#include "support/model_text.h"

#include <criterion/criterion.h>
#include <string.h>

static epi_model *old, *new;
static char *text;

/* How many flows change. */
static ptrdiff_t diff(const char *before, const char *after, int form) {
  old = model_of(before);
  new = model_of(after);
  return epi_model_diff(new, old, form, &text);
}

static void done(void) {
  epi_free(text);
  epi_model_free(old);
  epi_model_free(new);
}

static void says(const char *part) {
  cr_expect(strstr(text, part), "\"%s\" is not in\n%s", part, text);
}

#define NODES "{'epi':1,'nodes':{'a':{'attributes':['x']},'b':{}},"
#define PLAIN                                                                  \
  NODES "'functions':{'f':{'provides':['x'],'filter':'f'}},"                   \
        "'policy':{'rules':[{'id':'r','effect':'allow','from':['a']}]}}"

Test(diff, of_models_that_decide_alike_is_empty, .fini = done) {
  cr_expect_eq(diff(PLAIN, PLAIN, EPI_FORM_TEXT), 0);
  cr_expect_str_eq(text, "");
}

Test(diff, names_the_rule_that_opens_a_flow, .fini = done) {
  cr_expect_eq(diff(PLAIN,
                    NODES "'functions':{'f':{'provides':['x'],'filter':'f'}},"
                          "'policy':{'rules':[{'id':'all','effect':'allow'}]}}",
                    EPI_FORM_TEXT),
               1);
  cr_expect_str_eq(text, "opens   b -> a\n"
                         "    because rule \"all\" allows it now, before that "
                         "\"default\" denied it\n"
                         "    was denied\n"
                         "    is direct\n");
}

Test(diff, names_the_attributes_that_close_a_flow, .fini = done) {
  cr_expect_eq(diff(NODES "'policy':{'default':'allow'}}",
                    "{'epi':1,'nodes':{'a':{'attributes':['x']},"
                    "'b':{'attributes':['y']}},"
                    "'policy':{'default':'allow'}}",
                    EPI_FORM_TEXT),
               1);
  says("closes  b -> a\n    because it now needs y; nothing may bridge y\n");
}

Test(diff, names_what_changes_a_chain, .fini = done) {
  cr_expect_eq(diff(PLAIN,
                    NODES
                    "'functions':{'f':{'provides':['x'],'filter':'f:2'}},"
                    "'policy':{'rules':[{'id':'r','effect':'allow','from':["
                    "'a']}]}}",
                    EPI_FORM_TEXT),
               1);
  says("changes a -> b\n    because the functions, proxies or their costs "
       "differ\n    was bridged through the proxy: f\n");
}

Test(diff, knows_nodes_and_applications_of_one_model_only, .fini = done) {
  cr_expect_eq(
      diff("{'epi':1,'nodes':{'a':{},'b':{}},'policy':{'rules':["
           "{'id':'r','effect':'allow','to':['b']}]}}",
           "{'epi':1,'nodes':{'a':{},'c':{}},'applications':{'p':{'flows':["
           "{'from':'a','to':'c','ports':[5,6]}]}},'policy':{'rules':[{'id':"
           "'r','effect':'allow','application':['p']}]}}",
           EPI_FORM_TEXT),
      3);
  says("opens   a -> c, port 5, application p\n"
       "    because there was no node \"c\" before\n"
       "    was not possible: no node \"c\"\n");
  says("opens   a -> c, port 6, application p\n");
  says("closes  a -> b\n    because there is no node \"b\" now\n");
}

Test(diff, can_be_json, .fini = done) {
  epi__json *root;

  cr_expect_eq(
      diff(PLAIN, NODES "'policy':{'default':'allow'}}", EPI_FORM_JSON), 2);
  cr_assert_eq(epi__json_read(&root, text, strlen(text)), 0, "%s", text);
  epi__json_free(root);
  says("{\"change\":\"closes\",\"from\":\"a\",\"to\":\"b\",\"port\":null,");
  says("\"compared\":2,\"complete\":true}");
}

static epi_query *query_of(const char *from, const char *to, int port) {
  epi_query *query;

  cr_assert_eq(epi_query_new(&query), 0);
  cr_assert_eq(epi_query_set_from_node(query, from), 0);
  cr_assert_eq(epi_query_set_to_node(query, to, port), 0);
  return query;
}

Test(diff, judges_live_flows_again, .fini = done) {
  epi_query *flows[3];

  old = model_of(PLAIN);
  new = model_of("{'epi':1,'nodes':{'a':{},'b':{}},'policy':{'rules':["
                 "{'id':'r','effect':'allow','ports':[1],'reason':'so'}]}}");
  flows[0] = query_of("a", "b", 1);
  flows[1] = query_of("a", "b", 2);
  flows[2] = query_of("a", "gone", 1);
  cr_expect_eq(epi_model_diff_flows(new, NULL, flows, 3, EPI_FORM_TEXT, &text),
               2);
  says(
      "closes  a -> b, port 2\n    because no rule allows it\n    is denied\n");
  says("    because there is no node \"gone\" now\n");
  epi_free(text);
  cr_expect_eq(epi_model_diff_flows(new, old, flows, 3, EPI_FORM_JSON, &text),
               2);
  says("{\"change\":\"changes\",\"flow\":0,");
  says("{\"change\":\"closes\",\"flow\":1,");
  for (size_t i = 0; i < 3; i++) {
    epi_query_free(flows[i]);
  }
}

Test(diff, refuses_what_it_cannot_compare, .fini = done) {
  epi_query *empty;
  char *none;

  cr_expect_eq(diff(PLAIN, PLAIN, EPI_FORM_TEXT), 0);
  cr_expect_eq(epi_model_diff(new, old, 0, &none), EPI_EINVAL);
  cr_assert_eq(epi_query_new(&empty), 0);
  cr_expect_eq(epi_model_diff_flows(new, old, &empty, 1, EPI_FORM_TEXT, &none),
               EPI_EINVAL);
  epi_query_free(empty);
}

Test(diff, survives_a_lack_of_memory, .fini = done) {
  diff(PLAIN, NODES "'applications':{'p':{'nodes':['a','b']}}}", EPI_FORM_TEXT);
  for (int form = EPI_FORM_TEXT; form <= EPI_FORM_JSON; form++) {
    for (alloc_fail_start(); alloc_fail_more();) {
      char *again = NULL;
      ptrdiff_t result = epi_model_diff(new, old, form, &again);

      cr_expect_eq(result, alloc_fail_happened() ? EPI_ENOMEM : 1);
      epi_free(again);
    }
  }
}
