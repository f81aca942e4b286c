/* addr.h: where to: a host name or an IP address, and a port. */
#ifndef EPI_ADDR_H
#define EPI_ADDR_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What `kind` says; the numbers are SOCKS's address types (RFC 1928 section
 * 5). */
#define EPI_ADDR_NONE 0
#define EPI_ADDR_IPV4 1
#define EPI_ADDR_NAME 3
#define EPI_ADDR_IPV6 4

/* The longest host name in bytes, and room for any address as text with its
 * NUL: "[...]:65535" or a name and its port. */
#define EPI_NAME_MAX      255
#define EPI_ADDR_TEXT_MAX 264

/* The one public struct. Set it with the functions below: they keep what it
 * promises, that an IPv4 address is never dressed as IPv6 (::ffff:0:0/96), a
 * name is lower case without a final dot and holds no byte that could mislead
 * a log or a resolver, and unused bytes are 0, so that equal addresses are
 * equal bytes. */
typedef struct epi_addr {
  uint8_t kind;                /* EPI_ADDR_* */
  uint8_t name_len;            /* bytes of name, without NUL */
  uint16_t port;               /* host byte order */
  uint8_t ip[16];              /* network byte order; IPv4 uses the first 4 */
  char name[EPI_NAME_MAX + 1]; /* ends in NUL */
} epi_addr;

/* Read "host:port", "host", "1.2.3.4:port", "[2001:db8::1]:port" or a bare
 * IPv6 address.
 *
 * default_port counts where the text has no port; -1 makes a port mandatory.
 * Returns 0 or EPI_EINVAL; out is then untouched. Threads: any. */
EPI_API int epi_addr_parse(epi_addr *out, const char *text, int default_port);

/* Set an IP address of 4 or 16 bytes in network byte order.
 *
 * Returns 0 or EPI_EINVAL (another length). Threads: any. */
EPI_API int epi_addr_set_ip(epi_addr *out, const void *ip, size_t len,
                            uint16_t port);

/* Set a host name of len bytes. A name that is an IP address in text becomes
 * that address.
 *
 * Returns 0 or EPI_EINVAL: empty, over 255 bytes, or with a byte other than
 * letters, digits, '-', '_' and '.', or an empty label. Threads: any. */
EPI_API int epi_addr_set_name(epi_addr *out, const char *name, size_t len,
                              uint16_t port);

/* Write an address as text: "host:port", IPv6 in brackets; without ":port"
 * and brackets if with_port is 0.
 *
 * EPI_ADDR_TEXT_MAX bytes of size are always enough.
 * Returns the length without NUL, or EPI_EINVAL (size too small, or kind is
 * none of EPI_ADDR_*), and then "" is in buf if there is room. Threads: any. */
EPI_API ptrdiff_t epi_addr_format(const epi_addr *addr, int with_port,
                                  char *buf, size_t size);

/* Compare two addresses, the port included.
 *
 * Returns 1 if they are the same and 0 if not. Threads: any. */
EPI_API int epi_addr_equal(const epi_addr *a, const epi_addr *b);

#ifdef __cplusplus
}
#endif

#endif
