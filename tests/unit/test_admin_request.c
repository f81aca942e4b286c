/* test_admin_request.c: what admins ask, and what is wrong with it. */
#include "base/admin_request.h"
#include "epi/error.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* On an exact-size copy. Returns as epi__admin_request_read(). */
static int read_line(epi__admin_request *out, const char *line) {
  size_t len = strlen(line);
  char *copy = malloc(len ? len : 1);
  int result;

  cr_assert(copy);
  memcpy(copy, line, len);
  result = epi__admin_request_read(out, copy, len);
  free(copy);
  return result;
}

static void refuses(const char *line, int code, const char *says) {
  epi__admin_request request;

  cr_expect_eq(read_line(&request, line), code, "%s: %s", line,
               epi_error_detail());
  cr_expect(strstr(epi_error_detail(), says), "%s: %s", line,
            epi_error_detail());
  cr_expect_null(request.root);
  epi__admin_request_clear(&request);
}

Test(admin_request, has_what_it_says) {
  epi__admin_request request;

  cr_assert_eq(read_line(&request,
                         "{\"command\":\"kill\",\"reason\":\"a \\\"b\\\"\","
                         "\"flow\":17,\"epi\":1,\"id\":-3,\"all\":false}"),
               0, "%s", epi_error_detail());
  cr_expect_eq(request.command, EPI__ADMIN_KILL);
  cr_expect(request.has_id);
  cr_expect_eq(request.id, -3);
  cr_expect_str_eq(request.texts[EPI__ARG_REASON], "a \"b\"");
  cr_expect_eq(request.numbers[EPI__ARG_FLOW], 17);
  cr_expect_eq(request.numbers[EPI__ARG_ALL], 0);
  cr_expect_eq(request.has, 1u << EPI__ARG_FLOW | 1u << EPI__ARG_REASON |
                                1u << EPI__ARG_ALL);
  epi__admin_request_clear(&request);
}

Test(admin_request, refuses_what_no_command_takes) {
  refuses("", EPI_EMODEL, "");
  refuses("{", EPI_EMODEL, "line 1");
  refuses("[]", EPI_EINVAL, "an object");
  refuses("{}", EPI_EINVAL, "epi:");
  refuses("{\"epi\":2,\"command\":\"status\"}", EPI_EVERSION, "version");
  refuses("{\"epi\":\"1\",\"command\":\"status\"}", EPI_EINVAL, "epi:");
  refuses("{\"epi\":1,\"epi\":1,\"command\":\"status\"}", EPI_EINVAL, "twice");
  refuses("{\"epi\":1}", EPI_EINVAL, "command: is missing");
  refuses("{\"epi\":1,\"command\":7}", EPI_EINVAL, "command:");
  refuses("{\"epi\":1,\"command\":\"stop\"}", EPI_EINVAL, "\"stop\"");
  refuses("{\"epi\":1,\"command\":\"status\",\"most\":1}", EPI_EINVAL,
          "no \"most\"");
  refuses("{\"epi\":1,\"command\":\"status\",\"x\":1}", EPI_EINVAL, "no \"x\"");
  refuses("{\"epi\":1,\"command\":\"kill\"}", EPI_EINVAL, "needs \"reason\"");
  refuses("{\"epi\":1,\"command\":\"explain\",\"flow\":\"1\"}", EPI_EINVAL,
          "must be a number");
  refuses("{\"epi\":1,\"command\":\"explain\",\"flow\":1.5}", EPI_EINVAL,
          "whole");
  refuses("{\"epi\":1,\"command\":\"explain\",\"flow\":1e300}", EPI_EINVAL,
          "whole");
  refuses("{\"epi\":1,\"command\":\"explain\",\"flow\":1,\"flow\":2}",
          EPI_EINVAL, "flow: is there twice");
  refuses("{\"epi\":1,\"command\":\"listen\",\"url\":null}", EPI_EINVAL,
          "must be a string");
  refuses("{\"epi\":1,\"command\":\"flows\",\"all\":true}", EPI_EINVAL,
          "no \"all\"");
  refuses("{\"epi\":1,\"command\":\"status\",\"id\":1,\"id\":1}", EPI_EINVAL,
          "id: is there twice");
}

Test(admin_request, a_wrong_one_still_has_its_id) {
  epi__admin_request request;

  cr_assert_eq(read_line(&request, "{\"epi\":9,\"id\":5}"), EPI_EVERSION);
  cr_expect(request.has_id);
  cr_expect_eq(request.id, 5);
  epi__admin_request_clear(&request);
}

Test(admin_request, each_command_has_a_name_that_is_read) {
  for (int i = 0; i < EPI__ADMIN_COMMANDS; i++) {
    char line[512];
    epi__admin_request request;

    cr_assert(epi__admin_command_name(i));
    snprintf(line, sizeof line, "{\"epi\":1,\"command\":\"%s\"}",
             epi__admin_command_name(i));
    if (!read_line(&request, line)) {
      cr_expect_eq(request.command, i);
    } else {
      cr_expect(strstr(epi_error_detail(), "needs"), "%s", epi_error_detail());
    }
    epi__admin_request_clear(&request);
  }
}
