/* socksx_codec.c: where socksx's dialect of SOCKS 6 has its fields.
 *
 * It has the address right behind the command, and the length of the options
 * right in front of them. A request has its padding byte behind the port, an
 * operation reply behind the code. Authentication replies are the draft's. */
#include "base/fail.h"
#include "socks/wire.h"

int epi__socksx_head_read(epi__reader *in, int is_reply, const char *what,
                          epi__head *out) {
  unsigned version = epi__read_u8(in);
  unsigned type;

  if (!in->missing && version != EPI_SOCKS6) {
    return epi__fail(EPI_EVERSION, "%s has version %u", what, version);
  }
  out->second = epi__read_u8(in);
  epi__skip(in, is_reply ? 1 : 0);
  type = epi__read_u8(in);
  if (epi__wire_addr_read(in, type, EPI__NAME_PLAIN, what, &out->addr)) {
    return EPI_EPROTO;
  }
  out->addr.port = (uint16_t)epi__read_u16(in);
  epi__skip(in, is_reply ? 0 : 1);
  out->options_len = epi__read_u16(in);
  return epi__options_len_check(EPI_SOCKSX, what, out->options_len);
}

void epi__socksx_head_write(epi__writer *out, int is_reply, int second,
                            size_t options_len, const epi_addr *addr) {
  epi__write_u8(out, EPI_SOCKS6);
  epi__write_u8(out, (unsigned)second);
  epi__write_zeros(out, is_reply ? 1 : 0);
  epi__write_u8(out, addr->kind);
  epi__wire_addr_write(out, EPI__NAME_PLAIN, addr);
  epi__write_u16(out, addr->port);
  epi__write_zeros(out, is_reply ? 0 : 1);
  epi__write_u16(out, (unsigned)options_len);
}

/* Byte 2 is the address type of socksx, or the upper one of the length of the
 * draft's options. Where both make sense, the draft has a length by fours in
 * bytes 2 and 3, padding in byte 6 and an address type in byte 7. */
int epi__socksx_tell(const void *buf, size_t len) {
  epi__reader in = epi__reader_over(buf, len);
  unsigned type, length, padding;

  epi__skip(&in, 2);
  type = epi__read_u8(&in);
  if (in.missing) {
    return -1;
  }
  if (!epi__wire_addr_known(type)) {
    return 0;
  }
  length = epi__read_u8(&in);
  if (length % 4) {
    return 1;
  }
  epi__skip(&in, 2);
  padding = epi__read_u8(&in);
  if (padding) {
    return 1;
  }
  type = epi__read_u8(&in);
  if (in.missing) {
    return -1;
  }
  return !epi__wire_addr_known(type);
}
