/* datagram_wire.c: messages of UDP ASSOCIATE to and from bytes.
 *
 * A message of SOCKS 6 says how long it is, so it is read once all of it is
 * there; only what is wrong with its head is said before. */
#include "base/fail.h"
#include "socks/datagram_fields.h"
#include "socks/wire.h"

static int check_version(int version) {
  return version == EPI_SOCKS5 || version == EPI_SOCKS6 ||
                 version == EPI_SOCKS6_12
             ? 0
             : epi__fail(EPI_EINVAL, "no datagrams have version %d", version);
}

/* How names stand in the header (doc/socks6.md). */
static int names_of(int version) {
  return version == EPI_SOCKS6_12 ? EPI__NAME_COUNTED : EPI__NAME_PLAIN;
}

/* RFC 1928 section 7. */
static ptrdiff_t read_socks5(epi_datagram *out, const void *buf, size_t len) {
  epi__reader in = epi__reader_over(buf, len);
  unsigned fragment, type;
  epi_addr remote = {0};

  epi__skip(&in, 2); /* RSV: may hold anything */
  fragment = epi__read_u8(&in);
  type = epi__read_u8(&in);
  if (epi__wire_addr_read(&in, type, EPI__NAME_PLAIN, "datagram", &remote)) {
    return EPI_EPROTO;
  }
  remote.port = (uint16_t)epi__read_u16(&in);
  if (in.missing) {
    return 0;
  }
  out->type = EPI_UDP_DATAGRAM;
  out->association = 0;
  out->fragment = (int)fragment;
  out->remote = remote;
  out->data = in.at;
  out->data_len = in.left;
  return (ptrdiff_t)len;
}

/* ---- SOCKS 6, draft-11 section 7.3 ---- */

static uint64_t read_id(epi__reader *in) {
  uint64_t high = epi__read_u32(in);

  return high << 32 | epi__read_u32(in);
}

/* The remote host, and what is between its address and its type. */
static int read_remote(epi__reader *in, int version, epi_addr *out) {
  unsigned type = epi__read_u8(in);
  unsigned port;
  epi__reader name;

  epi__skip(in, 1);
  port = epi__read_u16(in);
  name = *in;
  if (version == EPI_SOCKS6_12 && type == EPI_ADDR_NAME &&
      epi__read_u8(&name) % 4 != 3 && !name.missing) {
    return epi__fail(EPI_EPROTO, "datagram has a name without its padding");
  }
  if (epi__wire_addr_read(in, type, names_of(version), "datagram", out)) {
    return EPI_EPROTO;
  }
  out->port = (uint16_t)port;
  return 0;
}

static int read_error(epi__reader *in, epi_datagram *out) {
  unsigned type = epi__read_u8(in);
  unsigned code = epi__read_u8(in);

  epi__skip(in, 2);
  if (!in->missing &&
      (type == EPI_ADDR_NAME || out->remote.kind == EPI_ADDR_NAME)) {
    return epi__fail(EPI_EPROTO, "datagram error has a host name");
  }
  if (epi__wire_addr_read(in, type, EPI__NAME_PLAIN, "datagram error",
                          &out->reporter)) {
    return EPI_EPROTO;
  }
  if (!in->missing &&
      (code < EPI_UDP_ERROR_NETWORK || code > EPI_UDP_ERROR_TOO_BIG)) {
    return epi__fail(EPI_EPROTO, "datagram error has code %u", code);
  }
  out->error = (int)code;
  return 0;
}

/* What is behind the head; in has all of it and nothing else. */
static int read_body(epi__reader *in, int version, epi_datagram *out) {
  if (out->type == EPI_UDP_DATAGRAM || out->type == EPI_UDP_ERROR) {
    if (read_remote(in, version, &out->remote)) {
      return EPI_EPROTO;
    }
  }
  if (out->type == EPI_UDP_ERROR && read_error(in, out)) {
    return EPI_EPROTO;
  }
  if (!in->missing && out->type == EPI_UDP_DATAGRAM) {
    out->data = in->at;
    out->data_len = in->left;
  } else if (in->left) {
    in->missing = 1; /* no more than it says, and no less */
  }
  return in->missing
             ? epi__fail(EPI_EPROTO, "datagram message has a wrong length")
             : 0;
}

static ptrdiff_t read_socks6(epi_datagram *out, int version, const void *buf,
                             size_t len) {
  epi__reader in = epi__reader_over(buf, len);
  epi_datagram read = {.remote = epi__addr_any(), .reporter = epi__addr_any()};
  unsigned first = epi__read_u8(&in);
  unsigned type, size;
  epi__reader body;

  if (!in.missing && first != 6) {
    return epi__fail(EPI_EVERSION, "datagram message has version %u", first);
  }
  type = epi__read_u8(&in);
  if (!in.missing && (type < EPI_UDP_INIT || type > EPI_UDP_ERROR)) {
    return epi__fail(EPI_EPROTO, "datagram message has type %u", type);
  }
  size = epi__read_u16(&in);
  if (!in.missing && size < EPI__UDP_HEAD) {
    return epi__fail(EPI_EPROTO, "datagram message has length %u", size);
  }
  read.association = read_id(&in);
  body = epi__read_part(&in, size - EPI__UDP_HEAD);
  if (in.missing) {
    return 0;
  }
  read.type = (int)type;
  if (read_body(&body, version, &read)) {
    return EPI_EPROTO;
  }
  *out = read;
  return (ptrdiff_t)in.used;
}

ptrdiff_t epi_datagram_read(epi_datagram *out, int version, const void *buf,
                            size_t len) {
  if (check_version(version)) {
    return EPI_EINVAL;
  }
  return version == EPI_SOCKS5 ? read_socks5(out, buf, len)
                               : read_socks6(out, version, buf, len);
}

/* ---- writing ---- */

static int write_socks5(epi__writer *out, const epi_datagram *datagram) {
  if (datagram->type != EPI_UDP_DATAGRAM) {
    return epi__fail(EPI_EINVAL, "SOCKS 5 has datagrams alone");
  }
  epi__write_zeros(out, 3);
  epi__write_u8(out, datagram->remote.kind);
  epi__wire_addr_write(out, EPI__NAME_PLAIN, &datagram->remote);
  epi__write_u16(out, datagram->remote.port);
  return 0;
}

static void write_remote(epi__writer *out, int version, const epi_addr *addr) {
  epi__write_u8(out, addr->kind);
  epi__write_u8(out, 0);
  epi__write_u16(out, addr->port);
  epi__wire_addr_write(out, names_of(version), addr);
}

/* Behind the head. Returns 0 or EPI_EINVAL. */
static int write_body(epi__writer *out, int version,
                      const epi_datagram *datagram) {
  if (datagram->type < EPI_UDP_DATAGRAM) {
    return 0;
  }
  write_remote(out, version, &datagram->remote);
  if (datagram->type == EPI_UDP_DATAGRAM) {
    return 0;
  }
  if (!datagram->error || datagram->remote.kind == EPI_ADDR_NAME) {
    return epi__fail(EPI_EINVAL, "a datagram error needs a code, and an IP "
                                 "address that it is about");
  }
  epi__write_u8(out, datagram->reporter.kind);
  epi__write_u8(out, (unsigned)datagram->error);
  epi__write_zeros(out, 2);
  epi__wire_addr_write(out, EPI__NAME_PLAIN, &datagram->reporter);
  return 0;
}

static size_t data_of(const epi_datagram *datagram) {
  return datagram->type == EPI_UDP_DATAGRAM ? datagram->data_len : 0;
}

static int write_socks6(epi__writer *out, int version,
                        const epi_datagram *datagram) {
  epi__writer body = epi__writer_over(NULL, 0);
  size_t size;

  if (write_body(&body, version, datagram)) {
    return EPI_EINVAL;
  }
  size = EPI__UDP_HEAD + body.used + data_of(datagram);
  if (size > EPI_UDP_MESSAGE_MAX) {
    return epi__fail(EPI_ELIMIT,
                     "a datagram message has at most %d bytes, "
                     "not %zu",
                     EPI_UDP_MESSAGE_MAX, size);
  }
  epi__write_u8(out, 6);
  epi__write_u8(out, (unsigned)datagram->type);
  epi__write_u16(out, (unsigned)size);
  epi__write_u64(out, datagram->association);
  return write_body(out, version, datagram);
}

static int write_header(epi__writer *out, int version,
                        const epi_datagram *datagram) {
  int error = check_version(version);

  if (error) {
    return error;
  }
  return version == EPI_SOCKS5 ? write_socks5(out, datagram)
                               : write_socks6(out, version, datagram);
}

ptrdiff_t epi_datagram_write_header(const epi_datagram *datagram, int version,
                                    void *buf, size_t size) {
  epi__writer out = epi__writer_over(buf, size);
  int error = write_header(&out, version, datagram);

  return error ? error : epi__writer_end(&out);
}

ptrdiff_t epi_datagram_write(const epi_datagram *datagram, int version,
                             void *buf, size_t size) {
  epi__writer out = epi__writer_over(buf, size);
  int error = write_header(&out, version, datagram);

  if (error) {
    return error;
  }
  epi__write_bytes(&out, datagram->data, data_of(datagram));
  return epi__writer_end(&out);
}
