/* test_metadata.c: the metadata of requests and replies. */
#include "epi/socks.h"
#include "support/alloc_fail.h"

#include <criterion/criterion.h>
#include <string.h>

static epi_request *new_request(void) {
  epi_request *request;

  cr_assert_eq(epi_request_new(&request), 0);
  return request;
}

Test(metadata, keeps_the_order_of_setting) {
  epi_request *request = new_request();

  cr_expect_eq(epi_request_set_metadata(request, 3, "job"), 0);
  cr_expect_eq(epi_request_set_metadata(request, 1, "train"), 0);
  cr_expect_eq(epi_request_set_metadata(request, 65535, ""), 0);
  cr_expect_eq(epi_request_set_metadata(request, 3, "other"), 0);
  cr_expect_eq(epi_request_metadata_key(request, 0), 3);
  cr_expect_eq(epi_request_metadata_key(request, 1), 1);
  cr_expect_eq(epi_request_metadata_key(request, 2), 65535);
  cr_expect_eq(epi_request_metadata_key(request, 3), EPI_ENOENT);
  cr_expect_str_eq(epi_request_metadata(request, 3), "other");
  cr_expect_str_eq(epi_request_metadata(request, 65535), "");
  cr_expect_null(epi_request_metadata(request, 2));
  epi_request_free(request);
}

Test(metadata, of_a_reply_can_be_gone_through) {
  epi_reply *reply;

  cr_assert_eq(epi_reply_new(&reply), 0);
  cr_expect_eq(epi_reply_metadata_key(reply, 0), EPI_ENOENT);
  cr_expect_eq(epi_reply_set_metadata(reply, EPI_META_REASON, "no"), 0);
  cr_expect_eq(epi_reply_set_metadata(reply, 7, "x"), 0);
  cr_expect_eq(epi_reply_metadata_key(reply, 0), EPI_META_REASON);
  cr_expect_eq(epi_reply_metadata_key(reply, 1), 7);
  cr_expect_eq(epi_reply_metadata_key(reply, 2), EPI_ENOENT);
  epi_reply_free(reply);
}

Test(metadata, null_removes_a_key) {
  epi_request *request = new_request();

  for (int key = 0; key < 5; key++) {
    epi_request_set_metadata(request, key, "x");
  }
  cr_expect_eq(epi_request_set_metadata(request, 2, NULL), 0);
  cr_expect_eq(epi_request_set_metadata(request, 2, NULL), 0);
  cr_expect_eq(epi_request_set_metadata(request, 4, NULL), 0);
  cr_expect_null(epi_request_metadata(request, 2));
  cr_expect_eq(epi_request_metadata_key(request, 2), 3);
  cr_expect_eq(epi_request_metadata_key(request, 3), EPI_ENOENT);
  cr_expect_eq(epi_request_set_metadata(request, -1, NULL), EPI_EINVAL);
  epi_request_free(request);
}

Test(metadata, takes_utf8_and_nothing_else) {
  epi_request *request = new_request();

  cr_expect_eq(epi_request_set_metadata(request, 1, "\xc3\xa9t\xc3\xa9"), 0);
  cr_expect_eq(epi_request_set_metadata(request, 1, "\xc3"), EPI_EINVAL);
  cr_expect_eq(epi_request_set_metadata(request, 1, "\xff"), EPI_EINVAL);
  cr_expect_eq(epi_request_set_metadata(request, 65536, "x"), EPI_EINVAL);
  cr_expect_eq(epi_request_set_metadata(request, -1, "x"), EPI_EINVAL);
  cr_expect_str_eq(epi_request_metadata(request, 1), "\xc3\xa9t\xc3\xa9");
  epi_request_free(request);
}

Test(metadata, has_limits) {
  epi_request *request = new_request();
  char value[EPI_METADATA_VALUE_MAX + 2];

  memset(value, 'v', sizeof value);
  value[EPI_METADATA_VALUE_MAX + 1] = '\0';
  cr_expect_eq(epi_request_set_metadata(request, 0, value), EPI_ELIMIT);
  value[EPI_METADATA_VALUE_MAX] = '\0';
  cr_expect_eq(epi_request_set_metadata(request, 0, value), 0);
  for (int key = 1; key < EPI_METADATA_MAX; key++) {
    cr_assert_eq(epi_request_set_metadata(request, key, "x"), 0);
  }
  cr_expect_eq(epi_request_set_metadata(request, 999, "x"), EPI_ELIMIT);
  cr_expect_eq(epi_request_set_metadata(request, 1, "replaced"), 0);
  epi_request_set_metadata(request, 1, NULL);
  cr_expect_eq(epi_request_set_metadata(request, 999, "x"), 0);
  epi_request_free(request);
}

Test(metadata, survives_failing_allocations) {
  for (alloc_fail_start(); alloc_fail_more();) {
    epi_request *request;
    int error = epi_request_new(&request);

    if (error) {
      cr_expect_eq(error, EPI_ENOMEM);
      continue;
    }
    for (int key = 0; !error && key < 20; key++) {
      error = epi_request_set_metadata(request, key, "value");
      cr_expect_eq(epi_request_metadata(request, key) == NULL, error != 0);
    }
    cr_expect_eq(error, alloc_fail_happened() ? EPI_ENOMEM : 0);
    epi_request_free(request);
  }
}

Test(metadata, replies_have_it_too) {
  epi_reply *reply;

  cr_assert_eq(epi_reply_new(&reply), 0);
  cr_expect_eq(epi_reply_set_metadata(reply, EPI_META_REASON, "no"), 0);
  cr_expect_str_eq(epi_reply_metadata(reply, EPI_META_REASON), "no");
  cr_expect_eq(epi_reply_set_metadata(reply, EPI_META_REASON, NULL), 0);
  cr_expect_null(epi_reply_metadata(reply, EPI_META_REASON));
  epi_reply_free(reply);
}
