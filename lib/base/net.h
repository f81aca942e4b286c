/* net.h: address ranges and URLs. */
#ifndef EPI__NET_H
#define EPI__NET_H

#include "epi/addr.h"

/* Read a port, decimal, 0 to 65535. Returns it, or EPI_EINVAL. */
int epi__port_parse(const char *text);

typedef struct epi__addr_buf {
  char text[EPI_ADDR_TEXT_MAX];
} epi__addr_buf;

/* An address as text for a message; "-" if there is none. */
const char *epi__addr_text(const epi_addr *addr, epi__addr_buf *buf);

/* 1 for 0.0.0.0 and ::, with any port. */
int epi__addr_is_any(const epi_addr *addr);

/* 1 for addresses of this machine itself, 127.0.0.0/8 and ::1. */
int epi__addr_is_loopback(const epi_addr *addr);

/* 1 for addresses that mean something else to each network or machine, and so
 * may be nobody's business: private, shared (RFC 6598), loopback, link-local
 * (where the metadata services of clouds are), multicast, reserved and
 * unspecified ones, and what carries such an IPv4 address inside an IPv6 one:
 * 6to4, NAT64, Teredo, IPv4-compatible and IPv4-translated (RFC 6145). */
int epi__addr_is_private(const epi_addr *addr);

/* 1 if two addresses differ at most in their ports. */
int epi__addr_same_host(const epi_addr *a, const epi_addr *b);

/* An IP prefix. */
typedef struct epi__range {
  int kind; /* EPI_ADDR_IPV4 or EPI_ADDR_IPV6 */
  int bits;
  uint8_t ip[16];
} epi__range;

/* Read "10.0.0.0/8", or a single address. Bits behind the prefix must be 0.
 * Returns 0 or EPI_EINVAL. */
int epi__range_parse(epi__range *out, const char *text);

/* 1 if the range has the address. */
int epi__range_has(const epi__range *range, const epi_addr *addr);

/* 1 if a range has all addresses of another one. Two ranges that have an
 * address in common cover one another, one way or both. */
int epi__range_covers(const epi__range *wide, const epi__range *narrow);

enum {
  EPI__URL_MAX = 2048,
  EPI__URL_SETTINGS = 24,
};

/* SCHEME://[USER:PASSWORD@]HOST:PORT[=[tls://]DEST:PORT][?KEY=VALUE&...] */
typedef struct epi__url {
  char scheme[24];
  char user[EPI_NAME_MAX + 1];
  char password[EPI_NAME_MAX + 1];
  int has_login;
  epi_addr addr;
  epi_addr dest; /* kind EPI_ADDR_NONE without "=..." */
  int dest_tls;  /* 1: TLS is spoken there */
  size_t setting_count;
  struct {
    char *key, *value; /* into text */
  } settings[EPI__URL_SETTINGS];
  char text[EPI__URL_MAX];
} epi__url;

/* Read a URL. The detail names what is wrong, without the password.
 * Returns 0 or EPI_EINVAL. */
int epi__url_parse(epi__url *out, const char *text);

/* The value of a setting, or NULL. */
const char *epi__url_setting(const epi__url *url, const char *key);

/* Refuse settings that are not in the list, which ends in NULL. Returns 0 or
 * EPI_EINVAL, naming the first stranger. */
int epi__url_check_settings(const epi__url *url, const char *const *known);

/* A copy of a URL without its password, for messages. Returns buf. */
const char *epi__url_public(const char *text, char *buf, size_t size);

#endif
