/* test_model_ports.c: the ports of proxies. */
#include "epi/area.h"
#include "support/alloc_fail.h"
#include "support/model_text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define NODES                                                                  \
  "{'epi':1,'nodes':{'a':{'domain':'d','addresses':['10.1.0.0/16']},"          \
  "'b':{'domain':'e','addresses':['10.2.0.0/16','10.2.0.9','b.example']},"     \
  "'b.example':{'domain':'e','addresses':['2001:db8::7']},"                    \
  "'bare':{'domain':'d'}},"

#define PROXY(endpoint, ports)                                                 \
  NODES "'proxies':{'p':{'domain':'d'" endpoint ",'ports':[" ports "]}}}"

#define AT ",'endpoint':'socks6://10.1.0.2:1080'"

/* "LISTEN: FROM > TO" of a port of the only proxy. */
static const char *port_of(const epi_model *model, size_t index) {
  static char line[4 * EPI_ADDR_TEXT_MAX];
  char at[EPI_ADDR_TEXT_MAX], to[EPI_ADDR_TEXT_MAX];
  ptrdiff_t from = epi_model_proxy_port_from(model, 0, index);
  epi_addr listen, dest;

  cr_assert_geq(from, 0);
  cr_assert_eq(epi_model_proxy_port_listen(model, 0, index, &listen), 0);
  cr_assert_eq(epi_model_proxy_port_to(model, 0, index, &dest), 0);
  epi_addr_format(&listen, 1, at, sizeof at);
  epi_addr_format(&dest, 1, to, sizeof to);
  snprintf(line, sizeof line, "%s: %s > %s", at,
           epi_model_node_name(model, (size_t)from), to);
  return line;
}

static void expect_port(const char *document, const char *line) {
  epi_model *model = model_of(document);

  cr_expect_str_eq(port_of(model, 0), line);
  epi_model_free(model);
}

Test(model_ports, are_at_the_address_of_the_endpoint) {
  expect_port(PROXY(AT, "{'port':20001,'from':'a','to':'b:443'}"),
              "10.1.0.2:20001: a > 10.2.0.9:443");
  expect_port(PROXY(",'endpoint':'socks6://[::1]:1'",
                    "{'port':1,'from':'a','to':'b:443'}"),
              "[::1]:1: a > 10.2.0.9:443");
}

Test(model_ports, are_at_all_addresses_if_the_endpoint_has_none) {
  expect_port(PROXY("", "{'port':1,'from':'a','to':'b:443'}"),
              "0.0.0.0:1: a > 10.2.0.9:443");
  expect_port(PROXY(",'endpoint':'socks6://px.example:1'",
                    "{'port':1,'from':'a','to':'b:443'}"),
              "0.0.0.0:1: a > 10.2.0.9:443");
}

Test(model_ports, are_where_they_say) {
  expect_port(PROXY(AT, "{'port':1,'from':'a','to':'b:1','listen':'::'}"),
              "[::]:1: a > 10.2.0.9:1");
}

Test(model_ports, lead_to_a_node_or_to_a_host_of_one) {
  expect_port(PROXY(AT, "{'port':1,'from':'b','to':'10.2.7.7:65535'}"),
              "10.1.0.2:1: b > 10.2.7.7:65535");
  expect_port(PROXY(AT, "{'port':1,'from':'b','to':'[2001:DB8::7]:80'}"),
              "10.1.0.2:1: b > [2001:db8::7]:80");
  expect_port(PROXY(AT, "{'port':1,'from':'a','to':'X.B.Example:1'}"),
              "10.1.0.2:1: a > x.b.example:1");
}

Test(model_ports, a_node_comes_before_a_host_of_its_name) {
  expect_port(PROXY(AT, "{'port':1,'from':'a','to':'b.example:1'}"),
              "10.1.0.2:1: a > [2001:db8::7]:1");
}

Test(model_ports, what_is_not_there_is_an_error) {
  epi_model *model = model_of(PROXY(AT, "{'port':1,'from':'a','to':'b:1'}"));
  epi_addr addr;

  cr_expect_eq(epi_model_proxy_port_count(model, 0), 1);
  cr_expect_eq(epi_model_proxy_port_count(model, 1), 0);
  cr_expect_eq(epi_model_proxy_port_from(model, 0, 1), EPI_EINVAL);
  cr_expect_eq(epi_model_proxy_port_listen(model, 0, 1, &addr), EPI_EINVAL);
  cr_expect_eq(epi_model_proxy_port_to(model, 1, 0, &addr), EPI_EINVAL);
  epi_model_free(model);
}

Test(model_ports, the_address_that_it_has_anyway_need_not_be_said) {
  epi_model *said =
      model_of(PROXY(AT, "{'port':1,'from':'a','to':'b:1','listen':"
                         "'10.1.0.2'}"));
  epi_model *not = model_of(PROXY(AT, "{'port':1,'from':'a','to':'b:1'}"));

  cr_expect_str_eq(epi_model_hash(said), epi_model_hash(not ));
  epi_model_free(said);
  epi_model_free(not );
}

#define SAYS(ports, line)                                                      \
  do {                                                                         \
    const char *all = problems_of(PROXY(AT, ports));                           \
                                                                               \
    cr_expect(strstr(all, "proxies.p.ports" line), "%s", all);                 \
  } while (0)

Test(model_ports, mistakes_are_named) {
  SAYS("{}", "[0].port: is missing");
  SAYS("{}", "[0].from: is missing");
  SAYS("{}", "[0].to: is missing");
  SAYS("{'port':0,'from':'a','to':'b:1'}",
       "[0].port: must be a whole number from 1 to 65535");
  SAYS("{'port':1,'from':'bar','to':'b:1'}",
       "[0].from: no node \"bar\", did you mean \"bare\"?");
  SAYS("{'port':1,'from':'a','to':'b'}",
       "[0].to: must be NODE:PORT or HOST:PORT");
  SAYS("{'port':1,'from':'a','to':'b:0'}",
       "[0].to: must be NODE:PORT or HOST:PORT");
  SAYS("{'port':1,'from':'a','to':'2001:db8::7'}",
       "[0].to: must be NODE:PORT or HOST:PORT");
  SAYS("{'port':1,'from':'a','to':'[::7:1'}",
       "[0].to: must be NODE:PORT or HOST:PORT");
  SAYS("{'port':1,'from':'a','to':'bara:443'}",
       "[0].to: no node or host of a node \"bara\", did you mean \"bare\"?");
  SAYS("{'port':1,'from':'a','to':'10.9.0.1:443'}",
       "[0].to: no node or host of a node \"10.9.0.1\"");
  SAYS("{'port':1,'from':'a','to':'a:443'}",
       "[0].to: node \"a\" has no address of one host: name the host, as "
       "HOST:443");
  SAYS("{'port':1,'from':'a','to':'bare:443'}",
       "[0].to: node \"bare\" has no address of one host");
  SAYS("{'port':1,'from':'a','to':'b:1','listen':'localhost'}",
       "[0].listen: must be an IP address, without a port");
  SAYS("{'port':1,'from':'a','to':'b:1','listen':'10.0.0.1:2'}",
       "[0].listen: must be an IP address, without a port");
  SAYS("{'port':1,'from':'a','to':'b:1'},{'port':1,'from':'b','to':'b:2',"
       "'listen':'10.1.0.2'}",
       "[1]: another port of this proxy is at 10.1.0.2:1");
  cr_expect_str_eq(
      problems_of(PROXY(AT, "{'port':1,'from':'a','to':'b:1'},{'port':1,"
                            "'from':'b','to':'b:2','listen':'10.1.0.3'}")),
      "");
}

Test(model_ports, there_are_at_most_1024) {
  static char text[65536];
  size_t used = (size_t)snprintf(text, sizeof text,
                                 NODES "'proxies':{'p':{'domain':'d','ports':"
                                       "[");

  for (int i = 1; i <= 1025; i++) {
    used += (size_t)snprintf(text + used, sizeof text - used,
                             "%s{'port':%d,'from':'a','to':'b:1'}",
                             i > 1 ? "," : "", i);
  }
  snprintf(text + used, sizeof text - used, "]}}}");
  cr_expect_str_eq(problems_of(text),
                   "proxies.p.ports: has more than 1024 values\n");
}

Test(model_ports, a_lack_of_memory_is_an_error) {
  static const char text[] =
      "{\"epi\":1,\"nodes\":{\"a\":{\"domain\":\"d\",\"addresses\":[\"h\"]}},"
      "\"proxies\":{\"p\":{\"domain\":\"d\",\"ports\":[{\"port\":1,\"from\":"
      "\"a\",\"to\":\"a:1\"},{\"port\":2,\"from\":\"a\",\"to\":\"x.h:1\","
      "\"listen\":\"::1\"}]}}}";

  for (alloc_fail_start(); alloc_fail_more();) {
    epi_model *model;
    int result = epi_model_read(&model, NULL, text, sizeof text - 1);

    cr_expect_eq(result, alloc_fail_happened() ? EPI_ENOMEM : 0);
    if (!result) {
      epi_model_free(model);
    }
  }
}
