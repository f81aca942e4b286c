/* socks6_codec.c: the messages of SOCKS 6, draft-11 and draft-12, and those of
 * socksx, which has the same in another order. */
#include "base/fail.h"
#include "socks/wire.h"

/* Read what every message of the drafts starts with. Returns 0, which says
 * nothing about in->missing, EPI_EVERSION or EPI_EPROTO. */
static int read_start(epi__reader *in, int draft, const char *what,
                      epi__head *out) {
  unsigned version = epi__read_u8(in);

  if (!in->missing && version != EPI_SOCKS6) {
    return epi__fail(EPI_EVERSION, "%s has version %u", what, version);
  }
  out->second = epi__read_u8(in);
  out->options_len = epi__read_u16(in);
  return epi__options_len_check(draft, what, out->options_len);
}

/* Read what a request or operation reply has in front of its options. Returns
 * as read_start(). */
static int read_head(epi__reader *in, int draft, const char *what,
                     epi__head *out) {
  int error = read_start(in, draft, what, out);
  uint16_t port = (uint16_t)epi__read_u16(in);
  unsigned type;

  if (error) {
    return error;
  }
  epi__skip(in, 1);
  type = epi__read_u8(in);
  if (epi__wire_addr_read(in, type, EPI__NAME_PADDED, what, &out->addr)) {
    return EPI_EPROTO;
  }
  out->addr.port = port;
  return 0;
}

static void write_head(epi__writer *out, int draft, int second,
                       size_t options_len, const epi_addr *addr) {
  epi__write_u8(out, EPI_SOCKS6);
  epi__write_u8(out, (unsigned)second);
  epi__write_u16(out, (unsigned)options_len);
  epi__write_u16(out, addr->port);
  epi__write_u8(out, 0);
  epi__write_u8(out, addr->kind);
  epi__wire_addr_write(
      out, draft == EPI_SOCKS6 ? EPI__NAME_PADDED : EPI__NAME_COUNTED, addr);
}

static int check_options(size_t len, int draft) {
  if (len > epi__options_max(draft)) {
    return epi__fail(EPI_ELIMIT, "options of %zu bytes, at most %zu go", len,
                     epi__options_max(draft));
  }
  return 0;
}

/* ---- request ---- */

ptrdiff_t epi__socks6_request_read(epi_request *out, int draft, const void *buf,
                                   size_t len) {
  epi__reader in = epi__reader_over(buf, len);
  epi_request request = {0};
  epi__reader options;
  epi__head head = {0};
  int error = draft == EPI_SOCKSX
                  ? epi__socksx_head_read(&in, 0, "request", &head)
                  : read_head(&in, draft, "request", &head);

  if (error) {
    return error;
  }
  options = epi__read_part(&in, head.options_len);
  if (in.missing) {
    return 0;
  }
  request.command = (int)head.second;
  request.dest = head.addr;
  if (request.command == EPI_NOOP) {
    request.dest = epi__addr_any(); /* "the fields have no meaning" */
  }
  error = epi__request_options_read(&options, draft, &request);
  if (error) {
    epi__request_clear(&request);
    return error;
  }
  epi__request_move(out, &request);
  return (ptrdiff_t)in.used;
}

int epi__socks6_refusal(int draft, const void *buf, size_t len) {
  epi__reader in = epi__reader_over(buf, len);
  epi__head head = {0};
  unsigned type;

  if (draft == EPI_SOCKSX) {
    epi__skip(&in, 2); /* version, command */
  } else if (read_start(&in, draft, "request", &head)) {
    return -1; /* which comes first, so it was why */
  } else {
    epi__skip(&in, 3); /* port, padding */
  }
  type = epi__read_u8(&in);
  return !in.missing && !epi__wire_addr_known(type) ? EPI_REPLY_NO_ADDRESS_TYPE
                                                    : -1;
}

int epi__socks6_request_write(epi__writer *out, int draft,
                              const epi_request *request) {
  epi__writer counter = epi__writer_over(NULL, 0);
  epi_addr any = epi__addr_any();
  const epi_addr *dest = &request->dest;

  if (request->command == EPI_CONNECT && !dest->kind) {
    return epi__fail(EPI_EINVAL, "the request says not where to connect to");
  }
  if (!epi__version_has_command(draft, request->command)) {
    return epi__fail(EPI_EINVAL, "there is no command %d", request->command);
  }
  if (request->command == EPI_NOOP || !dest->kind) {
    dest = &any;
  }
  epi__request_options_write(&counter, draft, request);
  if (check_options(counter.used, draft)) {
    return EPI_ELIMIT;
  }
  if (draft == EPI_SOCKSX) {
    epi__socksx_head_write(out, 0, request->command, counter.used, dest);
  } else {
    write_head(out, draft, request->command, counter.used, dest);
  }
  epi__request_options_write(out, draft, request);
  return 0;
}

/* ---- authentication reply ---- */

ptrdiff_t epi__socks6_auth_reply_read(epi_auth_reply *out, int draft,
                                      const void *buf, size_t len) {
  epi_auth_reply reply = epi__auth_reply_empty();
  epi__reader in = epi__reader_over(buf, len);
  epi__reader options;
  epi__head head = {0};
  int error = read_start(&in, draft, "authentication reply", &head);

  /* Before the length, which is none in an operation reply. */
  if (head.second > 1 && draft == EPI_SOCKSX) {
    return epi__fail(EPI_EREFUSED,
                     "operation reply %u in place of the authentication reply",
                     head.second);
  }
  if (error) {
    return error;
  }
  if (head.second > 1) {
    return epi__fail(EPI_EPROTO, "authentication reply has type %u",
                     head.second);
  }
  options = epi__read_part(&in, head.options_len);
  if (in.missing) {
    return 0;
  }
  reply.failed = (int)head.second;
  error = epi__auth_options_read(&options, draft, &reply);
  if (error) {
    epi__auth_reply_clear(&reply);
    return error;
  }
  epi__auth_reply_clear(out);
  *out = reply;
  return (ptrdiff_t)in.used;
}

int epi__socks6_auth_reply_write(epi__writer *out, int draft,
                                 const epi_auth_reply *reply) {
  epi__writer counter = epi__writer_over(NULL, 0);

  if (epi__auth_reply_check(reply, EPI_EINVAL)) {
    return EPI_EINVAL;
  }
  epi__auth_options_write(&counter, draft, reply);
  if (check_options(counter.used, draft)) {
    return EPI_ELIMIT;
  }
  epi__write_u8(out, EPI_SOCKS6);
  epi__write_u8(out, (unsigned)reply->failed);
  epi__write_u16(out, (unsigned)counter.used);
  epi__auth_options_write(out, draft, reply);
  return 0;
}

/* ---- operation reply ---- */

ptrdiff_t epi__socks6_reply_read(epi_reply *out, int draft, const void *buf,
                                 size_t len) {
  epi__reader in = epi__reader_over(buf, len);
  epi_reply reply = {0};
  epi__reader options;
  epi__head head = {0};
  int error = draft == EPI_SOCKSX
                  ? epi__socksx_head_read(&in, 1, "reply", &head)
                  : read_head(&in, draft, "reply", &head);

  if (error) {
    return error;
  }
  options = epi__read_part(&in, head.options_len);
  if (in.missing) {
    return 0;
  }
  reply.code = (int)head.second;
  reply.bound = head.addr;
  error = epi__reply_options_read(&options, draft, &reply);
  if (error) {
    epi__reply_clear(&reply);
    return error;
  }
  epi__reply_clear(out);
  *out = reply;
  return (ptrdiff_t)in.used;
}

int epi__socks6_reply_write(epi__writer *out, int draft,
                            const epi_reply *reply) {
  epi__writer counter = epi__writer_over(NULL, 0);

  epi__reply_options_write(&counter, draft, reply);
  if (check_options(counter.used, draft)) {
    return EPI_ELIMIT;
  }
  if (draft == EPI_SOCKSX) {
    epi__socksx_head_write(out, 1, reply->code, counter.used, &reply->bound);
  } else {
    write_head(out, draft, reply->code, counter.used, &reply->bound);
  }
  epi__reply_options_write(out, draft, reply);
  return 0;
}
