/* test_random_messages.c: messages at random come back as they were written,
 * in every version. */
#include "socks/message.h"
#include "support/alloc_fail.h"
#include "support/random_document.h"
#include "support/random_message.h"
#include "support/splits.h"

#include <criterion/criterion.h>
#include <string.h>

enum { ROUNDS = 2000 };

static const int versions[] = {EPI_SOCKS6, EPI_SOCKS6_12, EPI_SOCKSX};
static uint8_t message[65536], again[65536];

/* ---- comparing ---- */

/* The peer reads the padding as well. */
static int same_auth_data(const epi__auth_data *read,
                          const epi__auth_data *was) {
  static const uint8_t zeros[4];
  int same = read->count == was->count;

  for (size_t i = 0; same && i < was->count; i++) {
    const epi__auth_entry *a = &read->entries[i], *b = &was->entries[i];

    same = a->method == b->method && a->len >= b->len && a->len <= b->len + 4 &&
           !memcmp(a->data, b->data, b->len) &&
           !memcmp(a->data + b->len, zeros, a->len - b->len);
  }
  return same;
}

static int same_metadata(const epi__metadata *a, const epi__metadata *b) {
  int same = a->count == b->count;

  for (size_t i = 0; same && i < a->count; i++) {
    same = a->entries[i].key == b->entries[i].key &&
           !strcmp(a->entries[i].value, b->entries[i].value);
  }
  return same;
}

static int same_id(const epi__session_id *a, const epi__session_id *b) {
  return a->len == b->len && !memcmp(a->bytes, b->bytes, a->len);
}

/* An advertisement comes from socksx whether anything is offered or not. */
static int same_request(const epi_request *a, const epi_request *b) {
  int same = a->command == b->command && epi_addr_equal(&a->dest, &b->dest) &&
             !strcmp(a->login.user, b->login.user) &&
             !strcmp(a->login.password, b->login.password) &&
             a->advert.initial_data == b->advert.initial_data;

  for (int method = 0; method < 256; method++) {
    same &= epi_request_offers_method(a, method) ==
            epi_request_offers_method(b, method);
  }
  return same && !memcmp(&a->stack, &b->stack, sizeof a->stack) &&
         same_auth_data(&a->auth_data, &b->auth_data) &&
         a->session == b->session && same_id(&a->session_id, &b->session_id) &&
         a->token_window == b->token_window && a->has_token == b->has_token &&
         a->token == b->token && same_metadata(&a->metadata, &b->metadata);
}

static int same_auth_reply(const epi_auth_reply *a, const epi_auth_reply *b) {
  return a->failed == b->failed && a->method == b->method &&
         a->login_status == b->login_status &&
         same_auth_data(&a->auth_data, &b->auth_data) &&
         a->session == b->session && same_id(&a->session_id, &b->session_id) &&
         a->window_base == b->window_base && a->window_size == b->window_size &&
         a->token == b->token;
}

static int same_reply(const epi_reply *a, const epi_reply *b) {
  return a->code == b->code && epi_addr_equal(&a->bound, &b->bound) &&
         !memcmp(&a->stack, &b->stack, sizeof a->stack) &&
         same_id(&a->session_id, &b->session_id) &&
         same_metadata(&a->metadata, &b->metadata);
}

/* ---- properties ---- */

typedef struct target {
  int version;
  void *object;
} target;

static ptrdiff_t read_request(void *user, const void *buf, size_t len) {
  target *to = user;

  return epi_request_read(to->object, to->version, buf, len);
}

static ptrdiff_t read_auth_reply(void *user, const void *buf, size_t len) {
  target *to = user;

  return epi_auth_reply_read(to->object, to->version, buf, len);
}

static ptrdiff_t read_reply(void *user, const void *buf, size_t len) {
  target *to = user;

  return epi_reply_read(to->object, to->version, buf, len);
}

/* Reads what was written, at a few splits too: all would take long. */
static void read_back(splits_read *read, target *to, ptrdiff_t size) {
  cr_assert_gt(size, 0, "%s", epi_error_detail());
  for (int i = 0; i < 8; i++) {
    size_t cut = draw((uint32_t)size);

    cr_assert_eq(splits_whole(read, to, message, cut), 0);
  }
  cr_assert_eq(splits_whole(read, to, message, (size_t)size), size, "%s",
               epi_error_detail());
}

Test(random_messages, requests_come_back) {
  for (int i = 0; i < ROUNDS; i++) {
    target to = {.version = versions[i % 3]};
    epi_request *request = random_request(to.version);
    epi_request *read, copy = {0};
    ptrdiff_t size =
        epi_request_write(request, to.version, message, sizeof message);

    cr_assert_eq(epi_request_new(&read), 0);
    to.object = read;
    read_back(read_request, &to, size);
    cr_assert(same_request(read, request), "round %d", i);
    cr_assert_eq(epi__request_copy(&copy, request), 0);
    cr_assert(same_request(&copy, request), "round %d", i);
    cr_assert_eq(epi_request_write(&copy, to.version, again, sizeof again),
                 size);
    cr_assert_arr_eq(again, message, (size_t)size);
    epi__request_clear(&copy);
    epi_request_free(read);
    epi_request_free(request);
  }
}

Test(random_messages, authentication_replies_come_back) {
  for (int i = 0; i < ROUNDS; i++) {
    target to = {.version = versions[i % 3]};
    epi_auth_reply *reply = random_auth_reply(), *read;
    ptrdiff_t size =
        epi_auth_reply_write(reply, to.version, message, sizeof message);

    cr_assert_eq(epi_auth_reply_new(&read), 0);
    to.object = read;
    if (size == EPI_EINVAL) { /* it contradicts itself, and says so */
      cr_assert(reply->session == EPI_SESSION_INVALID ||
                reply->token == EPI_TOKEN_REJECTED);
    } else {
      read_back(read_auth_reply, &to, size);
      cr_assert(same_auth_reply(read, reply), "round %d", i);
    }
    epi_auth_reply_free(read);
    epi_auth_reply_free(reply);
  }
}

Test(random_messages, operation_replies_come_back) {
  for (int i = 0; i < ROUNDS; i++) {
    target to = {.version = versions[i % 3]};
    epi_reply *reply = random_reply(), *read;
    ptrdiff_t size =
        epi_reply_write(reply, to.version, message, sizeof message);

    cr_assert_eq(epi_reply_new(&read), 0);
    to.object = read;
    read_back(read_reply, &to, size);
    cr_assert(same_reply(read, reply), "round %d", i);
    epi_reply_free(read);
    epi_reply_free(reply);
  }
}

Test(random_messages, copies_survive_failing_allocations) {
  epi_request *request;

  cr_assert_eq(epi_request_new(&request), 0);
  epi_request_set_auth_data(request, 6, "abc", 3);
  epi_request_set_metadata(request, 1, "a");
  for (alloc_fail_start(); alloc_fail_more();) {
    epi_request copy = {0};

    cr_expect_eq(epi__request_copy(&copy, request),
                 alloc_fail_happened() ? EPI_ENOMEM : 0);
    cr_expect_eq(copy.command == EPI_CONNECT, !alloc_fail_happened());
    epi__request_clear(&copy);
  }
  epi_request_free(request);
}
