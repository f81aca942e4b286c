/* message.c: requests and replies as objects. */
#include "socks/message.h"

#include "base/fail.h"
#include "base/memory.h"

#include <string.h>

epi_addr epi__addr_any(void) {
  epi_addr any = {.kind = EPI_ADDR_IPV4};

  return any;
}

/* A copy that keeps what epi_addr promises, whoever filled the struct. */
static int copy_addr(epi_addr *out, const epi_addr *addr) {
  switch (addr->kind) {
  case EPI_ADDR_IPV4:
    return epi_addr_set_ip(out, addr->ip, 4, addr->port);
  case EPI_ADDR_IPV6:
    return epi_addr_set_ip(out, addr->ip, 16, addr->port);
  case EPI_ADDR_NAME:
    return epi_addr_set_name(out, addr->name, addr->name_len, addr->port);
  default:
    return epi__fail(EPI_EINVAL, "an address of kind %u is none", addr->kind);
  }
}

static int set_metadata(epi__metadata *metadata, int key, const char *value) {
  if (!value) {
    if (key < 0 || key > 65535) {
      return epi__fail(EPI_EINVAL, "metadata has keys 0 to 65535, not %d", key);
    }
    epi__metadata_remove(metadata, key);
    return 0;
  }
  return epi__metadata_set(metadata, key, value, strlen(value));
}

static int metadata_key(const epi__metadata *metadata, size_t index) {
  /* No detail: the way to find the end is no failure to report. */
  return index < metadata->count ? metadata->entries[index].key : EPI_ENOENT;
}

/* ---- request ---- */

int epi_request_new(epi_request **out) {
  epi_request *request = epi__alloc(sizeof *request);

  if (!request) {
    return EPI_ENOMEM;
  }
  request->command = EPI_CONNECT;
  *out = request;
  return 0;
}

void epi_request_free(epi_request *request) {
  if (request) {
    epi__request_clear(request);
    epi__free(request);
  }
}

void epi__request_clear(epi_request *request) {
  epi__auth_data_clear(&request->auth_data);
  epi__metadata_clear(&request->metadata);
  epi_wipe(request, sizeof *request);
}

int epi__request_copy(epi_request *out, const epi_request *request) {
  epi__auth_data auth_data = {0};
  epi__metadata metadata = {0};

  if (epi__auth_data_copy(&auth_data, &request->auth_data)) {
    return EPI_ENOMEM;
  }
  if (epi__metadata_copy(&metadata, &request->metadata)) {
    epi__auth_data_clear(&auth_data);
    return EPI_ENOMEM;
  }
  *out = *request;
  out->auth_data = auth_data;
  out->metadata = metadata;
  return 0;
}

void epi__request_move(epi_request *out, epi_request *from) {
  epi__auth_data_clear(&out->auth_data);
  epi__metadata_clear(&out->metadata);
  *out = *from;
  epi_wipe(from, sizeof *from);
}

int epi_request_set_command(epi_request *request, int command) {
  if (command < EPI_NOOP || command > EPI_UDP_ASSOCIATE) {
    return epi__fail(EPI_EINVAL, "no command has the number %d", command);
  }
  request->command = command;
  return 0;
}

int epi_request_command(const epi_request *request) {
  return request->command;
}

int epi_request_set_dest(epi_request *request, const epi_addr *dest) {
  return copy_addr(&request->dest, dest);
}

const epi_addr *epi_request_dest(const epi_request *request) {
  return &request->dest;
}

int epi__login_set(epi__login *login, const void *user, size_t user_len,
                   const void *password, size_t password_len) {
  if (!user_len) {
    return epi__fail(EPI_EPROTO, "login has an empty user name");
  }
  if (memchr(user, '\0', user_len) ||
      (password_len && memchr(password, '\0', password_len))) {
    return epi__fail(EPI_EPROTO, "login has a NUL byte");
  }
  epi_wipe(login, sizeof *login);
  memcpy(login->user, user, user_len);
  if (password_len) {
    memcpy(login->password, password, password_len);
  }
  return 0;
}

int epi_request_set_login(epi_request *request, const char *user,
                          const char *password) {
  epi__login login = {0};
  size_t user_len = user ? strlen(user) : 0;
  size_t password_len = password ? strlen(password) : 0;

  if (!user != !password) {
    return epi__fail(EPI_EINVAL, "a login is both user name and password");
  }
  if (user &&
      (!user_len || user_len > EPI_LOGIN_MAX || password_len > EPI_LOGIN_MAX)) {
    return epi__fail(EPI_EINVAL,
                     "a user name has 1 to %d bytes, a password 0 to %d",
                     EPI_LOGIN_MAX, EPI_LOGIN_MAX);
  }
  if (user) {
    memcpy(login.user, user, user_len);
    memcpy(login.password, password, password_len);
  }
  request->login = login;
  epi_wipe(&login, sizeof login);
  return 0;
}

const char *epi_request_user(const epi_request *request) {
  return request->login.user[0] ? request->login.user : NULL;
}

const char *epi_request_password(const epi_request *request) {
  return request->login.user[0] ? request->login.password : NULL;
}

int epi_request_set_stack(epi_request *request, int leg, int option,
                          int value) {
  return epi__stack_set(&request->stack, leg, option, value);
}

int epi_request_stack(const epi_request *request, int leg, int option) {
  return epi__stack_get(&request->stack, leg, option);
}

int epi_request_set_metadata(epi_request *request, int key, const char *value) {
  return set_metadata(&request->metadata, key, value);
}

const char *epi_request_metadata(const epi_request *request, int key) {
  return epi__metadata_get(&request->metadata, key);
}

int epi_request_metadata_key(const epi_request *request, size_t index) {
  return metadata_key(&request->metadata, index);
}

/* ---- reply ---- */

int epi_reply_new(epi_reply **out) {
  epi_reply *reply = epi__alloc(sizeof *reply);

  if (!reply) {
    return EPI_ENOMEM;
  }
  reply->bound = epi__addr_any();
  *out = reply;
  return 0;
}

void epi_reply_free(epi_reply *reply) {
  if (reply) {
    epi__reply_clear(reply);
    epi__free(reply);
  }
}

void epi__reply_clear(epi_reply *reply) {
  epi__metadata_clear(&reply->metadata);
  epi_wipe(reply, sizeof *reply);
}

int epi_reply_set_code(epi_reply *reply, int code) {
  if (code < 0 || code > 255) {
    return epi__fail(EPI_EINVAL, "reply codes are 0 to 255, not %d", code);
  }
  reply->code = code;
  return 0;
}

int epi_reply_code(const epi_reply *reply) {
  return reply->code;
}

int epi_reply_set_bound(epi_reply *reply, const epi_addr *bound) {
  return copy_addr(&reply->bound, bound);
}

const epi_addr *epi_reply_bound(const epi_reply *reply) {
  return &reply->bound;
}

int epi_reply_set_stack(epi_reply *reply, int leg, int option, int value) {
  return epi__stack_set(&reply->stack, leg, option, value);
}

int epi_reply_stack(const epi_reply *reply, int leg, int option) {
  return epi__stack_get(&reply->stack, leg, option);
}

int epi_reply_set_metadata(epi_reply *reply, int key, const char *value) {
  return set_metadata(&reply->metadata, key, value);
}

const char *epi_reply_metadata(const epi_reply *reply, int key) {
  return epi__metadata_get(&reply->metadata, key);
}

int epi_reply_metadata_key(const epi_reply *reply, size_t index) {
  return metadata_key(&reply->metadata, index);
}
