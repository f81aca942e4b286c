/* test_diff_ports.c: which ports of proxies a new model changes. */
#include "base/json.h"
#include "epi/review.h"
#include "support/alloc_fail.h"
#include "support/model_text.h"

#include <criterion/criterion.h>
#include <string.h>

#define MODEL(ports)                                                           \
  "{'epi':1,'nodes':{'a':{'domain':'d','addresses':['10.0.0.0/8']},'b':{"      \
  "'addresses':['h']},'c':{'addresses':['i']}},'proxies':{'p':{'domain':'d',"  \
  "'endpoint':'socks6://10.0.0.2:1080','ports':[" ports "]}}}"

static epi_model *old, *new;
static char *text;

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

TestSuite(diff_ports, .fini = done);

#define BEFORE                                                                 \
  MODEL("{'port':1,'from':'a','to':'b:1'},{'port':2,'from':'a','to':'b:2'},"   \
        "{'port':3,'from':'a','to':'b:3'}")
#define AFTER                                                                  \
  MODEL("{'port':4,'from':'b','to':'b:4'},{'port':3,'from':'a','to':'i:3'},"   \
        "{'port':1,'from':'a','to':'h:1'}")

Test(diff_ports, tells_what_opens_closes_and_changes) {
  cr_expect_eq(diff(BEFORE, AFTER, EPI_FORM_TEXT), 3, "%s", text);
  cr_expect_str_eq(text, "opens   port 10.0.0.2:4 of p\n"
                         "    is from b to h:4\n"
                         "changes port 10.0.0.2:3 of p\n"
                         "    was from a to h:3\n"
                         "    is from a to i:3\n"
                         "closes  port 10.0.0.2:2 of p\n"
                         "    was from a to h:2\n");
}

Test(diff_ports, their_order_is_no_change) {
  cr_expect_eq(diff(MODEL("{'port':1,'from':'a','to':'b:1'},"
                          "{'port':2,'from':'a','to':'b:2'}"),
                    MODEL("{'port':2,'from':'a','to':'b:2'},"
                          "{'port':1,'from':'a','to':'b:1','listen':"
                          "'10.0.0.2'}"),
                    EPI_FORM_TEXT),
               0);
  cr_expect_str_eq(text, "");
}

Test(diff_ports, json_has_the_same) {
  static const char ports[] =
      "\"changes\":[],\"ports\":[{\"change\":\"opens\",\"proxy\":\"p\","
      "\"listen\":\"10.0.0.2:4\",\"was\":null,\"is\":{\"from\":\"b\",\"to\":"
      "\"h:4\"}},{\"change\":\"changes\",\"proxy\":\"p\",\"listen\":"
      "\"10.0.0.2:3\",\"was\":{\"from\":\"a\",\"to\":\"h:3\"},\"is\":{\"from\":"
      "\"a\",\"to\":\"i:3\"}},{\"change\":\"closes\",";
  epi__json *root;

  cr_expect_eq(diff(BEFORE, AFTER, EPI_FORM_JSON), 3);
  cr_expect(strstr(text, ports), "%s", text);
  cr_assert_eq(epi__json_read(&root, text, strlen(text)), 0);
  epi__json_free(root);
}

Test(diff_ports, survives_a_lack_of_memory) {
  cr_expect_eq(diff(BEFORE, AFTER, EPI_FORM_JSON), 3);
  for (alloc_fail_start(); alloc_fail_more();) {
    char *again = NULL;
    ptrdiff_t result = epi_model_diff(new, old, EPI_FORM_JSON, &again);

    cr_expect_eq(result, alloc_fail_happened() ? EPI_ENOMEM : 3);
    epi_free(again);
  }
}
