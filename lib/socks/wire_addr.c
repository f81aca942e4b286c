/* wire_addr.c: addresses inside of SOCKS messages. */
#include "base/fail.h"
#include "socks/wire.h"

/* NULs behind a name and its length byte, up to a multiple of 4. */
static size_t name_padding(size_t len) {
  return (4 - (1 + len) % 4) % 4;
}

static int read_name(epi__reader *in, int names, const char *what,
                     epi_addr *out) {
  size_t len = epi__read_u8(in);
  const uint8_t *name = epi__read_bytes(in, len);

  if (names != EPI__NAME_PLAIN) {
    epi__skip(in, name_padding(len));
  }
  if (in->missing) {
    return 0;
  }
  while (names != EPI__NAME_PLAIN && len && !name[len - 1]) {
    len--;
  }
  if (epi_addr_set_name(out, (const char *)name, len, 0)) {
    return epi__fail(EPI_EPROTO, "%s has a bad host name", what);
  }
  return 0;
}

int epi__wire_addr_read(epi__reader *in, unsigned type, int names,
                        const char *what, epi_addr *out) {
  size_t len = type == EPI_ADDR_IPV4 ? 4 : 16;
  const uint8_t *ip;

  if (in->missing) {
    return 0;
  }
  if (!epi__wire_addr_known(type)) {
    return epi__fail(EPI_EPROTO, "%s has address type %u", what, type);
  }
  if (type == EPI_ADDR_NAME) {
    return read_name(in, names, what, out);
  }
  ip = epi__read_bytes(in, len);
  return ip ? epi_addr_set_ip(out, ip, len, 0) : 0;
}

void epi__wire_addr_write(epi__writer *out, int names, const epi_addr *addr) {
  size_t padding = name_padding(addr->name_len);

  switch (addr->kind) {
  case EPI_ADDR_IPV4:
    epi__write_bytes(out, addr->ip, 4);
    return;
  case EPI_ADDR_IPV6:
    epi__write_bytes(out, addr->ip, 16);
    return;
  default:
    epi__write_u8(out, (unsigned)(names == EPI__NAME_COUNTED
                                      ? addr->name_len + padding
                                      : addr->name_len));
    epi__write_bytes(out, addr->name, addr->name_len);
    epi__write_zeros(out, names == EPI__NAME_PLAIN ? 0 : padding);
  }
}

int epi__wire_addr_known(unsigned type) {
  return type == EPI_ADDR_IPV4 || type == EPI_ADDR_NAME ||
         type == EPI_ADDR_IPV6;
}
