/* load_handshake.c: the messages of SOCKS 5 (RFC 1928) and SOCKS 6 (draft-11)
 * that a client of the benchmark needs.
 *
 * Written anew instead of calling libepi: the generator must cost the same
 * whatever the library at hand costs. */
#include "load.h"

#include <stdio.h>
#include <string.h>

#define IPV4 1
#define NAME 3
#define IPV6 4

enum load_stage load_stage_first(const load_plan *plan) {
  switch (plan->method) {
  case LOAD_SOCKS5:
    return LOAD_METHOD;
  case LOAD_SOCKS6:
    return LOAD_AUTH_REPLY;
  default:
    return LOAD_RESPONSE;
  }
}

static size_t http_write(const load_plan *plan, unsigned char *out,
                         size_t room) {
  int len =
      snprintf((char *)out, room, "GET %s HTTP/1.1\r\nHost: bench\r\n%s\r\n",
               plan->bulk ? "/bulk" : "/",
               plan->keep_alive ? "" : "Connection: close\r\n");

  return (size_t)len;
}

static size_t connect5_write(const load_plan *plan, unsigned char *out) {
  memcpy(out, "\5\1\0\1", 4);
  memcpy(out + 4, &plan->to.sin_addr, 4);
  memcpy(out + 8, &plan->to.sin_port, 2);
  return 10;
}

/* The length of the initial data is in the method advertisement. TFO towards
 * the server is asked for by a stack option, with as much in the SYN as may be.
 */
static size_t request6_write(const load_plan *plan, unsigned char *out) {
  const unsigned char fast_open[] = {0, 1, 0, 8, 2 << 6 | 4, 1, 0, 0};
  const size_t fixed = 12, asked = plan->ask_fast_open ? sizeof fast_open : 0;
  unsigned char *advert = out + fixed + asked;
  size_t len = http_write(plan, advert + 8, LOAD_OUT_MAX - fixed - asked - 8);

  memcpy(out, "\6\1\0", 3);
  out[3] = (unsigned char)(asked + 8);
  memcpy(out + 4, &plan->to.sin_port, 2);
  memcpy(out + 6, "\0\1", 2);
  memcpy(out + 8, &plan->to.sin_addr, 4);
  memcpy(out + fixed, fast_open, asked);
  memcpy(advert, "\0\2\0\10", 4);
  advert[4] = (unsigned char)(len >> 8);
  advert[5] = (unsigned char)len;
  memcpy(advert + 6, "\0\0", 2);
  return fixed + asked + 8 + len;
}

size_t load_stage_write(const load_plan *plan, enum load_stage stage,
                        unsigned char *out) {
  switch (stage) {
  case LOAD_METHOD:
    memcpy(out, "\5\1\0", 3);
    return 3;
  case LOAD_REPLY5:
    return connect5_write(plan, out);
  case LOAD_AUTH_REPLY:
    return request6_write(plan, out);
  case LOAD_RESPONSE:
    return http_write(plan, out, LOAD_OUT_MAX);
  default:
    return 0;
  }
}

/* Bytes of an address of a type, with the length byte of a name; 0 while that
 * byte is not there, -1 for a type that is none. Names are padded to a multiple
 * of 4 in SOCKS 6. */
static ptrdiff_t address_len(unsigned type, const unsigned char *at, size_t len,
                             int padded) {
  switch (type) {
  case IPV4:
    return 4;
  case IPV6:
    return 16;
  case NAME:
    return len == 0 ? 0 : padded ? (1 + at[0] + 3) / 4 * 4 : 1 + at[0];
  default:
    return -1;
  }
}

static ptrdiff_t reply5_read(const unsigned char *in, size_t len) {
  ptrdiff_t address;

  if (len < 5) {
    return 0;
  }
  address = address_len(in[3], in + 4, len - 4, 0);
  if (in[0] != 5 || in[1] != 0 || address < 0) {
    return -1;
  }
  return len < 6 + (size_t)address ? 0 : 6 + address;
}

static ptrdiff_t auth_reply_read(const unsigned char *in, size_t len) {
  size_t all;

  if (len < 4) {
    return 0;
  }
  all = 4 + ((size_t)in[2] << 8 | in[3]);
  return in[0] != 6 || in[1] != 0 ? -1 : len < all ? 0 : (ptrdiff_t)all;
}

static ptrdiff_t reply6_read(const unsigned char *in, size_t len) {
  ptrdiff_t address;
  size_t all;

  if (len < 9) {
    return 0;
  }
  address = address_len(in[7], in + 8, len - 8, 1);
  if (in[0] != 6 || in[1] != 0 || address < 0) {
    return -1;
  }
  all = 8 + (size_t)address + ((size_t)in[2] << 8 | in[3]);
  return len < all ? 0 : (ptrdiff_t)all;
}

ptrdiff_t load_stage_read(enum load_stage stage, const unsigned char *in,
                          size_t len) {
  switch (stage) {
  case LOAD_METHOD:
    return len < 2 ? 0 : in[0] == 5 && in[1] == 0 ? 2 : -1;
  case LOAD_REPLY5:
    return reply5_read(in, len);
  case LOAD_AUTH_REPLY:
    return auth_reply_read(in, len);
  case LOAD_REPLY6:
    return reply6_read(in, len);
  default:
    return -1;
  }
}
