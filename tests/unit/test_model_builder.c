/* test_model_builder.c: a model by calls is that of the document. */
#include "epi/area.h"
#include "epi/error.h"
#include "support/alloc_fail.h"
#include "support/model_text.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const char document[] =
    "{'epi':1,'gap':'as-printed','attributes':['enc','fw','x'],"
    "'bridgeable':['enc'],'nodes':{'b':{'domain':'d','addresses':["
    "'10.0.0.0/8','2001:db8::1','h.example'],'attributes':['enc','fw']},"
    "'a':{}},'proxies':{'p':{'domain':'d','endpoint':'socks6://h:1',"
    "'reach':['q.r'],'rtt_ms':{'q.r':2.5},'ports':[{'port':20,'from':'a',"
    "'to':'b:443'},{'port':21,'from':'a','to':'h.example:80','listen':'::1'}]},"
    "'q.r':{'domain':'d'}},"
    "'functions':{'seal':{'provides':['enc'],'filter':'seal:x','pair':'open',"
    "'before':['gate'],'after':['open'],'cost':{'setup_ms':2,"
    "'per_mib_ms':0.6}},'open':{'filter':'open'},'gate':{'endpoints':["
    "'socks5://h:1'],'image':'r/g:2','options':{'mode':'strict'},'instances':3,"
    "'capacity':40,'fail':'open','proof':'none'}},'applications':{'z':{'"
    "purpose':'p','dataset'"
    ":'d',"
    "'nodes':['b','a'],'flows':[{'from':'b','to':'a','ports':[443,80]}]}},"
    "'policy':{'default':'allow','rules':[{'id':'r','effect':'require',"
    "'from':['a','domain:d'],'user':['u','v'],'ports':[1,2],'time':{"
    "'from':'08:00','to':'18:30','days':['mon','sun']},'attributes':['x'],"
    "'reason':'why'},{'id':'s','effect':'deny'}]}}";

enum {
  NODE,
  PROXY,
  PORT,
  FUNCTION,
  APPLICATION,
  FLOW,
  RULE,
  TEXT,
  NUMBER,
  MORE,
  MORE_NUMBERS,
};

typedef struct call {
  int what;
  const char *key, *value;
  double number;
} call;

static const call calls[] = {
    {TEXT, "gap", "as-printed", 0},
    {TEXT, "policy.default", "allow", 0},
    {MORE, "attributes", "enc", 0},
    {MORE, "attributes", "fw", 0},
    {MORE, "attributes", "x", 0},
    {MORE, "bridgeable", "enc", 0},
    {RULE, "r", "require", 0},
    {MORE, "from", "a", 0},
    {MORE, "from", "domain:d", 0},
    {MORE, "user", "u", 0},
    {MORE, "user", "v", 0},
    {MORE_NUMBERS, "ports", NULL, 1},
    {MORE_NUMBERS, "ports", NULL, 2},
    {TEXT, "time.from", "08:00", 0},
    {TEXT, "time.to", "18:30", 0},
    {MORE, "time.days", "mon", 0},
    {MORE, "time.days", "sun", 0},
    {MORE, "attributes", "x", 0},
    {TEXT, "reason", "why", 0},
    {APPLICATION, "z", NULL, 0},
    {TEXT, "purpose", "p", 0},
    {TEXT, "dataset", "d", 0},
    {MORE, "nodes", "b", 0},
    {MORE, "nodes", "a", 0},
    {NODE, "b", NULL, 0},
    {TEXT, "domain", "d", 0},
    {MORE, "addresses", "10.0.0.0/8", 0},
    {MORE, "addresses", "2001:db8::1", 0},
    {MORE, "addresses", "h.example", 0},
    {MORE, "attributes", "enc", 0},
    {MORE, "attributes", "fw", 0},
    {NODE, "a", NULL, 0},
    {FLOW, "b", "a", 0},
    {MORE_NUMBERS, "ports", NULL, 443},
    {MORE_NUMBERS, "ports", NULL, 80},
    {PROXY, "p", "d", 0},
    {TEXT, "endpoint", "socks6://h:1", 0},
    {MORE, "reach", "q.r", 0},
    {NUMBER, "rtt_ms.q.r", NULL, 2.5},
    {PORT, "a", "b:443", 0},
    {NUMBER, "port", NULL, 20},
    {PORT, "a", "h.example:80", 0},
    {NUMBER, "port", NULL, 21},
    {TEXT, "listen", "::1", 0},
    {PROXY, "q.r", "d", 0},
    {FUNCTION, "seal", NULL, 0},
    {MORE, "provides", "enc", 0},
    {TEXT, "filter", "seal:x", 0},
    {TEXT, "pair", "open", 0},
    {MORE, "before", "gate", 0},
    {MORE, "after", "open", 0},
    {NUMBER, "cost.setup_ms", NULL, 2},
    {NUMBER, "cost.per_mib_ms", NULL, 0.6},
    {FUNCTION, "open", NULL, 0},
    {TEXT, "filter", "open", 0},
    {FUNCTION, "gate", NULL, 0},
    {MORE, "endpoints", "socks5://h:1", 0},
    {TEXT, "image", "r/g:2", 0},
    {TEXT, "fail", "open", 0},
    {TEXT, "proof", "none", 0},
    {TEXT, "options.mode", "strict", 0},
    {NUMBER, "instances", NULL, 3},
    {NUMBER, "capacity", NULL, 40},
    {RULE, "s", "deny", 0},
};

static int make(epi_builder *b, const call *c) {
  switch (c->what) {
  case NODE:
    return epi_builder_add_node(b, c->key);
  case PROXY:
    return epi_builder_add_proxy(b, c->key, c->value);
  case PORT:
    return epi_builder_add_port(b, c->key, c->value);
  case FUNCTION:
    return epi_builder_add_function(b, c->key);
  case APPLICATION:
    return epi_builder_add_application(b, c->key);
  case FLOW:
    return epi_builder_add_flow(b, c->key, c->value);
  case RULE:
    return epi_builder_add_rule(b, c->key, c->value);
  case TEXT:
    return epi_builder_set_text(b, c->key, c->value);
  case NUMBER:
    return epi_builder_set_number(b, c->key, c->number);
  case MORE:
    return epi_builder_add_text(b, c->key, c->value);
  default:
    return epi_builder_add_number(b, c->key, c->number);
  }
}

/* All calls, and the model of them. */
static int build(epi_model **out) {
  epi_builder *builder;
  int result = epi_builder_new(&builder);

  if (result) {
    return result;
  }
  for (size_t i = 0; i < sizeof calls / sizeof *calls && !result; i++) {
    result = make(builder, &calls[i]);
  }
  if (!result) {
    result = epi_builder_finish(builder, NULL, out);
  }
  epi_builder_free(builder);
  return result;
}

Test(model_builder, says_what_the_document_says) {
  epi_model *read = model_of(document), *built = NULL;

  cr_assert_eq(build(&built), 0, "%s", epi_error_detail());
  cr_expect_str_eq(epi_model_hash(built), epi_model_hash(read));
  epi_model_free(built);
  epi_model_free(read);
}

Test(model_builder, a_lack_of_memory_is_an_error) {
  for (alloc_fail_start(); alloc_fail_more();) {
    epi_model *model = NULL;
    int result = build(&model);

    cr_expect_eq(result, alloc_fail_happened() ? EPI_ENOMEM : 0);
    epi_model_free(model);
  }
}

Test(model_builder, problems_have_the_paths_of_the_document) {
  epi_report *problems;
  epi_builder *b;
  epi_model *model = NULL;

  cr_assert_eq(epi_report_new(&problems), 0);
  cr_assert_eq(epi_builder_new(&b), 0);
  cr_assert_eq(epi_builder_add_node(b, "umc"), 0);
  cr_assert_eq(epi_builder_set_text(b, "domian", "d"), 0);
  cr_assert_eq(epi_builder_add_application(b, "train"), 0);
  cr_assert_eq(epi_builder_add_flow(b, "umc", "umx"), 0);
  cr_assert_eq(epi_builder_add_node(b, "umc"), 0);
  cr_expect_eq(epi_builder_finish(b, problems, &model), EPI_EMODEL);
  cr_expect_null(model);
  cr_assert_eq(epi_report_count(problems), 3);
  cr_expect_str_eq(epi_report_line(problems, 0), "nodes.umc: is there twice");
  cr_expect_str_eq(epi_report_line(problems, 1),
                   "nodes.umc.domian: unknown key, did you mean \"domain\"?");
  cr_expect_str_eq(epi_report_line(problems, 2),
                   "applications.train.flows[0].to: no node \"umx\", did you "
                   "mean \"umc\"?");
  epi_builder_free(b);
  epi_report_free(problems);
}

Test(model_builder, goes_on_after_a_model_was_made) {
  epi_model *first, *second;
  epi_builder *b;

  cr_assert_eq(epi_builder_new(&b), 0);
  cr_assert_eq(epi_builder_finish(b, NULL, &first), 0);
  cr_assert_eq(epi_builder_add_node(b, "a"), 0);
  cr_assert_eq(epi_builder_finish(b, NULL, &second), 0);
  cr_expect_eq(epi_model_node_count(first), 0);
  cr_expect_eq(epi_model_node_count(second), 1);
  epi_builder_free(b);
  epi_model_free(first);
  epi_model_free(second);
  epi_builder_free(NULL);
}

Test(model_builder, refuses_what_is_no_text_and_has_no_place) {
  epi_builder *b;
  epi_model *model;

  cr_assert_eq(epi_builder_new(&b), 0);
  cr_expect_eq(epi_builder_add_node(b, NULL), EPI_EINVAL);
  cr_expect_eq(epi_builder_add_node(b, "\xff"), EPI_EINVAL);
  cr_expect_eq(epi_builder_add_proxy(b, "p", NULL), EPI_EINVAL);
  cr_expect_eq(epi_builder_add_flow(b, "a", "b"), EPI_EINVAL);
  cr_expect_eq(epi_builder_add_port(b, "a", "b:1"), EPI_EINVAL);
  cr_expect_eq(epi_builder_add_rule(b, "r", NULL), EPI_EINVAL);
  cr_expect_eq(epi_builder_set_text(b, NULL, "x"), EPI_EINVAL);
  cr_expect_eq(epi_builder_set_text(b, "gap", NULL), EPI_EINVAL);
  cr_assert_eq(epi_builder_set_text(b, "gap", "missing"), 0);
  cr_expect_eq(epi_builder_add_text(b, "gap", "x"), EPI_EINVAL);
  cr_expect_eq(epi_builder_set_number(b, "gap.x", 1), EPI_EINVAL);
  cr_assert_eq(epi_builder_finish(b, NULL, &model), 0, "%s",
               epi_error_detail());
  cr_expect_eq(epi_model_node_count(model), 0);
  epi_model_free(model);
  epi_builder_free(b);
}

Test(model_builder, a_document_written_and_read_is_the_same) {
  epi_model *model = model_of(document), *again;
  char *first, *second;

  cr_assert_eq(epi_model_write(model, &first), 0);
  cr_assert_eq(epi_model_read(&again, NULL, first, strlen(first)), 0);
  cr_assert_eq(epi_model_write(again, &second), 0);
  cr_expect_str_eq(first, second);
  epi_free(first);
  epi_free(second);
  epi_model_free(model);
  epi_model_free(again);
}
