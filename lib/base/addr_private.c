/* addr_private.c: addresses that are not the whole Internet's: IANA's
 * registries of special-purpose addresses (RFC 6890), as far as something could
 * be there.
 */
#include "base/net.h"

#include <string.h>

typedef struct block {
  uint8_t ip[16];
  int bits;
} block;

static const block ipv4[] = {
    {{0}, 8},                 /* "this network"; 0.0.0.0 connects to loopback */
    {{10}, 8},                /* RFC 1918 */
    {{100, 64}, 10},          /* shared, RFC 6598 */
    {{127}, 8},               /* loopback */
    {{169, 254}, 16},         /* link-local; metadata services */
    {{172, 16}, 12},          /* RFC 1918 */
    {{192, 0, 0}, 24},        /* protocol assignments, RFC 6890 */
    {{192, 168}, 16},         /* RFC 1918 */
    {{198, 18}, 15},          /* benchmarks, RFC 2544 */
    {{224}, 4},               /* multicast */
    {{240}, 4},               /* reserved; broadcast is the last of them */
    {{192, 88, 99}, 24},      /* relays of 6to4, RFC 7526 */
    {{168, 63, 129, 16}, 32}, /* the metadata service of Azure */
};

static const block ipv6[] = {
    {{[15] = 1}, 128},                          /* loopback */
    {{[15] = 0}, 128},                          /* unspecified */
    {{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48}, /* local NAT64, RFC 8215 */
    {{0x01}, 64},                               /* discard, RFC 6666 */
    {{0x20, 0x01, 0x00, 0x02}, 48},             /* benchmarking, RFC 5180 */
    {{0x5f}, 16},                               /* SRv6 segments, RFC 9602 */
    {{0xfc}, 7},                                /* unique local, RFC 4193 */
    {{0xfe, 0x80}, 10},                         /* link-local */
    {{0xfe, 0xc0}, 10},                         /* site-local, RFC 3879 */
    {{0xff}, 8},                                /* multicast */
};

/* Prefixes that an IPv4 address follows, at a byte; Teredo has all of its bits
 * the other way round (RFC 4380 section 4). */
static const struct carrier {
  block prefix;
  int at, inverted;
} carriers[] = {
    {{{0}, 96}, 12, 0},                      /* compatible */
    {{{[8] = 0xff, [9] = 0xff}, 96}, 12, 0}, /* translated */
    {{{0x00, 0x64, 0xff, 0x9b}, 96}, 12, 0}, /* NAT64 */
    {{{0x20, 0x02}, 16}, 2, 0},              /* 6to4 */
    {{{0x20, 0x01}, 32}, 12, 1},             /* Teredo */
};

static int is_in(const block *whole, const uint8_t *ip) {
  size_t bytes = (size_t)whole->bits / 8;
  int rest = whole->bits % 8;

  return !memcmp(whole->ip, ip, bytes) &&
         (!rest || (whole->ip[bytes] ^ ip[bytes]) >> (8 - rest) == 0);
}

static int is_in_any(const block *blocks, size_t count, const uint8_t *ip) {
  for (size_t i = 0; i < count; i++) {
    if (is_in(&blocks[i], ip)) {
      return 1;
    }
  }
  return 0;
}

static int ipv4_is_private(const uint8_t *ip) {
  return is_in_any(ipv4, sizeof ipv4 / sizeof *ipv4, ip);
}

static int carries_private(const uint8_t *ip) {
  for (size_t i = 0; i < sizeof carriers / sizeof *carriers; i++) {
    const struct carrier *carrier = &carriers[i];
    uint8_t inside[4];

    if (!is_in(&carrier->prefix, ip)) {
      continue;
    }
    for (size_t k = 0; k < sizeof inside; k++) {
      inside[k] = ip[(size_t)carrier->at + k] ^ (carrier->inverted ? 0xff : 0);
    }
    if (ipv4_is_private(inside)) {
      return 1;
    }
  }
  return 0;
}

/* An interface identifier that has an IPv4 address in it (ISATAP, RFC 5214). */
static int isatap_is_private(const uint8_t *ip) {
  return (ip[8] & 0xfd) == 0 && ip[9] == 0 && ip[10] == 0x5e &&
         ip[11] == 0xfe && ipv4_is_private(ip + 12);
}

int epi__addr_is_private(const epi_addr *addr) {
  if (addr->kind == EPI_ADDR_IPV4) {
    return ipv4_is_private(addr->ip);
  }
  return addr->kind == EPI_ADDR_IPV6 &&
         (is_in_any(ipv6, sizeof ipv6 / sizeof *ipv6, addr->ip) ||
          carries_private(addr->ip) || isatap_is_private(addr->ip));
}
