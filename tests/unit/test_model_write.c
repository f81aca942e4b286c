/* test_model_write.c: the canonical document. */
#include "epi/area.h"
#include "support/model_text.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const char whole[] =
    "{\"epi\":1,\"gap\":\"as-printed\",\"private\":\"any\","
    "\"attributes\":[\"enc\",\"fw\",\"x\"],"
    "\"bridgeable\":[\"enc\"],\"nodes\":{\"b\":{\"domain\":\"d\","
    "\"addresses\":[\"10.0.0.0/8\",\"2001:db8::1\",\"h.example\"],"
    "\"attributes\":[\"enc\",\"fw\"]},\"a\":{}},\"proxies\":{\"p\":{"
    "\"domain\":\"d\",\"endpoint\":\"socks6://h:1\",\"reach\":[\"q\"],"
    "\"rtt_ms\":{\"q\":2.5}},\"q\":{\"domain\":\"d\",\"reach\":[],"
    "\"ports\":[{\"port\":2,\"from\":\"b\",\"to\":\"b:1\"},{\"port\":2,"
    "\"from\":\"a\",\"to\":\"[2001:db8::1]:65535\",\"listen\":\"::1\"},{"
    "\"port\":1,\"from\":\"b\",\"to\":\"x.h.example:80\"}]}},"
    "\"functions\":{"
    "\"seal\":{\"provides\":[\"enc\"],\"filter\":\"seal:x\",\"pair\":\"open\","
    "\"before\":[\"gate\"],\"after\":[\"open\"],\"cost\":{\"setup_ms\":2,"
    "\"per_mib_ms\":0.6},\"image\":\"r/seal:1\",\"options\":{\"b\":\"2\","
    "\"a\":\"x \\\"y\\\"\"}},\"open\":{\"filter\":\"open\"},\"gate\":{"
    "\"endpoints\":[\"socks5://h:1\",\"socks5+tls://h:2\"],\"instances\":3,"
    "\"capacity\":40,\"fail\":\"open\",\"proof\":\"none\"},\"scan\":{"
    "\"capacity\":2,\"proof\":\"none\",\"image\":\"r/scan:1\"}},"
    "\"applications\":{\"z\":{\"purpose\":\"p\",\"dataset\":\"d\",\"nodes\":["
    "\"b\",\"a\"],\"limits\":{\"flows\":7,\"bytes_out\":1000000000000000,"
    "\"bytes_back\":1,\"rate_out\":3,\"rate_back\":1000000000000},"
    "\"flows\":[{\"from\":\"b\",\"to\":\"a\",\"ports\":[443,80]}]}"
    "},\"policy\":{\"default\":\"allow\",\"rules\":[{\"id\":\"r\",\"effect\":"
    "\"require\",\"from\":[\"a\",\"domain:d\",\"has:fw\",\"area:b\","
    "\"unknown\",\"10.0.0.0/24\"],\"application\":[\"z\"],\"purpose\":[\"p\"],"
    "\"dataset\":[\"d\"],\"user\":[\"u\",\"v\"],\"consent\":[\"c\"],"
    "\"authenticated\":["
    "\"password\",\"none\"],\"ports\":["
    "1,2],\"time\":{\"from\":\"08:00\",\"to\":\"18:30\",\"days\":[\"mon\","
    "\"sun\"]},\"attributes\":[\"x\"],\"reason\":\"why \\\"not\\\"\"}]}}";

Test(model_write, a_canonical_document_is_its_own_canonical_form) {
  epi_model *model = model_of(whole);
  char *text;

  cr_assert_eq(epi_model_write(model, &text), 0);
  cr_expect_str_eq(text, whole);
  epi_free(text);
  epi_model_free(model);
}

static int same_hash(const char *a, const char *b) {
  epi_model *first = model_of(a);
  epi_model *second = model_of(b);
  int same = !strcmp(epi_model_hash(first), epi_model_hash(second));

  epi_model_free(first);
  epi_model_free(second);
  return same;
}

Test(model_write, what_means_the_same_has_the_same_hash) {
  cr_expect(same_hash(
      "{ 'nodes' : {'a':{'attributes':['y','x']}}, 'epi' : 1.0 }",
      "{'epi':1,'nodes':{'a':{'attributes':['x','y'],'addresses':[]}},"
      "'gap':'missing','private':'named','policy':{'default':'deny','rules':[]}"
      "}"));
  cr_expect(same_hash("{'epi':1,'nodes':{'a':{'addresses':['A.Example.']}}}",
                      "{'epi':1,'nodes':{'a':{'addresses':['a.example']}}}"));
  cr_expect_not(same_hash("{'epi':1,'nodes':{'a':{},'b':{}}}",
                          "{'epi':1,'nodes':{'b':{},'a':{}}}"));
}
