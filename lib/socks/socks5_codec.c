/* socks5_codec.c: the messages of SOCKS 5, RFC 1928 and RFC 1929. */
#include "base/fail.h"
#include "socks/wire.h"

#include <string.h>

enum { LOGIN_VERSION = 1 }; /* RFC 1929 section 2 */

/* Read the version byte that a message starts with. Returns 0 if it is the
 * expected one or not there yet, or EPI_EVERSION. */
static int read_version(epi__reader *in, unsigned expected, const char *what) {
  unsigned version = epi__read_u8(in);

  if (!in->missing && version != expected) {
    return epi__fail(EPI_EVERSION, "%s has version %u", what, version);
  }
  return 0;
}

/* ---- greeting and method ---- */

ptrdiff_t epi__socks5_greeting_read(epi__advert *out, const void *buf,
                                    size_t len) {
  epi__reader in = epi__reader_over(buf, len);
  epi__advert advert = {.present = 1};
  const uint8_t *methods;
  size_t count;

  if (read_version(&in, EPI_SOCKS5, "greeting")) {
    return EPI_EVERSION;
  }
  count = epi__read_u8(&in);
  if (!in.missing && !count) {
    return epi__fail(EPI_EPROTO, "greeting offers no method");
  }
  methods = epi__read_bytes(&in, count);
  if (in.missing) {
    return 0;
  }
  for (size_t i = 0; i < count; i++) {
    epi__advert_add(&advert, methods[i]);
  }
  *out = advert;
  return (ptrdiff_t)in.used;
}

void epi__socks5_greeting_write(epi__writer *out, int with_login) {
  epi__write_u8(out, EPI_SOCKS5);
  epi__write_u8(out, with_login ? 2 : 1);
  epi__write_u8(out, EPI__METHOD_NONE);
  if (with_login) {
    epi__write_u8(out, EPI__METHOD_LOGIN);
  }
}

ptrdiff_t epi__socks5_method_read(unsigned *out, const void *buf, size_t len) {
  epi__reader in = epi__reader_over(buf, len);
  unsigned method;

  if (read_version(&in, EPI_SOCKS5, "method selection")) {
    return EPI_EVERSION;
  }
  method = epi__read_u8(&in);
  if (in.missing) {
    return 0;
  }
  *out = method;
  return (ptrdiff_t)in.used;
}

/* ---- login ---- */

ptrdiff_t epi__login_read(epi__login *out, const void *buf, size_t len) {
  epi__reader in = epi__reader_over(buf, len);
  const uint8_t *user, *password;
  size_t user_len, password_len;

  if (read_version(&in, LOGIN_VERSION, "login")) {
    return EPI_EVERSION;
  }
  user_len = epi__read_u8(&in);
  user = epi__read_bytes(&in, user_len);
  password_len = epi__read_u8(&in);
  password = epi__read_bytes(&in, password_len);
  if (in.missing) {
    return 0;
  }
  if (epi__login_set(out, user, user_len, password, password_len)) {
    return EPI_EPROTO;
  }
  return (ptrdiff_t)in.used;
}

void epi__login_write(epi__writer *out, const epi__login *login) {
  size_t user_len = strlen(login->user);
  size_t password_len = strlen(login->password);

  epi__write_u8(out, LOGIN_VERSION);
  epi__write_u8(out, (unsigned)user_len);
  epi__write_bytes(out, login->user, user_len);
  epi__write_u8(out, (unsigned)password_len);
  epi__write_bytes(out, login->password, password_len);
}

ptrdiff_t epi__login_reply_read(unsigned *out, const void *buf, size_t len) {
  epi__reader in = epi__reader_over(buf, len);
  unsigned status;

  if (read_version(&in, LOGIN_VERSION, "login reply")) {
    return EPI_EVERSION;
  }
  status = epi__read_u8(&in);
  if (in.missing) {
    return 0;
  }
  *out = status;
  return (ptrdiff_t)in.used;
}

void epi__login_reply_write(epi__writer *out, unsigned status) {
  epi__write_u8(out, LOGIN_VERSION);
  epi__write_u8(out, status);
}

/* ---- request ---- */

/* The rest of a request or reply behind its second byte: RSV, address, port.
 * Returns 0, which says nothing about in->missing, or EPI_EPROTO. */
static int read_addr(epi__reader *in, const char *what, epi_addr *out) {
  unsigned type;

  epi__skip(in, 1); /* RSV: programs in use put anything here */
  type = epi__read_u8(in);
  if (epi__wire_addr_read(in, type, EPI__NAME_PLAIN, what, out)) {
    return EPI_EPROTO;
  }
  out->port = (uint16_t)epi__read_u16(in);
  return 0;
}

static void write_message(epi__writer *out, int second, const epi_addr *addr) {
  epi__write_u8(out, EPI_SOCKS5);
  epi__write_u8(out, (unsigned)second);
  epi__write_u8(out, 0);
  epi__write_u8(out, addr->kind);
  epi__wire_addr_write(out, EPI__NAME_PLAIN, addr);
  epi__write_u16(out, addr->port);
}

ptrdiff_t epi__socks5_request_read(epi_request *out, const void *buf,
                                   size_t len) {
  epi__reader in = epi__reader_over(buf, len);
  epi_addr dest = {0};
  int command;

  if (read_version(&in, EPI_SOCKS5, "request")) {
    return EPI_EVERSION;
  }
  command = (int)epi__read_u8(&in);
  if (read_addr(&in, "request", &dest)) {
    return EPI_EPROTO;
  }
  if (in.missing) {
    return 0;
  }
  out->command = command;
  out->dest = dest;
  return (ptrdiff_t)in.used;
}

int epi__socks5_refusal(const void *buf, size_t len) {
  epi__reader in = epi__reader_over(buf, len);
  unsigned version = epi__read_u8(&in);
  unsigned type;

  epi__skip(&in, 2); /* command, RSV */
  type = epi__read_u8(&in);
  return version == EPI_SOCKS5 && !in.missing && !epi__wire_addr_known(type)
             ? EPI_REPLY_NO_ADDRESS_TYPE
             : EPI_REPLY_FAILURE;
}

int epi__socks5_request_write(epi__writer *out, const epi_request *request) {
  epi_addr any = epi__addr_any();
  const epi_addr *dest = request->dest.kind ? &request->dest : &any;

  if (request->command < EPI_CONNECT || request->command > EPI_UDP_ASSOCIATE) {
    return epi__fail(EPI_EINVAL, "SOCKS 5 has no command %d", request->command);
  }
  if (request->command == EPI_CONNECT && !request->dest.kind) {
    return epi__fail(EPI_EINVAL, "the request says not where to connect to");
  }
  write_message(out, request->command, dest);
  return 0;
}

/* ---- reply ---- */

ptrdiff_t epi__socks5_reply_read(epi_reply *out, const void *buf, size_t len) {
  epi__reader in = epi__reader_over(buf, len);
  epi_addr bound = {0};
  int code;

  if (read_version(&in, EPI_SOCKS5, "reply")) {
    return EPI_EVERSION;
  }
  code = (int)epi__read_u8(&in);
  if (read_addr(&in, "reply", &bound)) {
    return EPI_EPROTO;
  }
  if (in.missing) {
    return 0;
  }
  epi__reply_clear(out);
  out->code = code;
  out->bound = bound;
  return (ptrdiff_t)in.used;
}

void epi__socks5_reply_write(epi__writer *out, const epi_reply *reply) {
  int code = reply->code == EPI_REPLY_TIMED_OUT ? EPI_REPLY_HOST_UNREACHABLE
                                                : reply->code;

  write_message(out, code, &reply->bound);
}
