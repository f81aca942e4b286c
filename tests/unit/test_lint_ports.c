/* test_lint_ports.c: ports of proxies that are there in vain. */
#include "epi/review.h"
#include "support/alloc_fail.h"
#include "support/model_text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static epi_model *model;
static char *text;

static void done(void) {
  epi_free(text);
  epi_model_free(model);
}

TestSuite(lint_ports, .fini = done);

#define PORT(number, to, more)                                                 \
  "{'port':" #number ",'from':'a','to':'" to "'" more "}"

/* The findings about ports of two proxies. A flow from a to b may be at port 1
 * only, as the rule has it. */
static ptrdiff_t lint(const char *near, const char *far, const char *rule) {
  char document[2048];

  epi_free(text);
  epi_model_free(model);
  snprintf(document, sizeof document,
           "{'epi':1,'nodes':{'a':{'domain':'d','addresses':['10.0.0.0/8']},"
           "'b':{'domain':'e','addresses':['h']}},'proxies':{"
           "'p':{'domain':'d','endpoint':'socks6://10.1.0.2:1080',"
           "'ports':[%s]},'q':{'domain':'e','endpoint':"
           "'socks6://10.1.0.2:1081','ports':[%s]}},'policy':{'rules':[{'id':"
           "'r','effect':'allow','from':['a'],'to':['b'],'ports':[1]%s}]}}",
           near, far, rule);
  model = model_of(document);
  return epi_model_lint(model, EPI_FORM_TEXT, &text);
}

Test(lint_ports, finds_nothing_in_those_that_lead_somewhere) {
  cr_expect_eq(lint(PORT(1, "b:1", "") "," PORT(2, "x.h:1", ""), "", ""), 0,
               "%s", text);
}

Test(lint_ports, finds_two_at_one_place) {
  cr_expect_eq(lint(PORT(1080, "b:1", ""), "", ""), 1);
  cr_expect_str_eq(text, "proxies.p.ports[0]: proxy \"p\" listens at "
                         "10.1.0.2:1080 already\n");
  cr_expect_eq(lint(PORT(1081, "b:1", ""), "", ""), 1);
  cr_expect_str_eq(text, "proxies.p.ports[0]: proxy \"q\" listens at "
                         "10.1.0.2:1081 already\n");
  cr_expect_eq(lint(PORT(5, "b:1", ""), PORT(5, "b:1", ""), ""), 2);
  cr_expect(strstr(text, "proxies.q.ports[0]: proxy \"p\" listens at "
                         "10.1.0.2:5 already\n"),
            "%s", text);
}

Test(lint_ports, all_addresses_are_nobody_elses) {
  cr_expect_eq(lint(PORT(5, "b:1", ",'listen':'::'"),
                    PORT(5, "b:1", ",'listen':'::'"), ""),
               1, "%s", text);
  cr_expect_str_eq(text, "proxies.q.ports[0]: its flows must pass \"p\" first: "
                         "they are refused here\n");
}

Test(lint_ports, finds_flows_that_are_refused) {
  cr_expect_eq(lint(PORT(1, "b:2", ""), "", ""), 1);
  cr_expect(strstr(text, "proxies.p.ports[0]: its flows are refused: "), "%s",
            text);
}

Test(lint_ports, a_flow_may_be_allowed_at_other_times) {
  cr_expect_eq(lint(PORT(1, "b:1", ""), "", ",'time':{'from':'08:00'}"), 0,
               "%s", text);
}

Test(lint_ports, survives_a_lack_of_memory) {
  ptrdiff_t found = lint(PORT(1, "b:2", ""), PORT(1, "b:1", ""), "");

  cr_expect_eq(found, 3, "%s", text);
  for (alloc_fail_start(); alloc_fail_more();) {
    char *again = NULL;
    ptrdiff_t result = epi_model_lint(model, EPI_FORM_JSON, &again);

    cr_expect_eq(result, alloc_fail_happened() ? EPI_ENOMEM : found);
    epi_free(again);
  }
}
