/* redirect_rules.h: what a redirect holds, and how it is rendered. */
#ifndef EPI__REDIRECT_RULES_H
#define EPI__REDIRECT_RULES_H

#include "base/bytes.h"
#include "base/net.h"
#include "epi/redirect.h"

#define EPI__REDIRECT_TABLE "epi_redirect"
#define EPI__REDIRECT_CHAIN "EPI_REDIRECT"

/* What sends the connections of this node to the chain, without "-A". */
#define EPI__REDIRECT_JUMP "OUTPUT -p tcp -j " EPI__REDIRECT_CHAIN

enum {
  EPI__REDIRECT_PORTS = 128,
  EPI__REDIRECT_RANGES = 128,
  EPI__REDIRECT_EXCEPTIONS = 128,
  EPI__REDIRECT_UIDS = 16,
};

/* Where not to intercept. */
typedef struct epi__redirect_exception {
  epi__range host; /* one address */
  uint16_t port;   /* 0: all */
} epi__redirect_exception;

struct epi_redirect {
  uint16_t listen_port;
  int loopback; /* intercept it as well */
  size_t port_count, range_count, exception_count, uid_count;
  uint16_t ports[EPI__REDIRECT_PORTS];
  epi__range ranges[EPI__REDIRECT_RANGES];
  epi__redirect_exception exceptions[EPI__REDIRECT_EXCEPTIONS];
  uint32_t uids[EPI__REDIRECT_UIDS];
};

/* Append a range, without the prefix if with_bits is 0. */
void epi__redirect_put_range(epi__text *out, const epi__range *range,
                             int with_bits);

/* Append the whole rules for `nft -f`. */
void epi__redirect_nft(const epi_redirect *redirect, epi__text *out);

/* Append the whole rules of one family for iptables-restore --noflush or
 * ip6tables-restore --noflush.
 *
 * old_jumps says how many jumps to the chain are in force already: the same
 * transaction takes them away, as restoring would add one more. */
void epi__redirect_iptables(const epi_redirect *redirect, int kind,
                            size_t old_jumps, epi__text *out);

/* Append the opposite: old_jumps jumps and the chain go. */
void epi__redirect_iptables_undo(size_t old_jumps, epi__text *out);

#endif
