/* test_model_read.c: which documents are models, and what is said of others. */
#include "epi/area.h"
#include "epi/error.h"
#include "support/alloc_fail.h"
#include "support/model_text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAYS(text, line)                                                       \
  cr_expect(strstr(problems_of(text), line), "%s", problems_of(text))

Test(model_read, takes_the_example) {
  size_t len;
  char *text = file_text("examples/hospitals.json", &len);
  epi_model *model;

  cr_assert_eq(epi_model_read(&model, NULL, text, len), 0, "%s",
               epi_error_detail());
  cr_expect_eq(epi_model_node_find(model, "antonius"), 1);
  cr_expect_eq(epi_model_node_find(model, "x"), EPI_ENOENT);
  cr_expect_str_eq(epi_model_node_name(model, 0), "umc");
  cr_expect_str_eq(epi_model_node_domain(model, 0), "umc-utrecht");
  cr_expect_null(epi_model_node_name(model, 9));
  cr_expect_eq(epi_model_proxy_count(model), 2);
  cr_expect_str_eq(epi_model_proxy_endpoint(model, "px-umc"),
                   "socks6://10.1.0.2:1080");
  cr_expect_null(epi_model_proxy_endpoint(model, "px"));
  cr_expect_eq(strlen(epi_model_hash(model)), 64);
  epi_model_free(epi_model_ref(model));
  epi_model_free(model);
  free(text);
}

Test(model_read, the_smallest_model_has_nothing_in_it) {
  epi_model *model = model_of("{'epi':1,'nodes':{}}");

  cr_expect_eq(epi_model_node_count(model), 0);
  cr_expect_eq(epi_model_area_count(model), 0);
  cr_expect_float_eq(epi_model_ratio(model, -1), 0, 1e-12);
  epi_model_free(model);
}

Test(model_read, lists_all_problems_in_one_go) {
  cr_expect_str_eq(
      problems_of("{'epi':2,'nodse':{},'nodes':{'umc':{'adresses':[]},"
                  "'b':7},'applications':{'train':{'nodes':['umc','b'],"
                  "'flows':[{'from':'umc','to':'umx'}]}}}"),
      "nodse: unknown key, did you mean \"nodes\"?\n"
      "epi: this version of libepi reads version 1\n"
      "nodes.umc.adresses: unknown key, did you mean \"addresses\"?\n"
      "nodes.b: must be an object, not a number\n"
      "applications.train.flows[0].to: no node \"umx\", did you mean "
      "\"umc\"?\n");
  cr_expect(strstr(epi_error_detail(), "nodse: unknown key"), "%s",
            epi_error_detail());
}

Test(model_read, names_what_is_missing_or_of_a_wrong_type) {
  SAYS("{}", "epi: is missing\nnodes: is missing\n");
  SAYS("[]", "the document: must be an object, not a list\n");
  SAYS("{'epi':'1','nodes':[]}", "epi: must be a number, not a string\n"
                                 "nodes: must be an object, not a list\n");
  SAYS("{'epi':1,'nodes':{'a':{'attributes':[1]}}}",
       "nodes.a.attributes[0]: must be a string, not a number\n");
  SAYS("{'epi':1,'nodes':{},'gap':'no'}", "gap: must be");
  SAYS("{'epi':1,'nodes':{},'private':'no'}",
       "private: must be \"named\" or \"any\"");
  SAYS("{'epi':1,", "line 1: this is not JSON");
}

Test(model_read, nothing_is_there_twice) {
  SAYS("{'epi':1,'epi':1,'nodes':{}}", "epi: is there twice\n");
  SAYS("{'epi':1,'nodes':{'a':{},'a':{}}}", "nodes.a: is there twice\n");
  SAYS("{'epi':1,'attributes':['x','x'],'nodes':{}}",
       "attributes[1]: is there twice\n");
  SAYS("{'epi':1,'nodes':{'a':{'addresses':['10.0.0.0/8']},"
       "'b':{'addresses':['10.0.0.0/8']}}}",
       "nodes.b.addresses[0]: is an address of node \"a\" already\n");
  SAYS("{'epi':1,'nodes':{},'functions':{'f':{'endpoints':["
       "'socks5://h:1','socks5://h:1']}}}",
       "functions.f.endpoints[1]: is there twice\n");
  SAYS("{'epi':1,'nodes':{},'policy':{'rules':[{'id':'a','effect':'deny'},"
       "{'id':'a','effect':'deny'}]}}",
       "policy.rules[1].id: another rule has this id\n");
}

Test(model_read, the_last_of_many_errors_has_its_hint_too) {
  SAYS("{'epi':1,'nodes':{'umc':{}},'policy':{'rules':[{'id':'a',"
       "'effect':'deny','from':['q1','q2','q3','q4','q5','q6','q7','q8','q9',"
       "'r1','r2','r3','r4','r5','r6','r7','r8','r9','umx']}]}}",
       "policy.rules[0].from[18]: no node \"umx\", did you mean \"umc\"?");
}

Test(model_read, a_short_form_is_taken_for_what_it_begins) {
  SAYS("{'epi':1,'nodes':{},'functions':{'f':{'filter':'x',"
       "'cost':{'setup':1,'per':2}}}}",
       "functions.f.cost.setup: unknown key, did you mean \"setup_ms\"?\n"
       "functions.f.cost.per: unknown key\n");
  SAYS("{'epi':1,'nodes':{'a':{'addr':[]}},'proxies':{'p':{'domain':'d',"
       "'rtt':{}}}}",
       "nodes.a.addr: unknown key, did you mean \"addresses\"?\n");
  SAYS("{'epi':1,'nodes':{'a':{}},'policy':{'rules':[{'id':'r','effect':"
       "'deny','time':{'day':[]}}]},'applications':{'x':{'flows':[{'from':'a',"
       "'to':'a','port':[1]}]}}}",
       "applications.x.flows[0].port: unknown key, did you mean \"ports\"?\n"
       "policy.rules[0].time.day: unknown key, did you mean \"days\"?\n");
}

Test(model_read, hints_have_a_bound_that_is_said) {
  const size_t nodes = 100000, rules = 100;
  char *text = malloc(nodes * 16 + 20000), *at = text;

  cr_assert(text);
  at += sprintf(at, "{'epi':1,'nodes':{'n'");
  for (size_t i = 0; i < nodes; i++) {
    at += sprintf(at, ":{},'n%06zu'", i);
  }
  at += sprintf(at, ":{}},'applications':{'x':{'nodes':['N000001'");
  for (size_t i = 0; i < rules; i++) {
    at += sprintf(at, ",'N%06zu'", i + 2);
  }
  sprintf(at, "]}}}");
  SAYS(text, "nodes[0]: no node \"N000001\", did you mean \"n000001\"?\n");
  SAYS(text, "no node \"N000099\" (no hint: too many names were compared)\n");
  free(text);
}

Test(model_read, a_node_has_a_name_that_is_nothing_else) {
  SAYS("{'epi':1,'nodes':{'unknown':{}}}", "nodes.unknown: \"unknown\" is");
  SAYS("{'epi':1,'nodes':{'10.0.0.1':{}}}", "is no address");
  SAYS("{'epi':1,'nodes':{'a:b':{}}}", "is no address");
  SAYS("{'epi':1,'nodes':{'':{}}}", "a name has 1 to 255 bytes, not 0");
  SAYS("{'epi':1,'nodes':{'a\\nb':{}}}", "nodes.a?b: a name has no control");
}

Test(model_read, references_lead_somewhere) {
  SAYS("{'epi':1,'attributes':['enc'],'nodes':{'a':{'attributes':['emc']}}}",
       "nodes.a.attributes[0]: no attribute \"emc\", did you mean \"enc\"?");
  SAYS("{'epi':1,'nodes':{'a':{'domain':'here'}},"
       "'proxies':{'p':{'domain':'hera'}}}",
       "proxies.p.domain: no node is in domain \"hera\", did you mean");
  SAYS("{'epi':1,'nodes':{},'functions':{'f':{'filter':'x','pair':'g',"
       "'before':['h']}}}",
       "functions.f.pair: no function \"g\"");
  SAYS("{'epi':1,'nodes':{'a':{},'b':{}},'applications':{'x':{'nodes':['a'],"
       "'flows':[{'from':'a','to':'b'}]}}}",
       "flows[0].to: \"b\" is not among the nodes of this application");
  SAYS("{'epi':1,'bridgeable':['x'],'nodes':{'a':{'attributes':['x']}}}",
       "bridgeable: no function provides \"x\"");
}

Test(model_read, names_of_domains_and_attributes_may_have_slashes) {
  epi_model_free(
      model_of("{'epi':1,'nodes':{'a':{'domain':'d/e','attributes':['x/y']}},"
               "'policy':{'rules':[{'id':'r','effect':'deny',"
               "'from':['domain:d/e','has:x/y']}]}}"));
}

Test(model_read, functions_say_who_provides_them) {
  epi_model *model = model_of(
      "{'epi':1,'nodes':{},'functions':{'f':{'filter':'x','image':'r/i:1',"
      "'options':{'a':'b'},'instances':2,'capacity':30},"
      "'g':{'filter':'x'}}}");

  cr_expect_str_eq(epi_model_function_image(model, 0), "r/i:1");
  cr_expect_eq(epi_model_function_instances(model, 0), 2);
  cr_expect_eq(epi_model_function_capacity(model, 0), 30);
  cr_expect_null(epi_model_function_image(model, 1));
  cr_expect_null(epi_model_function_image(model, 2));
  cr_expect_eq(epi_model_function_instances(model, 1), 0);
  cr_expect_eq(epi_model_function_capacity(model, 2), 0);
  epi_model_free(model);
  SAYS("{'epi':1,'nodes':{},'functions':{'f':{'filter':'x','capacity':0}}}",
       "functions.f.capacity: must be a whole number from 1 to 1000000");
}

Test(model_read, functions_at_endpoints_prove_unless_they_say_otherwise) {
  epi_model *model = model_of(
      "{'epi':1,'nodes':{},'functions':{'f':{'filter':'x'},'g':{'endpoints':["
      "'socks6://h:1']},'h':{'endpoints':['socks6://h:1'],'proof':'required'},"
      "'i':{'endpoints':['socks6://h:1'],'proof':'none'}}}");

  cr_expect_eq(epi_model_function_proves(model, 0), 0);
  cr_expect_eq(epi_model_function_proves(model, 1), 1);
  cr_expect_eq(epi_model_function_proves(model, 2), 1);
  cr_expect_eq(epi_model_function_proves(model, 3), 0);
  cr_expect_eq(epi_model_function_proves(model, 4), 0);
  epi_model_free(model);
  SAYS("{'epi':1,'nodes':{},'functions':{'f':{'endpoints':['socks6://h:1'],"
       "'proof':'some'}}}",
       "functions.f.proof: must be \"required\" or \"none\"");
  SAYS("{'epi':1,'nodes':{},'functions':{'f':{'filter':'x','proof':'none'}}}",
       "functions.f.proof: is not for functions with \"filter\"");
}

Test(model_read, functions_say_what_becomes_of_flows_when_they_fail) {
  epi_model *model = model_of(
      "{'epi':1,'nodes':{},'functions':{'f':{'filter':'x','fail':'open'},"
      "'g':{'filter':'x','fail':'closed'},'h':{'filter':'x'}}}");

  cr_expect_eq(epi_model_function_fails_open(model, 0), 1);
  cr_expect_eq(epi_model_function_fails_open(model, 1), 0);
  cr_expect_eq(epi_model_function_fails_open(model, 2), 0);
  cr_expect_eq(epi_model_function_fails_open(model, 3), 0);
  epi_model_free(model);
  SAYS("{'epi':1,'nodes':{},'functions':{'f':{'filter':'x','fail':'soft'}}}",
       "functions.f.fail: must be \"open\" or \"closed\"");
  SAYS("{'epi':1,'nodes':{},'functions':{'f':{'filter':'x','pair':'g',"
       "'fail':'open'},'g':{'filter':'y'}}}",
       "functions.f.fail: what has a pair, or is one, cannot fail open");
  SAYS("{'epi':1,'nodes':{},'functions':{'f':{'filter':'x','pair':'g'},"
       "'g':{'filter':'y','fail':'open'}}}",
       "functions.g.fail: what has a pair, or is one, cannot fail open");
}

Test(model_read, functions_say_how_they_run) {
  SAYS("{'epi':1,'nodes':{},'functions':{'f':{}}}",
       "functions.f: needs \"filter\", \"endpoints\", or an \"image\" to "
       "start\n");
  SAYS("{'epi':1,'nodes':{},'functions':{'f':{'filter':'x',"
       "'endpoints':['socks5://h:1']}}}",
       "\"endpoints\", not both");
  SAYS("{'epi':1,'nodes':{},'functions':{'f':{'endpoints':['http://h:1']}}}",
       "functions.f.endpoints[0]: must be socks5://");
  SAYS("{'epi':1,'nodes':{},'functions':{'f':{'filter':'x','pair':'f'}}}",
       "functions.f.pair: a function cannot undo itself");
  SAYS("{'epi':1,'nodes':{},'functions':{'f':{'filter':'x','after':['f']}}}",
       "functions.f.after: a function is neither before nor after itself");
  SAYS("{'epi':1,'nodes':{},'functions':{'f':{'filter':'x',"
       "'cost':{'setup_ms':-1}}}}",
       "functions.f.cost.setup_ms: must be from 0");
}

Test(model_read, nodes_may_have_a_host) {
  epi_model *model = model_of(
      "{'epi':1,'nodes':{'a':{'addresses':['10.0.0.0/8','H.example','10.0.0.1'"
      "]},'b':{'addresses':['2001:db8::/32','2001:db8::1']},'c':{},"
      "'d':{'addresses':['192.0.2.0/24']},'e':{'addresses':['192.0.2.9']}}}");
  const char *const hosts[] = {"h.example", "2001:db8::1", NULL, NULL,
                               "192.0.2.9"};

  for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
    char text[EPI_ADDR_TEXT_MAX] = "";
    epi_addr addr;
    int result = epi_model_node_host(model, i, &addr);

    cr_expect_eq(result, hosts[i] ? 0 : EPI_ENOENT);
    if (!result) {
      epi_addr_format(&addr, 0, text, sizeof text);
    }
    cr_expect_str_eq(text, hosts[i] ? hosts[i] : "");
  }
  cr_expect_eq(epi_model_node_host(model, 5, NULL), EPI_EINVAL);
  epi_model_free(model);
}

Test(model_read, nobody_has_a_host_where_nobody_has_an_address) {
  epi_model *model = model_of("{'epi':1,'nodes':{'a':{}}}");
  epi_addr addr;

  cr_expect_eq(epi_model_node_host(model, 0, &addr), EPI_ENOENT);
  epi_model_free(model);
}

Test(model_read, images_have_options) {
  epi_model *model = model_of(
      "{'epi':1,'nodes':{},'functions':{'f':{'endpoints':['socks6://h:1'],"
      "'image':'registry.example/f:2','options':{'LEVEL':'9','a':'b'}},"
      "'g':{'filter':'count','options':{}}}}");

  cr_expect_str_eq(epi_model_function_image(model, 0), "registry.example/f:2");
  cr_expect_str_eq(epi_model_function_options(model, 0),
                   "{\"LEVEL\":\"9\",\"a\":\"b\"}");
  cr_expect_null(epi_model_function_image(model, 1));
  cr_expect_null(epi_model_function_options(model, 1));
  cr_expect_null(epi_model_function_image(model, 2));
  cr_expect_null(epi_model_function_options(model, 2));
  epi_model_free(model);
  SAYS("{'epi':1,'nodes':{},'functions':{'f':{'filter':'x','image':'',"
       "'options':{'a':1,'b':'','b':'c','':'d'}},"
       "'g':{'filter':'x','image':7,'options':[]}}}",
       "functions.f.image: is empty\n"
       "functions.f.options.b: is there twice\n"
       "functions.f.options.: a name has 1 to 255 bytes, not 0\n"
       "functions.f.options.a: must be a string, not a number\n"
       "functions.f.options.b: is empty\n"
       "functions.g.image: must be a string, not a number\n"
       "functions.g.options: must be an object, not a list\n");
}

Test(model_read, rules_are_whole) {
  SAYS("{'epi':1,'nodes':{},'policy':{'default':'maybe','rules':["
       "{'id':'default','effect':'deny'},{'effect':'no'},"
       "{'id':'r','effect':'require'},"
       "{'id':'d','effect':'deny','attributes':[],'to':[],'from':['x/y']},"
       "{'id':'e','effect':'allow','ports':[0,1.5],'time':{'from':'8:00',"
       "'days':['monday']},'application':['q'],'authenticated':['key','keys',"
       "'key']},{'id':'f','effect':'deny','authenticated':[]}]}}",
       "policy.default: must be \"allow\" or \"deny\"\n"
       "policy.rules[0].id: \"default\" is reserved for the default\n"
       "policy.rules[1].id: is missing\n"
       "policy.rules[1].effect: must be \"allow\", \"deny\" or \"require\"\n"
       "policy.rules[2].attributes: is missing\n"
       "policy.rules[3].attributes: is for rules with effect \"require\"\n"
       "policy.rules[3].from[0]: not an address range\n"
       "policy.rules[3].to: is empty\n"
       "policy.rules[4].application[0]: no application \"q\"\n"
       "policy.rules[4].authenticated[1]: must be \"password\", "
       "\"certificate\", \"key\", \"address\" or \"none\"\n"
       "policy.rules[4].authenticated[2]: is there twice\n"
       "policy.rules[4].ports[0]: must be a whole number from 1 to 65535\n"
       "policy.rules[4].ports[1]: must be a whole number from 1 to 65535\n"
       "policy.rules[4].time.from: must be \"HH:MM\", from 00:00 to 24:00\n"
       "policy.rules[4].time.days[0]: must be mon, tue, wed, thu, fri, sat or "
       "sun\n"
       "policy.rules[5].authenticated: is empty\n");
}

Test(model_read, cut_anywhere_it_is_no_model) {
  size_t len;
  char *text = file_text("examples/hospitals.json", &len);

  while (strchr("\n }", text[len - 1]) && text[len - 1] != '}') {
    len--;
  }
  for (size_t cut = 0; cut < len; cut++) {
    char *exact = malloc(cut ? cut : 1);
    epi_model *model;

    cr_assert(exact);
    memcpy(exact, text, cut);
    cr_expect_eq(epi_model_read(&model, NULL, exact, cut), EPI_EMODEL);
    free(exact);
  }
  free(text);
}

static int read_and_ask(const char *text, size_t len) {
  epi_report *problems;
  epi_model *model = NULL;
  epi_decision *decision = NULL;
  char *json = NULL;
  int result = epi_report_new(&problems);

  if (result) {
    return result;
  }
  result = epi_model_read(&model, problems, text, len);
  if (!result) {
    result = epi_decision_new(&decision);
  }
  if (!result) {
    result = ask(model, decision, "(10.1.0.9) (ehr.antonius.example) 443",
                 EPI_QUERY_USER, "x", 0);
  }
  if (!result) {
    result = epi_model_overview(model, &json);
  }
  epi_free(json);
  epi_decision_free(decision);
  epi_model_free(model);
  epi_report_free(problems);
  return result;
}

Test(model_read, survives_failing_allocations) {
  size_t len;
  char *text = file_text("examples/hospitals.json", &len);

  for (alloc_fail_start(); alloc_fail_more();) {
    int result = read_and_ask(text, len);

    cr_expect_eq(result, alloc_fail_happened() ? EPI_ENOMEM : 0, "%s",
                 epi_error_detail());
  }
  free(text);
}

Test(model_read, survives_failing_allocations_in_a_bad_document) {
  static const char text[] =
      "{\"epi\":1,\"nodse\":1,\"nodes\":{\"a\":{\"attributes\":[\"x\",\"x\"]},"
      "\"a\":{}},\"functions\":{\"f\":{\"endpoints\":[\"socks5://h:1\",3],"
      "\"options\":{\"a\":\"b\",\"c\":1}}},"
      "\"applications\":{\"p\":{\"flows\":[{\"from\":\"a\",\"to\":\"b\","
      "\"ports\":[1,1]}]}},\"policy\":{\"rules\":[{\"effect\":\"deny\","
      "\"from\":[\"a\",\"a\"],\"user\":[\"u\"]}]}}";

  for (alloc_fail_start(); alloc_fail_more();) {
    int result = read_and_ask(text, sizeof text - 1);

    cr_expect(result == EPI_EMODEL || result == EPI_ENOMEM);
  }
}

Test(model_read, limits_of_an_application_are_whole_numbers_from_one) {
#define LIMITS(text)                                                           \
  "{'epi':1,'nodes':{'a':{}},'applications':{'x':{'nodes':['a'],'limits':"     \
  "{" text "}}}}"
  SAYS(LIMITS("'flows':0"),
       "applications.x.limits.flows: must be a whole number from 1 to 1000000");
  SAYS(LIMITS("'flows':'many'"), "applications.x.limits.flows: must be a");
  SAYS(LIMITS("'bytes_out':1000000000000001"), "to 1000000000000000");
  SAYS(LIMITS("'rate_back':0.5"), "to 1000000000000");
  SAYS(LIMITS("'bytes':1"), "applications.x.limits.bytes: unknown key");
  epi_model_free(model_of(LIMITS("'bytes_out':1000000000000000,'flows':1")));
#undef LIMITS
}
