/* addr.c: host names, IP addresses, ports. */
#include "epi/addr.h"

#include "base/fail.h"
#include "base/net.h"

#include <arpa/inet.h> /* inet_pton, inet_ntop: pure functions */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0,    0,
                                          0, 0, 0, 0, 0xff, 0xff};

int epi_addr_set_ip(epi_addr *out, const void *ip, size_t len, uint16_t port) {
  const uint8_t *bytes = ip;
  epi_addr addr = {.port = port};

  if (len == 16 && !memcmp(bytes, mapped_prefix, sizeof mapped_prefix)) {
    bytes += sizeof mapped_prefix;
    len = 4;
  }
  if (len != 4 && len != 16) {
    return epi__fail(EPI_EINVAL, "an IP address has 4 or 16 bytes, not %zu",
                     len);
  }
  addr.kind = len == 4 ? EPI_ADDR_IPV4 : EPI_ADDR_IPV6;
  memcpy(addr.ip, bytes, len);
  *out = addr;
  return 0;
}

static int set_ip_text(epi_addr *out, const char *text, uint16_t port) {
  uint8_t ip[16];

  if (inet_pton(AF_INET, text, ip) == 1) {
    return epi_addr_set_ip(out, ip, 4, port);
  }
  if (inet_pton(AF_INET6, text, ip) == 1) {
    return epi_addr_set_ip(out, ip, 16, port);
  }
  return EPI_EINVAL;
}

/* Letters, digits, '-', '_' and single dots between labels; lower case. */
static int copy_name(char *out, const char *name, size_t len) {
  for (size_t i = 0; i < len; i++) {
    char c = name[i];

    if (c >= 'A' && c <= 'Z') {
      c = (char)(c - 'A' + 'a');
    }
    if (c == '.' ? i == 0 || i + 1 == len || name[i - 1] == '.'
                 : !((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '_')) {
      return EPI_EINVAL;
    }
    out[i] = c;
  }
  out[len] = '\0';
  return 0;
}

int epi_addr_set_name(epi_addr *out, const char *name, size_t len,
                      uint16_t port) {
  epi_addr addr = {.kind = EPI_ADDR_NAME, .port = port};

  if (len > EPI_NAME_MAX) {
    return epi__fail(EPI_EINVAL, "a host name of %zu bytes is too long", len);
  }
  if (len && memchr(name, ':', len)) { /* only an IPv6 address has colons */
    memcpy(addr.name, name, len);
    if (!memchr(name, '\0', len) && !set_ip_text(&addr, addr.name, port)) {
      *out = addr;
      return 0;
    }
    return epi__fail(EPI_EINVAL, "not a host name: it has a colon");
  }
  if (len && name[len - 1] == '.') {
    len--;
  }
  if (!len || copy_name(addr.name, name, len)) {
    return epi__fail(EPI_EINVAL, "not a host name: letters, digits, '-', '_' "
                                 "and single dots make one");
  }
  if (!set_ip_text(&addr, addr.name, port)) {
    *out = addr;
    return 0;
  }
  addr.name_len = (uint8_t)len;
  *out = addr;
  return 0;
}

int epi__port_parse(const char *text) {
  char *end;
  unsigned long port;

  if (text[0] < '0' || text[0] > '9' || strlen(text) > 5) {
    return epi__fail(EPI_EINVAL, "a port is a number from 0 to 65535");
  }
  port = strtoul(text, &end, 10);
  if (*end || port > 65535) {
    return epi__fail(EPI_EINVAL, "a port is a number from 0 to 65535");
  }
  return (int)port;
}

int epi_addr_parse(epi_addr *out, const char *text, int default_port) {
  const char *host = text;
  const char *colon = strrchr(text, ':');
  size_t len = colon ? (size_t)(colon - text) : strlen(text);
  int port = default_port;

  if (text[0] == '[') {
    const char *bracket = strchr(text, ']');

    if (!bracket || (bracket[1] && bracket[1] != ':')) {
      return epi__fail(EPI_EINVAL, "'[' without '](:PORT)' in an address");
    }
    host = text + 1;
    len = (size_t)(bracket - host);
    colon = bracket[1] ? bracket + 1 : NULL;
    if (!memchr(host, ':', len)) {
      return epi__fail(EPI_EINVAL, "brackets are for IPv6 addresses");
    }
  } else if (colon && memchr(text, ':', len)) {
    len = strlen(text); /* a bare IPv6 address */
    colon = NULL;
  }
  if (colon) {
    port = epi__port_parse(colon + 1);
    if (port < 0) {
      return port;
    }
  }
  if (port < 0) {
    return epi__fail(EPI_EINVAL, "the port is missing: HOST:PORT");
  }
  if (port > 65535) {
    return epi__fail(EPI_EINVAL, "a port is a number from 0 to 65535");
  }
  return epi_addr_set_name(out, host, len, (uint16_t)port);
}

/* Write a number, at most 65,535, and return where it ends. */
static char *put_number(char *out, unsigned number) {
  char digits[5];
  int count = 0;

  do {
    digits[count++] = (char)('0' + number % 10);
    number /= 10;
  } while (number);
  while (count) {
    *out++ = digits[--count];
  }
  return out;
}

/* By hand: each flow has some in its log lines, and printf() takes its time. */
static char *put_ipv4(char *out, const uint8_t *ip) {
  for (int i = 0; i < 4; i++) {
    if (i) {
      *out++ = '.';
    }
    out = put_number(out, ip[i]);
  }
  return out;
}

static char *put_ipv6(char *out, const uint8_t *ip, int in_brackets) {
  if (in_brackets) {
    *out++ = '[';
  }
  inet_ntop(AF_INET6, ip, out, INET6_ADDRSTRLEN);
  out += strlen(out);
  if (in_brackets) {
    *out++ = ']';
  }
  return out;
}

ptrdiff_t epi_addr_format(const epi_addr *addr, int with_port, char *buf,
                          size_t size) {
  char text[EPI_NAME_MAX + sizeof ":65535"];
  char *end = text;
  size_t len;

  if (size) {
    buf[0] = '\0';
  }
  switch (addr->kind) {
  case EPI_ADDR_IPV4:
    end = put_ipv4(end, addr->ip);
    break;
  case EPI_ADDR_IPV6:
    end = put_ipv6(end, addr->ip, with_port);
    break;
  case EPI_ADDR_NAME:
    len = strlen(addr->name);
    memcpy(end, addr->name, len);
    end += len;
    break;
  default:
    return epi__fail(EPI_EINVAL, "no address to write");
  }
  if (with_port) {
    *end++ = ':';
    end = put_number(end, addr->port);
  }
  len = (size_t)(end - text);
  if (len >= size) {
    return epi__fail(EPI_EINVAL, "%zu bytes are too few for an address", size);
  }
  memcpy(buf, text, len);
  buf[len] = '\0';
  return (ptrdiff_t)len;
}

const char *epi__addr_text(const epi_addr *addr, epi__addr_buf *buf) {
  if (epi_addr_format(addr, 1, buf->text, sizeof buf->text) < 0) {
    memcpy(buf->text, "-", 2);
  }
  return buf->text;
}

int epi_addr_equal(const epi_addr *a, const epi_addr *b) {
  if (a->kind != b->kind || a->port != b->port) {
    return 0;
  }
  return a->kind == EPI_ADDR_NAME ? !strcmp(a->name, b->name)
                                  : !memcmp(a->ip, b->ip, sizeof a->ip);
}

int epi__addr_is_loopback(const epi_addr *addr) {
  static const uint8_t v6[16] = {[15] = 1};

  return addr->kind == EPI_ADDR_IPV4
             ? addr->ip[0] == 127
             : addr->kind == EPI_ADDR_IPV6 && !memcmp(addr->ip, v6, sizeof v6);
}

int epi__addr_is_any(const epi_addr *addr) {
  static const uint8_t zero[sizeof addr->ip];

  return (addr->kind == EPI_ADDR_IPV4 || addr->kind == EPI_ADDR_IPV6) &&
         !memcmp(addr->ip, zero, sizeof zero);
}

int epi__addr_same_host(const epi_addr *a, const epi_addr *b) {
  epi_addr with_port = *a;

  with_port.port = b->port;
  return epi_addr_equal(&with_port, b);
}

int epi__range_parse(epi__range *out, const char *text) {
  const char *slash = strchr(text, '/');
  char host[64];
  size_t len = slash ? (size_t)(slash - text) : strlen(text);
  epi__range range = {0};
  epi_addr addr;
  int bits;

  if (len >= sizeof host) {
    return epi__fail(EPI_EINVAL, "not an address range");
  }
  memcpy(host, text, len);
  host[len] = '\0';
  if (set_ip_text(&addr, host, 0)) {
    return epi__fail(EPI_EINVAL, "not an address range");
  }
  range.kind = addr.kind;
  bits = addr.kind == EPI_ADDR_IPV4 ? 32 : 128;
  range.bits = bits;
  if (slash) {
    range.bits = epi__port_parse(slash + 1);
    if (range.bits < 0 || range.bits > bits) {
      return epi__fail(EPI_EINVAL, "a prefix has 0 to %d bits", bits);
    }
  }
  memcpy(range.ip, addr.ip, sizeof range.ip);
  for (int i = range.bits; i < 128; i++) {
    if (i < bits && range.ip[i / 8] & (0x80 >> i % 8)) {
      return epi__fail(EPI_EINVAL, "bits are set behind the prefix /%d",
                       range.bits);
    }
  }
  *out = range;
  return 0;
}

int epi__range_has(const epi__range *range, const epi_addr *addr) {
  int whole = range->bits / 8;
  int rest = range->bits % 8;
  unsigned mask = 0xff00u >> rest & 0xff;

  if (addr->kind != range->kind || memcmp(addr->ip, range->ip, (size_t)whole)) {
    return 0;
  }
  return !rest || !((addr->ip[whole] ^ range->ip[whole]) & mask);
}

int epi__range_covers(const epi__range *wide, const epi__range *narrow) {
  epi_addr first = {.kind = (uint8_t)narrow->kind};

  memcpy(first.ip, narrow->ip, sizeof first.ip);
  return wide->bits <= narrow->bits && epi__range_has(wide, &first);
}
