/* test_explain.c: why a flow may exist, or not. */
#include "base/json.h"
#include "epi/review.h"
#include "support/alloc_fail.h"
#include "support/model_text.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static epi_model *model;
static epi_query *query;
static char *text;

static void explain(const char *from, const char *to, int port, int form) {
  cr_assert_eq(epi_query_new(&query), 0);
  cr_assert_eq(epi_query_set_from_node(query, from), 0);
  cr_assert_eq(epi_query_set_to_node(query, to, port), 0);
  cr_assert_eq(epi_model_explain(model, query, form, &text), 0);
}

static void hospitals(void) {
  size_t len;
  char *document = file_text("examples/hospitals.json", &len);

  model = model_of(document);
  free(document);
}

static void done(void) {
  epi_free(text);
  epi_query_free(query);
  epi_model_free(model);
}

static void says(const char *part) {
  cr_expect(strstr(text, part), "\"%s\" is not in\n%s", part, text);
}

Test(explain, tells_every_rule_until_one_decides, .fini = done) {
  hospitals();
  explain("umc", "antonius", 443, EPI_FORM_TEXT);
  says("umc -> antonius, port 443: allowed, bridged\n");
  says("1. consent (deny) does not match\n"
       "       `purpose` must be commercial; it is research\n");
  says("2. inspect-in (require) matches: it adds inspection\n");
  says("3. train (allow) matches and decides");
  says("lacks encryption, inspection\n");
  says("at px-umc, seal applies encryption for 2.6 ms\n");
  says("at px-ant, open undoes seal\n");
  says("together 3.8 ms");
}

Test(explain, tells_what_the_default_does, .fini = done) {
  hospitals();
  explain("antonius", "umc", 443, EPI_FORM_TEXT);
  says("is part of no application\n");
  says("`application` must be train; it is none\n");
  says("`to` must be antonius; it is umc\n");
  says("default (deny) decides: no allow or deny rule matches\n");
}

Test(explain, names_every_criterion_that_is_not_met, .fini = done) {
  model = model_of(
      "{'epi':1,'nodes':{'a':{'domain':'d','addresses':['10.0.0.0/8']},"
      "'b':{'attributes':['x']}},'policy':{'rules':[{'id':'r',"
      "'effect':'allow','from':['domain:d','has:x','area:b','unknown'],"
      "'to':['192.0.2.0/24'],'ports':[1,2],'user':['u'],'time':{'from':"
      "'08:00','to':'18:00','days':['mon','fri']}},{'id':'s',"
      "'effect':'require','attributes':['x'],'reason':'so'},{'id':'t',"
      "'effect':'deny'},{'id':'v','effect':'deny'}]}}");
  explain("a", "b", 3, EPI_FORM_TEXT);
  says("`to` must be 192.0.2.0/24; it is b\n");
  says("`ports` must be 1 or 2; it is 3\n");
  says("`user` must be u; it is none that the model names\n");
  says("`time` must be 08:00 to 18:00 UTC on mon, fri; it is not known\n");
  says("2. s (require) matches: it adds x, because: so\n");
  says("after that, 1 more is not tried\n");
  cr_expect_null(strstr(text, "`from`"));
}

Test(explain, says_by_what_a_client_authenticated, .fini = done) {
  model = model_of("{'epi':1,'nodes':{'a':{},'b':{}},'policy':{'rules':[{"
                   "'id':'r','effect':'allow','authenticated':['certificate',"
                   "'password']}]}}");
  explain("a", "b", -1, EPI_FORM_TEXT);
  says("`authenticated` must be password or certificate; it is none\n");
  epi_free(text);
  cr_assert_eq(epi_query_set(query, EPI_QUERY_AUTHENTICATED, "address,key"), 0);
  cr_assert_eq(epi_model_explain(model, query, EPI_FORM_TEXT, &text), 0);
  says("  is authenticated by key and address\n");
  says("it is key and address\n");
}

Test(explain, tells_what_else_could_apply_it, .fini = done) {
  model = model_of("{'epi':1,'nodes':{'a':{'attributes':['x','y']},'b':{}},"
                   "'functions':{'f':{'provides':['x'],'filter':'f'},"
                   "'g':{'provides':['x'],'filter':'g','cost':{'setup_ms':4}},"
                   "'h':{'provides':['y'],'filter':'h'}},"
                   "'policy':{'default':'allow'}}");
  explain("a", "b", -1, EPI_FORM_TEXT);
  says(
      "at the proxy, f applies x for 0 ms; instead, there would be g (4 ms)\n");
  says("at the proxy, h applies y for 0 ms\n");
}

Test(explain, names_what_keeps_a_chain_from_existing, .fini = done) {
  model = model_of("{'epi':1,'nodes':{'a':{'attributes':['x']},'b':{}},"
                   "'policy':{'default':'allow'}}");
  explain("a", "b", -1, EPI_FORM_TEXT);
  says("a -> b: refused, unbridgeable\n");
  says("No chain: nothing may bridge x\n");
}

Test(explain, names_the_proxies_that_only_pass_the_flow_on, .fini = done) {
  model =
      model_of("{'epi':1,'nodes':{'a':{'domain':'A'},'b':{'domain':'B'},"
               "'c':{'domain':'C'}},'policy':{'default':'allow'},'proxies':{"
               "'pa':{'domain':'A','endpoint':'socks6://pa:1','reach':['pc']},"
               "'pb':{'domain':'B','endpoint':'socks6://pb:1'},"
               "'pc':{'domain':'C','endpoint':'socks6://pc:1'}}}");
  explain("a", "b", -1, EPI_FORM_TEXT);
  says("\nThe way\n  passes pa, then pc, then pb\n");
}

Test(explain, knows_the_end_that_is_no_node, .fini = done) {
  epi_addr addr;

  hospitals();
  cr_assert_eq(epi_query_new(&query), 0);
  cr_assert_eq(epi_addr_parse(&addr, "192.0.2.7", 0), 0);
  cr_assert_eq(epi_query_set_from(query, &addr), 0);
  cr_assert_eq(epi_query_set_to_node(query, "umc", 443), 0);
  epi_query_set_time(query, 0);
  cr_assert_eq(epi_model_explain(model, query, EPI_FORM_TEXT, &text), 0);
  says("unknown (192.0.2.7) -> umc, port 443: refused, denied\n");
  says("which is no node of the model: it has nothing\n");
}

static const epi__json *member(const epi__json *object, const char *key) {
  const epi__json *at = epi__json_first(object);

  while (at && strcmp(epi__json_key(at), key)) {
    at = epi__json_next(at);
  }
  cr_assert(at, "%s", key);
  return at;
}

Test(explain, says_the_same_as_json, .fini = done) {
  epi__json *root;
  const epi__json *rule, *function;

  hospitals();
  explain("umc", "antonius", 443, EPI_FORM_JSON);
  cr_assert_eq(epi__json_read(&root, text, strlen(text)), 0, "%s", text);
  cr_expect_str_eq(epi__json_string(member(member(root, "decision"), "rule")),
                   "train");
  rule = epi__json_first(member(root, "rules"));
  cr_expect_str_eq(epi__json_string(member(rule, "id")), "consent");
  cr_expect_str_eq(epi__json_string(member(
                       epi__json_first(member(rule, "unmet")), "wanted")),
                   "commercial");
  rule = epi__json_next(rule);
  cr_expect_eq(epi__json_bool(member(rule, "matches")), 1);
  cr_expect_str_eq(epi__json_string(epi__json_first(member(rule, "adds"))),
                   "inspection");
  rule = epi__json_next(rule);
  cr_expect_eq(epi__json_bool(member(rule, "decides")), 1);
  function = epi__json_next(epi__json_first(member(root, "functions")));
  cr_expect_str_eq(epi__json_string(member(function, "name")), "seal");
  function = epi__json_next(function);
  cr_expect_str_eq(epi__json_string(member(function, "undoes")), "seal");
  epi__json_free(root);
}

Test(explain, refuses_what_it_cannot_answer, .fini = done) {
  char *none;

  hospitals();
  explain("umc", "antonius", 443, EPI_FORM_TEXT);
  cr_expect_eq(epi_model_explain(model, query, 3, &none), EPI_EINVAL);
  cr_expect_eq(epi_query_set_to_node(query, "nobody", 443), 0);
  cr_expect_eq(epi_model_explain(model, query, EPI_FORM_TEXT, &none),
               EPI_ENOENT);
}

Test(explain, survives_a_lack_of_memory, .fini = done) {
  hospitals();
  explain("umc", "antonius", 443, EPI_FORM_TEXT);
  for (int form = EPI_FORM_TEXT; form <= EPI_FORM_JSON; form++) {
    for (alloc_fail_start(); alloc_fail_more();) {
      char *again = NULL;
      int result = epi_model_explain(model, query, form, &again);

      cr_expect_eq(result, alloc_fail_happened() ? EPI_ENOMEM : 0);
      epi_free(again);
    }
  }
}
