/* test_expect.c: what a document expects of a model. */
#include "epi/review.h"
#include "support/alloc_fail.h"
#include "support/model_text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static epi_model *model;
static epi_report *problems;
static char *text;

static char *with_quotes(const char *json, size_t *len) {
  char *copy;

  *len = strlen(json);
  copy = malloc(*len + 1);
  cr_assert(copy);
  for (size_t i = 0; i <= *len; i++) {
    copy[i] = json[i];
    if (json[i] == '\'') {
      copy[i] = '"';
    }
  }
  return copy;
}

/* How many of the expectations do not hold. */
static ptrdiff_t expect(const char *list, int form) {
  char document[4096];
  ptrdiff_t result;
  size_t len;
  char *json;

  snprintf(document, sizeof document, "{'epi-assert':1,'expect':[%s]}", list);
  json = with_quotes(document, &len);
  epi_free(text);
  text = NULL;
  result = epi_model_assert(model, problems, json, len, form, &text);
  free(json);
  return result;
}

static void start(void) {
  cr_assert_eq(epi_report_new(&problems), 0);
}

static void hospitals(void) {
  size_t len;
  char *document = file_text("examples/hospitals.json", &len);

  start();
  model = model_of(document);
  free(document);
}

static void done(void) {
  epi_free(text);
  epi_report_free(problems);
  epi_model_free(model);
}

TestSuite(expect, .fini = done);

Test(expect, holds_where_the_model_does_so) {
  hospitals();
  cr_expect_eq(
      expect("{'from':'umc','to':'antonius','port':443,'application':'train',"
             "'verdict':'bridged','rule':'train','allowed':true,"
             "'with':['encryption','firewall'],'through':['scan','open']},"
             "{'from':'antonius','to':'umc','purpose':'commercial',"
             "'never':true},"
             "{'from':'10.1.0.9','to':'ehr.antonius.example','port':443,"
             "'purpose':'commercial','allowed':false}",
             EPI_FORM_TEXT),
      0, "%s", text);
  cr_expect_str_eq(text, "");
}

Test(expect, has_a_line_for_each_that_does_not_hold) {
  hospitals();
  cr_expect_eq(
      expect("{'from':'antonius','to':'umc','verdict':'direct','because':'so'},"
             "{'from':'umc','to':'antonius','port':443,'rule':'consent'},"
             "{'from':'umc','to':'antonius','port':443,'through':['gate']},"
             "{'from':'umc','to':'antonius','port':443,'allowed':false},"
             "{'from':'antonius','to':'umc','with':['encryption']}",
             EPI_FORM_TEXT),
      5);
  cr_expect_str_eq(
      text,
      "expect[0]: antonius -> umc must be direct, is denied: no rule allows "
      "it; expected because so\n"
      "expect[1]: umc -> antonius must be decided by rule \"consent\", is "
      "bridged by \"train\"\n"
      "expect[2]: umc -> antonius is bridged, but not through gate\n"
      "expect[3]: umc -> antonius must be refused, is bridged: rule \"train\" "
      "allows it\n"
      "expect[4]: antonius -> umc must be allowed, is denied: no rule allows "
      "it\n");
}

Test(expect, with_means_at_the_destination_or_applied) {
  start();
  model = model_of("{'epi':1,'attributes':['x','y','z'],'nodes':{'a':{"
                   "'attributes':['y']},'b':{'attributes':['x']}},'functions':{"
                   "'f':{'provides':['y'],'filter':'f'}},"
                   "'policy':{'default':'allow'}}");
  cr_expect_eq(expect("{'from':'a','to':'b','with':['x','y']}", EPI_FORM_TEXT),
               0);
  cr_expect_eq(expect("{'from':'a','to':'b','with':['x','z']}", EPI_FORM_TEXT),
               1);
  cr_expect_str_eq(text, "expect[0]: a -> b is bridged without z\n");
}

Test(expect, never_finds_the_case_that_is_allowed) {
  start();
  model = model_of(
      "{'epi':1,'nodes':{'a':{'addresses':['10.0.0.0/8']},'b':{},'c':{}},"
      "'policy':{'rules':["
      "{'id':'no','effect':'deny','to':['b'],'ports':[1,2]},"
      "{'id':'sold','effect':'deny','purpose':['sale']},"
      "{'id':'night','effect':'deny','time':{'from':'22:00','to':'06:00'}},"
      "{'id':'one','effect':'allow','to':['b'],'ports':[1,2,3],"
      "'purpose':['sale','care'],'user':['u'],"
      "'time':{'from':'21:00','to':'23:00'}},"
      "{'id':'two','effect':'allow','from':['10.9.0.0/16'],'to':['c']},"
      "{'id':'three','effect':'allow','to':['a'],'ports':[1],"
      "'purpose':['sale']}]}}");
  cr_expect_eq(expect("{'from':'a','to':'b','never':true},"
                      "{'from':'a','to':'c','never':true},"
                      "{'from':'b','to':'a','never':true},"
                      "{'from':'a','to':'b','port':2,'never':true},"
                      "{'from':'a','to':'b','purpose':'x','never':true},"
                      "{'from':'a','to':'b','at':'2026-01-31T22:30',"
                      "'never':true},"
                      "{'from':'10.8.0.1','to':'c','never':true},"
                      "{'from':'b','to':'192.0.2.1','never':true}",
                      EPI_FORM_TEXT),
               2, "%s", text);
  cr_expect_str_eq(
      text,
      "expect[0]: a -> b must never be allowed, but is by \"one\", purpose "
      "care, user u, port 3, time 21:00 UTC on mon\n"
      "expect[1]: a -> c must never be allowed, but is by \"two\", from "
      "10.9.0.0 of a\n");
}

Test(expect, never_believes_whoever_names_an_application) {
  hospitals();
  cr_expect_eq(
      expect("{'from':'antonius','to':'umc','never':true}", EPI_FORM_TEXT), 1);
  cr_expect_str_eq(text,
                   "expect[0]: antonius -> umc must never be allowed, but is "
                   "by \"train\", application train\n");
}

Test(expect, never_tries_all_that_a_client_may_authenticate_by) {
  start();
  model = model_of(
      "{'epi':1,'nodes':{'a':{},'b':{},'c':{}},'policy':{'rules':["
      "{'id':'out','effect':'deny','to':['b'],'authenticated':['none','key']},"
      "{'id':'in','effect':'allow','to':['b']},"
      "{'id':'log','effect':'deny','authenticated':['password','certificate',"
      "'key','none']},"
      "{'id':'pw','effect':'allow','to':['c'],'authenticated':['password']}]}"
      "}");
  cr_expect_eq(expect("{'from':'a','to':'b','never':true},"
                      "{'from':'a','to':'b','authenticated':'key,address',"
                      "'never':true},"
                      "{'from':'a','to':'b','rule':'out'},"
                      "{'from':'a','to':'b','authenticated':'address',"
                      "'rule':'in'},"
                      "{'from':'a','to':'c','never':true}",
                      EPI_FORM_TEXT),
               1, "%s", text);
  cr_expect_str_eq(text, "expect[0]: a -> b must never be allowed, but is by "
                         "\"in\", authenticated password\n");
  cr_expect_eq(expect("{'from':'a','to':'b','authenticated':'no','never':true}",
                      EPI_FORM_TEXT),
               EPI_EMODEL);
}

Test(expect, never_minds_the_default) {
  start();
  model =
      model_of("{'epi':1,'nodes':{'a':{},'b':{}},'policy':{'default':"
               "'allow','rules':[{'id':'n','effect':'deny','ports':[1]}]}}");
  cr_expect_eq(expect("{'from':'a','to':'b','never':true},"
                      "{'from':'a','to':'b','port':1,'never':true}",
                      EPI_FORM_TEXT),
               1);
  cr_expect_str_eq(text, "expect[0]: a -> b must never be allowed, but is by "
                         "\"default\"\n");
}

Test(expect, never_gives_up_when_there_are_too_many_cases) {
  static char document[65536];
  size_t used;

  start();
  used = (size_t)snprintf(document, sizeof document,
                          "{'epi':1,'nodes':{'a':{'attributes':['x']},'b':{}},"
                          "'policy':{'rules':[{'id':'r','effect':'allow'");
  for (int k = 0; k < 2; k++) {
    used += (size_t)snprintf(document + used, sizeof document - used, ",'%s':[",
                             k ? "user" : "consent");
    for (int i = 0; i < 400; i++) {
      used += (size_t)snprintf(document + used, sizeof document - used,
                               "%s'u%d'", i ? "," : "", i);
    }
    used += (size_t)snprintf(document + used, sizeof document - used, "]");
  }
  snprintf(document + used, sizeof document - used, "}]}}");
  model = model_of(document);
  cr_expect_eq(expect("{'from':'a','to':'b','never':true}", EPI_FORM_TEXT), 1);
  cr_expect(strstr(text, "too many cases"));
}

Test(expect, can_be_json) {
  hospitals();
  cr_expect_eq(
      expect("{'from':'umc','to':'umc','allowed':false},"
             "{'from':'antonius','to':'umc','allowed':true,'because':'p'}",
             EPI_FORM_JSON),
      1);
  cr_expect(strstr(text, "\"expected\":2,\"failures\":[{\"expect\":1,\"from\":"
                         "\"antonius\",\"to\":\"umc\",\"failure\":\"must be "
                         "allowed, is denied: no rule allows it\","
                         "\"because\":\"p\"}]}"),
            "%s", text);
}

Test(expect, names_every_error_of_a_document) {
  static const char *const lines[] = {
      "expect[0].to: no node \"antonus\", did you mean \"antonius\"?",
      "expect[0].colour: unknown key",
      "expect[0]: expects nothing: it needs \"never\", \"allowed\", "
      "\"verdict\", \"rule\", \"with\" or \"through\"",
      "expect[1]: what is never allowed has no other expectation",
      "expect[1].verdict: must be \"direct\", \"bridged\", \"unbridgeable\", "
      "\"unplaceable\" or \"denied\"",
      "expect[1].with[0]: no attribute \"x\"",
      "expect[2].port: must be a whole number from 1 to 65535",
      "expect[2].at: must be a time as \"2026-01-31T09:30\", in UTC",
      "expect[2].application: no application \"x\"",
      "expect[3].from: is missing",
      "expect[3].rule: no rule \"x\"",
      "expect[3].through[0]: no function \"x\"",
      "expect[4]: must be an object, not a number",
      "expect[5]: \"never\" can only be true",
  };

  hospitals();
  cr_expect_eq(
      expect("{'from':'umc','to':'antonus','colour':1},"
             "{'from':'umc','to':'umc','never':true,'verdict':'no',"
             "'with':['x']},"
             "{'from':'umc','to':'umc','port':0,'at':'2026-02-30T00:00',"
             "'application':'x','allowed':true},"
             "{'to':'umc','rule':'x','through':['x']},7,"
             "{'from':'umc','to':'umc','never':false}",
             EPI_FORM_TEXT),
      EPI_EMODEL);
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
    size_t k = 0;

    while (k < epi_report_count(problems) &&
           strcmp(epi_report_line(problems, k), lines[i])) {
      k++;
    }
    cr_expect_lt(k, epi_report_count(problems), "%s", lines[i]);
  }
}

Test(expect, refuses_what_is_no_document) {
  static const char *const bad[] = {
      "",
      "{",
      "[]",
      "{}",
      "{\"epi-assert\":2,\"expect\":[]}",
      "{\"epi-assert\":1}",
  };

  hospitals();
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    cr_expect_eq(epi_model_assert(model, problems, bad[i], strlen(bad[i]),
                                  EPI_FORM_TEXT, &text),
                 EPI_EMODEL, "%s", bad[i]);
  }
  cr_expect_eq(expect("", 3), EPI_EINVAL);
  cr_expect_eq(expect("", EPI_FORM_TEXT), 0);
}

Test(expect, survives_a_lack_of_memory) {
  size_t len;
  char *json = with_quotes("{'epi-assert':1,'expect':[{'from':'umc','to':"
                           "'antonius','never':true},{'from':'umc','to':"
                           "'antonius','with':['encryption'],'through':["
                           "'scan','gate']}]}",
                           &len);

  hospitals();
  for (alloc_fail_start(); alloc_fail_more();) {
    char *again = NULL;
    ptrdiff_t result =
        epi_model_assert(model, NULL, json, len, EPI_FORM_TEXT, &again);

    cr_expect_eq(result, alloc_fail_happened() ? EPI_ENOMEM : 2);
    epi_free(again);
  }
  free(json);
}
