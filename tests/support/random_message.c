/* random_message.c: requests and replies of SOCKS 6, drawn part by part. */
#include "support/random_message.h"

#include "socks/message.h"
#include "support/random_document.h"

#include <stdlib.h>
#include <string.h>

static void must(int holds) {
  if (!holds) {
    abort();
  }
}

static void fill(uint8_t *out, size_t len) {
  for (size_t i = 0; i < len; i++) {
    out[i] = (uint8_t)draw(256);
  }
}

static epi_addr any_addr(void) {
  char name[EPI_NAME_MAX];
  size_t len = 1 + draw(draw(2) ? 8 : EPI_NAME_MAX);
  uint8_t ip[16] = {0x20, 1};
  epi_addr addr;

  fill(ip + 2, sizeof ip - 2);
  memset(name, 'a' + (char)draw(26), sizeof name);
  switch (draw(3)) {
  case 0:
    epi_addr_set_ip(&addr, ip + 2, 4, (uint16_t)draw(65536));
    break;
  case 1:
    epi_addr_set_ip(&addr, ip, 16, (uint16_t)draw(65536));
    break;
  default:
    epi_addr_set_name(&addr, name, len, (uint16_t)draw(65536));
  }
  return addr;
}

/* Sets some options of the stack; what a leg cannot have is refused. */
static void draw_stack(epi__stack *stack) {
  for (uint32_t count = draw(6); count; count--) {
    const epi__stack_option *option =
        &epi__stack_options[draw(EPI__STACK_OPTIONS)];
    int values[] = {option->lowest, option->highest,
                    option->lowest + (int)draw(2), (int)draw(65536)};

    (void)epi__stack_set(stack, 1 + (int)draw(3), option->option,
                         values[draw(4)]);
  }
}

static void draw_auth_data(epi__auth_data *all) {
  uint8_t data[512];

  for (uint32_t count = draw(4); count; count--) {
    fill(data, sizeof data);
    (void)epi__auth_data_set(all, (int)draw(256), data, draw(sizeof data));
  }
}

static void draw_metadata(epi__metadata *metadata) {
  char value[300];

  for (uint32_t count = draw(5); count; count--) {
    size_t len = draw(sizeof value);

    memset(value, 'a' + (char)draw(26), len);
    must(!epi__metadata_set(metadata, (int)draw(65536), value, len));
  }
}

static uint32_t any_number(void) {
  static const uint32_t edges[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff};

  return draw(2) ? edges[draw(5)] : draw(0xffffffff);
}

static size_t any_id(uint8_t *id) {
  size_t len = 4 * (1 + draw(draw(2) ? 4 : EPI_SESSION_ID_MAX / 4));

  fill(id, len);
  return len;
}

epi_request *random_request(int version) {
  uint8_t id[EPI_SESSION_ID_MAX];
  size_t id_len = any_id(id);
  epi_addr dest = any_addr();
  epi_request *request;

  must(!epi_request_new(&request));
  if (version != EPI_SOCKSX) {
    epi_request_set_command(request, (int)draw(4));
  }
  if (epi_request_command(request) == EPI_NOOP) {
    dest = epi__addr_any();
  }
  must(!epi_request_set_dest(request, &dest));
  if (draw(2)) {
    must(!epi_request_set_login(request, "user", draw(2) ? "" : "pass"));
  }
  for (uint32_t count = draw(4); count; count--) {
    must(!epi_request_offer_method(request, 1 + (int)draw(254)));
    epi_request_set_initial_data(request, draw(EPI_INITIAL_DATA_MAX + 1));
  }
  draw_stack(&request->stack);
  draw_auth_data(&request->auth_data);
  switch (draw(4)) {
  case EPI_SESSION_BEGIN:
    epi_request_set_session(request, EPI_SESSION_BEGIN, NULL, 0);
    break;
  case EPI_SESSION_JOIN:
    epi_request_set_session(request, EPI_SESSION_JOIN, id, id_len);
    break;
  case EPI_SESSION_END:
    epi_request_set_session(request, EPI_SESSION_END, id, id_len);
    break;
  default:
    break;
  }
  (void)epi_request_set_token_window(request, any_number());
  epi_request_set_token(request, draw(2) ? (int64_t)any_number() : -1);
  draw_metadata(&request->metadata);
  return request;
}

epi_auth_reply *random_auth_reply(void) {
  uint8_t id[EPI_SESSION_ID_MAX];
  size_t id_len = any_id(id);
  epi_auth_reply *reply;

  must(!epi_auth_reply_new(&reply));
  epi_auth_reply_set_ok(reply, (int)draw(2));
  epi_auth_reply_set_method(reply, (int)draw(257) - 1);
  epi_auth_reply_set_login(reply, (int)draw(257) - 1);
  epi_auth_reply_set_session(reply, (int)draw(3));
  epi_auth_reply_set_session_id(reply, id, draw(2) ? id_len : 0);
  (void)epi_auth_reply_set_token_window(reply, any_number(), any_number());
  epi_auth_reply_set_token(reply, (int)draw(3));
  draw_auth_data(&reply->auth_data);
  return reply;
}

epi_reply *random_reply(void) {
  uint8_t id[EPI_SESSION_ID_MAX];
  size_t id_len = any_id(id);
  epi_addr bound = any_addr();
  epi_reply *reply;

  must(!epi_reply_new(&reply));
  epi_reply_set_code(reply, (int)draw(256));
  must(!epi_reply_set_bound(reply, &bound));
  draw_stack(&reply->stack);
  epi_reply_set_session_id(reply, id, draw(2) ? id_len : 0);
  draw_metadata(&reply->metadata);
  return reply;
}
